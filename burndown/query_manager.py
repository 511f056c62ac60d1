"""Operations on the queries of a profile for business logic.

    from burndown.query_manager import create_query, switch_query

    query_id = create_query("kafka", "Last 12 weeks", "project = KAFKA AND created >= -12w")

Every function works on the backend in use, or on the one that is passed as ``backend``, and takes
the time from its clock.
"""

from burndown.copying import copy_query_data
from burndown.errors import ProfileNotFoundError, QueryNotFoundError, ValidationError
from burndown.models import Query, QueryDocument
from burndown.naming_rules import MAX_QUERIES, check_count, free_id, validate_name
from burndown.persistence import Document, PersistenceBackend, resolve_backend

__all__ = [
    "MAX_QUERIES",
    "create_query",
    "delete_query",
    "duplicate_query",
    "get_active_query",
    "get_query",
    "list_queries",
    "rename_query",
    "switch_query",
    "update_query",
    "validate_query",
]


def create_query(
    profile_id: str,
    name: str,
    jql: str,
    description: str = "",
    *,
    backend: PersistenceBackend | None = None,
) -> str:
    """Create a query; it becomes active if its profile is and no query of that is.

    Args:
        profile_id: the profile it belongs to.
        name: 1 to 100 characters; no other query of the profile may have it, in any case.
        jql: the search, in Jira's query language.
        description: what the query is for.
        backend: the backend to work on; by default the one in use.

    Returns:
        The id of the query, derived from its name.

    Raises:
        ProfileNotFoundError: the profile does not exist.
        ValidationError: the name or the JQL is empty, the name is taken, or the profile has 100
            queries.
    """
    backend = resolve_backend(backend)
    with backend.transaction():
        query = {"jql": _checked_jql(jql), "description": description}
        return _add_query(backend, profile_id, name, query)


def get_query(
    profile_id: str, query_id: str, *, backend: PersistenceBackend | None = None
) -> QueryDocument:
    """Return the query.

    Raises:
        QueryNotFoundError: the profile has no such query, or does not exist.
    """
    query = resolve_backend(backend).get_query(profile_id, query_id)
    if query is None:
        raise QueryNotFoundError(profile_id, query_id)
    return query


def list_queries(
    profile_id: str, *, backend: PersistenceBackend | None = None
) -> list[QueryDocument]:
    """Return the queries of the profile, most recently used first.

    Raises:
        ProfileNotFoundError: the profile does not exist.
    """
    backend = resolve_backend(backend)
    queries = backend.list_queries(profile_id)
    if not queries and backend.get_profile(profile_id) is None:
        raise ProfileNotFoundError(profile_id)
    return queries


def validate_query(
    profile_id: str, query_id: str, *, backend: PersistenceBackend | None = None
) -> None:
    """Check that the query belongs to the profile.

    Raises:
        ProfileNotFoundError: the profile does not exist.
        QueryNotFoundError: the profile has no such query.
    """
    if all(query["id"] != query_id for query in list_queries(profile_id, backend=backend)):
        raise QueryNotFoundError(profile_id, query_id)


def update_query(
    profile_id: str,
    query_id: str,
    *,
    name: str | None = None,
    jql: str | None = None,
    description: str | None = None,
    if_revision: int | None = None,
    backend: PersistenceBackend | None = None,
) -> QueryDocument:
    """Change what is given, and keep the rest; ``updated_at`` becomes the current time.

    Args:
        profile_id: the profile of the query.
        query_id: the query.
        name: as of :func:`create_query`.
        jql: as there.
        description: as there.
        if_revision: the revision that the query has to have; ``None`` for any.
        backend: as there.

    Returns:
        The stored query, with its new revision.

    Raises:
        QueryNotFoundError: the profile has no such query, or does not exist.
        RevisionConflictError: it has another revision.
        ValidationError: the name or the JQL is empty, or the name is taken.
    """
    backend = resolve_backend(backend)
    with backend.transaction():
        get_query(profile_id, query_id, backend=backend)  # that it is missing is the first error
        changes: Document = {"updated_at": backend.now()}
        if name is not None:
            queries = backend.list_queries(profile_id)
            changes["name"] = validate_name(Query, name, queries, query_id)
        if jql is not None:
            changes["jql"] = _checked_jql(jql)
        if description is not None:
            changes["description"] = description
        return backend.patch_query(profile_id, query_id, changes, if_revision)


def rename_query(
    profile_id: str, query_id: str, name: str, *, backend: PersistenceBackend | None = None
) -> None:
    """Change the name of the query; its id stays.

    Raises:
        QueryNotFoundError: the profile has no such query, or does not exist.
        ValidationError: the name is empty, too long or taken.
    """
    update_query(profile_id, query_id, name=name, backend=backend)


def duplicate_query(
    profile_id: str, query_id: str, name: str, *, backend: PersistenceBackend | None = None
) -> str:
    """Create a copy of the query, with all its data, in the same profile.

    Expired responses and changelogs are not copied.

    Returns:
        The id of the copy.

    Raises:
        QueryNotFoundError: the profile has no such query, or does not exist.
        ValidationError: the name is empty, too long or taken, or the profile has 100 queries.
    """
    backend = resolve_backend(backend)
    with backend.transaction():
        query = get_query(profile_id, query_id, backend=backend)
        of_original = {*Query.PRESERVED_ON_UPDATE, "revision"}
        settings = {key: value for key, value in query.items() if key not in of_original}
        copy_id = _add_query(backend, profile_id, name, settings)
        copy_query_data(backend, (profile_id, query_id), (profile_id, copy_id))
    return copy_id


def switch_query(
    profile_id: str, query_id: str, *, backend: PersistenceBackend | None = None
) -> None:
    """Make the query active, and its profile.

    Raises:
        QueryNotFoundError: the profile has no such query, or does not exist.
    """
    backend = resolve_backend(backend)
    with backend.transaction():
        now = {"last_used": backend.now()}
        backend.patch_query(profile_id, query_id, now)
        backend.patch_profile(profile_id, now)
        backend.set_app_state("active_profile_id", profile_id)
        backend.set_app_state("active_query_id", query_id)


def get_active_query(*, backend: PersistenceBackend | None = None) -> QueryDocument | None:
    """Return the active query of the active profile, or ``None`` if none is."""
    backend = resolve_backend(backend)
    profile_id = backend.get_app_state("active_profile_id")
    query_id = backend.get_app_state("active_query_id")
    if profile_id is None or query_id is None:
        return None
    return backend.get_query(profile_id, query_id)


def delete_query(
    profile_id: str, query_id: str, *, backend: PersistenceBackend | None = None
) -> None:
    """Delete the query with all its data.

    If it was active, the most recently used of the others becomes active, if there is one.

    Raises:
        QueryNotFoundError: the profile has no such query, or does not exist.
    """
    backend = resolve_backend(backend)
    with backend.transaction():
        backend.delete_query(profile_id, query_id)
        active = (
            backend.get_app_state("active_profile_id"),
            backend.get_app_state("active_query_id"),
        )
        if active == (profile_id, query_id):
            others = backend.list_queries(profile_id)
            backend.set_app_state("active_query_id", others[0]["id"] if others else None)


def _add_query(backend: PersistenceBackend, profile_id: str, name: str, settings: Document) -> str:
    queries = list_queries(profile_id, backend=backend)
    check_count(Query, MAX_QUERIES, queries)
    name = validate_name(Query, name, queries)
    query_id = free_id(name, Query.FALLBACK_ID, {query["id"] for query in queries})
    backend.save_query(profile_id, {**settings, "id": query_id, "name": name})
    is_active = backend.get_app_state("active_profile_id") == profile_id
    if is_active and get_active_query(backend=backend) is None:
        backend.set_app_state("active_query_id", query_id)
    return query_id


def _checked_jql(jql: str) -> str:
    if not isinstance(jql, str) or not jql.strip():
        raise ValidationError.of("Query", "jql", "input should be a JQL search", jql)
    return jql

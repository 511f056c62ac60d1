"""What business logic does with the queries of a profile.

from burndown.query_manager import create_query, switch_query

query_id = create_query("kafka", "Last 12 weeks", "project = KAFKA AND created >= -12w")
"""

from collections import defaultdict
from datetime import datetime

from burndown.errors import ProfileNotFoundError, QueryNotFoundError, ValidationError
from burndown.models.values import utc_now
from burndown.naming_rules import MAX_QUERIES, checked_name, free_id, refuse_beyond
from burndown.persistence import Document, get_backend

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


def create_query(profile_id: str, name: str, jql: str, description: str = "") -> str:
    """Make a query; it becomes active if its profile is and no query of it is.

    Args:
        profile_id: the profile it belongs to.
        name: 1 to 100 characters; no other query of the profile may have it, in whatever case.
        jql: the search, in Jira's query language.
        description: what it is for.

    Returns:
        Its id, made of the name.

    Raises:
        ProfileNotFoundError: there is no such profile.
        ValidationError: the name or the JQL is empty, the name is taken, or the profile has 100
            queries.
    """
    with get_backend().transaction():
        query = {"jql": _checked_jql(jql), "description": description}
        return _add_query(profile_id, name, query)


def get_query(profile_id: str, query_id: str) -> Document:
    """The query.

    Raises:
        QueryNotFoundError: the profile has none of this id.
    """
    query = get_backend().get_query(profile_id, query_id)
    if query is None:
        raise QueryNotFoundError(profile_id, query_id)
    return query


def list_queries(profile_id: str) -> list[Document]:
    """The profile's queries, most recently used first.

    Raises:
        ProfileNotFoundError: there is no such profile.
    """
    backend = get_backend()
    queries = backend.list_queries(profile_id)
    if not queries and backend.get_profile(profile_id) is None:
        raise ProfileNotFoundError(profile_id)
    return queries


def validate_query(profile_id: str, query_id: str) -> None:
    """Make sure that the query belongs to the profile.

    Raises:
        ProfileNotFoundError: there is no such profile.
        QueryNotFoundError: the profile has no such query.
    """
    if all(query["id"] != query_id for query in list_queries(profile_id)):
        raise QueryNotFoundError(profile_id, query_id)


def update_query(
    profile_id: str,
    query_id: str,
    *,
    name: str | None = None,
    jql: str | None = None,
    description: str | None = None,
) -> None:
    """Change what is given, and leave the rest as it is.

    Raises:
        QueryNotFoundError: the profile has none of this id.
        ValidationError: the name or the JQL is empty, or the name is taken.
    """
    backend = get_backend()
    with backend.transaction():
        query = get_query(profile_id, query_id)
        if name is not None:
            others = [other for other in list_queries(profile_id) if other["id"] != query_id]
            query["name"] = checked_name("Query", name, others)
        if jql is not None:
            query["jql"] = _checked_jql(jql)
        if description is not None:
            query["description"] = description
        backend.save_query(profile_id, {**query, "updated_at": utc_now().isoformat()})


def rename_query(profile_id: str, query_id: str, name: str) -> None:
    """Give the query another name; its id stays.

    Raises:
        QueryNotFoundError: the profile has none of this id.
        ValidationError: the name is empty, too long or taken.
    """
    update_query(profile_id, query_id, name=name)


def duplicate_query(profile_id: str, query_id: str, name: str) -> str:
    """Make a copy of the query, with all its data, in the same profile.

    Returns:
        The id of the copy.

    Raises:
        QueryNotFoundError: the profile has none of this id.
        ValidationError: the name is empty, too long or taken, or the profile has 100 queries.
    """
    with get_backend().transaction():
        query = get_query(profile_id, query_id)
        del query["created_at"], query["last_used"], query["updated_at"]
        copy_id = _add_query(profile_id, name, query)
        copy_query_data((profile_id, query_id), (profile_id, copy_id))
    return copy_id


def switch_query(profile_id: str, query_id: str) -> None:
    """Make the query the active one, and its profile with it.

    Raises:
        QueryNotFoundError: the profile has none of this id.
    """
    backend = get_backend()
    with backend.transaction():
        query = get_query(profile_id, query_id)
        now = utc_now().isoformat()
        backend.save_query(profile_id, {**query, "last_used": now})
        profile = backend.get_profile(profile_id)
        if profile is not None:
            backend.save_profile({**profile, "last_used": now})
        backend.set_app_state("active_profile_id", profile_id)
        backend.set_app_state("active_query_id", query_id)


def get_active_query() -> Document | None:
    """The active query of the active profile, or ``None`` if none is."""
    backend = get_backend()
    profile_id = backend.get_app_state("active_profile_id")
    query_id = backend.get_app_state("active_query_id")
    if profile_id is None or query_id is None:
        return None
    return backend.get_query(profile_id, query_id)


def delete_query(profile_id: str, query_id: str) -> None:
    """Delete the query with all its data.

    If it was the active one, the most recently used of the others becomes active, if any.

    Raises:
        QueryNotFoundError: the profile has none of this id.
    """
    backend = get_backend()
    with backend.transaction():
        backend.delete_query(profile_id, query_id)
        active = (
            backend.get_app_state("active_profile_id"),
            backend.get_app_state("active_query_id"),
        )
        if active == (profile_id, query_id):
            others = backend.list_queries(profile_id)
            backend.set_app_state("active_query_id", others[0]["id"] if others else None)


def copy_query_data(source: tuple[str, str], target: tuple[str, str]) -> None:
    """Copy what hangs on a query to another one; expired cache entries are not copied.

    Args:
        source: ids of profile and query.
        target: ids of profile and query.
    """
    backend = get_backend()
    data = backend.get_project_data(*source)
    if data is not None:
        backend.save_project_data(*target, data)
    backend.save_metrics_snapshots(*target, backend.get_metrics_snapshots(*source, limit=None))
    for cache in backend.list_jira_caches(*source):
        response = backend.get_jira_cache(*source, cache["cache_key"])
        if response is not None:
            expires_at = datetime.fromisoformat(cache["expires_at"])
            backend.save_jira_cache(*target, cache["cache_key"], response, expires_at)
    changelogs = backend.get_jira_changelogs(*source)
    by_expiry: dict[str | None, dict[str, Document]] = defaultdict(dict)
    for entry in backend.list_jira_changelogs(*source):
        if entry["issue_key"] in changelogs:
            by_expiry[entry["expires_at"]][entry["issue_key"]] = changelogs[entry["issue_key"]]
    for expiry, histories in by_expiry.items():
        expires_at_or_never = None if expiry is None else datetime.fromisoformat(expiry)
        backend.save_jira_changelogs(*target, histories, expires_at_or_never)


def _add_query(profile_id: str, name: str, settings: Document) -> str:
    backend = get_backend()
    queries = list_queries(profile_id)
    refuse_beyond(MAX_QUERIES, "Query", queries)
    name = checked_name("Query", name, queries)
    query_id = free_id(name, "query", {query["id"] for query in queries})
    backend.save_query(profile_id, {**settings, "id": query_id, "name": name})
    if backend.get_app_state("active_profile_id") == profile_id and get_active_query() is None:
        backend.set_app_state("active_query_id", query_id)
    return query_id


def _checked_jql(jql: str) -> str:
    if not isinstance(jql, str) or not jql.strip():
        raise ValidationError.of("Query", "jql", "a JQL was expected", jql)
    return jql

"""Operations on profiles for business logic.

    from burndown.profile_manager import create_profile, get_profile

    profile_id = create_profile("Kafka", {"jira_config": {"base_url": "https://jira.example.com"}})

One profile can be active, and one of its queries. Their ids are stored in the app state under
``active_profile_id`` and ``active_query_id``.

Every function works on the backend in use, or on the one that is passed as ``backend``, and takes
the time from its clock. The limits named here are defaults, which the settings can replace.
"""

from collections.abc import Mapping
from typing import Any

from burndown.copying import copy_query_data
from burndown.errors import ProfileNotFoundError
from burndown.models import Profile, ProfileDocument
from burndown.naming_rules import MAX_PROFILES, check_count, free_id, validate_name
from burndown.persistence import PersistenceBackend, resolve_backend, transaction_on
from burndown.settings import get_settings

__all__ = [
    "MAX_PROFILES",
    "create_profile",
    "delete_profile",
    "duplicate_profile",
    "get_active_profile",
    "get_profile",
    "list_profiles",
    "rename_profile",
    "switch_profile",
    "update_profile",
]


def create_profile(
    name: str,
    settings: Mapping[str, Any] | None = None,
    description: str = "",
    *,
    backend: PersistenceBackend | None = None,
) -> str:
    """Create a profile; it becomes active if no profile is.

    Args:
        name: 1 to 100 characters; no other profile may have it, in any case.
        settings: sections such as ``jira_config``, and any other keys to keep.
        description: what the profile is for.
        backend: the backend to work on; by default the one in use.

    Returns:
        The id of the profile, derived from its name.

    Raises:
        ValidationError: a value is not valid, the name is taken, or there are 50 profiles.
    """
    backend = resolve_backend(backend)
    with transaction_on(backend):
        profiles = backend.list_profiles()
        check_count(Profile, get_settings().max_profiles, profiles)
        name = validate_name(Profile, name, profiles)
        profile_id = free_id(name, Profile.FALLBACK_ID, {profile["id"] for profile in profiles})
        backend.save_profile(
            {"description": description, **(settings or {}), "id": profile_id, "name": name}
        )
        if get_active_profile(backend=backend) is None:
            switch_profile(profile_id, backend=backend)
    return profile_id


def get_profile(profile_id: str, *, backend: PersistenceBackend | None = None) -> ProfileDocument:
    """Return the profile, with its Jira token in plain text.

    Raises:
        ProfileNotFoundError: it does not exist.
    """
    profile = resolve_backend(backend).get_profile(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    return profile


def list_profiles(*, backend: PersistenceBackend | None = None) -> list[ProfileDocument]:
    """Return all profiles, most recently used first."""
    return resolve_backend(backend).list_profiles()


def update_profile(
    profile_id: str,
    changes: Mapping[str, Any],
    if_revision: int | None = None,
    *,
    backend: PersistenceBackend | None = None,
) -> ProfileDocument:
    """Change what is given in the profile, and keep the rest.

    Args:
        profile_id: the profile.
        changes: a merge patch, as :meth:`~burndown.PersistenceBackend.patch_profile` takes it: a
            section is merged key by key, ``None`` removes a key.
        if_revision: the revision that the profile has to have; ``None`` for any.
        backend: the backend to work on; by default the one in use.

    Returns:
        The stored profile, with its new revision.

    Raises:
        ProfileNotFoundError: it does not exist.
        RevisionConflictError: it has another revision.
        ValidationError: a value is not valid, ``name`` is taken, or ``id`` is another id.
    """
    backend = resolve_backend(backend)
    with transaction_on(backend):
        is_named = isinstance(changes, Mapping) and "name" in changes
        if is_named and backend.get_profile(profile_id) is not None:
            profiles = backend.list_profiles()
            name = validate_name(Profile, changes["name"], profiles, profile_id)
            changes = {**changes, "name": name}
        return backend.patch_profile(profile_id, changes, if_revision)


def rename_profile(
    profile_id: str, name: str, *, backend: PersistenceBackend | None = None
) -> None:
    """Change the name of the profile; its id stays.

    Raises:
        ProfileNotFoundError: it does not exist.
        ValidationError: the name is empty, too long or taken.
    """
    update_profile(profile_id, {"name": name}, backend=backend)


def duplicate_profile(
    profile_id: str, name: str, *, backend: PersistenceBackend | None = None
) -> str:
    """Create a copy of a profile with its settings, its queries and all their data.

    Expired responses and changelogs are not copied.

    Returns:
        The id of the copy. Its queries have the ids of the originals.

    Raises:
        ProfileNotFoundError: it does not exist.
        ValidationError: the name is empty, too long or taken, or there are 50 profiles.
    """
    backend = resolve_backend(backend)
    with transaction_on(backend):
        profile = get_profile(profile_id, backend=backend)
        of_original = {*Profile.PRESERVED_ON_UPDATE, "revision"}
        settings = {key: value for key, value in profile.items() if key not in of_original}
        copy_id = create_profile(name, settings, backend=backend)
        for query in backend.list_queries(profile_id):
            backend.save_query(copy_id, {**query, "profile_id": copy_id, "revision": None})
            copy_query_data(backend, (profile_id, query["id"]), (copy_id, query["id"]))
        if backend.get_app_state("active_profile_id") == copy_id:
            _activate_most_recent_query(backend, copy_id)
    return copy_id


def switch_profile(profile_id: str, *, backend: PersistenceBackend | None = None) -> None:
    """Make the profile active, and its most recently used query.

    Raises:
        ProfileNotFoundError: it does not exist.
    """
    backend = resolve_backend(backend)
    with transaction_on(backend):
        backend.patch_profile(profile_id, {"last_used": backend.now()})
        backend.set_app_state("active_profile_id", profile_id)
        _activate_most_recent_query(backend, profile_id)


def get_active_profile(*, backend: PersistenceBackend | None = None) -> ProfileDocument | None:
    """Return the active profile, or ``None`` if none is."""
    backend = resolve_backend(backend)
    profile_id = backend.get_app_state("active_profile_id")
    return None if profile_id is None else backend.get_profile(profile_id)


def delete_profile(profile_id: str, *, backend: PersistenceBackend | None = None) -> None:
    """Delete the profile with its queries and all their data.

    If it was active, the most recently used of the others becomes active, if there is one.

    Raises:
        ProfileNotFoundError: it does not exist.
    """
    backend = resolve_backend(backend)
    with transaction_on(backend):
        backend.delete_profile(profile_id)
        if backend.get_app_state("active_profile_id") != profile_id:
            return
        others = backend.list_profiles()
        backend.set_app_state("active_profile_id", others[0]["id"] if others else None)
        _activate_most_recent_query(backend, others[0]["id"] if others else profile_id)


def _activate_most_recent_query(backend: PersistenceBackend, profile_id: str) -> None:
    queries = backend.list_queries(profile_id)
    backend.set_app_state("active_query_id", queries[0]["id"] if queries else None)

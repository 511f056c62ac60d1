"""What business logic does with profiles.

    from burndown.profile_manager import create_profile, get_profile

    profile_id = create_profile("Kafka", {"jira_config": {"base_url": "https://jira.example.com"}})

A profile is active at a time, and a query of it; both are remembered in the app state under
``active_profile_id`` and ``active_query_id``.
"""

from collections.abc import Mapping
from typing import Any

from burndown.errors import ProfileNotFoundError, ValidationError
from burndown.models.values import utc_now
from burndown.naming_rules import MAX_PROFILES, checked_name, free_id, refuse_beyond
from burndown.persistence import Document, get_backend
from burndown.query_manager import copy_query_data

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
    name: str, settings: Mapping[str, Any] | None = None, description: str = ""
) -> str:
    """Make a profile; it becomes active if none is.

    Args:
        name: 1 to 100 characters; no other profile may have it, in whatever case.
        settings: sections such as ``jira_config``, and any other keys to keep.
        description: what it is for.

    Returns:
        Its id, made of the name.

    Raises:
        ValidationError: a value is not valid, the name is taken, or there are 50 profiles.
    """
    backend = get_backend()
    with backend.transaction():
        profiles = backend.list_profiles()
        refuse_beyond(MAX_PROFILES, "Profile", profiles)
        name = checked_name("Profile", name, profiles)
        profile_id = free_id(name, "profile", {profile["id"] for profile in profiles})
        backend.save_profile(
            {"description": description, **(settings or {}), "id": profile_id, "name": name}
        )
        if get_active_profile() is None:
            switch_profile(profile_id)
    return profile_id


def get_profile(profile_id: str) -> Document:
    """The profile, with its Jira token in clear.

    Raises:
        ProfileNotFoundError: there is none.
    """
    profile = get_backend().get_profile(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    return profile


def list_profiles() -> list[Document]:
    """All profiles, most recently used first."""
    return get_backend().list_profiles()


def update_profile(profile_id: str, settings: Mapping[str, Any]) -> None:
    """Replace the given sections and keys, and leave the others as they are.

    Raises:
        ProfileNotFoundError: there is none.
        ValidationError: a value is not valid, or ``name`` is taken.
    """
    backend = get_backend()
    with backend.transaction():
        profile = get_profile(profile_id)
        if settings.get("id", profile_id) != profile_id:
            expected = "an id that stays as it is was expected"
            raise ValidationError.of(f"Profile {profile_id!r}", "id", expected, settings["id"])
        changed = {**profile, **settings}
        if "name" in settings:
            others = [other for other in backend.list_profiles() if other["id"] != profile_id]
            changed["name"] = checked_name("Profile", settings["name"], others)
        backend.save_profile(changed)


def rename_profile(profile_id: str, name: str) -> None:
    """Give the profile another name; its id stays.

    Raises:
        ProfileNotFoundError: there is none.
        ValidationError: the name is empty, too long or taken.
    """
    update_profile(profile_id, {"name": name})


def duplicate_profile(profile_id: str, name: str) -> str:
    """Make a copy of a profile with its settings, its queries and all their data.

    Returns:
        The id of the copy. Its queries have the ids of the originals.

    Raises:
        ProfileNotFoundError: there is none.
        ValidationError: the name is empty, too long or taken, or there are 50 profiles.
    """
    backend = get_backend()
    with backend.transaction():
        original = get_profile(profile_id)
        settings = {
            key: value for key, value in original.items() if key not in ("created_at", "last_used")
        }
        copy_id = create_profile(name, settings)
        for query in backend.list_queries(profile_id):
            backend.save_query(copy_id, {**query, "profile_id": copy_id})
            copy_query_data((profile_id, query["id"]), (copy_id, query["id"]))
        if backend.get_app_state("active_profile_id") == copy_id:
            _activate_a_query(copy_id)
    return copy_id


def switch_profile(profile_id: str) -> None:
    """Make the profile the active one, and its most recently used query with it.

    Raises:
        ProfileNotFoundError: there is none.
    """
    backend = get_backend()
    with backend.transaction():
        profile = get_profile(profile_id)
        backend.save_profile({**profile, "last_used": utc_now().isoformat()})
        backend.set_app_state("active_profile_id", profile_id)
        _activate_a_query(profile_id)


def get_active_profile() -> Document | None:
    """The active profile, or ``None`` if none is."""
    backend = get_backend()
    profile_id = backend.get_app_state("active_profile_id")
    return None if profile_id is None else backend.get_profile(profile_id)


def delete_profile(profile_id: str) -> None:
    """Delete the profile with its queries and all their data.

    If it was the active one, the most recently used of the others becomes active, if any.

    Raises:
        ProfileNotFoundError: there is none.
    """
    backend = get_backend()
    with backend.transaction():
        backend.delete_profile(profile_id)
        if backend.get_app_state("active_profile_id") != profile_id:
            return
        others = backend.list_profiles()
        backend.set_app_state("active_profile_id", others[0]["id"] if others else None)
        _activate_a_query(others[0]["id"] if others else profile_id)


def _activate_a_query(profile_id: str) -> None:
    backend = get_backend()
    queries = backend.list_queries(profile_id)
    backend.set_app_state("active_query_id", queries[0]["id"] if queries else None)

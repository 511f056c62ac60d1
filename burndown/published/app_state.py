"""The app state: what of it means something here, and why the rest does not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from burndown.conversion import Report, first_few
from burndown.errors import format_value
from burndown.models.field_types import is_line
from burndown.published.timestamps import read_timestamp

__all__ = ["ACTIVE_PROFILE", "ACTIVE_QUERY", "fetched_at", "kept_state", "migrated_at"]

ACTIVE_PROFILE = "active_profile_id"
ACTIVE_QUERY = "active_query_id"
_PANEL = "parameter_panel_state"
_FETCHED = "last_fetch_time"
_MIGRATED = "migration_timestamp"

_USED = {ACTIVE_PROFILE, ACTIVE_QUERY, _FETCHED}
_OF_UPDATER = "of its updater"
_SKIPPED = {
    "schema_version": "of its own tables and its own migration",
    "migration_complete": "of its own tables and its own migration",
    _MIGRATED: "of its own tables and its own migration",
    _PANEL: "input should be a string without NUL characters",
    "profiles": "the old list of profiles, which can hold tokens",
    "version": "the old list of profiles, which can hold tokens",
    "last_delta_changed_count": "of its last update",
    "last_delta_changed_keys": "of its last update",
    "settings_hash": "of its last update",
    "last_run_version": _OF_UPDATER,
    "pending_update_checked_at": _OF_UPDATER,
    "pending_update_path": _OF_UPDATER,
    "pending_update_url": _OF_UPDATER,
    "pending_update_version": _OF_UPDATER,
    "post_update_no_browser": _OF_UPDATER,
    "post_update_relaunch": _OF_UPDATER,
    "post_update_show_toast": _OF_UPDATER,
}
"""Why a key is skipped, by what is before its first colon; after it are ids."""
_UNKNOWN = "not known to this release"


def kept_state(written: Mapping[str, Any], skip: Report) -> dict[str, str]:
    """Return the app state that is kept unchanged.

    Args:
        written: the app state by key. Its values are never reported: some hold tokens.
        skip: takes a sentence on the keys that are skipped.
    """
    skipped: dict[str, list[str]] = {}
    kept = {}
    for key, value in written.items():
        name = str(key).partition(":")[0]
        if key == _PANEL and isinstance(value, str) and is_line(value):
            kept[key] = value
        elif name not in _USED:
            skipped.setdefault(_SKIPPED.get(name, _UNKNOWN), []).append(format_value(key))
    for why, keys in skipped.items():
        skip(f"app_state: {first_few(keys)}: {why}")
    return kept


def fetched_at(written: Mapping[str, Any], profile_key: str, query_key: str) -> datetime | None:
    """Return when Jira was last asked for the issues of a query, if that is known.

    Args:
        written: the app state by key.
        profile_key: the id of the profile in their database.
        query_key: that of the query.
    """
    return read_timestamp(written.get(f"{_FETCHED}:{profile_key}:{query_key}"))


def migrated_at(written: Mapping[str, Any]) -> datetime | None:
    """Return when the dashboard moved its own JSON files into the database, if it did."""
    return read_timestamp(written.get(_MIGRATED))

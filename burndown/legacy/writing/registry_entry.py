"""The entry of a profile in the registry, without its secrets."""

from typing import Any

from burndown.legacy.contents import LegacyProfile
from burndown.models.redaction import without_secrets
from burndown.models.timestamps import to_utc

__all__ = ["registry_entry"]

_FIELDS = (
    "name",
    "description",
    "created_at",
    "last_used",
    "field_mappings",
    "forecast_settings",
    "project_classification",
    "flow_type_mappings",
    "show_milestone",
    "show_points",
)


def registry_entry(profile: LegacyProfile, earlier: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a profile.

    Args:
        profile: the profile; without a marker, only its queries are written again.
        earlier: the entry that it replaces, whose other keys are kept.
    """
    oldest_first = sorted(profile.queries, key=lambda query: to_utc(query.document["created_at"]))
    keys = [query.key for query in oldest_first]
    listed = earlier.get("queries")
    known = [key for key in listed if key in keys] if isinstance(listed, list) else []
    fields = {name: profile.document[name] for name in _FIELDS} if profile.has_marker else {}
    queries = [*known, *(key for key in keys if key not in known)]
    entry = {**earlier, "id": profile.key, **fields, "queries": queries}
    # The old dashboard expects the key, and reads the settings from profile.json.
    return {**without_secrets(entry), "jira_config": {}}

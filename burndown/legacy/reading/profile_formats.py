"""The formats of a profile that the old dashboard has written over the years.

No value is dropped: what has no field of its own is kept as an unknown key.
"""

from collections.abc import Iterable
from typing import Any

from burndown.conversion import Report, convert, is_timestamp
from burndown.errors import format_value
from burndown.models import Document, Profile
from burndown.models.field_types import is_line

__all__ = ["profile_document"]

_FORECAST_KEYS = ("pert_factor", "deadline", "milestone", "data_points_count")
_CLASSIFICATION_KEYS = (
    "devops_projects",
    "development_projects",
    "devops_task_types",
    "bug_types",
    "production_environment_values",
    "flow_end_statuses",
    "active_statuses",
    "flow_start_statuses",
    "wip_statuses",
    "completion_statuses",
    "production_environment_value",
)
_JIRA_KEYS = {
    "jira_token": "token",
    "jira_story_points_field": "points_field",
    "jira_cache_max_size": "cache_size_mb",
    "jira_max_results": "max_results_per_call",
}
_FIELD_GROUPS = {
    "dora": (
        "deployment_date",
        "deployment_successful",
        "code_commit_date",
        "incident_detected_at",
        "incident_resolved_at",
        "change_failure",
        "production_impact",
        "affected_environment",
        "target_environment",
        "severity_level",
    ),
    "flow": ("flow_item_type", "status", "effort_category", "completed_date", "estimate"),
}


def profile_document(
    profile_id: str, written: dict[str, Any], entry: dict[str, Any], report: Report
) -> Document:
    """Return the document of a profile.

    Args:
        profile_id: its id, which is the name of its folder.
        written: the content of ``profile.json`` or ``app_settings.json``, empty without either.
        entry: its entry in the registry, empty without one.
        report: takes a sentence on each value that is converted.
    """
    document = dict(written)
    if document.get("id", profile_id) != profile_id:
        document["legacy_id"] = document["id"]
    document["id"] = profile_id
    _gather(document, "forecast_settings", _FORECAST_KEYS, report)
    _gather(document, "project_classification", _CLASSIFICATION_KEYS, report)
    _gather_jira_config(document, report)
    for section, convert_section in (
        ("project_classification", _convert_classification),
        ("field_mappings", _convert_field_mappings),
    ):
        if isinstance(document.get(section), dict):
            document[section] = convert_section(document[section], report)
    document = convert(Profile, document, report)
    _set_name(document, entry, report)
    _set_times(document, entry)
    return document


def _set_name(document: Document, entry: dict[str, Any], report: Report) -> None:
    """Take the name and description of the registry where ``profile.json`` has lost them.

    A flat ``profile.json`` has none, a rebuilt one has "Default", and in one that Windows read with
    its own code page they are garbled.
    """
    for key in ("name", "description"):
        known = entry.get(key)
        written = document.get(key)
        if isinstance(known, str) and known and is_line(known) and written != known:
            lost = key not in document or (key == "name" and written in ("Default", ""))
            if lost or (isinstance(written, str) and _is_garbled(written, known)):
                document[key] = known
                if isinstance(written, str) and written:
                    document[f"legacy_{key}"] = written
                if key == "name":
                    report(f"name: taken from profiles.json, {format_value(known)}")
    document.setdefault("name", document["id"])


def _is_garbled(name: str, original: str) -> bool:
    """Return whether the name is the original's UTF-8 read as Windows-1252, up to three times."""
    for _ in range(3):
        try:
            original = original.encode().decode("cp1252")
        except UnicodeDecodeError:
            return False
        if name == original:
            return True
    return False


def _set_times(document: Document, entry: dict[str, Any]) -> None:
    for key in ("created_at", "last_used"):
        if key not in document and is_timestamp(entry.get(key)):
            document[key] = entry[key]


def _gather(
    document: Document, section: str, keys: Iterable[str], report: Report, path: str = ""
) -> None:
    """Move keys of the flat format into their section.

    Args:
        document: the profile, or a section of it.
        section: the section within it that the keys belong to.
        keys: the keys.
        report: takes what was moved.
        path: the path of ``document`` within the profile, with a dot at the end.
    """
    target = document.get(section) or {}
    if not isinstance(target, dict):
        return
    moving = [key for key in keys if key in document and key not in target]
    if moving:
        document[section] = {**target, **{key: document.pop(key) for key in moving}}
        report(f"{path}{section}: gathered {', '.join(moving)} from the flat format")


def _gather_jira_config(document: Document, report: Report) -> None:
    """Move root keys, which are older than ``jira_config``, into it."""
    config = document.get("jira_config") or {}
    if not isinstance(config, dict):
        return
    moved = {}
    for old, new in _JIRA_KEYS.items():
        if old in document and (not config.get(new) or config[new] == document[old]):
            moved[new] = document.pop(old)
    endpoint = document.get("jira_api_endpoint")
    if isinstance(endpoint, str) and "/rest/api/" in endpoint and not config.get("base_url"):
        base_url, _, version = endpoint.partition("/rest/api/")
        moved["base_url"] = base_url
        if version[:1] in ("2", "3"):
            moved.setdefault("api_version", f"v{version[:1]}")
    if moved:
        document["jira_config"] = {**config, **moved}
        report(f"jira_config: gathered {', '.join(moved)} from the flat format")


def _convert_classification(written: dict[str, Any], report: Report) -> dict[str, Any]:
    section = dict(written)
    if "completion_statuses" in section and not section.get("flow_end_statuses"):
        section["flow_end_statuses"] = section.pop("completion_statuses")
        report("project_classification: completion_statuses is now flow_end_statuses")
    value = section.get("production_environment_value")
    if isinstance(value, str) and not section.get("production_environment_values"):
        del section["production_environment_value"]
        section["production_environment_values"] = [value] if value else []
        report("project_classification: production_environment_value is now a list")
    return section


def _convert_field_mappings(written: dict[str, Any], report: Report) -> dict[str, Any]:
    """Sort the flat format ``{name: field}`` into its two groups."""
    section = dict(written)
    for group, names in _FIELD_GROUPS.items():
        _gather(section, group, names, report, "field_mappings.")
    return section

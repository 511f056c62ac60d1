"""The registry of a workspace: its entries for profiles, and which profile and query are active."""

from pathlib import Path
from typing import Any

from burndown.conversion import Findings, json_type
from burndown.errors import format_value
from burndown.legacy.contents import LegacyProfile
from burndown.legacy.sidecar import WorkspaceSidecar

__all__ = ["active_ids", "registry_entries"]

_Entries = dict[str, dict[str, Any]]


def registry_entries(registry: dict[str, Any], path: Path, findings: Findings) -> _Entries:
    """Return the entry of each profile, by its key.

    Args:
        registry: the content of ``profiles.json``.
        path: the file, for reports.
        findings: takes reports of what was converted or is invalid.
    """
    listed = registry.get("profiles", {})
    if isinstance(listed, list):
        findings.add_converted(path, "profiles: a list read as an object by id")
        listed = _entries_by_id(listed, path, findings)
    if not isinstance(listed, dict):
        why = f"profiles: input should be an object by id, got {json_type(listed)}"
        findings.add_problem(path, why)
        return {}
    entries: _Entries = {}
    for key, entry in listed.items():
        where = f"profiles: {format_value(key)}"
        if entry is None:
            findings.add_converted(path, f"{where}: null read as not set")
            entries[key] = {}
        elif isinstance(entry, dict):
            entries[key] = entry
        else:
            why = f"{where}: input should be an object, got {json_type(entry)}"
            findings.add_problem(path, why)
    return entries


def _entries_by_id(listed: list[Any], path: Path, findings: Findings) -> dict[str, Any]:
    """Return the entries of a list, which has complete entries or only ids."""
    entries: dict[str, Any] = {}
    for number, entry in enumerate(listed):
        key = entry.get("id") if isinstance(entry, dict) else entry
        where = f"profiles[{number}]"
        if not isinstance(key, str):
            findings.add_problem(path, f"{where}: input should be an object with an id")
            continue
        if key in entries:
            why = f"{where}: {format_value(key)} exists twice; the last one is taken"
            findings.add_converted(path, why)
        entries[key] = entry if isinstance(entry, dict) else {}
    return entries


def active_ids(
    registry: dict[str, Any],
    path: Path,
    profiles: list[LegacyProfile],
    sidecar: WorkspaceSidecar,
    findings: Findings,
) -> dict[str, str | None]:
    """Return ``active_profile_id`` and ``active_query_id``.

    Those of the sidecar, unless the old dashboard has changed the registry since.

    Args:
        registry: the content of ``profiles.json``.
        path: the file, for reports.
        profiles: all profiles.
        sidecar: the sidecar of the workspace.
        findings: takes reports of ids that do not exist.
    """
    unchanged = {
        key: info.value
        for key, info in sidecar.active.items()
        if info.registry == registry.get(key)
    }
    if len(unchanged) == 2:
        return unchanged
    profile_id, query_id = _active_in_registry(registry, path, profiles, findings)
    return {"active_profile_id": profile_id, "active_query_id": query_id, **unchanged}


def _active_in_registry(
    registry: dict[str, Any], path: Path, profiles: list[LegacyProfile], findings: Findings
) -> tuple[str | None, str | None]:
    def report(key: str, value: Any, why: str) -> None:
        findings.add_converted(path, f"{key}: {format_value(value)} {why}; nothing is active")

    wanted = registry.get("active_profile_id")
    wanted_query = registry.get("active_query_id")
    # Without a registry there is nothing to choose from if there is only one query.
    if not registry and len(profiles) == 1 and len(profiles[0].queries) == 1:
        return profiles[0].document["id"], profiles[0].queries[0].document["id"]
    profile = next((profile for profile in profiles if profile.key == wanted), None)
    if profile is None:
        if wanted is not None:
            report("active_profile_id", wanted, "names no profile")
        elif wanted_query is not None:
            report("active_query_id", wanted_query, "has no active profile")
        return None, None
    query = next((query for query in profile.queries if query.key == wanted_query), None)
    if query is None and wanted_query is not None:
        report("active_query_id", wanted_query, f"names no query of {wanted!r}")
    return profile.document["id"], query.document["id"] if query else None

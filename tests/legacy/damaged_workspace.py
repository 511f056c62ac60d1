"""A small old workspace to damage, and the result of its migration."""

import json
import os
import re
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from burndown import MigrationError
from burndown.conversion import Finding
from burndown.database import SQLiteDatabase
from burndown.migration import run_migration_if_needed
from burndown.testing.strategies.workspaces import Files
from tests.support.database_rows import everything
from tests.support.legacy_workspaces import write

CANARY = "canary-7f3a"

REGISTRY = "profiles/profiles.json"
PROFILE = "profiles/a/profile.json"
QUERY = "profiles/a/queries/q1/query.json"
DATA = "profiles/a/queries/q1/project_data.json"
METRICS = "profiles/a/queries/q1/metrics_snapshots.json"
CACHE = "profiles/a/queries/q1/jira_cache.json"
CHANGELOG = "profiles/a/queries/q1/jira_changelog_cache.json"
IRREPLACEABLE = (REGISTRY, PROFILE, QUERY, DATA, METRICS)
"""Irreplaceable files."""
ANEW = (CACHE, CHANGELOG)
"""Files whose data can be fetched from Jira again."""

_SPRING, _SUMMER = "2025-03-01T10:00:00+00:00", "2025-07-01T10:00:00+00:00"


def _query(name: str) -> Files:
    """Return the files of a query; each has a letter that is not ASCII."""
    issue = {"id": "7", "key": "K-1", "fields": {"summary": "Größe", "points": 2.5}}
    return {
        "query.json": {"name": name, "jql": "project = Größe", "created_at": _SPRING},
        "project_data.json": {
            "project_scope": {"total_items": 3, "remaining_total_points": 4.5},
            "statistics": [{"date": "2025-06-30", "completed_items": 1}],
            "metadata": {"source": "Größe", "last_updated": _SUMMER},
        },
        "metrics_snapshots.json": {
            "2025-W26": {"flow_time": {"median_days": 3.5, "note": "Größe", "timestamp": _SUMMER}},
            "2025-W27": {"dora_mttr": {"value": None, "timestamp": _SUMMER}},
        },
        "jira_cache.json": {
            "timestamp": _SUMMER,
            "jql_query": "project = Größe",
            "fields_requested": "key,summary",
            "issues": [issue],
            "total_issues": 1,
        },
        "jira_changelog_cache.json": {
            "K-1": {"key": "K-1", "changelog": {"histories": [{"items": ["Größe"]}]}}
        },
    }


def _profile(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": "Größe",
        "created_at": _SPRING,
        "last_used": _SUMMER,
        "jira_config": {"base_url": "https://jira.example.com", "token": CANARY},
        "forecast_settings": {"pert_factor": 1.5},
        "flow_type_mappings": {"Feature": {"issue_types": ["Story"]}},
        "show_points": ["show"],
    }


FILES: Files = {
    REGISTRY: {
        "version": "3.0",
        "active_profile_id": "a",
        "active_query_id": "q1",
        "profiles": {
            "a": {"id": "a", "name": "Größe", "created_at": _SPRING, "queries": ["q1", "q2"]},
            "b": {"id": "b", "name": "Beta", "created_at": _SPRING, "queries": ["q1"]},
        },
    },
    PROFILE: _profile("Größe"),
    "profiles/b/profile.json": _profile("Beta"),
    **{f"profiles/a/queries/q1/{name}": value for name, value in _query("Bugs").items()},
    "profiles/a/queries/q2/query.json": _query("Features")["query.json"],
    "profiles/b/queries/q1/query.json": _query("Bugs")["query.json"],
    "profiles/b/queries/q1/project_data.json": _query("Bugs")["project_data.json"],
}
"""The workspace: JSON values by path below its root."""

Found = list[tuple[str, str]]
"""Paths below the root, each with its message."""
Stored = dict[str, list[dict[str, Any]]]
"""The content of a database, by the file that it comes from."""


@dataclass
class Outcome:
    """The result of a migration."""

    problems: Found = field(default_factory=list)
    """The errors that stopped it; all else is empty then."""
    converted: Found = field(default_factory=list)
    skipped: Found = field(default_factory=list)
    moved: dict[str, int] = field(default_factory=dict)
    stored: Stored = field(default_factory=dict, compare=False)


def make(folder: Path) -> Path:
    """Write the complete workspace; return its root."""
    root = folder / "root"
    write(FILES, root)
    return root


def changed(root: Path, path: str, changes: dict[str, Any]) -> None:
    """Change values of a file, each given by its keys joined by slashes."""
    document = json.loads((root / path).read_text("utf-8"))
    for place, value in changes.items():
        *outer, last = place.split("/")
        section = document
        for key in outer:
            section = section[key]
        section[last] = value
    (root / path).write_text(json.dumps(document), "utf-8")


def migrate(root: Path, *, skip_damaged: bool = False, rehearse: bool = True) -> Outcome:
    """Return what a dry run reports and a migration does, which is the same.

    Neither changes an old file, prints the token, or leaves an incomplete database.
    """
    new = root.with_name("new")
    before = tree(root.parent)
    if rehearse:
        rehearsed = _attempt(root, SQLiteDatabase(new / "burndown.db"), True, skip_damaged)
        assert tree(root.parent) == before
    database = SQLiteDatabase(new / "burndown.db")
    outcome = _attempt(root, database, False, skip_damaged)
    database.close()
    assert not rehearse or rehearsed == outcome
    assert _of_workspace(tree(root)) == _of_workspace(before, f"{root.name}/")
    left = {path.name for path in new.glob("*")} - {"burndown.db.lock"}
    assert left == (set() if outcome.problems else {"burndown.db"})
    if not outcome.problems:
        outcome.stored = stored(new / "burndown.db")
    return outcome


def _attempt(root: Path, database: SQLiteDatabase, dry_run: bool, skip_damaged: bool) -> Outcome:
    try:
        report = run_migration_if_needed(
            root / "profiles", database, dry_run=dry_run, skip_damaged=skip_damaged
        )
    except MigrationError as error:
        return _stopped(error, root)
    assert report.outcome == ("dry run" if dry_run else "migrated")
    assert CANARY not in str(report.to_document())
    return Outcome(
        converted=_told(report.findings.converted, root),
        skipped=_told(report.findings.skipped, root),
        moved=report.moved,
    )


def _stopped(error: MigrationError, root: Path) -> Outcome:
    told = str(error)
    assert CANARY not in told
    assert error.problems
    assert all(str(path) in told and why in told for path, why in error.problems)
    return Outcome(problems=[(_below(path, root), why) for path, why in error.problems])


def _told(found: Collection[Finding], root: Path) -> Found:
    return [(_below(each.path, root), each.what) for each in found]


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def tree(folder: Path) -> dict[str, object]:
    """Return type, size, time and content of all files below a folder."""
    found: dict[str, object] = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            status = path.lstat()
            content: object = None
            if path.is_symlink():
                content = path.readlink()
            elif stat.S_ISREG(status.st_mode):
                content = path.read_bytes()
            found[_below(path, folder)] = (status.st_mode, status.st_mtime_ns, content)
    return found


def _of_workspace(found: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Keep the files of the workspace: no backups, and none outside of the prefix."""
    return {
        path.removeprefix(prefix): each
        for path, each in found.items()
        if path.startswith(prefix) and not f"{path}/".startswith(f"{prefix}backups/")
    }


def stored(database: Path) -> Stored:
    """Return the content of the database, by the file that it comes from."""
    found: Stored = defaultdict(list)
    for table, rows in everything(database).items():
        for row in rows:
            if table == "profiles":
                found[f"profiles/{row['id']}/profile.json"].append(row)
            elif table == "queries":
                path = f"profiles/{row['profile_id']}/queries/{row['id']}/query.json"
                found[path].append(row)
            elif "query_id" in row:
                folder = f"profiles/{row['profile_id']}/queries/{row['query_id']}"
                found[f"{folder}/{table}.json"].append(row)
            elif row.get("key") in ("active_profile_id", "active_query_id"):
                found[REGISTRY].append(row)
    return dict(found)


def assert_all_else_is_there(found: Stored, whole: Stored, hit: Collection[str]) -> None:
    """Assert that every file is stored that was not damaged, nor a folder around it."""
    for path, rows in whole.items():
        if not any(f"{path}/".startswith(f"{each}/") for each in hit):
            assert found.get(path) == rows, path


def assert_stops(
    root: Path,
    whole: Stored,
    hit: Iterable[str],
    reason: str,
    skipped: Iterable[str] = (),
    rehearse_skipping: bool = False,
) -> None:
    """Every damaged file is named with the reason; all others can be migrated without them."""
    told = migrate(root).problems
    assert {path for path, _ in told} == set(hit)
    outcome = migrate(root, skip_damaged=True, rehearse=rehearse_skipping)
    assert {path for path, _ in outcome.skipped} == {*hit, *skipped}
    assert {(path, f"damaged: {why}") for path, why in told} <= set(outcome.skipped)
    for path, why in (*told, *outcome.skipped):
        assert re.search(reason, why), (path, why)
    assert_all_else_is_there(outcome.stored, whole, (*hit, *skipped))
    assert not any(path in outcome.stored for path in skipped)


def assert_skips(root: Path, whole: Stored, hit: Iterable[str], reason: str) -> Outcome:
    """Every damaged file is reported as skipped with the reason; all others are migrated."""
    outcome = migrate(root)
    assert {path for path, _ in outcome.skipped} == set(hit)
    for path, why in outcome.skipped:
        assert re.search(reason, why), (path, why)
        assert why.endswith("it can be fetched from Jira again")
    assert_all_else_is_there(outcome.stored, whole, hit)
    assert not any(path in outcome.stored for path in hit)
    return outcome

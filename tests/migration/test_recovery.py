"""What the published dashboard's own migration lost is restored from its copies of JSON files."""

import json
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown.database import SQLiteDatabase
from burndown.migration import MigrationReport, run_migration_if_needed
from burndown.models import JiraCache, JiraChangelog
from burndown.persistence import PersistenceBackend, open_backend
from tests.support.published_databases import write_database

MIGRATED = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""When the dashboard moved its JSON files."""
BEFORE, AFTER = MIGRATED - timedelta(seconds=5), MIGRATED + timedelta(days=1)
QUERY = ("p_111111111111", "q_111111111111")
OWNER = {"profile_id": QUERY[0], "query_id": QUERY[1]}
KEYS = ["A-1", "A-2", "A-3"]
MONDAYS = ["2025-11-03", "2025-11-10"]

key_sets = st.sets(st.sampled_from(KEYS))


def write_json(folder: Path, files: dict[str, Any]) -> None:
    """Write a profile and a query with these data files."""
    profile = folder / QUERY[0]
    query = profile / "queries" / QUERY[1]
    query.mkdir(parents=True)
    (profile / "profile.json").write_text(json.dumps({"name": "Team A"}))
    settings = {"name": "Bugs", "jql": "project = A", "description": "Typed by people"}
    for name, content in {"query.json": settings, **files}.items():
        (query / name).write_text(json.dumps(content))


def original_files(issues: Iterable[str], changelogs: Iterable[str]) -> dict[str, Any]:
    """Return the data files of a query as the JSON dashboard wrote them."""
    return {
        "jira_cache.json": {
            "timestamp": "2025-11-03T10:00:00+00:00",
            "jql_query": "project = A",
            "fields_requested": "key",
            "issues": [{"key": key, "fields": {"environment": "of Jira"}} for key in issues],
        },
        "jira_changelog_cache.json": {
            key: {"key": key, "changelog": {"histories": [{"id": "1", "items": []}], "total": 1}}
            for key in changelogs
        },
        "project_data.json": {
            "statistics": [{"date": monday, "completed_items": 1} for monday in MONDAYS],
            "project_scope": {"total_items": 1},
            "metadata": {"source": "jira_calculated"},
        },
        "metrics_snapshots.json": {
            "2025-W45": {"flow_time": {"median_days": 1}, "trends": {"flow_time_trend": "up"}}
        },
    }


def rows(issues: Iterable[str], changelogs: Iterable[str], written: datetime) -> dict[str, Any]:
    """Return the rows of a database that migrated JSON files."""
    time = written.isoformat()
    return {
        "profiles": [{"id": QUERY[0], "name": "Team A"}],
        "queries": [{"profile_id": QUERY[0], "id": QUERY[1], "name": "Bugs"}],
        "app_state": [{"key": "migration_timestamp", "value": MIGRATED.isoformat()}],
        "jira_issues": [{**OWNER, "issue_key": key, "fetched_at": time} for key in issues],
        "jira_changelog_entries": [{**OWNER, "issue_key": key} for key in changelogs],
        "project_statistics": [
            {**OWNER, "stat_date": MONDAYS[0], "completed_items": 2, "recorded_at": time}
        ],
        "metrics_data_points": [
            {
                **OWNER,
                "snapshot_date": "2025-W45",
                "metric_name": "flow_time",
                "metric_value": '{"median_days": 2}',
                "calculated_at": time,
            }
        ],
    }


def migrate(folder: Path, **options: Any) -> MigrationReport:
    with closing(SQLiteDatabase(folder / "burndown.db")) as database:
        return run_migration_if_needed(folder, database, **options)


def issues_of(backend: PersistenceBackend) -> dict[str, Any]:
    return {
        issue["key"]: issue["fields"]
        for record in backend.records(JiraCache)
        for issue in record["response"]["issues"]
    }


@given(
    original=key_sets, stored=key_sets, logged=key_sets, entries=key_sets, is_newer=st.booleans()
)
def test_nothing_that_only_one_of_both_has_is_lost(
    tmp_path_factory: pytest.TempPathFactory,
    original: set[str],
    stored: set[str],
    logged: set[str],
    entries: set[str],
    is_newer: bool,
) -> None:
    """The database wins only if it was updated after its migration."""
    root = tmp_path_factory.mktemp("recovery")
    folder = root / "profiles"
    folder.mkdir()
    written = AFTER if is_newer else BEFORE
    write_database(folder / "burndown.db", rows(stored, entries, written))
    backup = root / "backups" / "migration-20260105-120000" / "profiles"
    write_json(backup, original_files(original, logged))
    report = migrate(folder)
    with open_backend(folder / "burndown.db") as backend:
        issues = issues_of(backend)
        changelogs = {each["issue_key"] for each in backend.records(JiraChangelog)}
        data = backend.get_project_data(*QUERY)
        metrics = {
            name: value
            for each in backend.get_metrics_snapshots(*QUERY)
            for name, value in each["metrics"].items()
        }
        query = backend.get_query(*QUERY)
    takes_rows = is_newer and bool(stored)
    assert set(issues) == (stored if takes_rows else original)
    assert all(("environment" in fields) is not takes_rows for fields in issues.values())
    assert changelogs == logged | entries
    assert data is not None
    assert [row["date"] for row in data["statistics"]] == (MONDAYS[:1] if is_newer else MONDAYS)
    assert data["metadata"] == {"source": "jira_calculated"}
    assert metrics["trends"] == {"flow_time_trend": "up"}
    assert metrics["flow_time"]["median_days"] == (2 if is_newer else 1)
    assert query is not None
    assert query["description"] == "Typed by people"
    assert report.restored.get("changelogs", 0) == len(logged - entries)
    assert report.restored.get("histories", 0) == len(logged - entries)
    assert report.restored["metrics"] == 1
    if not takes_rows:
        assert report.restored.get("issues", 0) == max(len(original) - len(stored), 0)


def test_issues_that_jira_no_longer_finds_are_not_restored(tmp_path: Path) -> None:
    """The query was fetched after the migration, and has no rows."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    content = rows([], [], BEFORE)
    fetched = {"key": ":".join(("last_fetch_time", *QUERY)), "value": AFTER.isoformat()}
    content["app_state"].append(fetched)
    write_database(folder / "burndown.db", content)
    backup = tmp_path / "backups" / "migration-20260105-120000" / "profiles"
    write_json(backup, original_files(KEYS, KEYS))
    migrate(folder)
    with open_backend(folder / "burndown.db") as backend:
        assert issues_of(backend) == {}
        assert len(list(backend.records(JiraChangelog))) == len(KEYS)


def test_of_several_copies_the_newest_readable_file_counts(tmp_path: Path) -> None:
    """A damaged one is reported, and does not stop the migration."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    write_database(folder / "burndown.db", rows([], [], BEFORE))
    backups = tmp_path / "backups"
    for day, keys in ((1, ["A-1"]), (2, ["A-2"]), (3, ["A-3"])):
        copy = backups / f"migration-2026010{day}-120000" / "profiles"
        write_json(copy, original_files(keys, keys))
    damaged = copy / QUERY[0] / "queries" / QUERY[1] / "project_data.json"
    damaged.write_text('{"statistics": [')
    report = migrate(folder)
    with open_backend(folder / "burndown.db") as backend:
        assert set(issues_of(backend)) == {"A-3"}
        data = backend.get_project_data(*QUERY)
    assert data is not None
    assert data["metadata"] == {"source": "jira_calculated"}
    assert [found.path for found in report.findings.skipped if "damaged" in found.what] == [damaged]


@pytest.mark.parametrize("was_migrated", [False, True])
def test_profiles_in_files_next_to_the_database(tmp_path: Path, was_migrated: bool) -> None:
    """They are moved as well, unless the dashboard has moved its files: then it deleted them."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    content = rows([], [], BEFORE)
    other = [{"id": "p_222222222222", "name": "Team A"}]
    state = content["app_state"] if was_migrated else []
    write_database(
        folder / "burndown.db", {**content, "profiles": other, "queries": [], "app_state": state}
    )
    write_json(folder, original_files(["A-1"], ["A-1"]))
    report = migrate(folder)
    with open_backend(folder / "burndown.db") as backend:
        names = {profile["id"]: profile["name"] for profile in backend.list_profiles()}
        found = issues_of(backend)
    if was_migrated:
        assert names == {"p_222222222222": "Team A"}
        assert any("no such profile" in found.what for found in report.findings.skipped)
    else:
        assert sorted(names) == [QUERY[0], "p_222222222222"]
        assert sorted(names.values()) == ["Team A", "Team A (2)"]
        assert set(found) == {"A-1"}


@pytest.mark.parametrize("registry", [None, "profiles.json"])
def test_profiles_below_a_file_elsewhere(tmp_path: Path, registry: str | None) -> None:
    """They belong to it in the folder of a dashboard, but not in a folder of downloads."""
    elsewhere = tmp_path / "elsewhere"
    write_json(elsewhere, original_files(["A-1"], ["A-1"]))
    write_database(
        elsewhere / "downloaded.db", {"profiles": [{"id": "p_222222222222", "name": "Team B"}]}
    )
    if registry:
        (elsewhere / registry).write_text("{}")
    report = migrate(tmp_path / "profiles", published=elsewhere / "downloaded.db")
    assert report.moved["profiles"] == (2 if registry else 1)


def test_an_id_of_files_that_the_database_made_of_another_is_changed(tmp_path: Path) -> None:
    """It is kept as ``legacy_id``, and reported."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    write_database(
        folder / "burndown.db", {"profiles": [{"id": "P 1111/11111111", "name": "Team B"}]}
    )
    write_json(folder, {})
    (folder / QUERY[0]).rename(folder / "p-1111-11111111")
    report = migrate(folder)
    with open_backend(folder / "burndown.db") as backend:
        found = {each["id"]: each.get("legacy_id") for each in backend.list_profiles()}
    assert found == {
        "p-1111-11111111": "P 1111/11111111",
        "p-1111-11111111-2": "p-1111-11111111",
    }
    assert any("now 'p-1111-11111111-2'" in each.what for each in report.findings.converted)


def test_without_copies_the_database_is_moved_alone(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    write_database(folder / "burndown.db", rows(KEYS, KEYS, BEFORE))
    report = migrate(folder)
    assert report.restored == {}
    with open_backend(folder / "burndown.db") as backend:
        assert set(issues_of(backend)) == set(KEYS)

"""A legacy workspace is migrated completely or not at all, and no data is lost."""

import json
import math
import re
import shutil
import sqlite3
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from burndown import MigrationError, SQLiteBackend, StorageError, get_backend, jira_cache_key
from burndown.database import SQLiteDatabase
from burndown.demo import write_demo_workspace
from burndown.legacy import has_workspace
from burndown.migration import run_migration_if_needed
from burndown.models import ENTITIES, Entity, QueryData
from burndown.persistence.json_backend import JSONBackend
from burndown.repositories.base import save_documents
from burndown.sql import Executor
from burndown.testing.strategies import legacy_workspaces
from burndown.testing.strategies.workspaces import Files
from tests.support.database_rows import everything, rows
from tests.support.legacy_workspaces import (
    files_without_database,
    leaves,
    write,
)


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """Create a small sample workspace; return its folder of profiles."""
    write_demo_workspace(tmp_path, issues=12)
    write_budget(tmp_path / "profiles")
    return tmp_path / "profiles"


BUDGET = {
    "time_allocated_weeks": 12,
    "effective_from": "2026-01-05",
    "created_at": "2026-01-05T09:00:00",
    "revisions": [{"revision_date": "2026-02-02", "reason": "KAFKA has grown"}],
    "own": 1,
}


def write_budget(profiles: Path) -> None:
    """Write a budget as a person would edit it: times are local, and amounts are integers."""
    path = profiles / "kafka/queries/12w/budget.json"
    path.write_text(json.dumps([BUDGET]), "utf-8")


def migrate_files(files: Files, root: Path) -> Path:
    """Write a workspace and migrate it; return the database."""
    profiles = write(files, root)
    database = SQLiteDatabase(profiles / "burndown.db")
    run_migration_if_needed(profiles, database)
    database.close()
    return database.path


# --- no value is lost ------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(files=legacy_workspaces())
def test_every_value_of_every_file_is_in_the_database(
    files: Files, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A reader that shares no code with the writer finds each value."""
    root = tmp_path_factory.mktemp("workspace")
    database = migrate_files(files, root)
    for path, value in files.items():
        missing = MISSING[path.rpartition("/")[2]](value, database)
        assert not missing, (path, missing)
    shutil.rmtree(root)


def missing_leaves(value: Any, database: Path) -> Counter[str]:
    """Count the scalars of a settings file that no row of profiles or queries has."""
    stored = [*rows(database, "profiles"), *rows(database, "queries")]
    return min(
        (Counter(leaves(value)) - Counter(leaves(row)) for row in stored),
        key=lambda missing: missing.total(),
    )


def missing_response(value: Any, database: Path) -> Any:
    """Count the cached responses that no row has completely."""
    found = [row["response"] for row in rows(database, "jira_cache")]
    return [] if value in found else value


def missing_histories(value: Any, database: Path) -> list[Any]:
    """Count the histories that no row has, except those that newer ones replaced."""
    found = [row["changelog"] for row in rows(database, "jira_changelog_cache")]
    newest = {issue["key"]: issue for issue in value.get("issues", [])}
    newest.update({key: entry for key, entry in value.items() if "-" in key})
    return [entry for entry in newest.values() if entry not in found]


def missing_data(value: Any, database: Path) -> Any:
    """Count the project data that no row has completely."""
    found = [row["data"] for row in rows(database, "project_data")]
    return [] if value in found else value


def missing_metrics(value: Any, database: Path) -> list[Any]:
    """Count the metrics that no row of their week has."""
    found = rows(database, "metrics_snapshots")
    return [
        (week, name)
        for week, metrics in value.items()
        for name, metric in [("any week", None), *metrics.items()]
        if not any(
            name == "any week"
            or (
                metric in row["metrics"].values()
                and any(key.startswith(name) for key in row["metrics"])
            )
            for row in found
            if row["snapshot_date"].replace("W", "") == week.replace("W", "")
        )
    ]


MISSING: dict[str, Any] = {
    "profiles.json": lambda value, database: [],
    "profile.json": missing_leaves,
    "app_settings.json": missing_leaves,
    "query.json": missing_leaves,
    "jira_cache.json": missing_response,
    "jira_changelog_cache.json": missing_histories,
    "project_data.json": missing_data,
    "metrics_snapshots.json": missing_metrics,
}


def test_the_sample_is_migrated_with_its_report(demo: Path) -> None:
    """Profiles, queries and data are stored, and the report lists all other files."""
    report = run_migration_if_needed()
    assert report.outcome == "migrated"
    assert report.moved["profiles"] == 2
    assert report.moved["queries"] == 3
    assert {found.path.name for found in report.findings.skipped} >= {
        "task_progress.json",
        "cache",
        "profile.json.tmp",
        "metrics_snapshots_ab12cd.json",
    }
    backend = get_backend()
    assert backend.get_app_state("migration_complete") == "true"
    assert backend.get_app_state("active_profile_id") == "kafka"
    assert {query["id"] for query in backend.list_queries("kafka")} == {"12w", "bugs"}


def test_a_cached_response_has_the_key_and_expiry_of_its_file(demo: Path) -> None:
    """The key is that of business logic, the expiry is 24 hours after the file's timestamp."""
    written = json.loads((demo / "kafka/queries/12w/jira_cache.json").read_text("utf-8"))
    run_migration_if_needed()
    key = jira_cache_key(written["jql_query"], written["fields_requested"])
    (cache,) = get_backend().list_jira_caches("kafka", "12w")
    timestamp = datetime.fromisoformat(written["timestamp"])
    assert cache["cache_key"] == key
    assert datetime.fromisoformat(cache["expires_at"]) == timestamp + timedelta(hours=24)
    assert get_backend().get_jira_cache("kafka", "12w", key) == written


def test_the_old_files_stay_and_are_backed_up(demo: Path) -> None:
    """No old file changes, and the backup has the same files."""
    before = files_without_database(demo)
    report = run_migration_if_needed()
    assert files_without_database(demo) == before
    assert report.backup is not None
    copied = files_without_database(report.backup / "profiles")
    assert {
        path.relative_to(report.backup / "profiles"): data for path, data in copied.items()
    } == {path.relative_to(demo): data for path, data in before.items()}


def test_a_second_run_does_nothing(demo: Path) -> None:
    """The report tells so, and neither the database nor the backups change."""
    run_migration_if_needed()
    before = everything(demo / "burndown.db")
    assert run_migration_if_needed().outcome == "already migrated"
    assert everything(demo / "burndown.db") == before
    assert len(list((demo.parent / "backups").iterdir())) == 1


def test_a_dry_run_reports_the_same_and_writes_nothing(demo: Path) -> None:
    """The workspace is unchanged, and the report is that of the migration."""
    before = sorted(demo.parent.rglob("*"))
    rehearsed = run_migration_if_needed(dry_run=True)
    assert sorted(demo.parent.rglob("*")) == before
    migrated = run_migration_if_needed()
    assert rehearsed.moved == migrated.moved
    assert rehearsed.findings == migrated.findings


def test_without_old_files_there_is_nothing_to_migrate(tmp_path: Path) -> None:
    """A new installation is marked as migrated."""
    assert run_migration_if_needed().outcome == "nothing to migrate"
    assert get_backend().get_app_state("migration_complete") == "true"
    write_demo_workspace(tmp_path, issues=1)
    assert run_migration_if_needed().outcome == "already migrated"


def test_a_database_without_profiles_is_filled(demo: Path) -> None:
    """An application that read its state before migrating has created an empty database."""
    backend = get_backend()
    backend.set_app_state("theme", "dark")
    assert run_migration_if_needed().outcome == "migrated"
    assert backend.get_profile("kafka") is not None
    assert backend.get_app_state("theme") == "dark"


NAMES = [
    *("team.db", "jira.sqlite", "burndown.db.sqlite", "burndown", "burndown.json.db", "p.json"),
    *("data/team.db", "a/b/c.db", "kafka/team.db", "kafka/queries/12w/team.db", "../team.db"),
]


@pytest.mark.parametrize("is_in_use", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_database_may_have_any_name_and_place(demo: Path, name: str, is_in_use: bool) -> None:
    """Its files are not part of the workspace, although they change while that is read."""
    path = demo / name
    plain = run_migration_if_needed(demo, SQLiteDatabase(demo.parent / "elsewhere/x.db"))
    shutil.rmtree(demo.parent / "backups")
    with SQLiteBackend(path) as backend:
        if is_in_use:
            backend.set_app_state("theme", "dark")
            assert path.with_name(f"{path.name}-wal").exists()
        report = run_migration_if_needed(demo, SQLiteDatabase(path))
        assert report.outcome == "migrated"
        assert report.findings == plain.findings
        assert backend.get_profile("kafka") is not None
    assert run_migration_if_needed(demo, SQLiteDatabase(path)).outcome == "already migrated"
    [copy] = (demo.parent / "backups").iterdir()
    assert not [found for found in copy.rglob(f"{path.name}*") if found.is_file()]


def test_a_workspace_moves_into_a_given_backend(demo: Path) -> None:
    """The current one is left alone, and one without a database is refused."""
    with SQLiteBackend(demo.parent / "team.db") as team:
        assert run_migration_if_needed(demo, backend=team).outcome == "migrated"
        assert team.get_profile("kafka") is not None
        assert run_migration_if_needed(demo, backend=team).outcome == "already migrated"
    assert not get_backend().exists()
    with pytest.raises(StorageError, match="give the backend of one to migrate into"):
        run_migration_if_needed(demo, backend=JSONBackend(demo.parent / "files"))


def test_the_folder_may_be_a_link_and_the_database_have_its_real_path(demo: Path) -> None:
    real = demo.rename(demo.with_name("real"))
    demo.symlink_to(real)
    report = run_migration_if_needed(demo, SQLiteDatabase(real / "data/team.db"))
    assert report.outcome == "migrated"
    assert "data" not in {found.path.name for found in report.findings.skipped}


def test_a_closed_database_is_not_opened_or_copied(demo: Path) -> None:
    """Opening and closing it would release the locks that this process holds on it."""
    with SQLiteBackend(demo / "burndown.db") as earlier:
        earlier.save_profile({"id": "earlier"})
        report = run_migration_if_needed(demo, SQLiteDatabase(demo / "team.db"))
        earlier.save_profile({"id": "later"})
    assert report.backup is not None
    assert not list(report.backup.rglob("burndown.db*"))
    assert not [found for found in report.findings.skipped if "burndown.db" in found.path.name]


def test_the_log_of_a_deleted_database_is_not_applied_to_the_new_one(
    demo: Path,
) -> None:
    path = demo / "burndown.db"
    with SQLiteBackend(path) as earlier:
        earlier.save_profile({"id": "deleted"})
        left_over = path.with_name("burndown.db-wal").read_bytes()
    path.unlink()
    path.with_name("burndown.db-wal").write_bytes(left_over)
    with SQLiteBackend(path) as backend:
        run_migration_if_needed(demo, SQLiteDatabase(path))
        assert {profile["id"] for profile in backend.list_profiles()} == {
            "kafka",
            "p_b5d960ef1471",
        }
        assert backend.check_integrity() == (True, [])


def test_a_database_with_profiles_is_not_changed(demo: Path) -> None:
    """The error names the solution."""
    get_backend().save_profile({"id": "mine"})
    before = everything(demo / "burndown.db")
    with pytest.raises(MigrationError, match="already holds profiles"):
        run_migration_if_needed()
    assert everything(demo / "burndown.db") == before


# --- failures --------------------------------------------------------------------------------


def test_all_damaged_files_are_reported_and_nothing_is_migrated(demo: Path) -> None:
    """No database is left, the files are unchanged, and the next run reuses the backup."""
    damaged = [
        demo / "kafka/profile.json",
        demo / "kafka/queries/bugs/query.json",
        demo / "kafka/queries/12w/project_data.json",
        demo / "kafka/queries/12w/metrics_snapshots.json",
    ]
    whole = {path: path.read_bytes() for path in damaged}
    for path in damaged:
        path.write_bytes(whole[path][: len(whole[path]) * 6 // 10])
    before = files_without_database(demo)
    for _ in range(2):
        with pytest.raises(MigrationError) as caught:
            run_migration_if_needed()
        assert sorted(path for path, _ in caught.value.problems) == sorted(damaged)
        assert all("line" in reason for _, reason in caught.value.problems)
    assert files_without_database(demo) == before
    assert not list(demo.glob("burndown.db*[!k]"))
    assert len(list((demo.parent / "backups").iterdir())) == 1
    for path, content in whole.items():
        path.write_bytes(content)
    assert run_migration_if_needed().outcome == "migrated"


def test_an_unexpected_setting_is_reported_and_does_not_stop_the_migration(demo: Path) -> None:
    """The report has the file, the field, the value and the expected type."""
    path = demo / "kafka/profile.json"
    profile = json.loads(path.read_text("utf-8"))
    profile["forecast_settings"]["pert_factor"] = -1
    path.write_text(json.dumps(profile), "utf-8")
    report = run_migration_if_needed()
    [found] = [each for each in report.findings.converted if each.path == path]
    assert re.match(r"forecast_settings\.pert_factor: .*, got -1; kept under legacy_", found.what)
    stored: Any = get_backend().get_profile("kafka")
    assert stored["legacy_values"] == {"forecast_settings.pert_factor": -1}
    del profile["forecast_settings"]["pert_factor"]
    assert stored["forecast_settings"] == profile["forecast_settings"]


def test_a_budget_is_moved(demo: Path) -> None:
    """Its times are those of the file, in UTC."""
    report = run_migration_if_needed()
    assert report.moved["budgets"] == 1
    found: Any = get_backend().get_budget("kafka", "12w")
    [revision] = found["revisions"]
    assert found["time_allocated_weeks"] == 12
    assert (found["effective_from"], found["own"]) == ("2026-01-05", 1)
    assert datetime.fromisoformat(found["created_at"]) == datetime(2026, 1, 5, 9).astimezone()
    assert datetime.fromisoformat(revision["revision_date"]) == datetime(2026, 2, 2).astimezone()
    assert revision["reason"] == "KAFKA has grown"


def test_a_budget_next_to_the_folder_of_profiles_is_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "budget.json").write_text("{}")
    assert not has_workspace(tmp_path / "profiles")


@pytest.mark.parametrize("name", ["jira_cache.json", "jira_changelog_cache.json"])
def test_an_unreadable_cache_is_skipped(demo: Path, name: str) -> None:
    """It does not stop the migration; the report lists it."""
    path = demo / "kafka/queries/12w" / name
    path.write_bytes(path.read_bytes()[:1000])
    report = run_migration_if_needed()
    assert path in [found.path for found in report.findings.skipped]


def test_files_that_change_during_a_migration_stop_it(demo: Path) -> None:
    """Writes to files are detected, so a dashboard must not be running."""
    path = demo / "kafka/queries/12w/project_data.json"

    def change(done: int, of: int) -> None:
        if done == of:
            path.write_text('{"changed": true}', "utf-8")

    with pytest.raises(MigrationError, match="changed while they were read"):
        run_migration_if_needed(progress=change)
    assert not (demo / "burndown.db").exists()


@pytest.mark.parametrize("changed", [each for each in ENTITIES if each.LEGACY_FILE is not None])
def test_a_value_that_is_stored_incorrectly_stops_the_migration(
    demo: Path, monkeypatch: pytest.MonkeyPatch, changed: type[Entity]
) -> None:
    """Whatever changes the value, it is detected when the database is read."""

    def save_wrong_value(executor: Executor, entity: type[Entity], documents: Any) -> None:
        if entity is changed:
            text = json.dumps(documents, default=str)
            documents = json.loads(text.replace("KAFKA", "KAFKb").replace('"hours"', '"days"'))
            if not issubclass(entity, QueryData):
                documents = [{**document, "description": "another"} for document in documents]
        save_documents(executor, entity, documents)

    monkeypatch.setattr("burndown.migration.mover.save_documents", save_wrong_value)
    with pytest.raises(MigrationError, match="differ from the files"):
        run_migration_if_needed()
    assert not (demo / "burndown.db").exists()


def test_a_folder_that_cannot_be_written_to_is_an_error(demo: Path) -> None:
    """The error names the folder, and is not a plain ``OSError``."""
    (demo.parent / "backups").write_text("a file in the way")
    with pytest.raises(StorageError, match="backups"):
        run_migration_if_needed()
    assert not (demo / "burndown.db").exists()


# --- shapes ----------------------------------------------------------------------------------

FULL = {
    "name": "Kafka",
    "created_at": "2025-11-13T10:00:00Z",
    "forecast_settings": {"pert_factor": 3},
}


def profile_of(files: Files, root: Path, profile_id: str = "p") -> dict[str, Any]:
    """Return the migrated profile."""
    with SQLiteBackend(migrate_files(files, root)) as backend:
        found = backend.get_profile(profile_id)
    assert found is not None
    return dict(found)


def test_a_flat_profile_is_sorted_into_sections(tmp_path: Path) -> None:
    """Its name comes from the registry, and its unknown keys are kept."""
    flat = {"pert_factor": 3, "deadline": "2027-01-01", "bug_types": ["Bug"], "jql_query": "x = 1"}
    registry = {"profiles": {"p": {"name": "Flat one", "created_at": "2025-11-13T10:00:00Z"}}}
    files = {"profiles/p/profile.json": flat, "profiles/profiles.json": registry}
    profile = profile_of(files, tmp_path)
    assert profile["name"] == "Flat one"
    assert profile["created_at"] == "2025-11-13T10:00:00+00:00"
    assert profile["forecast_settings"] == {"pert_factor": 3, "deadline": "2027-01-01"}
    assert profile["project_classification"] == {"bug_types": ["Bug"]}
    assert profile["jql_query"] == "x = 1"


def test_null_for_a_required_value_gives_the_default(tmp_path: Path) -> None:
    """So does NaN, which Python writes; null is kept where it has a meaning."""
    settings = {"pert_factor": math.nan, "data_points_count": None, "deadline": None}
    files = {
        "profiles/p/profile.json": {
            **FULL,
            "forecast_settings": settings,
            "jira_config": None,
            "field_mappings": {"dora": None, "flow": {"status": None}},
        }
    }
    profile = profile_of(files, tmp_path)
    assert profile["forecast_settings"] == {"deadline": None}
    assert profile["jira_config"] == {}
    assert profile["field_mappings"] == {"flow": {"status": None}}


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_garbled_name_is_replaced_by_that_of_the_registry(tmp_path: Path, rounds: int) -> None:
    """Windows decoded UTF-8 with its own code page, once or repeatedly."""
    name = garbled = "Größe, naïve"
    for _ in range(rounds):
        garbled = garbled.encode().decode("cp1252")
    files = {
        "profiles/p/profile.json": {**FULL, "name": garbled},
        "profiles/profiles.json": {"profiles": {"p": {"name": name}}},
    }
    profile = profile_of(files, tmp_path)
    assert profile["name"] == name
    assert profile["legacy_name"] == garbled


def test_a_lost_name_is_replaced_by_that_of_the_registry(tmp_path: Path) -> None:
    """A profile that was rebuilt is named "Default"; that is kept, even if names clash."""
    files = {
        "profiles/a/profile.json": {**FULL, "name": "Alpha"},
        "profiles/p/profile.json": {**FULL, "name": "Default"},
        "profiles/profiles.json": {"profiles": {"p": {"name": "Alpha"}}},
    }
    profile = profile_of(files, tmp_path)
    assert profile["name"] == "Alpha (2)"
    assert profile["legacy_name"] == "Default"


def test_a_renamed_profile_keeps_its_own_name(tmp_path: Path) -> None:
    """The registry's name is used only if profile.json has lost its own."""
    files = {
        "profiles/p/profile.json": FULL,
        "profiles/profiles.json": {"profiles": {"p": {"name": "Older"}}},
    }
    assert profile_of(files, tmp_path)["name"] == "Kafka"


def test_settings_from_before_jira_config(tmp_path: Path) -> None:
    """Root keys become the connection, and the token is in no other place."""
    old = {
        "jira_api_endpoint": "https://jira.example.com/jira/rest/api/3/search",
        "jira_token": "canary-token",
        "jira_story_points_field": "customfield_10002",
        "jira_cache_max_size": 100,
        "jira_max_results": 50,
    }
    files = {"profiles/p/queries/main/app_settings.json": old}
    profile = profile_of(files, tmp_path)
    assert profile["jira_config"] == {
        "token": "canary-token",
        "points_field": "customfield_10002",
        "cache_size_mb": 100,
        "max_results_per_call": 50,
        "base_url": "https://jira.example.com/jira",
        "api_version": "v3",
    }
    assert "jira_token" not in profile


def test_files_from_before_profiles(tmp_path: Path) -> None:
    """Files next to the folder of profiles become the query main of the profile default."""
    cache = {"timestamp": "2025-11-03T10:00:00", "issues": [{"key": "K-1"}], "jql_query": "a = b"}
    files = {
        "app_settings.json": {"pert_factor": 2, "jql_query": "x = y"},
        "jira_cache.json": cache,
    }
    (tmp_path / "profiles").mkdir()
    with SQLiteBackend(migrate_files(files, tmp_path)) as backend:
        profile, query = backend.get_profile("default"), backend.get_query("default", "main")
        (found,) = backend.list_jira_caches("default", "main")
        assert backend.get_app_state("active_query_id") == "main"
    assert profile is not None
    assert profile["forecast_settings"] == {"pert_factor": 2}
    assert query is not None
    assert query["jql"] == "a = b"
    assert found["created_at"] == "2025-11-03T10:00:00+00:00"


def test_both_formats_of_a_week_are_one_and_the_newer_metric_wins(tmp_path: Path) -> None:
    """The older one is kept separately."""
    older = {"value": 1, "timestamp": "2025-11-01T00:00:00+00:00"}
    newer = {"value": 2, "timestamp": "2025-11-02T00:00:00+00:00"}
    weeks = {"2025-W44": {"flow_time": newer, "trends": {}}, "2025-44": {"flow_time": older}}
    path = "profiles/p/queries/q/metrics_snapshots.json"
    with SQLiteBackend(migrate_files({path: weeks}, tmp_path)) as backend:
        found = backend.get_metrics_snapshots("p", "q")
    assert {snapshot["metric_type"]: snapshot["metrics"] for snapshot in found} == {
        "flow": {"flow_time": newer},
        "other": {"trends": {}, "flow_time (double)": older},
    }
    assert {snapshot["snapshot_date"] for snapshot in found} == {"2025-W44"}


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        (("p", "q"), ("p", "q")),
        (("p", "main"), ("p", None)),
        (("gone", "q"), (None, None)),
        ((None, None), (None, None)),
    ],
)
def test_only_an_existing_selection_stays_active(
    tmp_path: Path, active: tuple[str | None, str | None], expected: tuple[str | None, str | None]
) -> None:
    """The registry often has ids of deleted profiles and queries."""
    files = {
        "profiles/p/profile.json": FULL,
        "profiles/p/queries/q/query.json": {"name": "Q", "jql": "a = b"},
        "profiles/profiles.json": {
            "active_profile_id": active[0],
            "active_query_id": active[1],
            "profiles": {},
        },
    }
    with SQLiteBackend(migrate_files(files, tmp_path)) as backend:
        found = (
            backend.get_app_state("active_profile_id"),
            backend.get_app_state("active_query_id"),
        )
    assert found == expected


def test_equal_names_are_numbered_and_the_oldest_is_kept(tmp_path: Path) -> None:
    """Every renamed one keeps its earlier name separately."""
    files = {
        f"profiles/p/queries/{query_id}/query.json": {"name": name, "created_at": created_at}
        for query_id, name, created_at in (
            ("a", "Bugs", "2025-02-01T00:00:00Z"),
            ("b", "Bugs", "2025-01-01T00:00:00Z"),
            ("c", "Bugs (2)", "2025-01-01T00:00:00Z"),
            ("d", " ", "2025-01-01T00:00:00Z"),
            ("e", "x" * 300, "2025-01-01T00:00:00Z"),
        )
    }
    with SQLiteBackend(migrate_files(files, tmp_path)) as backend:
        found: Any = {query["id"]: query for query in backend.list_queries("p")}
    assert {key: query["name"] for key, query in found.items()} == {
        "a": "Bugs (3)",
        "b": "Bugs",
        "c": "Bugs (2)",
        "d": "d",
        "e": "x" * 190,
    }
    assert found["a"]["legacy_name"] == "Bugs"
    assert found["e"]["legacy_name"] == "x" * 300


def test_an_unsafe_id_is_replaced_and_stays_active(tmp_path: Path) -> None:
    """A name with a slash made a folder within a folder."""
    files = {
        "profiles/Team A/sub/profile.json": FULL,
        "profiles/profiles.json": {"active_profile_id": "Team A/sub", "profiles": {}},
    }
    with SQLiteBackend(migrate_files(files, tmp_path)) as backend:
        assert backend.get_app_state("active_profile_id") == "team-a-sub"
        profile: Any = backend.get_profile("team-a-sub")
    assert profile["legacy_id"] == "Team A/sub"


def test_links_are_not_followed(demo: Path, tmp_path: Path) -> None:
    """A link out of the workspace, into itself or to nothing is skipped and reported."""
    (tmp_path / "outside").mkdir()
    (demo / "out").symlink_to(tmp_path / "outside")
    (demo / "kafka" / "queries" / "loop").symlink_to(demo / "kafka")
    (demo / "kafka" / "gone").symlink_to(tmp_path / "nowhere")
    report = run_migration_if_needed()
    assert {"out", "loop", "gone"} <= {found.path.name for found in report.findings.skipped}


def test_a_link_to_a_profile_elsewhere_stops_the_migration(demo: Path, tmp_path: Path) -> None:
    """Its data would be lost, since links are not followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "profile.json").write_text(json.dumps({"name": "Outside"}), "utf-8")
    (demo / "out").symlink_to(outside)
    with pytest.raises(MigrationError, match=r"out: a link to .*outside"):
        run_migration_if_needed()
    report = run_migration_if_needed(skip_damaged=True)
    assert "out" in {found.path.name for found in report.findings.skipped}
    assert {profile["name"] for profile in get_backend().list_profiles()}.isdisjoint({"Outside"})


def test_no_token_is_in_the_report_or_an_error(demo: Path) -> None:
    """Not even if values next to it are invalid."""
    path = demo / "kafka/profile.json"
    profile = json.loads(path.read_text("utf-8"))
    profile["jira_config"] = {"token": "canary-token", "base_url": "canary", "api_version": "v9"}
    path.write_text(json.dumps(profile), "utf-8")
    broken = demo / "kafka/queries/12w/project_data.json"
    whole = broken.read_bytes()
    broken.write_bytes(b"{")
    with pytest.raises(MigrationError) as caught:
        run_migration_if_needed()
    assert "canary-token" not in str(caught.value)
    broken.write_bytes(whole)
    assert "canary-token" not in str(run_migration_if_needed().to_document())


def test_the_database_is_intact(demo: Path) -> None:
    """No log or temporary file is left next to it."""
    run_migration_if_needed()
    with sqlite3.connect(demo / "burndown.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert not list(demo.glob("*.migrating*"))

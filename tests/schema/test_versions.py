"""Models, versions and databases agree about the schema."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, inspect, text

from burndown import SQLiteBackend, StorageError
from burndown.database import Database, SQLiteDatabase, open_database
from burndown.models import SCHEMA_VERSION, Entity, JiraCache, JiraChangelog, Query, TaskProgress
from burndown.models.issue_frames import is_framed
from burndown.persistence.sql_backend import SQLBackend
from burndown.schema import VERSIONS, alembic_runner, change_version, make_schema, stored_version
from burndown.schema.digests import SUMS
from burndown.schema.recognition import ADDED, TABLES, VERSION_TABLE
from burndown.testing.contract.drawn import json_values, responses, timestamps
from burndown.testing.contract.examples import given
from tests.data.schemas.generate import FOLDER, MODELS, records
from tests.support.frames import frames_of_size
from tests.support.kept_databases import KEPT, copy_of


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Create an empty database."""
    if request.param == "sqlite":
        new: Database = SQLiteDatabase(tmp_path / "new.db")
    else:
        new = open_database(request.getfixturevalue("postgres_url"))
    yield new
    new.close()


# --- models and versions -----------------------------------------------------------------------


def test_the_versions_are_those_of_the_scripts() -> None:
    """Each has its description, and the models describe the last one."""
    scripts = ScriptDirectory.from_config(alembic_runner.config()).walk_revisions()
    found = {script.revision: script.doc for script in scripts}
    assert dict(reversed(found.items())) == VERSIONS
    assert list(VERSIONS)[-1] == SCHEMA_VERSION


def test_a_database_is_recognized_by_the_columns_of_the_models() -> None:
    """These are the columns that all versions together have added."""
    found: dict[str, set[str]] = {}
    for tables in ADDED.values():
        for table, columns in tables.items():
            found.setdefault(table, set()).update(columns)
    metadata = Entity.metadata.tables
    assert found == {name: set(table.columns.keys()) for name, table in metadata.items()}
    assert metadata.keys() == TABLES
    assert list(ADDED) == list(VERSIONS)


def test_a_database_is_kept_of_every_version() -> None:
    assert set(KEPT) == set(VERSIONS)


def plain_engine(database: Database) -> Engine:
    engine: Engine = database._make_engine()  # type: ignore[attr-defined]
    return engine


def schema(connection: Connection) -> dict[str, Any]:
    """Return tables with columns, keys and indexes, as the database reports them."""
    found = inspect(connection)
    return {
        table: {
            "columns": {
                each["name"]: (str(each["type"]), each["nullable"], each["default"])
                for each in found.get_columns(table)
            },
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "foreign": [
                (each["constrained_columns"], each["referred_table"], each["options"])
                for each in found.get_foreign_keys(table)
            ],
            "unique": [each["column_names"] for each in found.get_unique_constraints(table)],
            "indexes": sorted(
                (str(each["name"]), each["column_names"], each.get("expressions"))
                for each in found.get_indexes(table)
                if "duplicates_constraint" not in each
            ),
        }
        for table in found.get_table_names()
    }


def test_the_versions_lead_to_the_schema_of_the_models(database: Database) -> None:
    """So does creating all tables directly, as for a new database."""
    engine = plain_engine(database)
    found = []
    if engine.dialect.name == "postgresql" and sqlalchemy.__version__.startswith("2.0."):
        pytest.skip("SQLAlchemy 2.0 does not read the collation of a column, which is compared")
    options = {
        "compare_type": True,
        "version_table": VERSION_TABLE,
        "include_name": lambda name, *_: name != SUMS,
    }
    for make in (lambda new: change_version(new, SCHEMA_VERSION), make_schema):
        with engine.begin() as connection:
            make(connection)
            assert stored_version(connection) == SCHEMA_VERSION
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, Entity.metadata) == []
            found.append(schema(connection))
            for table in (VERSION_TABLE, *reversed(Entity.metadata.sorted_tables), SUMS):
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    engine.dispose()
    assert found[0] == found[1]
    assert found[0].keys() - {SUMS} == {*Entity.metadata.tables, VERSION_TABLE}


# --- stored values -----------------------------------------------------------------------------


@pytest.mark.parametrize("version", KEPT)
def test_a_database_of_any_version_opens_with_every_value(version: str, tmp_path: Path) -> None:
    expected = json.loads((FOLDER / f"{version}.json").read_text("utf-8"))
    path = copy_of(version, tmp_path / "old.db")
    with SQLiteBackend(path) as backend:
        found = records(backend)
        assert backend.check_integrity() == (True, [])
        assert backend.integrity_notes() == []
        assert backend.describe()["schema_version"] == SCHEMA_VERSION
        assert backend.get_app_state("schema_version") == SCHEMA_VERSION
    for model in MODELS:
        for old, new in zip(expected.get(model.__name__, []), found[model.__name__], strict=True):
            as_it_was = new | old
            if model is Query and version == "1.0":
                as_it_was |= expected_of_query(as_it_was.pop("updated_at", None), as_it_was)
            if model in (JiraCache, JiraChangelog) and version != SCHEMA_VERSION:
                as_it_was |= model.derived(new)  # computed again
            if old.get("key") == "schema_version":
                as_it_was["value"] = SCHEMA_VERSION
            assert json.dumps(new, sort_keys=True) == json.dumps(as_it_was, sort_keys=True)


def expected_of_query(updated_at: object, query: dict[str, Any]) -> dict[str, Any]:
    """Return what version 1.1 makes of the key that 1.0 did not know."""
    timestamps_of = {
        "2025-12-01T10:00:00+00:00": "2025-12-01T10:00:00+00:00",
        "2025-12-01T10:00:00.5+05:30": "2025-12-01T04:30:00.500000+00:00",
    }
    if updated_at in (None, *timestamps_of):
        return {"updated_at": timestamps_of.get(str(updated_at))}
    aside = "legacy_updated_at_2" if query["id"] == "counted" else "legacy_updated_at"
    return {"updated_at": None, aside: updated_at}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a script read few keys in one statement."""
    monkeypatch.setattr("burndown.schema.operations._PAGE", 2)


@pytest.mark.usefixtures("small_pages")
def test_cached_responses_of_version_1_0_are_counted(old: Path) -> None:
    with SQLiteBackend(old) as backend:
        found = {
            each["cache_key"]: (each["issue_count"], each["is_complete"])
            for each in backend.list_jira_caches("kafka", "12w")
        }
    assert found == {
        "whole": (40, True),
        "first-page": (10, False),
        "cloud": (3, True),
        "cloud-page": (3, False),
        "legacy": (1, False),  # a duplicate issue
        "empty": (0, True),
        "odd": (0, None),
        "nothing": (0, None),
    }


def test_a_response_that_an_earlier_release_saves_later_is_counted(old: Path) -> None:
    """It may still be running next to this one, and does not know the column."""
    with SQLiteBackend(old) as backend:
        backend.get_profile("kafka")
        with sqlite3.connect(old) as connection:
            connection.execute(
                "INSERT INTO jira_cache (profile_id, query_id, cache_key, expires_at, created_at, "
                "response) SELECT 'plain', 'q', 'later', expires_at, created_at, response "
                "FROM jira_cache WHERE cache_key = 'first-page'"
            )
        connection.close()
        found = {each["cache_key"]: each for each in backend.list_jira_caches("plain", "q")}
    assert (found["later"]["issue_count"], found["later"]["is_complete"]) == (10, False)


@given(
    response=responses,
    updated_at=st.none() | timestamps,
    unknown=st.dictionaries(st.sampled_from(["a", "legacy_updated_at"]), json_values),
    divisor=2,
    large=True,
)
def test_a_downgrade_and_an_upgrade_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, response: Any, updated_at: Any, unknown: Any
) -> None:
    """From 1.1 to 1.0 and back."""
    path = tmp_path_factory.mktemp("versions") / "burndown.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q", "updated_at": updated_at, **unknown})
        backend.save_jira_cache("p", "q", "k", response, timestamp())
        before = records(backend)
        backend.database.change_version("1.0")
        assert backend.database.schema_version() == "1.0"
        assert records(backend) == before  # opens it, and so upgrades it


def test_a_downgrade_keeps_revisions(database: Database) -> None:
    """They are unknown keys of version 1.2, which an upgrade finds again."""
    with SQLBackend(database) as backend:
        for revision in (1, 3):
            backend.save_profile({"id": f"p{revision}", "revision": revision, "a": 1})
            backend.save_query("p1", {"id": f"q{revision}", "revision": revision})
        before = records(backend)  # type: ignore[arg-type]
        database.change_version("1.2")
        assert database.schema_version() == "1.2"
        assert records(backend) == before  # type: ignore[arg-type]
        assert database.schema_version() == SCHEMA_VERSION


def test_a_downgrade_deletes_no_budget(database: Database) -> None:
    """It is refused, and changes nothing, until the last budget has been deleted."""
    with SQLBackend(database) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        backend.save_budget("p", "q", {"revisions": [{"reason": "scope"}]})
        before = records(backend)  # type: ignore[arg-type]
        with pytest.raises(StorageError, match="no place for budgets, such as that of query 'q'"):
            database.change_version("1.3")
        assert database.schema_version() == SCHEMA_VERSION
        assert records(backend) == before  # type: ignore[arg-type]
        backend.delete_budget("p", "q")
        before = records(backend)  # type: ignore[arg-type]
        database.change_version("1.3")
        assert database.schema_version() == "1.3"
        assert records(backend) == before  # type: ignore[arg-type]
        assert database.schema_version() == SCHEMA_VERSION


def test_a_downgrade_deletes_no_forecast_by_metric(database: Database) -> None:
    """It is refused, and changes nothing, until no snapshot has some."""
    with SQLBackend(database) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        week = {"snapshot_date": "2025-W12", "metric_type": "flow", "metrics": {}, "forecast": {}}
        backend.save_metrics_snapshot("p", "q", **week, forecasts={})
        before = records(backend)  # type: ignore[arg-type]
        with pytest.raises(StorageError, match="forecasts by metric, such as those of week 2025-W"):
            database.change_version("1.4")
        assert database.schema_version() == SCHEMA_VERSION
        assert records(backend) == before  # type: ignore[arg-type]
        backend.save_metrics_snapshot("p", "q", **week)
        before = records(backend)  # type: ignore[arg-type]
        database.change_version("1.4")
        assert database.schema_version() == "1.4"
        assert records(backend) == before  # type: ignore[arg-type]


def test_a_downgrade_reports_what_it_forgets(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Leases of tasks, and when changelogs were saved; what 1.4 has a place for is kept."""
    with SQLBackend(database) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        database.change_version("1.4")
        assert caplog.messages == []
        backend.save_jira_changelogs("p", "q", {"K-1": {}, "K-2": {}})
        task = {"task_name": "t", "progress_percent": 30.0, "status": "running", "message": "a"}
        lease = {"owner": "o", "started_at": timestamp(), "lease_until": timestamp()}
        backend.save_records(TaskProgress, [{**task, **lease}])
        database.change_version("1.4")
        assert caplog.messages == [
            "Schema version 1.4 has no place for leases of tasks: 1",
            "Schema version 1.4 has no place for times at which changelogs were saved: 2",
        ]
        [found] = backend.records(TaskProgress)
        changelogs = list(backend.records(JiraChangelog))
    assert task.items() <= found.items()
    assert [found[key] for key in (*lease, "heartbeat_at")] == [None] * 4
    assert [each["created_at"] for each in changelogs] == [None, None]


@pytest.mark.usefixtures("small_pages")
def test_a_downgrade_compresses_responses_as_a_whole(database: Database) -> None:
    """Version 1.5 reads no frames; a damaged response stays as it is."""
    engine = plain_engine(database)
    stored = text("SELECT response FROM jira_cache ORDER BY cache_key")
    with SQLBackend(database) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        with frames_of_size(50, from_issues=2):
            for key, count in (("a", 1), ("b", 9), ("c", 9)):
                response = {"issues": [{"key": f"K-{number}"} for number in range(count)]}
                backend.save_jira_cache("p", "q", key, response, timestamp())
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE jira_cache SET response = :damaged WHERE cache_key = 'c'"),
                {"damaged": b"\x50\x2a\x4d\x18"},
            )
        database.change_version("1.5")
        with engine.connect() as connection:
            found = connection.execute(stored).scalars().all()
        assert [is_framed(each) for each in found] == [False, False, True]
        assert backend.get_jira_cache("p", "q", "b") == response
        assert database.schema_version() == SCHEMA_VERSION
    engine.dispose()


@pytest.mark.parametrize("written", [0, -1, 2**53, 1.0, True, None, "draft", {"revision": 1}])
def test_an_unknown_key_of_that_name_is_kept(tmp_path: Path, written: Any) -> None:
    """What is no revision gets another name; a key within a value stays."""
    path = tmp_path / "burndown.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p", "legacy_revision": 1, "nested": {"revision": 2}})
        backend.save_profile({"id": "other", "nested": {"revision": 2}})
        backend.database.change_version("1.2")
    with sqlite3.connect(path) as connection:
        extra = {"legacy_revision": 1, "nested": {"revision": 2}, "revision": written}
        connection.execute("UPDATE profiles SET extra = ? WHERE id = 'p'", [json.dumps(extra)])
    connection.close()
    with SQLiteBackend(path) as backend:
        found, other = backend.get_profile("p"), backend.get_profile("other")
    assert found is not None
    assert other is not None
    for each in (found, other):
        assert each["revision"] == 1
        assert each["nested"] == {"revision": 2}  # type: ignore[typeddict-item]
    assert json.dumps(found["legacy_revision_2"]) == json.dumps(written)  # type: ignore[typeddict-item]
    assert found["legacy_revision"] == 1  # type: ignore[typeddict-item]


def timestamp() -> Any:
    from datetime import UTC, datetime

    return datetime(2100, 1, 1, tzinfo=UTC)


def test_a_server_can_be_downgraded_and_upgraded_too(postgres_url: str) -> None:
    with SQLBackend(open_database(postgres_url)) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q", "updated_at": "2025-12-01T10:00:00+00:00", "a": 1})
        backend.save_jira_cache("p", "q", "k", {"issues": [1], "total": 2}, timestamp())
        before = records(backend)
        backend.database.change_version("1.0")
        assert backend.database.schema_version() == "1.0"
        assert records(backend) == before
        assert backend.database.schema_version() == SCHEMA_VERSION
        assert [each["issue_count"] for each in backend.records(JiraCache)] == [1]


# --- Alembic -----------------------------------------------------------------------------------


def test_alembic_is_imported_only_for_an_upgrade(tmp_path: Path, old: Path) -> None:
    """Not by the package, the command line, a new database, or one of this version."""
    program = (
        "import sys, burndown.cli\n"
        "from burndown import SQLiteBackend\n"
        "for path in sys.argv[1:]:\n"
        "    with SQLiteBackend(path) as backend: backend.list_profiles()\n"
        "print('alembic' in sys.modules)\n"
    )
    new = tmp_path / "new.db"
    for paths, expected in (([new], "False"), ([new, new], "False"), ([old], "True")):
        command = [sys.executable, "-c", program, *map(str, paths)]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert found.strip() == expected

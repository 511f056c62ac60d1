"""The published dashboard stops in a database of ours, and nobody else does."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from burndown import SQLiteBackend
from burndown.database import SQLiteDatabase, get_db_connection
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed
from burndown.models import SCHEMA_VERSION
from burndown.schema import VERSIONS, change_version, make_schema
from burndown.schema.guard import GUARDS
from tests.support.database_rows import everything
from tests.support.kept_databases import KEPT, copy_of

BEFORE = list(VERSIONS)[list(VERSIONS).index("1.4") - 1]
"""The last version without the guard."""
REFUSAL = "This database belongs to the package burndown"


class Dashboard:
    """What the published dashboard executes, with the settings of its connections.

    It opens a connection for each operation, and closes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=10.0)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA foreign_keys=ON")
            yield connection

    def write(self, statement: str, *values: object) -> None:
        with self.connect() as connection:
            connection.execute(statement, values)
            connection.commit()

    def starts_migration(self) -> bool:
        """Return whether its start migrates JSON files.

        If that fails, it deletes the folder of the profiles, and puts a copy in its place.
        """
        with self.connect() as connection:
            state = "SELECT value FROM app_state WHERE key = 'migration_complete'"
            is_complete = connection.execute(state).fetchone() == ("true",)
        return not is_complete and any(self.path.parent.glob("*/profile.json"))

    def list_profiles(self) -> list[str]:
        with self.connect() as connection:
            found = connection.execute(
                "SELECT id, name, description, created_at, last_used FROM profiles "
                "ORDER BY last_used DESC"
            )
            return [row[0] for row in found]

    def save_profile(self, profile_id: str = "kafka") -> None:
        now = datetime.now().isoformat()  # without a time zone, as it does
        sections = ["{}"] * 5
        self.write(
            "INSERT INTO profiles (id, name, description, created_at, last_used, jira_config, "
            "field_mappings, forecast_settings, project_classification, flow_type_mappings, "
            "show_milestone, show_points) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT(id) DO UPDATE SET name = excluded.name, last_used = excluded.last_used, "
            "jira_config = excluded.jira_config, show_points = excluded.show_points",
            *(profile_id, "Its name", "", now, now, *sections, 0, 1),
        )

    def create_profile(self) -> None:
        self.save_profile("p_0123456789ab")

    def save_query(self, query_id: str = "q_0123456789ab") -> None:
        now = datetime.now().isoformat()
        self.write(
            "INSERT INTO queries (id, profile_id, name, jql, created_at, last_used) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(profile_id, id) DO UPDATE SET "
            "name = excluded.name, jql = excluded.jql, last_used = excluded.last_used",
            *(query_id, "kafka", "Its query", "project = KAFKA", now, now),
        )

    def change_query(self) -> None:
        self.save_query("12w")

    def switch_query(self) -> None:
        self.write(
            "INSERT OR REPLACE INTO app_state (key, value) VALUES (?, ?)", "active_query_id", "12w"
        )

    def forget_state(self) -> None:
        self.write("DELETE FROM app_state WHERE key = ?", "schema_version")

    def start_task(self) -> None:
        self.write(
            "INSERT INTO task_progress (task_name, progress_percent, status, message, updated_at) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT(task_name) DO UPDATE SET status = excluded.status",
            *("update_data", 0.0, "in_progress", "{}", datetime.now().isoformat()),
        )

    def clear_tasks(self) -> None:
        self.write("DELETE FROM task_progress")

    def delete_profile(self) -> None:
        self.write("DELETE FROM profiles WHERE id = ?", "kafka")

    def delete_query(self) -> None:
        self.write("DELETE FROM queries WHERE profile_id = ? AND id = ?", "kafka", "12w")

    def wipe_query(self) -> None:
        """Delete the data of a query, as a forced update does first."""
        for table in ("jira_issues", "project_statistics", "jira_cache"):
            self.write(f"DELETE FROM {table} WHERE profile_id = ? AND query_id = ?", "kafka", "12w")

    def alter_tables(self) -> None:
        """Change tables of another version, as its migration of JSON files does first."""
        with self.connect() as connection:
            connection.execute(
                "ALTER TABLE budget_settings ADD COLUMN baseline_velocity_items REAL"
            )
            connection.execute("DROP TABLE jira_cache")
            connection.commit()


WRITES = [
    Dashboard.save_profile,
    Dashboard.create_profile,
    Dashboard.save_query,
    Dashboard.change_query,
    Dashboard.switch_query,
    Dashboard.forget_state,
    Dashboard.start_task,
    Dashboard.clear_tasks,
    Dashboard.delete_profile,
    Dashboard.delete_query,
]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SQLiteBackend]:
    """An open store with a row in each table that the dashboard knows."""
    with SQLiteBackend(tmp_path / "profiles" / "burndown.db") as backend:
        backend.save_profile({"id": "kafka", "name": "Kafka", "show_points": True})
        backend.save_query("kafka", {"id": "12w", "name": "Last 12 weeks"})
        backend.save_jira_cache("kafka", "12w", "key", {"issues": []}, timedelta(days=1))
        backend.save_task_progress("sync", 50.0, "in_progress", "")
        yield backend


def path_of(backend: SQLiteBackend) -> Path:
    path = backend.database.path
    assert path is not None
    return path


def guards(path: Path) -> dict[str, str]:
    """Return the SQL of the triggers of the guard, by name."""
    with closing(sqlite3.connect(path)) as connection:
        found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'"))
    return {name: sql for name, sql in found.items() if name in GUARDS}


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_the_dashboard_cannot_write(
    backend: SQLiteBackend, write: Callable[[Dashboard], None]
) -> None:
    """It gets a message that says whose the database is, and ours continues to work."""
    path = path_of(backend)
    before = everything(path)
    dashboard = Dashboard(path)
    assert dashboard.list_profiles() == ["kafka"]
    with pytest.raises(sqlite3.IntegrityError, match=REFUSAL):
        write(dashboard)
    assert everything(path) == before
    backend.save_profile({"id": "kafka", "name": "Ours", "show_points": False})
    backend.delete_query("kafka", "12w")
    backend.delete_profile("kafka")
    assert dashboard.list_profiles() == []


@pytest.mark.parametrize(
    ("change", "missing"),
    [(Dashboard.wipe_query, "jira_issues"), (Dashboard.alter_tables, "budget_settings")],
)
def test_the_dashboard_deletes_no_response(
    backend: SQLiteBackend, change: Callable[[Dashboard], None], missing: str
) -> None:
    """It fails at a table that we do not have, before it comes to one that we have."""
    with pytest.raises(sqlite3.OperationalError, match=f"no such table: {missing}"):
        change(Dashboard(path_of(backend)))
    assert backend.get_jira_cache("kafka", "12w", "key") is not None


def test_the_dashboard_does_not_migrate_files_that_were_moved(tmp_path: Path) -> None:
    """The old files next to the database stay, and so does the database."""
    write_demo_workspace(tmp_path)
    profiles = tmp_path / "profiles"
    dashboard = Dashboard(profiles / "burndown.db")
    run_migration_if_needed(profiles, SQLiteDatabase(dashboard.path))
    assert any(profiles.glob("*/profile.json"))
    assert not dashboard.starts_migration()


# --- other programs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout", "foreign_keys"), [(5.0, "OFF"), (5.0, "ON"), (10.0, "OFF"), (0.0, "ON")]
)
def test_other_programs_can_write(
    backend: SQLiteBackend, timeout: float, foreign_keys: str
) -> None:
    """The default settings of `sqlite3`, and one of the dashboard's, are not recognized."""
    with closing(sqlite3.connect(path_of(backend), timeout=timeout)) as connection:
        connection.execute(f"PRAGMA foreign_keys={foreign_keys}")
        connection.execute("INSERT INTO profiles (id) VALUES ('theirs')")
        connection.execute("INSERT OR REPLACE INTO app_state (key, value) VALUES ('a', 'b')")
        connection.execute("DELETE FROM profiles WHERE id = 'theirs'")
        connection.commit()
    assert backend.get_app_state("a") == "b"


def test_connections_of_the_package_can_write_in_any_form(backend: SQLiteBackend) -> None:
    """Timestamps in another form of ISO 8601 are no reason to refuse a statement."""
    with get_db_connection(path_of(backend)) as connection:
        now = datetime.now().isoformat()
        connection.execute("INSERT INTO profiles (id, last_used) VALUES ('ours', ?)", (now,))
        connection.execute("ALTER TABLE profiles RENAME COLUMN description TO moved")
        connection.execute("ALTER TABLE profiles RENAME COLUMN moved TO description")
    assert backend.get_profile("ours") is not None


# --- the tables --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", KEPT)
def test_a_database_of_any_version_gets_the_guard(version: str, tmp_path: Path) -> None:
    path = copy_of(version, tmp_path / "old.db")
    with SQLiteBackend(path) as backend:
        assert backend.get_app_state("schema_version") == SCHEMA_VERSION
    with pytest.raises(sqlite3.IntegrityError, match=REFUSAL):
        Dashboard(path).switch_query()


def test_a_downgrade_removes_the_guard(backend: SQLiteBackend) -> None:
    """Also if somebody has dropped a part of it."""
    path = path_of(backend)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"DROP TRIGGER {next(iter(GUARDS))}")
    assert len(guards(path)) == len(GUARDS) - 1
    backend.database.change_version(BEFORE)
    assert guards(path) == {}
    Dashboard(path).save_profile()


def test_an_upgrade_and_a_new_database_have_the_same_guard(tmp_path: Path) -> None:
    def change(connection: Connection) -> None:
        change_version(connection, SCHEMA_VERSION)

    found = []
    for name, make in (("upgraded", change), ("new", make_schema)):
        database = SQLiteDatabase(tmp_path / name)
        engine = database._make_engine()
        with engine.begin() as connection:
            make(connection)
        engine.dispose()
        found.append(guards(tmp_path / name))
    assert found[0] == found[1]
    assert found[0].keys() == GUARDS.keys()


def test_the_guard_is_no_foreign_object(backend: SQLiteBackend) -> None:
    own = "CREATE TRIGGER own AFTER INSERT ON queries BEGIN SELECT 1; END"
    with get_db_connection(path_of(backend)) as connection:
        connection.execute(own)
    assert backend.foreign_objects() == ["trigger own of queries"]
    assert backend.check_integrity() == (True, [])


def test_a_backup_and_a_dump_keep_the_guard(backend: SQLiteBackend, tmp_path: Path) -> None:
    path, backup, restored = path_of(backend), tmp_path / "backup.db", tmp_path / "restored.db"
    backend.backup(backup)
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(restored)) as target,
    ):
        target.executescript("\n".join(source.iterdump()))
    for copy in (backup, restored):
        with pytest.raises(sqlite3.IntegrityError, match=REFUSAL):
            Dashboard(copy).switch_query()
        with SQLiteBackend(copy) as opened:
            opened.set_app_state("a", "b")

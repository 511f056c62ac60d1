"""An upgrade is atomic, keeps a copy, and does not affect objects that others added."""

import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection

from burndown import DatabaseCorruptionError, SQLiteBackend, StorageError, get_backend
from burndown.database import SQLiteDatabase, get_db_connection, open_database
from burndown.database.sqlite_connector import SQLiteConnector
from burndown.errors import SchemaTooNewError, ValidationError
from burndown.models import SCHEMA_VERSION
from burndown.persistence.sql_backend import SQLBackend
from burndown.schema import VERSIONS, alembic_runner
from burndown.schema.digests import SUMS
from tests.data.schemas.generate import records
from tests.support.database_rows import everything
from tests.support.kept_databases import copy_of
from tests.support.postgres import execute_on


@contextmanager
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as a program that does not use this package."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def run_sql(path: Path, *statements: str) -> None:
    with plain(path) as connection:
        for statement in statements:
            connection.execute(statement)


def columns(path: Path, table: str) -> set[str]:
    with plain(path) as connection:
        return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def version_of(path: Path) -> str | None:
    return SQLiteDatabase(path).schema_version()


def upgrade(path: Path) -> None:
    with SQLiteBackend(path) as backend:
        assert backend.get_app_state("schema_version") == SCHEMA_VERSION


# --- the copy ----------------------------------------------------------------------------------


def test_a_copy_of_the_old_version_is_kept(old: Path) -> None:
    """It can be opened by itself, and only its owner can read it."""
    before = everything(old)
    upgrade(old)
    backup = old.with_name("burndown.db.1.0.backup")
    assert {path.name for path in old.parent.iterdir()} == {old.name, backup.name}
    assert everything(backup) == before
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with plain(backup) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_copy_has_the_data_in_the_log(old: Path) -> None:
    """A copy of the file alone would not have them."""
    writer = sqlite3.connect(old)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("UPDATE profiles SET description = 'in the log' WHERE id = 'kafka'")
    writer.commit()
    upgrade(old)
    writer.close()
    with plain(old.with_name("burndown.db.1.0.backup")) as connection:
        found = connection.execute("SELECT description FROM profiles WHERE id = 'kafka'")
        assert found.fetchone() == ("in the log",)


def test_no_copy_is_overwritten(old: Path) -> None:
    """Of a database that was restored and changed; an equal copy is not kept twice."""
    upgrade(old)
    shutil.copy(old.with_name("burndown.db.1.0.backup"), old)
    upgrade(old)
    copies = sorted(path.name for path in old.parent.glob("*.backup"))
    assert copies == ["burndown.db.1.0.backup"]
    shutil.copy(old.with_name("burndown.db.1.0.backup"), old)
    run_sql(old, "UPDATE profiles SET description = 'changed'")
    upgrade(old)
    copies = sorted(path.name for path in old.parent.glob("*.backup"))
    assert copies == ["burndown.db.1.0.2.backup", "burndown.db.1.0.backup"]


def test_a_database_of_the_current_version_is_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        upgrade(tmp_path / "burndown.db")
    assert [path.name for path in tmp_path.iterdir()] == ["burndown.db"]


# --- newer versions ----------------------------------------------------------------------------


def all_files(path: Path) -> tuple[bytes, int]:
    return path.read_bytes(), path.stat().st_mtime_ns


@pytest.mark.parametrize("with_log", [False, True])
def test_a_newer_database_is_not_changed(tmp_path: Path, with_log: bool) -> None:
    """Even if the newer release was killed and left its log."""
    made = tmp_path / "made.db"
    with SQLiteBackend(made) as backend:
        backend.save_profile({"id": "p"})
    writer = sqlite3.connect(made)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("UPDATE burndown_version SET version_num = '7.3'")
    writer.commit()
    path = tmp_path / "newer" / "burndown.db"
    path.parent.mkdir()
    if with_log:
        for suffix in ("", "-wal"):
            shutil.copy(f"{made}{suffix}", f"{path}{suffix}")
    writer.close()
    if not with_log:
        shutil.copy(made, path)
    before = all_files(path)
    backend = SQLiteBackend(path)
    calls: list[Callable[[], object]] = [
        backend.list_profiles,
        lambda: backend.save_profile({"id": "q"}),
        lambda: backend.database.change_version("1.0"),
        lambda: backend.database.sql_of_change("1.0"),
    ]
    for call in calls:
        message = rf"version 7\.3.*up to {re.escape(SCHEMA_VERSION)}; upgrade it"
        with pytest.raises(SchemaTooNewError, match=message) as too:
            call()
        assert (too.value.found, too.value.known) == ("7.3", SCHEMA_VERSION)
        backend.close()
        assert all_files(path) == before


def test_a_newer_server_is_refused(postgres_url: str) -> None:
    with SQLBackend(open_database(postgres_url)) as backend:
        backend.save_profile({"id": "p"})
    execute_on(postgres_url, "UPDATE burndown_version SET version_num = '7.3'")
    newer = open_database(postgres_url)
    with SQLBackend(newer) as backend, pytest.raises(SchemaTooNewError, match=r"7\.3"):
        backend.list_profiles()


# --- errors ------------------------------------------------------------------------------------


def test_an_upgrade_that_fails_keeps_the_old_version(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next opening succeeds."""
    before = everything(old)
    run = alembic_runner.run

    def fail(connection: Connection, *arguments: Any, **options: Any) -> None:
        run(connection, *arguments, **options)
        connection.exec_driver_sql("INSERT INTO no_such_table VALUES (1)")

    monkeypatch.setattr(alembic_runner, "run", fail)
    with SQLiteBackend(old) as backend, pytest.raises(StorageError, match="no_such_table"):
        backend.list_profiles()
    assert version_of(old) == "1.0"
    assert everything(old) == before
    monkeypatch.undo()
    upgrade(old)


def test_a_damaged_database_is_not_upgraded(old: Path) -> None:
    """A row without its owner is detected when the database is copied, and reported."""
    run_sql(old, "PRAGMA foreign_keys=OFF", "DELETE FROM profiles WHERE id = 'plain'")
    refused = pytest.raises(DatabaseCorruptionError, match=r"is damaged, so no copy.*queries")
    with SQLiteBackend(old) as backend, refused:
        backend.list_profiles()
    assert version_of(old) == "1.0"
    assert "updated_at" not in columns(old, "queries")


def test_a_damaged_response_does_not_stop_an_upgrade(old: Path) -> None:
    run_sql(old, "UPDATE jira_cache SET response = x'00' WHERE cache_key = 'cloud'")
    upgrade(old)
    with plain(old) as connection:
        found = connection.execute("SELECT issue_count FROM jira_cache WHERE cache_key = 'cloud'")
        assert found.fetchone() == (None,)


def test_an_upgrade_writes_no_row_that_it_does_not_change(tmp_path: Path) -> None:
    """In a large store, the log would become as large as the file."""
    path = copy_of("1.7", tmp_path / "old" / "burndown.db")
    count = "UPDATE mine SET written = written + 1"
    run_sql(
        path,
        "CREATE TABLE mine (written INTEGER)",
        "INSERT INTO mine VALUES (0)",
        f"CREATE TRIGGER count_written AFTER UPDATE ON jira_cache BEGIN {count}; END",
    )
    SQLiteDatabase(path).change_version("1.8")
    with plain(path) as connection:
        assert connection.execute("SELECT written FROM mine").fetchone() == (0,)


def test_a_database_without_a_version_is_of_the_first_one(old: Path) -> None:
    """So is one without the version table."""
    run_sql(old, "CREATE TABLE alembic_version (version_num TEXT)")
    assert version_of(old) == "1.0"
    upgrade(old)


@pytest.mark.parametrize("version", ["0.9", "", "9", "1.1 ", "head", "base", "1.0:1.1", "1.2:1.1"])
def test_an_unknown_version_is_refused(old: Path, version: str) -> None:
    with pytest.raises(ValidationError, match=r"one of 1\.0, 1\.1, 1\.2"):
        SQLiteDatabase(old).change_version(version)
    assert version_of(old) == "1.0"


def test_a_downgrade_before_the_first_version_is_refused(old: Path) -> None:
    """It would delete all tables."""
    before = everything(old)
    database = SQLiteDatabase(old)
    with pytest.raises(StorageError, match="delete everything"), database.session() as session:
        command.downgrade(alembic_runner.config(connection=session.connection()), "base")
    database.close()
    upgraded = [{**row, "revision": 1} for row in before["profiles"]]
    assert everything(old)["profiles"] == upgraded


# --- foreign objects ---------------------------------------------------------------------------

BY_HAND = (
    "ALTER TABLE profiles ADD COLUMN new_field TEXT DEFAULT ''",
    "UPDATE profiles SET new_field = 'mine' WHERE id = 'kafka'",
    "ALTER TABLE jira_cache ADD COLUMN seen_at TEXT",
    "CREATE INDEX idx_custom ON jira_cache(length(cache_key)) WHERE seen_at IS NULL",
    "CREATE INDEX IF NOT EXISTS idx_names ON queries(name)",
    "CREATE TABLE mine (a INTEGER PRIMARY KEY, b TEXT)",
    "INSERT INTO mine VALUES (1, 'mine')",
    "CREATE VIEW open_queries AS SELECT name FROM queries",
    "CREATE TRIGGER count_queries AFTER INSERT ON queries BEGIN UPDATE mine SET b = new.id; END",
    "UPDATE app_state SET value = '1.1' WHERE key = 'schema_version'",
)
"""The quickstart's own schema changes; the last one sets a version that is not the real one."""


def test_objects_added_manually_survive(old: Path) -> None:
    run_sql(old, *BY_HAND)
    with plain(old) as connection:
        before = set(connection.execute("SELECT type, name FROM sqlite_master"))
    upgrade(old)
    with plain(old) as connection:
        after = set(connection.execute("SELECT type, name FROM sqlite_master"))
        found = connection.execute("SELECT new_field FROM profiles WHERE id = 'kafka'").fetchone()
        mine = connection.execute("SELECT * FROM mine").fetchall()
    assert before <= after
    assert (found, mine) == (("mine",), [(1, "mine")])
    assert {"issue_count", "seen_at"} <= columns(old, "jira_cache")
    with SQLiteBackend(old) as backend:
        profile = backend.get_profile("kafka")
        assert profile is not None
        assert "new_field" not in profile
        backend.save_profile({**profile, "description": "again"})
    with plain(old) as connection:
        found = connection.execute("SELECT new_field FROM profiles WHERE id = 'kafka'").fetchone()
    assert found == ("mine",)


def test_a_column_with_the_name_of_a_new_one_is_renamed(old: Path) -> None:
    run_sql(
        old,
        "ALTER TABLE queries ADD COLUMN updated_at TEXT DEFAULT 'mine'",
        "ALTER TABLE jira_cache ADD COLUMN issue_count TEXT DEFAULT 'mine'",
    )
    upgrade(old)
    with plain(old) as connection:
        found = connection.execute('SELECT DISTINCT "updated_at (own)" FROM queries').fetchall()
    assert found == [("mine",)]
    with SQLiteBackend(old) as backend:
        assert [each["issue_count"] for each in backend.list_jira_caches("plain", "q")] == [40]


def test_the_quickstart_can_change_the_schema_too(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns that it adds to the current version stay, whatever version it sets."""
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", str(old))
    get_backend().list_profiles()
    with get_db_connection() as connection:
        connection.execute("ALTER TABLE profiles ADD COLUMN new_field TEXT DEFAULT ''")
        connection.execute("UPDATE app_state SET value = '1.2' WHERE key = 'schema_version'")
    with SQLiteBackend(old) as backend:
        assert backend.get_app_state("schema_version") == "1.2"
        assert backend.describe()["schema_version"] == SCHEMA_VERSION
        assert backend.list_profiles()


# --- a table that is rebuilt -------------------------------------------------------------------

REBUILDING = f"""
import sqlalchemy as sa
from alembic import op

revision = "9.0"
down_revision = "{SCHEMA_VERSION}"


def upgrade():
    for table in ("profiles", "queries"):
        with op.batch_alter_table(table, recreate="always") as batch:
            batch.alter_column("description", existing_type=sa.String(), type_=sa.Text())


def downgrade():
    pass
"""


@pytest.fixture
def _with_a_version_that_rebuilds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a later version that replaces two tables that all others refer to."""
    (tmp_path / "v9_0.py").write_text(REBUILDING)
    config = alembic_runner.config

    def with_more(**attributes: object) -> Any:
        settings = config(**attributes)
        own = f"{settings.get_main_option('script_location')}/versions"
        settings.set_main_option("version_locations", os.pathsep.join([own, str(tmp_path)]))
        return settings

    monkeypatch.setattr(alembic_runner, "config", with_more)
    monkeypatch.setitem(VERSIONS, "9.0", "rebuilt")


@pytest.mark.usefixtures("_with_a_version_that_rebuilds")
def test_rebuilding_a_table_keeps_its_children(old: Path) -> None:
    upgrade(old)
    before = everything(old)
    SQLiteDatabase(old).change_version("9.0")
    after = everything(old)
    for table in before.keys() - {"burndown_version", "app_state", SUMS}:
        assert after[table] == before[table]
    with plain(old) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("DELETE FROM profiles WHERE id = 'kafka'")
        assert connection.execute("SELECT count(*) FROM jira_changelog_cache").fetchone() == (0,)


@pytest.mark.usefixtures("_with_a_version_that_rebuilds")
def test_rebuilding_a_table_with_foreign_keys_on_deletes_them(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above can fail."""
    upgrade(old)
    monkeypatch.setattr(SQLiteConnector, "open_to_alter", SQLiteConnector.open_session)
    SQLiteDatabase(old).change_version("9.0")
    assert everything(old)["jira_changelog_cache"] == []


# --- PostgreSQL --------------------------------------------------------------------------------


def test_objects_added_manually_to_a_server_survive(postgres_url: str) -> None:
    with SQLBackend(open_database(postgres_url)) as backend:
        backend.save_profile({"id": "p"})
        backend.database.change_version("1.0")
    execute_on(
        postgres_url,
        "ALTER TABLE profiles ADD COLUMN new_field TEXT DEFAULT 'mine'",
        "CREATE INDEX idx_custom ON queries(lower(name))",
        "ALTER TABLE queries ADD COLUMN updated_at TEXT DEFAULT 'mine'",
    )
    with SQLBackend(open_database(postgres_url)) as backend:
        assert [profile["id"] for profile in backend.list_profiles()] == ["p"]
        assert backend.database.schema_version() == SCHEMA_VERSION
    execute_on(
        postgres_url,
        "SELECT new_field FROM profiles",
        'SELECT "updated_at (own)" FROM queries',
        "DROP INDEX idx_custom",
    )


def test_a_server_keeps_the_old_version_if_an_upgrade_fails(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SQLBackend(open_database(postgres_url)) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q", "updated_at": "2025-12-01T10:00:00+00:00"})
        before = records(backend)
        backend.database.change_version("1.0")
        run = alembic_runner.run

        def fail(connection: Connection, *arguments: Any, **options: Any) -> None:
            run(connection, *arguments, **options)
            connection.exec_driver_sql("INSERT INTO no_such_table VALUES (1)")

        monkeypatch.setattr(alembic_runner, "run", fail)
        with pytest.raises(StorageError, match="no_such_table"):
            backend.list_profiles()
        assert backend.database.schema_version() == "1.0"
        monkeypatch.undo()
        assert records(backend) == before


def test_a_process_continues_after_another_one_changed_the_tables(tmp_path: Path) -> None:
    """The call that finds them changed raises an error; the next one upgrades them again."""
    path = tmp_path / "burndown.db"
    with SQLiteBackend(path) as running:
        running.save_profile({"id": "p"})
        running.save_query("p", {"id": "q"})
        with SQLiteBackend(path) as other:
            other.database.change_version("1.0")
        with pytest.raises(StorageError, match="no such column"):
            running.list_queries("p")
        assert [query["id"] for query in running.list_queries("p")] == ["q"]
        assert version_of(path) == SCHEMA_VERSION

"""A database has its version in a table of its own name, and that of others stays unchanged."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from burndown import SQLiteBackend, StorageError
from burndown.database import SQLiteDatabase, open_database
from burndown.models import SCHEMA_VERSION
from burndown.persistence.sql_backend import SQLBackend
from burndown.schema.recognition import APPLICATION_ID
from tests.support.database_rows import rows
from tests.support.kept_databases import copy_of
from tests.support.postgres import execute_on

FOREIGN = (
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "INSERT INTO alembic_version VALUES ('509b1b4a88b1')",
)


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in found}


def application_id(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA application_id").fetchone()[0])


def upgrade(path: Path) -> None:
    with SQLiteBackend(path) as backend:
        backend.list_profiles()
        assert backend.database.schema_version() == SCHEMA_VERSION


def test_a_new_database_has_a_version_table_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    upgrade(path)
    assert rows(path, "burndown_version") == [{"version_num": SCHEMA_VERSION}]
    assert "alembic_version" not in tables(path)
    assert application_id(path) == APPLICATION_ID


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_upgrades_and_downgrades_change_the_version(version: str, tmp_path: Path) -> None:
    path = copy_of(version, tmp_path / "old.db")
    before = tables(path)
    upgrade(path)
    assert "alembic_version" not in tables(path)
    assert application_id(path) == APPLICATION_ID
    SQLiteDatabase(path).change_version(version)
    assert tables(path) == before
    assert application_id(path) == 0
    if version == "1.1":
        assert rows(path, "alembic_version") == [{"version_num": "1.1"}]
    upgrade(path)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_the_table_of_another_program_stays(version: str, tmp_path: Path) -> None:
    """It may have been there first or later; its version is ignored."""
    path = copy_of(version, tmp_path / "shared.db")
    run_sql(path, *FOREIGN)
    assert SQLiteDatabase(path).schema_version() == version
    upgrade(path)
    assert rows(path, "alembic_version") == [{"version_num": "509b1b4a88b1"}]
    with pytest.raises(StorageError, match="alembic_version, which another program uses"):
        SQLiteDatabase(path).change_version("1.1")
    assert SQLiteDatabase(path).schema_version() == SCHEMA_VERSION
    SQLiteDatabase(path).change_version("1.0")
    assert rows(path, "alembic_version") == [{"version_num": "509b1b4a88b1"}]
    upgrade(path)


def test_a_server_that_another_program_shares(postgres_url: str) -> None:
    """Alembic's default table was there first, or is used by both programs."""
    execute_on(postgres_url, *FOREIGN)
    with SQLBackend(open_database(postgres_url)) as backend:
        backend.save_profile({"id": "p"})
        assert backend.database.schema_version() == SCHEMA_VERSION
        with pytest.raises(StorageError, match="alembic_version, which another program uses"):
            backend.database.change_version("1.1")
        execute_on(postgres_url, "DELETE FROM alembic_version")
        backend.database.change_version("1.1")
        execute_on(postgres_url, FOREIGN[1])
        assert backend.database.schema_version() == "1.1"
        assert [profile["id"] for profile in backend.list_profiles()] == ["p"]
        assert backend.database.schema_version() == SCHEMA_VERSION
        with backend.database.session() as session:
            found = session.connection().exec_driver_sql("SELECT * FROM alembic_version").all()
    assert [tuple(row) for row in found] == [("509b1b4a88b1",)]


def test_a_server_with_foreign_tables_of_our_names_is_refused(postgres_url: str) -> None:
    execute_on(postgres_url, "CREATE TABLE profiles (uid integer, email text)")
    with (
        SQLBackend(open_database(postgres_url)) as backend,
        pytest.raises(StorageError, match="another program's tables profiles"),
    ):
        backend.list_profiles()
    execute_on(postgres_url, "SELECT uid FROM profiles")

"""Backups of a PostgreSQL database, by the server's own programs."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from burndown import StorageError
from burndown.backups import drill
from burndown.files.checksums import changed_files, checksums_path
from burndown.persistence import open_backend
from burndown.persistence.sql_backend import SQLBackend
from burndown.testing.controlled_store import everything
from tests.support.postgres import PostgresServer

CANARY = "c4n4ry-p4ssw0rd"


@pytest.fixture
def backend(postgres_url: str) -> Iterator[SQLBackend]:
    """Open a backend on a database with a profile."""
    with open_backend(postgres_url) as new:
        assert isinstance(new, SQLBackend)
        new.save_profile({"id": "p", "jira_config": {"token": CANARY}})
        new.save_query("p", {"id": "q"})
        yield new


@pytest.fixture
def _programs(backend: SQLBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the programs of the server first in the search path."""
    with backend.database.read_session() as session:
        connection = session.connection()
        [folder] = connection.exec_driver_sql(
            "SELECT setting FROM pg_config WHERE name = 'BINDIR'"
        ).one()
    if not (Path(folder) / "pg_dump").exists():
        pytest.skip("the server is on another machine")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


@pytest.mark.usefixtures("_programs")
def test_a_dump_restores_to_equal_records(
    backend: SQLBackend, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """It is private, has its checksum, and pg_restore reads it."""
    dump = backend.backup(tmp_path / "copies", keep=1)
    assert dump.suffix == ".dump"
    assert dump.stat().st_mode & 0o777 == 0o600
    assert not changed_files(dump)
    assert set(dump.parent.iterdir()) == {dump, checksums_path(dump)}
    with postgres_server.database() as url:
        where = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        subprocess.run(
            ["pg_restore", "--clean", "--if-exists", "--single-transaction", f"-d{where}", dump],
            check=True,
        )
        with open_backend(url) as restored:
            assert everything(restored) == everything(backend)


@pytest.mark.usefixtures("_programs")
def test_a_drill_refuses_a_dump(backend: SQLBackend) -> None:
    """It takes a server to restore one."""
    with pytest.raises(StorageError, match="archive of pg_dump"):
        drill(backend=backend)


@pytest.mark.usefixtures("_programs")
def test_only_the_schema_of_the_tables_is_dumped(
    backend: SQLBackend, tmp_path: Path, postgres_url: str
) -> None:
    """Other schemas may belong to other teams, and need not be readable."""
    with backend.database.session() as session:
        session.connection().exec_driver_sql("CREATE SCHEMA team_b CREATE TABLE mine (x int)")
    dump = backend.backup(tmp_path / "dump")
    listed = subprocess.check_output(["pg_restore", "--list", dump], text=True)
    assert "TABLE public profiles" in listed
    assert "team_b" not in listed


def test_the_password_is_in_no_argument(
    backend: SQLBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But in the environment of the program alone; an error does not quote it."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    program(
        tmp_path,
        "pg_dump",
        'if [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) 99.0"; exit; fi\n'
        f'echo "$@" > {tmp_path}/arguments; echo "$PGPASSWORD" > {tmp_path}/password\n'
        'echo "wrong password: $PGPASSWORD" >&2; exit 1',
    )
    url = make_url(backend.database.url).set(password=CANARY, query=_query(backend))
    with (
        open_backend(url.render_as_string(hide_password=False)) as secured,
        pytest.raises(StorageError, match="pg_dump failed: wrong password") as failed,
    ):
        secured.backup(tmp_path / "copies" / "dump")
    assert CANARY not in str(failed.value)
    assert CANARY not in (tmp_path / "arguments").read_text()
    assert (tmp_path / "password").read_text() == f"{CANARY}\n"
    assert "PGPASSWORD" not in os.environ
    assert not (tmp_path / "copies").exists()


def _query(backend: SQLBackend) -> dict[str, str]:
    return {name: str(value) for name, value in backend.database.url.query.items()}


def test_an_older_pg_dump_is_not_run(
    backend: SQLBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fail; the error has the command for a newer one."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    program(tmp_path, "pg_dump", 'echo "pg_dump (PostgreSQL) 9.6.24"')
    with pytest.raises(StorageError, match=r"pg_dump 9 cannot read it.* run: pg_dump "):
        backend.backup(tmp_path / "dump")
    assert not (tmp_path / "dump").exists()


def test_a_missing_database_is_not_dumped(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    program(tmp_path, "pg_dump", 'echo "pg_dump (PostgreSQL) 99.0"')
    with (
        open_backend(postgres_url, read_only=True) as backend,
        pytest.raises(StorageError, match="There is no"),
    ):
        backend.backup(tmp_path / "dump")
    assert not (tmp_path / "dump").exists()

"""The published dashboard's file is read as it was, and replaced without losing a write."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from burndown.database import PublishedFile
from burndown.errors import MigrationError, StorageError

JOURNAL_MODES = ["WAL", "DELETE"]
WRITE = "INSERT INTO app_state (value) VALUES ('written by the dashboard')"
DASHBOARD = f"""
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
print("opened", flush=True)
sys.stdin.readline()
try:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("{WRITE}")
    print("written", flush=True)
except sqlite3.OperationalError as error:
    print(error, flush=True)
"""
"""Opens a connection and waits for a lock, as the dashboard does for each operation."""


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail soon where a process waits for another one."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.2")


@pytest.fixture(params=JOURNAL_MODES)
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Create a database with one row."""
    path = tmp_path / "profiles" / "burndown.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode={request.param}")
        connection.execute("CREATE TABLE app_state (value TEXT)")
        connection.execute("INSERT INTO app_state VALUES ('first')")
    return path


@pytest.fixture
def built(path: Path) -> Path:
    """Create the database that replaces it."""
    built = path.with_name("built.db")
    with closing(sqlite3.connect(built, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE app_state (value TEXT)")
        connection.execute("INSERT INTO app_state VALUES ('new')")
    return built


@pytest.fixture
def dashboard(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that has opened the file, and writes once it reads a line."""
    command = [sys.executable, "-c", DASHBOARD, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "opened\n"
        yield process
        process.kill()


def values(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [value for (value,) in connection.execute("SELECT value FROM app_state")]


def test_the_old_file_is_kept_to_the_byte(path: Path, built: Path) -> None:
    """It is private, and another one of that name stays."""
    before = path.read_bytes()
    earlier = path.with_name("burndown.db.published")
    earlier.write_bytes(b"of an earlier migration")
    file = PublishedFile(path)
    with file.open(lock=True) as connection:
        kept = file.replace(connection, built)
    assert kept.read_bytes() == before
    assert kept.stat().st_mode & 0o777 == 0o600
    assert earlier.read_bytes() == b"of an earlier migration"
    assert values(path) == ["new"]
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "burndown.db",
        "burndown.db.2.published",
        "burndown.db.published",
    ]


def test_what_is_only_in_the_log_is_kept(path: Path, built: Path) -> None:
    """A killed dashboard leaves a log."""
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sqlite3, sys\n"
            "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "connection.execute('PRAGMA journal_mode=WAL')\n"
            f'connection.execute("{WRITE}")\n'
            "os._exit(1)",
            str(path),
        ],
        check=False,
    )
    assert path.with_name("burndown.db-wal").stat().st_size
    file = PublishedFile(path)
    with file.open(lock=True) as connection:
        kept = file.replace(connection, built)
    assert values(kept) == ["first", "written by the dashboard"]
    assert values(path) == ["new"]


def test_a_write_that_waited_fails_and_changes_neither_file(
    path: Path, built: Path, dashboard: "subprocess.Popen[str]"
) -> None:
    assert dashboard.stdin
    assert dashboard.stdout
    file = PublishedFile(path)
    with file.open(lock=True) as connection:
        kept = file.replace(connection, built)
        dashboard.stdin.write("\n")
        dashboard.stdin.flush()
    assert dashboard.stdout.readline() == "attempt to write a readonly database\n"
    assert values(kept) == ["first"]
    assert values(path) == ["new"]


def test_a_file_that_another_process_reads_is_not_replaced(path: Path, built: Path) -> None:
    """The error says to stop the dashboard, and the file works as before."""
    before = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM app_state").fetchall()
        file = PublishedFile(path)
        with (
            pytest.raises(MigrationError, match=r"is in use.*stop the published dashboard"),
            file.open(lock=True) as connection,
        ):
            file.replace(connection, built)
    assert path.read_bytes() == before
    assert built.exists()
    assert not path.with_name("burndown.db.published").exists()


def test_a_file_that_was_written_at_last_is_not_replaced(
    path: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is unlocked for an instant between its reading and the exclusive lock."""
    file = PublishedFile(path)

    def version(connection: sqlite3.Connection) -> int:
        found = PublishedFile.version(file, connection)
        if connection.in_transaction and not written:
            written.append(True)
            connection.rollback()
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute(WRITE)
        return found

    written: list[bool] = []
    monkeypatch.setattr(file, "version", version)
    with (
        pytest.raises(MigrationError, match="changed while it was read"),
        file.open(lock=True) as connection,
    ):
        file.replace(connection, built)
    assert values(path) == ["first", "written by the dashboard"]
    assert not path.with_name("burndown.db.published").exists()


def test_an_earlier_copy_that_is_equal_stays_after_an_error(path: Path, built: Path) -> None:
    earlier = path.with_name("burndown.db.published")
    earlier.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM app_state").fetchall()
        file = PublishedFile(path)
        with pytest.raises(MigrationError, match="is in use"), file.open(lock=True) as connection:
            file.replace(connection, built)
    assert earlier.read_bytes() == path.read_bytes()


def test_while_it_is_read_others_read_but_do_not_write(path: Path) -> None:
    with PublishedFile(path).open(lock=True):
        assert values(path) == ["first"]
        with (
            closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="database is locked"),
        ):
            other.execute(WRITE)


def test_a_file_that_is_being_written_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(StorageError, match="another transaction has been writing"),
            PublishedFile(path).open(lock=True),
        ):
            pass


def test_the_version_shows_the_writes_of_others(path: Path) -> None:
    file = PublishedFile(path)
    with file.open(lock=False) as connection:
        before = file.version(connection)
        connection.rollback()
        assert file.version(connection) == before
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(WRITE)
        assert file.version(connection) != before

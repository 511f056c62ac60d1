"""Databases that this process can only read: of another user, or on a read-only volume."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from burndown import Budget, SQLiteBackend, StorageError, get_backend, set_backend
from burndown.cli import run
from burndown.database import get_db_connection
from burndown.database.database_file import DatabaseFile
from burndown.persistence import open_backend
from tests.support.database_files import contents, foreign_journal
from tests.support.kept_databases import copy_of

NOBODY = 65534

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs users of POSIX")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Create a folder that every user can enter."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    made.chmod(0o755)
    shutil.rmtree(made)


@pytest.fixture
def path(folder: Path) -> Path:
    """Create a database with a profile, and close it."""
    path = folder / "burndown.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "kafka", "name": "Kafka"})
        backend.save_query("kafka", {"id": "12w"})
    return path


def as_another_user(work: Callable[[], object]) -> None:
    """Do the work in a process that may write nowhere, and fail if it fails."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - it goes to the parent as the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def forbid_writing(folder: Path) -> None:
    for each in folder.iterdir():
        each.chmod(0o444)
    folder.chmod(0o555)


def closed(path: Path, stack: ExitStack) -> None:
    pass


OWN = """
import sys
from burndown import SQLiteBackend

with SQLiteBackend(sys.argv[1]) as owner:
    owner.save_query("kafka", {"id": "26w"})
    owner.set_app_state("a", "b")
    print("written", flush=True)
    sys.stdin.read()
"""


def in_use(path: Path, stack: ExitStack) -> None:
    """Open it in another process: this one closes its connections before it forks."""
    owner = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", OWN, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"written\n"


def killed(path: Path, stack: ExitStack) -> None:
    leave_log(path, "-wal", "-shm")


def killed_without_index(path: Path, stack: ExitStack) -> None:
    """As a backup of the two files alone leaves it."""
    leave_log(path, "-wal")


def leave_log(path: Path, *suffixes: str) -> None:
    other = path.with_name("other.db")
    shutil.copy(path, other)
    with SQLiteBackend(other) as owner:
        owner.save_query("kafka", {"id": "26w"})
        for suffix in suffixes:
            shutil.copy(f"{other}{suffix}", f"{path}{suffix}")
    other.unlink()


def without_log(path: Path, stack: ExitStack) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


STATES = [closed, in_use, killed, killed_without_index, without_log]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_database_of_another_user_can_be_read(
    path: Path, state: Callable[[Path, ExitStack], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By calls and commands, through a normal backend; a write raises with file and reason."""
    queries = {"12w"} if state in (closed, without_log) else {"12w", "26w"}
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", str(path))

    def read() -> None:
        backend = get_backend()
        assert {query["id"] for query in backend.list_queries("kafka")} == queries
        assert backend.check_integrity() == (True, [])
        with backend.transaction():
            assert [profile["name"] for profile in backend.list_profiles()] == ["Kafka"]
        with get_db_connection() as connection:
            assert connection.execute("SELECT count(*) FROM queries").fetchone()[0] == len(queries)
        why = f"{re.escape(str(path))} cannot be written: .*(another user|permissions)"
        writes: list[Callable[[], object]] = [
            lambda: backend.set_app_state("a", "c"),
            lambda: backend.delete_profile("kafka"),
            lambda: backend.database.change_version("1.0"),  # type: ignore[attr-defined]
        ]
        for write in writes:
            with pytest.raises(StorageError, match=why):
                write()
        with pytest.raises(StorageError, match=why), backend.transaction():
            backend.set_app_state("a", "c")
        run_commands()

    def run_commands() -> None:
        for command in (["show"], ["show", "kafka", "12w"], ["check"]):
            assert run(command) == 0

    run_commands()  # imports modules that another user may not be allowed to read
    set_backend(None)
    with ExitStack() as stack:
        state(path, stack)
        forbid_writing(path.parent)
        before = contents(path.parent)
        as_another_user(read)
        assert contents(path.parent) == before


def test_a_file_that_others_may_not_read_is_named_with_the_reason(path: Path) -> None:
    path.chmod(0o600)

    def read() -> None:
        for read_only in (False, True):
            with (
                open_backend(path, read_only=read_only) as backend,
                pytest.raises(StorageError, match=f"{path} cannot be read: Permission denied"),
            ):
                backend.list_profiles()

    if os.geteuid() == 0:
        as_another_user(read)


def test_a_reader_sees_later_writes_of_the_owner(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even though it takes no lock while no other process uses the database."""
    reader, owner = SQLiteBackend(path), SQLiteBackend(path)
    for number in range(3):
        monkeypatch.setattr(DatabaseFile, "read_only_reason", lambda self: "it is a test")
        assert len(reader.list_queries("kafka")) == 1 + number
        monkeypatch.undo()
        owner.save_query("kafka", {"id": f"new{number}"})
        if number == 1:
            owner.close()
    owner.close()
    reader.close()


def test_a_read_only_session_cannot_write(path: Path) -> None:
    before = contents(path.parent)
    with open_backend(path, read_only=True) as backend:
        assert len(backend.list_profiles()) == 1
        with pytest.raises(StorageError, match="cannot be written: it was opened read-only"):
            backend.save_profile({"id": "p"})
    assert contents(path.parent) == before
    missing = path.with_name("missing.db")
    with (
        open_backend(missing, read_only=True) as backend,
        pytest.raises(StorageError, match="no database"),
    ):
        backend.list_profiles()
    assert contents(path.parent) == before


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_an_older_database_is_read_in_the_current_version(version: str, path: Path) -> None:
    """A column that others added is not taken for a new one of the same name."""
    older = copy_of(version, path.with_name("older.db"))
    with closing(sqlite3.connect(older)) as connection, connection:
        for table in ("profiles", "queries"):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN revision TEXT DEFAULT 'mine'")
    with open_backend(older, read_only=True) as backend:
        assert backend.get_profile("kafka")["revision"] == 1  # type: ignore[index]
        assert {each["revision"] for each in backend.list_queries("kafka")} == {1}
        with pytest.raises(StorageError, match="cannot be written: it was opened read-only"):
            backend.patch_profile("kafka", {"description": "changed"})


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
def test_an_older_database_is_read_without_budgets(version: str, path: Path) -> None:
    """A table of that name is another program's."""
    older = copy_of(version, path.with_name("older.db"))
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute(
            "CREATE TABLE budgets AS SELECT 'kafka' AS profile_id, '12w' AS query_id"
        )
    with open_backend(older, read_only=True) as backend:
        assert backend.get_budget("kafka", "12w") is None
        assert list(backend.records(Budget)) == []
        assert list(backend.records(Budget, "kafka", "12w")) == []


def test_a_transaction_of_a_reader_has_one_snapshot_and_blocks_no_writer(path: Path) -> None:
    with SQLiteBackend(path) as owner, open_backend(path, read_only=True) as reader:
        with reader.transaction():
            assert len(reader.list_queries("kafka")) == 1
            owner.save_query("kafka", {"id": "later"})
            assert len(reader.list_queries("kafka")) == 1
        assert len(reader.list_queries("kafka")) == 2


# --- files next to the database ------------------------------------------------------------------


def test_the_journal_of_another_database_is_not_applied(path: Path) -> None:
    """SQLite would write its pages into our database."""
    foreign_journal(path)
    before = contents(path.parent)
    for read_only in (True, False):
        with (
            open_backend(path, read_only=read_only) as backend,
            pytest.raises(StorageError, match=r"burndown\.db-journal would undo"),
        ):
            backend.list_profiles()
    assert contents(path.parent) == before


def test_the_journal_of_an_older_copy_is_not_applied(path: Path) -> None:
    """Even if its size fits ours."""
    other = path.with_name("other.db")
    shutil.copy(path, other)
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA cache_size=1")
        connection.execute("PRAGMA cache_spill=1")
        connection.execute("BEGIN")
        connection.execute("UPDATE profiles SET description = 'x', extra = '{}'")
        connection.execute("UPDATE queries SET description = 'x'")
        connection.execute("DELETE FROM app_state")
        connection.execute("CREATE TABLE t AS SELECT * FROM profiles")
        connection.execute("INSERT INTO t (id) VALUES (randomblob(200000))")
        shutil.copy(f"{other}-journal", f"{path}-journal")
    with SQLiteBackend(path) as backend, pytest.raises(StorageError, match="would undo"):
        backend.list_profiles()


def test_a_journal_that_restores_the_journal_mode_is_applied(path: Path) -> None:
    """A process leaves it that is killed while it opens a database for the first time."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    content = path.read_bytes()
    page_size = int.from_bytes(content[16:18], "big")
    pages = len(content) // page_size
    nonce = 7
    record = content[:page_size]
    checksum = nonce + sum(record[at] for at in range(page_size - 200, 0, -200))
    header = bytes.fromhex("d9d505f920a163d7") + b"".join(
        number.to_bytes(4, "big") for number in (1, nonce, pages, 512, page_size)
    )
    journal = header.ljust(512, b"\0") + (1).to_bytes(4, "big") + record
    Path(f"{path}-journal").write_bytes(journal + checksum.to_bytes(4, "big"))
    path.write_bytes(content[:18] + b"\2\2" + content[20:])
    with SQLiteBackend(path) as backend:
        assert len(backend.list_profiles()) == 1
    assert not Path(f"{path}-journal").exists()


def test_a_log_without_its_database_is_not_deleted(path: Path) -> None:
    leave_log(path, "-wal")
    path.unlink()
    before = contents(path.parent)
    for left in (False, True):
        with (
            SQLiteBackend(path) as backend,
            pytest.raises(StorageError, match=r"burndown\.db-wal holds changes"),
        ):
            backend.save_profile({"id": "p"})
        assert contents(path.parent) == before
        if not left:
            path.touch()
            before = contents(path.parent)


def test_a_database_with_two_names_is_refused(path: Path) -> None:
    os.link(path, path.with_name("second.db"))
    for name in ("burndown.db", "second.db"):
        other = {"burndown.db": "second.db", "second.db": "burndown.db"}[name]
        with (
            SQLiteBackend(path.with_name(name)) as backend,
            pytest.raises(
                StorageError, match=rf"{name} is a file with a second name .*\({other}\)"
            ),
        ):
            backend.list_profiles()
    path.with_name("second.db").unlink()
    with SQLiteBackend(path) as backend:
        backend.list_profiles()

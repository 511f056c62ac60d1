"""No connection to a SQLite file crosses a fork: section 2.6 of SQLite's "How to corrupt"."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from burndown import Profile, SQLiteBackend, StorageError, TransactionAbortedError, forks
from burndown.repositories import ProfileRepository
from tests.support.processes import in_child

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="this system does not list open files"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "burndown.db"


@pytest.fixture
def backend(path: Path) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(path) as new:
        new.set_app_state("by", "parent")
        yield new


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a fork wait for nothing."""
    monkeypatch.setattr(forks, "FORK_TIMEOUT_SECONDS", 0)


def files_open(folder: Path) -> int:
    def is_within(link: Path) -> bool:
        try:
            return str(link.readlink()).startswith(str(folder))
        except OSError:  # it was closed in the meantime
            return False

    return sum(map(is_within, Path("/proc/self/fd").iterdir()))


@needs_proc
def test_a_forked_process_has_no_open_file_of_its_parent(
    backend: SQLiteBackend, tmp_path: Path
) -> None:
    with backend.transaction():  # a connection of its own
        backend.set_app_state("by", "parent again")
    assert files_open(tmp_path)

    def look() -> None:
        assert not files_open(tmp_path)
        assert backend.get_app_state("by") == "parent again"
        backend.set_app_state("by", "child")
        assert files_open(tmp_path)

    in_child(look)
    assert backend.get_app_state("by") == "child"
    assert backend.check_integrity() == (True, [])


def test_a_fork_waits_for_a_running_call(backend: SQLiteBackend) -> None:
    """Neither the write of the call nor that of the child is lost."""
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        with backend.transaction():
            backend.set_app_state("thread", "x")
            entered.set()
            leave.wait()

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(write)
        entered.wait()
        pool.submit(leave_when_forking, backend, leave)
        in_child(lambda: backend.set_app_state("child", "x"))
        writing.result()
    assert backend.get_app_state("thread") == backend.get_app_state("child") == "x"


def leave_when_forking(backend: SQLiteBackend, leave: threading.Event) -> None:
    tracker = backend.database._connector.tracker  # type: ignore[attr-defined]
    while not tracker._is_forking:
        pass
    leave.set()


def test_a_transaction_that_blocks_a_fork_too_long_is_rolled_back(
    backend: SQLiteBackend, impatient: None
) -> None:
    """The forked process can write; the transaction raises and stores nothing."""
    entered, forked = threading.Event(), threading.Event()

    def write() -> None:
        with backend.transaction():
            backend.set_app_state("by", "thread")
            entered.set()
            forked.wait()
            with pytest.raises(TransactionAbortedError, match="forked"):
                backend.set_app_state("by", "thread again")

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        entered.wait()
        in_child(lambda: backend.set_app_state("child", "x"))
        forked.set()
        with pytest.raises(TransactionAbortedError, match="forked"):
            writing.result()
        assert backend.get_app_state("by") == "parent"
        assert backend.get_app_state("child") == "x"
        pool.submit(backend.set_app_state, "by", "thread").result()
    assert backend.get_app_state("by") == "thread"


def test_rows_that_another_thread_is_reading_end_with_an_error(
    backend: SQLiteBackend, impatient: None
) -> None:
    """They are not read on a connection that the fork has closed."""
    read, forked = threading.Event(), threading.Event()

    def look() -> None:
        with backend.database.read_session() as session:
            ProfileRepository(session).list()
            read.set()
            forked.wait()
            ProfileRepository(session).list()

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(look)
        read.wait()
        in_child(lambda: backend.save_profile({"id": "p"}))
        forked.set()
        with pytest.raises(TransactionAbortedError, match="forked"):
            reading.result()
    assert backend.get_profile("p") is not None


BLOCKS: dict[str, Callable[[SQLiteBackend], object]] = {
    "session": lambda backend: backend.database.session(),
    "read_session": lambda backend: backend.database.read_session(),
    "connection": lambda backend: backend.database.connection(),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_process_that_was_forked_with_an_open_connection_cannot_use_the_file(
    backend: SQLiteBackend, path: Path, name: str, tmp_path: Path
) -> None:
    """Neither within the block nor after it, nor by another backend; it can use other files."""

    def refused(call: Callable[[], object]) -> None:
        with pytest.raises(StorageError, match="forked"):
            call()

    def look() -> None:
        refused(lambda: backend.get_app_state("by"))
        refused(lambda: SQLiteBackend(path).get_app_state("by"))
        refused(lambda: SQLiteBackend(path).set_app_state("by", "child"))
        with SQLiteBackend(tmp_path / "other.db") as other:
            other.set_app_state("by", "child")
        refused(lambda: block.__exit__(None, None, None))  # type: ignore[attr-defined]
        refused(lambda: backend.set_app_state("by", "child"))

    block: object = BLOCKS[name](backend)
    with block as opened:  # type: ignore[attr-defined]
        if name == "session":
            ProfileRepository(opened).save(Profile(id="p"))
        elif name == "read_session":
            ProfileRepository(opened).list()
        in_child(look)
        if name == "session":
            ProfileRepository(opened).save(Profile(id="q"))
    backend.set_app_state("by", "parent again")
    assert {each["id"] for each in backend.list_profiles()} == (
        {"p", "q"} if name == "session" else set()
    )
    assert backend.check_integrity() == (True, [])


END_IN_CHILD = """
import os, sys
from burndown import SQLiteBackend

backend = SQLiteBackend(sys.argv[1])
large = {"rows": [os.urandom(500).hex() for _ in range(4000)]}  # more than SQLite's cache holds
backend.save_profile({"id": "p"})
backend.save_query("p", {"id": "q"})
with backend.transaction():
    backend.save_project_data("p", "q", large)
    if os.fork() == 0:
        sys.exit()
    os.wait()
    backend.set_app_state("by", "parent")
assert backend.get_project_data("p", "q") == large
assert backend.check_integrity() == (True, [])
"""


def test_the_end_of_a_forked_process_does_not_affect_its_parent(path: Path) -> None:
    """Python frees all objects when a forked process ends, including connections."""
    subprocess.run([sys.executable, "-c", END_IN_CHILD, path], check=True, timeout=60)
    with SQLiteBackend(path) as backend:
        assert backend.get_app_state("by") == "parent"


def test_a_connection_that_is_returned_after_a_fork_is_closed(
    backend: SQLiteBackend, path: Path
) -> None:
    opened: list[sqlite3.Connection] = []
    with backend.database.session() as session:
        raw = session.connection().connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        opened.append(raw)
        in_child(lambda: None)
        backend.set_app_state("by", "parent again")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
    assert backend.get_app_state("by") == "parent again"

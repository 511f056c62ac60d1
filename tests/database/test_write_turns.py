"""Writers wait for SQLite's lock in turns, whoever holds it."""

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend, StorageError
from burndown.database.write_turns import WriteTurns, is_busy
from tests.support.processes import (
    FRESH,
    PATIENCE,
    in_child,
    needs_fork,
    needs_kill,
    start_fresh,
)

if sys.platform != "win32":
    import fcntl


class Stop(BaseException):
    """A ``BaseException`` that interrupts a wait, and is not an ``Exception``."""


class Lock:
    """A lock that raises SQLite's error while it is held, and counts the tries of each caller."""

    def __init__(self) -> None:
        self.is_held = True
        self.tries: dict[str, int] = {}
        self.began: list[str] = []
        self.error: BaseException | None = None

    def beginner(self, name: str) -> Callable[[str], None]:
        """Return a function that executes the statement for a caller."""

        def execute(_: str) -> None:
            self.tries[name] = self.tries.get(name, 0) + 1
            if self.error is not None:
                raise self.error
            if self.is_held:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            self.began.append(name)

        return execute


def wait_until(is_true: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < give_up_at
        time.sleep(0.001)


def turns_wait(turns: WriteTurns, count: int) -> bool:
    return len(turns._queue) == count


@contextmanager
def waiting(turns: WriteTurns, lock: Lock, names: str) -> Iterator[list[Any]]:
    """Let a thread for each name wait, in this order; free the lock at the end of the block."""
    with ThreadPoolExecutor(len(names)) as pool:
        threads = []
        for place, name in enumerate(names, 1):
            threads.append(pool.submit(turns.begin, lock.beginner(name), PATIENCE))
            wait_until(partial(turns_wait, turns, place))
        try:
            yield threads
        finally:
            lock.is_held, lock.error = False, None


# --- the threads of a process ----------------------------------------------------------------


def test_threads_begin_in_the_order_in_which_they_came() -> None:
    turns, lock = WriteTurns(), Lock()
    with waiting(turns, lock, "cadbe") as threads:
        pass
    assert [each.result() for each in threads] == [None] * 5
    assert lock.began == list("cadbe")


def test_only_the_first_waiting_thread_tries_again() -> None:
    turns, lock = WriteTurns(), Lock()
    with waiting(turns, lock, "abc"):
        wait_until(lambda: lock.tries["a"] > 10)
        assert (lock.tries["b"], lock.tries["c"]) == (1, 1)


def test_a_thread_gives_up_after_its_timeout_in_the_queue() -> None:
    """The others keep their places."""
    turns, lock = WriteTurns(), Lock()
    with waiting(turns, lock, "ab"):
        for seconds in (0, 0.01):
            start = time.monotonic()
            with pytest.raises(sqlite3.OperationalError, match="locked") as raised:
                turns.begin(lock.beginner("late"), seconds)
            assert time.monotonic() - start >= seconds
            assert is_busy(raised.value)
            assert len(turns._queue) == 2
    assert lock.began == ["a", "b"]


def test_a_thread_gives_up_after_its_timeout_as_the_first_one() -> None:
    turns, lock = WriteTurns(), Lock()
    for seconds in (0, 0.01):
        start = time.monotonic()
        with pytest.raises(sqlite3.OperationalError, match="locked") as raised:
            turns.begin(lock.beginner("a"), seconds)
        assert time.monotonic() - start >= seconds
        assert is_busy(raised.value)
        assert not turns._queue


@pytest.mark.parametrize("error", [Stop(), sqlite3.OperationalError("disk I/O error")])
def test_a_thread_that_fails_passes_its_turn_on(error: BaseException) -> None:
    turns, lock = WriteTurns(), Lock()
    with waiting(turns, lock, "ab") as threads:
        lock.error = error
        for each in threads:
            assert each.exception(PATIENCE) is error
        assert not turns._queue


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_does_not_wait_for_threads_of_its_parent() -> None:
    def busy_once(_: str) -> None:
        if not tries:
            tries.append(1)
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error

    tries: list[int] = []
    turns, lock = WriteTurns(), Lock()
    with waiting(turns, lock, "ab"):
        in_child(lambda: turns.begin(busy_once, 1))


# --- a file ----------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "burndown.db"


@pytest.fixture
def backend(path: Path) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(path) as new:
        new.set_app_state("by", "nobody")
        yield new


def is_waiting(backend: SQLiteBackend) -> bool:
    return bool(backend.database._connector.tracker._turns._queue)  # type: ignore[attr-defined]


def write_in_session(backend: SQLiteBackend) -> None:
    with backend.transaction():
        backend.set_app_state("by", "this")


WRITES: dict[str, Callable[[SQLiteBackend], None]] = {
    "call": lambda backend: backend.set_app_state("by", "this"),
    "session": write_in_session,
}


@pytest.mark.parametrize("name", WRITES)
def test_a_writer_waits_for_another_program(backend: SQLiteBackend, path: Path, name: str) -> None:
    """It knows of no turns, and has what SQLite has."""
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE app_state SET value = 'other' WHERE key = 'by'")
        writing = pool.submit(WRITES[name], backend)
        wait_until(lambda: is_waiting(backend))
        assert backend.get_app_state("by") == "nobody"
        other.execute("COMMIT")
        writing.result(PATIENCE)
    assert backend.get_app_state("by") == "this"


def test_two_backends_in_a_process_wait_for_each_other(backend: SQLiteBackend, path: Path) -> None:
    with SQLiteBackend(path) as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.set_app_state("other", "x")
            writing = pool.submit(backend.set_app_state, "by", "this")
            wait_until(lambda: is_waiting(backend))
        writing.result(PATIENCE)
    assert (backend.get_app_state("by"), backend.get_app_state("other")) == ("this", "x")


def _hold(path: Path, began: Any, end: Any) -> None:
    with SQLiteBackend(path) as backend, backend.transaction():
        backend.set_app_state("by", "killed")
        began.set()
        end.wait(PATIENCE)


def _wait(path: Path, began: Any) -> None:
    with SQLiteBackend(path) as backend, ThreadPoolExecutor(1) as pool:
        pool.submit(backend.set_app_state, "by", "killed")
        wait_until(lambda: is_waiting(backend))
        began.set()


@needs_kill
def test_a_killed_holder_of_the_lock_blocks_no_one(backend: SQLiteBackend, path: Path) -> None:
    began, never = FRESH.Event(), FRESH.Event()
    holder = start_fresh(_hold, path, began, never)
    assert began.wait(PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(backend.set_app_state, "other", "x")
        wait_until(lambda: is_waiting(backend))
        os.kill(holder.pid, signal.SIGKILL)  # type: ignore[arg-type]
        writing.result(PATIENCE)
    holder.join(PATIENCE)
    assert (backend.get_app_state("by"), backend.get_app_state("other")) == ("nobody", "x")


@needs_kill
def test_a_killed_process_that_waits_blocks_no_one(backend: SQLiteBackend, path: Path) -> None:
    began = FRESH.Event()
    with backend.transaction():
        backend.set_app_state("other", "x")
        waiter = start_fresh(_wait, path, began)
        assert began.wait(PATIENCE)
        os.kill(waiter.pid, signal.SIGKILL)  # type: ignore[arg-type]
        waiter.join(PATIENCE)
    backend.set_app_state("last", "x")
    assert backend.get_app_state("by") == "nobody"


# --- other locks -----------------------------------------------------------------------------


def _recover(path: Path, began: Any, end: Any) -> None:
    """Lock the index of the log as SQLite does, and leave it as a killed writer can."""
    with Path(f"{path}-shm").open("r+b") as index:
        for lock in (120, 122):  # WAL_WRITE_LOCK, WAL_RECOVER_LOCK
            fcntl.lockf(index, fcntl.LOCK_EX, 1, lock)
        index.write(bytes(96))
        index.flush()
        began.set()
        end.wait(PATIENCE)


@pytest.mark.skipif(sys.platform == "win32", reason="the locks of SQLite differ there")
def test_a_read_waits_for_the_recovery_of_the_log_after_a_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection of a write does not wait by itself; the read that has it next does."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.25")
    with SQLiteBackend(path) as backend:
        backend.set_app_state("by", "this")
        began, end = FRESH.Event(), FRESH.Event()
        process = start_fresh(_recover, path, began, end)
        try:
            assert began.wait(PATIENCE)
            start = time.monotonic()
            with pytest.raises(StorageError, match=r"locked.* for more than 0\.25 s$"):
                backend.get_app_state("by")
            assert time.monotonic() - start >= 0.25
        finally:
            end.set()
            process.join(PATIENCE)
        assert backend.get_app_state("by") == "this"
        backend.set_app_state("by", "this again")
        assert backend.check_integrity() == (True, [])


def test_an_upgrade_waits_longer_than_a_call(backend: SQLiteBackend) -> None:
    connector = backend.database._connector  # type: ignore[attr-defined]
    with closing(connector.open_to_alter()) as connection:
        connection.begin_to_write()
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (600_000,)
        assert connection.busy_timeout == 600


def test_a_session_waits_for_other_locks_after_it_has_begun(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        raw = session.connection().connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        [timeout] = raw.execute("PRAGMA busy_timeout").fetchone()
    assert timeout > 9_000

"""The turns of the connections to a SQLite file to begin transactions that write.

SQLite lets a connection that waits for the write lock try again after pauses that grow to 0.1
seconds, so that whoever comes in between wins: with 8 threads, some calls waited for a second.
Here, all pauses have the same length, and of the threads that wait in a process, only the one that
came first tries: if each of 8 threads did, they would take the time of the one that writes, and a
sixth fewer calls would be made.

The first try of a call waits for no turn, so that the lock is not free while somebody wants it. A
turn ends when the transaction has begun: a killed or forked process keeps none, and SQLite's lock
is all that excludes writers, among them other programs. Processes have no queue, since no lock on
a file has both a timeout and an order: a queue would have to be polled like SQLite's lock.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable

from burndown.forks import ForkAware, register_for_forks

__all__ = ["BEGIN", "WriteTurns", "is_busy"]

# IMMEDIATE takes the write lock at the start. A transaction that begins by reading cannot get it
# later if another one has written meanwhile: with SQLAlchemy's defaults, 8 processes that added to
# one row lost 2,243 of 3,200 updates, without an error.
BEGIN = "BEGIN IMMEDIATE"
"""The statement that begins a transaction that writes."""

# With pauses of 0.5 ms, the tries of one thread slow down the others of its process by a tenth;
# with 4 ms, calls wait longer than they have to.
_PAUSE_SECONDS = 0.002
"""The pause between two tries."""


class WriteTurns(ForkAware):
    """The turns of the connections of this process to a file."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        register_for_forks(self)

    def after_fork_in_child(self) -> None:
        """Forget the threads of the parent."""
        self._changing = threading.Lock()
        self._queue: deque[threading.Lock] = deque()

    def begin(self, execute: Callable[[str], object], timeout: float) -> None:
        """Begin a transaction that writes, immediately or in turn.

        Args:
            execute: runs a statement on a connection that does not wait for locks.
            timeout: the seconds to wait in all.

        Raises:
            sqlite3.OperationalError: others were writing for longer.
        """
        if not _has_begun(execute):
            self._begin_in_turn(execute, timeout)

    def _begin_in_turn(self, execute: Callable[[str], object], timeout: float) -> None:
        give_up_at = time.monotonic() + timeout
        turn = threading.Lock()
        turn.acquire()
        try:
            self._line_up(turn, timeout)
            while not _has_begun(execute):
                if time.monotonic() >= give_up_at:
                    raise _busy()
                time.sleep(_PAUSE_SECONDS)
        finally:
            self._leave(turn)

    def _line_up(self, turn: threading.Lock, timeout: float) -> None:
        """Wait until a turn is the first one in the queue."""
        with self._changing:
            self._queue.append(turn)
            is_first = self._queue[0] is turn
        if not is_first and not turn.acquire(timeout=timeout):
            raise _busy()

    def _leave(self, turn: threading.Lock) -> None:
        """Remove a turn from the queue, whether it has come or not."""
        with self._changing:
            if turn in self._queue:
                was_first = self._queue[0] is turn
                self._queue.remove(turn)
                if was_first and self._queue:
                    self._queue[0].release()


def is_busy(error: BaseException | None) -> bool:
    """Return whether SQLite has raised an error because another connection has a lock."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _has_begun(execute: Callable[[str], object]) -> bool:
    """Begin a transaction, unless another connection has a lock."""
    try:
        execute(BEGIN)
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
        return False
    return True


def _busy() -> sqlite3.OperationalError:
    """Return the error that SQLite raises for a lock."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error

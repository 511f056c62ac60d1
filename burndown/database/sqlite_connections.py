"""The connections of this process to a SQLite file, none of which crosses a fork.

SQLite keeps, for each process, which locks its connections hold. A forked process has a copy of
that list, in which nobody gives a lock back, and the locks themselves stay with its parent: it can
wait for ever, or write into a log that another process deletes (section 2.6 of
https://www.sqlite.org/howtocorrupt.html). So all connections are closed before a fork.
"""

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import get_ident
from typing import Any, Literal, Self, TypeVar

from burndown.database import base
from burndown.errors import StorageError, TransactionAbortedError
from burndown.forks import FORK_TIMEOUT_SECONDS

__all__ = ["OpenConnections", "SessionConnection", "TrackedConnection"]

C = TypeVar("C", bound="TrackedConnection")
T = TypeVar("T")

_inherited_files: set[tuple[int, int]] = set()
"""Device and inode of each file that was open when this process was forked."""


class TrackedConnection(sqlite3.Connection):
    """A connection that its file knows to be open."""

    tracker: "OpenConnections | None" = None
    generation = 0
    """How often the process had forked, or closed the database, when this one was opened."""
    thread = 0
    """The thread that has it for several statements; 0 if none has."""
    belongs_to_parent = False

    def close(self) -> None:
        """Close it, unless that is up to the parent process."""
        if self.belongs_to_parent:
            return
        super().close()
        if self.tracker is not None:
            self.tracker.closed(self)

    def leave_to_parent(self) -> None:
        """In a forked process: never touch it again, not even to free it at the end."""
        import ctypes  # needed here alone, and slow to import

        self.belongs_to_parent = True
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))


class SessionConnection(TrackedConnection):
    """A connection for several statements, all of which are in one transaction or fail.

    SQLite itself rolls a whole transaction back when the disk is full or fails. The statements
    after that would each be committed alone.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._running = threading.Lock()
        self._is_begun = False
        self._has_lost_transaction = False
        self._refusal: str | None = None
        self._cursors: weakref.WeakSet[sqlite3.Cursor] = weakref.WeakSet()

    @property
    def is_aborted(self) -> bool:
        """Whether its last transaction was rolled back by the database, or for a fork."""
        return self._refusal is not None or self._has_lost_transaction

    def cursor(self, *_: Any) -> sqlite3.Cursor:  # type: ignore[override]
        """Return a cursor that refuses to go on in a transaction which has been rolled back.

        Raises:
            TransactionAbortedError: it has been closed for a fork.
        """
        if self._refusal is not None:
            raise TransactionAbortedError(self._refusal)
        new = super().cursor(_SessionCursor)
        self._cursors.add(new)
        return new

    def close(self) -> None:
        """Close it with its cursors: SQLite keeps the file open as long as there are statements.

        The traces of errors can hold cursors for any time.
        """
        if not self.belongs_to_parent:
            for each in list(self._cursors):
                each.close()
        super().close()

    # CPython's own make a cursor without asking for :meth:`cursor`.

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement on a new cursor."""
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement for each of the parameters on a new cursor."""
        return self.cursor().executemany(*arguments)

    def executescript(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute several statements on a new cursor."""
        return self.cursor().executescript(*arguments)

    def commit(self) -> None:
        """Commit.

        Raises:
            TransactionAbortedError: the transaction has been rolled back.
        """
        self.run(super().commit)

    def rollback(self) -> None:
        """Roll back what has not been rolled back yet."""
        if self._refusal is None and not self.belongs_to_parent:
            self._has_lost_transaction |= self._is_begun and not self.in_transaction
            super().rollback()
            self._is_begun = False

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> Literal[False]:
        """Commit at the end of a block, or roll back on an error."""
        if kind is None:
            self.commit()
        else:
            self.rollback()
        return False

    def abort(self, reason: str) -> None:
        """Roll back and close, unless a statement runs; further statements raise the reason."""
        if self._running.acquire(blocking=False):
            try:
                super().rollback()
                self._refusal = reason
                self.close()
            finally:
                self._running.release()

    def run(self, step: Callable[..., T], *arguments: Any) -> T:
        """Run a statement.

        Raises:
            TransactionAbortedError: the transaction has been rolled back.
        """
        with self._running:
            self._check()
            self.thread = get_ident()
            done = step(*arguments)
            self._is_begun = self.in_transaction
            return done

    def fetch(self, step: Callable[..., T], *arguments: Any) -> T:
        """Fetch rows of a statement.

        Raises:
            TransactionAbortedError: the transaction has been rolled back.
        """
        with self._running:
            self._check()
            return step(*arguments)

    def _check(self) -> None:
        if self.belongs_to_parent:
            raise TransactionAbortedError(
                "This process was forked within a transaction, which belongs to its parent"
            )
        if self._refusal is not None:
            raise TransactionAbortedError(self._refusal)
        if self._is_begun and not self.in_transaction:
            raise TransactionAbortedError(
                "The database has rolled the transaction back after an error, so nothing of it "
                "was stored; begin it again"
            )


class _SessionCursor(sqlite3.Cursor):
    connection: SessionConnection

    def execute(self, *arguments: Any) -> Self:
        self.connection.run(super().execute, *arguments)
        return self

    def executemany(self, *arguments: Any) -> Self:
        self.connection.run(super().executemany, *arguments)
        return self

    def executescript(self, *arguments: Any) -> Self:
        self.connection.run(super().executescript, *arguments)
        return self

    def fetchone(self) -> Any:
        return self.connection.fetch(super().fetchone)

    def fetchmany(self, *arguments: Any, **options: Any) -> list[Any]:
        return self.connection.fetch(super().fetchmany, *(arguments or options.values()))

    def fetchall(self) -> list[Any]:
        return self.connection.fetch(super().fetchall)

    def __next__(self) -> Any:
        return self.connection.fetch(super().__next__)


class OpenConnections:
    """Opens the connections to a file, and closes them all before this process forks.

    Args:
        path: the file.
        close_idle: closes the connections that nobody uses.
    """

    def __init__(self, path: Path, close_idle: Callable[[], None]) -> None:
        self._path = path
        self._close_idle = close_idle
        self._changed = threading.Condition()
        self._open: set[TrackedConnection] = set()
        self._opening = 0
        self._is_forking = False
        self.generation = 0

    def open(self, kind: type[C], database: str | Path) -> C:
        """Open a connection that begins no transaction by itself; during a fork, wait for its end.

        Args:
            kind: what connection.
            database: the path of the file, or a URI of it.

        Raises:
            StorageError: the parent of this process had the file open when it forked.
            sqlite3.Error: the file cannot be opened.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._is_forking)
            self._opening += 1
            generation = self.generation  # before the connection, which takes a while to open
        try:
            self._refuse_inherited()
            connection = sqlite3.connect(
                database,
                timeout=base.BUSY_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # a connection is used by one thread at a time
                factory=kind,
                uri=isinstance(database, str),
            )
            connection.tracker, connection.generation = self, generation
            with self._changed:
                self._open.add(connection)
        finally:
            with self._changed:
                self._opening -= 1
                self._changed.notify_all()
        return connection

    def closed(self, connection: TrackedConnection) -> None:
        """Note that a connection has been closed."""
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def renew(self) -> None:
        """Have connections that are in use closed when they are given back."""
        with self._changed:
            self.generation += 1

    def before_fork(self, deadline: float) -> None:
        """Let nobody open a connection, and close all of other threads.

        What other threads do is waited for. A transaction that is still open then is rolled back
        when no statement of it runs, or else this process could not use the file after the fork.
        """
        self._changed.acquire()
        self._is_forking = True
        self.renew()
        self._close_idle()
        self._changed.wait_for(self._is_closed, deadline - time.monotonic())
        for each in self._of_other_threads():
            if isinstance(each, SessionConnection):
                with suppress(sqlite3.Error):
                    each.abort(
                        "The transaction was rolled back, since this process was forked and had "
                        f"to wait for it for more than {FORK_TIMEOUT_SECONDS} seconds"
                    )

    def after_fork_in_parent(self) -> None:
        """Let connections be opened again."""
        self._is_forking = False
        self._changed.notify_all()
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Leave what could not be closed to the parent; the file cannot be used then."""
        inherited, self._open = self._open, set()
        self._changed = threading.Condition()
        self._is_forking, self._opening = False, 0
        for each in inherited:
            each.leave_to_parent()
        if inherited:
            with suppress(OSError):
                _inherited_files.add(_identity(self._path))

    def _is_closed(self) -> bool:
        return not self._opening and not self._of_other_threads()

    def _of_other_threads(self) -> list[TrackedConnection]:
        return [each for each in self._open if each.thread != get_ident()]

    def _refuse_inherited(self) -> None:
        if _inherited_files and self._path.exists() and _identity(self._path) in _inherited_files:
            raise StorageError(
                f"{self._path} cannot be used in this process, which was forked while its parent "
                "had it open, such as within a transaction; fork before the transaction or after "
                "it, or start a new process"
            )


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino

"""The classes of the connections to a SQLite file.

A ``TrackedConnection`` reports when it is closed, and when its file is not the one at its path any
more; a ``SessionConnection`` also stays within one transaction, or fails.
"""

import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from threading import get_ident
from typing import Any, Literal, Self, TypeVar

from burndown.database.opened_file import OpenedFile
from burndown.database.write_turns import BEGIN, WriteTurns
from burndown.errors import TransactionAbortedError
from burndown.sql import log_statement

__all__ = ["SessionConnection", "TrackedConnection"]

T = TypeVar("T")


class TrackedConnection(sqlite3.Connection):
    """A connection that reports when it is closed, and when its file was taken away from it.

    Args:
        database: the path of the file, or a URI of it.
        timeout: the seconds that it waits for a lock.
        options: as for :func:`sqlite3.connect`.
    """

    turns: WriteTurns
    """The turns of all connections of its tracker."""
    on_close: "Callable[[TrackedConnection], None] | None" = None
    on_file_lost: "Callable[[TrackedConnection], None] | None" = None
    file: OpenedFile | None = None
    """The file that it has open."""
    generation = 0
    """The generation of its tracker when it was opened; it is closed after use in a later one."""
    thread = 0
    """The thread that uses it for several statements; 0 if there is none."""
    belongs_to_parent = False
    waits_for_locks = True
    """Whether SQLite waits when another connection has a lock."""
    _confirmed_changes = 0

    def __init__(self, database: str | Path, timeout: float = 0, **options: Any) -> None:
        super().__init__(database, timeout=timeout, **options)
        self.busy_timeout = timeout

    def begin_to_write(self) -> None:
        """Begin a transaction with the write lock, as soon as no other connection has it.

        Afterwards, SQLite waits for no lock on this connection until :meth:`wait_for_locks`: each
        change of that takes 1.7 us, and the next transaction needs it again.

        Raises:
            sqlite3.OperationalError: others were writing for longer than the timeout.
        """
        log_statement(BEGIN)
        if self.waits_for_locks:
            self._set_busy_timeout(0)
            self.waits_for_locks = False
        self.turns.begin(self.execute, self.busy_timeout)

    def wait_for_locks(self, seconds: float | None = None) -> None:
        """Have SQLite wait for locks, by default as long as when the connection was opened."""
        if seconds is not None:
            self.busy_timeout = seconds
        self._set_busy_timeout(self.busy_timeout)
        self.waits_for_locks = True

    def _set_busy_timeout(self, seconds: float) -> None:
        self.execute(f"PRAGMA busy_timeout={int(1000 * seconds)}")

    def confirm_commit(self) -> None:
        """Check that what was committed is in the file at the path of the database.

        Raises:
            TransactionAbortedError: that is another file, an empty one or none.
        """
        changes = self.total_changes
        if changes == self._confirmed_changes:
            return
        self._confirmed_changes = changes
        if self.file is not None and not (
            self.file.is_in_place() and (self.file.has_log() or not self._writes_log())
        ):
            why = self.file.what_happened()
            if self.on_file_lost is not None:
                self.on_file_lost(self)
            raise TransactionAbortedError(
                f"The transaction was not stored: {self.file.path} is not the file any more that "
                f"this process has opened, since {why}. The next call opens what is there then; "
                "begin the transaction again"
            )

    def _writes_log(self) -> bool:
        """Return whether it writes to a log, as in every database of ours."""
        [mode] = sqlite3.Connection.execute(self, "PRAGMA journal_mode").fetchone()
        return bool(mode == "wal")

    def close(self) -> None:
        """Close it, unless it belongs to the parent process."""
        if self.belongs_to_parent:
            return
        super().close()
        if self.on_close is not None:
            self.on_close(self)

    def leave_to_parent(self) -> None:
        """In a forked process: never touch it again, not even to free it at the end.

        Freeing would close it, and closing can delete the log that the parent still uses.
        """
        import ctypes  # few processes need it

        self.belongs_to_parent = True
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))


class SessionConnection(TrackedConnection):
    """A connection for several statements, all of which run in one transaction or fail.

    SQLite rolls back the complete transaction when the disk is full or fails. Without this class,
    each later statement of the transaction would be committed alone.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._running = threading.Lock()
        self._has_begun = False
        self._has_lost_transaction = False
        self._abort_reason: str | None = None
        self._cursors: weakref.WeakSet[sqlite3.Cursor] = weakref.WeakSet()

    @property
    def is_aborted(self) -> bool:
        """Return whether its last transaction was rolled back, by SQLite or before a fork."""
        return self._abort_reason is not None or self._has_lost_transaction

    def begin_to_write(self) -> None:
        """Begin a transaction with the write lock, and go on to wait for other locks.

        Raises:
            sqlite3.OperationalError: as the method of the base class.
        """
        try:
            super().begin_to_write()
        finally:
            self.wait_for_locks()

    def cursor(self, *_: Any) -> sqlite3.Cursor:  # type: ignore[override]
        """Return a cursor that runs no statement in a transaction that was rolled back.

        Raises:
            TransactionAbortedError: the connection was closed before a fork.
        """
        if self._abort_reason is not None:
            raise TransactionAbortedError(self._abort_reason)
        new = super().cursor(_SessionCursor)
        self._cursors.add(new)
        return new

    def close(self) -> None:
        """Close it with its cursors.

        SQLite keeps the file open as long as there are statements, and the traceback of an error
        can hold a cursor for any time.
        """
        if not self.belongs_to_parent:
            for each in list(self._cursors):
                each.close()
        super().close()

    # CPython's methods of the same names create a cursor without calling :meth:`cursor`.

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement on a new cursor."""
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement on a new cursor, once for each set of parameters."""
        return self.cursor().executemany(*arguments)

    def executescript(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute several statements on a new cursor."""
        return self.cursor().executescript(*arguments)

    def commit(self) -> None:
        """Commit the transaction.

        Raises:
            TransactionAbortedError: it was rolled back.
        """
        self.run(super().commit)
        self.confirm_commit()

    def rollback(self) -> None:
        """Roll back the transaction, unless that has happened already."""
        if self._abort_reason is None and not self.belongs_to_parent:
            self._has_lost_transaction |= self._has_begun and not self.in_transaction
            super().rollback()
            self._has_begun = False

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> Literal[False]:
        """Commit at the end of a block, or roll back on an error."""
        if kind is None:
            self.commit()
        else:
            self.rollback()
        return False

    def abort(self, reason: str) -> None:
        """Roll back and close, unless a statement runs.

        Args:
            reason: the message of the error that further statements raise.
        """
        if self._running.acquire(blocking=False):
            try:
                super().rollback()
                self._abort_reason = reason
                self.close()
            finally:
                self._running.release()

    def run(self, step: Callable[..., T], *arguments: Any) -> T:
        """Call a method that runs a statement.

        Raises:
            TransactionAbortedError: the transaction was rolled back.
        """
        with self._running:
            self._check()
            self.thread = get_ident()
            result = step(*arguments)
            self._has_begun = self.in_transaction
            return result

    def fetch(self, step: Callable[..., T], *arguments: Any) -> T:
        """Call a method that fetches rows of a statement.

        Raises:
            TransactionAbortedError: the transaction was rolled back.
        """
        with self._running:
            self._check()
            return step(*arguments)

    def _check(self) -> None:
        if self.belongs_to_parent:
            raise TransactionAbortedError(
                "This process was forked within a transaction, which belongs to its parent"
            )
        if self._abort_reason is not None:
            raise TransactionAbortedError(self._abort_reason)
        if self._has_begun and not self.in_transaction:
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

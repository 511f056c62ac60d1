"""The open connections of this process to a SQLite file, all of which are closed before a fork.

SQLite keeps a table of the locks that the connections of a process hold. A forked process has a
copy of that table, in which no lock is ever released, while the locks stay with its parent: it can
wait forever, or write into a log that another process deletes (section 2.6 of
https://www.sqlite.org/howtocorrupt.html). Of 20 processes that were forked while another thread
wrote, 15 could never write.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import get_ident
from typing import TypeVar

from burndown.database.opened_file import OpenedFile
from burndown.database.sqlite_connections import SessionConnection, TrackedConnection
from burndown.database.write_turns import WriteTurns
from burndown.errors import StorageError
from burndown.files.paths import FileIdentity, identity_of
from burndown.forks import FORK_TIMEOUT_SECONDS
from burndown.models.digest_functions import add_digest_functions
from burndown.schema.guard import unlike_dashboard

__all__ = ["ConnectionTracker"]

C = TypeVar("C", bound=TrackedConnection)

_inherited_files: set[FileIdentity | None] = set()
"""Device and inode of each file that was open when this process was forked."""


class ConnectionTracker:
    """The connections to a file, which are all closed before this process forks.

    Args:
        path: the file.
        busy_timeout: the seconds that a connection waits for a lock.
        close_idle: closes the connections that are not in use.
        on_file_lost: called with a connection whose file is not at its path any more.
    """

    def __init__(
        self,
        path: Path,
        busy_timeout: float,
        close_idle: Callable[[], None],
        on_file_lost: Callable[[TrackedConnection], None],
    ) -> None:
        self._path = path
        self._timeout = unlike_dashboard(busy_timeout)
        self._close_idle = close_idle
        self._on_file_lost = on_file_lost
        self._turns = WriteTurns()
        self._changed = threading.Condition()
        self._open: set[TrackedConnection] = set()
        self._opening = 0
        self._is_forking = False
        self.generation = 0

    def open(self, kind: type[C], database: str | Path) -> C:
        """Open a connection that begins no transaction by itself; wait while the process forks.

        Args:
            kind: the class of the connection.
            database: the path of the file, or a URI of it.

        Raises:
            StorageError: the parent of this process had the file open when it forked.
            sqlite3.Error: the file cannot be opened.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._is_forking)
            self._opening += 1
            # Read before the connection is opened, which takes a while: one that was opened while
            # the generation changed is closed after its first use.
            generation = self.generation
        try:
            self._refuse_inherited()
            self._leave_lost_file()
            file = OpenedFile(self._path)
            connection = sqlite3.connect(
                database,
                timeout=self._timeout,
                isolation_level=None,
                check_same_thread=False,  # a connection is used by one thread at a time
                factory=kind,
                uri=isinstance(database, str),
            )
            add_digest_functions(connection)
            connection.turns = self._turns
            connection.on_close, connection.on_file_lost = self.forget, self._on_file_lost
            connection.file, connection.generation = file, generation
            with self._changed:
                self._open.add(connection)
        finally:
            with self._changed:
                self._opening -= 1
                self._changed.notify_all()
        return connection

    def forget(self, connection: TrackedConnection) -> None:
        """Remove a connection that was closed."""
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def begin_generation(self) -> None:
        """Have connections that are in use closed at the end of their use."""
        with self._changed:
            self.generation += 1

    def before_fork(self, deadline: float) -> None:
        """Block the opening of connections, and close those of other threads.

        Other threads have until the deadline to finish. A transaction that is still open then is
        rolled back unless a statement of it runs: with an open connection, the forked process
        could not use the file.
        """
        self._changed.acquire()
        self._is_forking = True
        self.begin_generation()
        self._close_idle()
        self._changed.wait_for(self._all_closed, deadline - time.monotonic())
        for each in self._connections_of_other_threads():
            if isinstance(each, SessionConnection):
                with suppress(sqlite3.Error):
                    each.abort(
                        "The transaction was rolled back, since this process was forked and had "
                        f"to wait for it for more than {FORK_TIMEOUT_SECONDS} seconds"
                    )

    def after_fork_in_parent(self) -> None:
        """Allow connections to be opened again."""
        self._is_forking = False
        self._changed.notify_all()
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Leave connections that could not be closed to the parent.

        If there are any, this process cannot use the file.
        """
        inherited, self._open = self._open, set()
        self._changed = threading.Condition()  # the copy is locked by the parent's thread
        self._is_forking, self._opening = False, 0
        for each in inherited:
            each.leave_to_parent()
        if inherited:
            _inherited_files.add(identity_of(self._path))

    def _all_closed(self) -> bool:
        return not self._opening and not self._connections_of_other_threads()

    def _connections_of_other_threads(self) -> list[TrackedConnection]:
        return [each for each in self._open if each.thread != get_ident()]

    def _leave_lost_file(self) -> None:
        """Leave the file of the open connections, if another one has its path.

        SQLite would take the log of the one for that of the other.
        """
        with self._changed:
            current = (each for each in self._open if each.generation == self.generation)
            one = next(current, None)
        if one is not None and one.file is not None and not one.file.is_in_place():
            self._on_file_lost(one)

    def _refuse_inherited(self) -> None:
        if _inherited_files and identity_of(self._path) in _inherited_files - {None}:
            raise StorageError(
                f"{self._path} cannot be used in this process, which was forked while its parent "
                "had it open, such as within a transaction; fork before the transaction or after "
                "it, or start a new process"
            )

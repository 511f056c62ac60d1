"""Opening connections to a SQLite file: for writing, reading and altering tables."""

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from burndown.database.connection_tracker import ConnectionTracker
from burndown.database.database_file import Access, DatabaseFile, Fingerprint
from burndown.database.sqlite_connections import SessionConnection, TrackedConnection
from burndown.database.sqlite_recognition import schema_errors
from burndown.settings import UPGRADE_TIMEOUT_SECONDS, get_settings

__all__ = ["SQLiteConnector"]

C = TypeVar("C", bound=TrackedConnection)

# What is saved often between two checkpoints is written to the file once. With SQLite's default of
# 1,000 pages, saving a small response in a file of 10,000 takes a seventh longer (105 us, 92 us
# with 2,000). With more than 2,000, calls wait longer for the disk while the log still grows.
_LOG_PAGES = 2000
"""How many pages of 4 KB the log has when SQLite writes them to the file."""

# It had grown to 30 MB while a caller iterated over rows, and would have kept that size.
_LOG_BYTES = _LOG_PAGES * 4096
"""The size to which SQLite shortens the log, once its pages were written to the file."""


class SQLiteConnector:
    """A factory of connections to a database file, with the settings that each use needs.

    Args:
        file: the file.
        read_only: only read, whatever the permissions of the file are.
        close_idle: closes the connections that are not in use, before a fork.
        on_file_lost: called with a connection after a commit into a file that is not at the path of
            the database any more.
    """

    def __init__(
        self,
        file: DatabaseFile,
        *,
        read_only: bool,
        close_idle: Callable[[], None],
        on_file_lost: Callable[[TrackedConnection], None],
    ) -> None:
        self.file = file
        settings = get_settings()
        self.busy_timeout = settings.busy_timeout
        self._synchronous = settings.sqlite_synchronous
        self.tracker = ConnectionTracker(file.path, self.busy_timeout, close_idle, on_file_lost)
        self.read_only_reason: str | None = None
        """Why nothing can be written; ``None`` if it can."""
        self._read_only = read_only
        self._views: Collection[str] = ()
        self._fingerprint: Fingerprint | None = None

    def detect_access(self) -> str | None:
        """Return why this process cannot write to the file, or ``None``.

        Connections that are opened from now on follow it.
        """
        self.read_only_reason = self.find_read_only_reason()
        self._views, self._fingerprint = (), None
        return self.read_only_reason

    def find_read_only_reason(self) -> str | None:
        """Return why this process cannot write to the file, or ``None``; change nothing."""
        if self._read_only:
            return "it was opened read-only"
        return self.file.read_only_reason() if self.file.exists() else None

    def immutable_fingerprint(self) -> Fingerprint | None:
        """Return the fingerprint of the file if it is read without locks, and else ``None``."""
        if not self.file.exists():
            return None
        fingerprint = self.file.fingerprint()
        return fingerprint if self._access().is_immutable else None

    def read_with(self, views: Collection[str], fingerprint: Fingerprint | None) -> None:
        """Set what connections that only read need.

        Args:
            views: statements that make a connection show the tables in the current version.
            fingerprint: that of :meth:`immutable_fingerprint`, from before the version was read.
        """
        self._views, self._fingerprint = views, fingerprint

    def is_outdated(self) -> bool:
        """Return whether another process has written to a file that is read without locks."""
        return self._fingerprint is not None and self._fingerprint != self.file.fingerprint()

    def open(self) -> TrackedConnection:
        """Open a connection for single statements and short transactions."""
        return self._open(TrackedConnection)

    def open_session(self) -> SessionConnection:
        """Open a connection for transactions of the caller."""
        return self._open(SessionConnection)

    def open_to_inspect(self) -> TrackedConnection:
        """Open a connection that changes no file, whatever statements it runs."""
        return self._open_to_read(TrackedConnection)

    def open_to_alter(self) -> SessionConnection:
        """Open a connection to alter tables with.

        Alembic alters many things on SQLite by replacing a table; with foreign keys on, dropping
        the old one would delete all rows that belong to its rows.
        """
        connection = self.open_session()
        connection.execute("PRAGMA foreign_keys=OFF")  # has no effect within a transaction
        connection.wait_for_locks(UPGRADE_TIMEOUT_SECONDS)
        return connection

    def use_write_ahead_log(self) -> None:
        """Switch the file to write-ahead logging, with which readers do not wait.

        The file stays so. SQLite needs it exclusively for the switch, and its own busy timeout
        does not apply to that.
        """
        give_up_at = time.monotonic() + self.busy_timeout
        with closing(self.open()) as connection:
            # It has an effect only before anything is written to a new file, as this switch does.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                except sqlite3.OperationalError:
                    if time.monotonic() > give_up_at:
                        raise
                    time.sleep(0.01)

    def _open(self, kind: type[C]) -> C:
        if self.read_only_reason is not None:
            return self._open_to_query(kind)
        connection = self.tracker.open(kind, self.file.path)
        with self._closed_on_error(connection):
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")  # SQLite's default is off
            # The triggers of `burndown/schema/guard.py` use functions that some builds of SQLite
            # refuse within a schema by default.
            connection.execute("PRAGMA trusted_schema=ON")
            # Without it, a deleted Jira token could be read in free pages of the file.
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
        return connection

    def _open_to_query(self, kind: type[C]) -> C:
        """Open a connection that only reads, and shows the tables in the current version."""
        connection = self._open_to_read(kind)
        with self._closed_on_error(connection):
            connection.execute("PRAGMA temp_store=MEMORY")  # the views go into no file
            for view in self._views:
                connection.execute(view)
            connection.execute("PRAGMA query_only=ON")  # last, since it refuses views, too
        return connection

    def _open_to_read(self, kind: type[C]) -> C:
        access = self._access()
        connection = self.tracker.open(kind, access.uri)
        if access.is_exclusive:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        return connection

    @contextmanager
    def _closed_on_error(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Close a connection if its first statements fail.

        Raises:
            DatabaseCorruptionError: the schema is damaged.
        """
        try:
            with schema_errors(self.file.path):
                yield
        except BaseException:
            connection.close()
            raise

    def _access(self) -> Access:
        return self.file.access(may_write=not self._read_only)

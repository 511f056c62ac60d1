"""The file of the published dashboard's database, which one of ours replaces or which is only read.

The dashboard opens a connection for each operation, and waits up to 10 seconds for a lock. It keeps
running while its file is replaced, so the file is locked from the first read on. What it waits to
write then fails visibly, and is never written into the file that was kept.
"""

import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from burndown.database.database_file import DatabaseFile
from burndown.database.sqlite_backup import copy_database, page_problems
from burndown.database.sqlite_connections import TrackedConnection
from burndown.database.sqlite_connector import SQLiteConnector
from burndown.database.sqlite_errors import SQLiteErrorTranslator
from burndown.errors import MigrationError, StorageError
from burndown.files.atomic import keep_copy, write_file
from burndown.files.paths import sync
from burndown.files.working_folder import working_folder
from burndown.forks import ForkAware, register_for_forks

__all__ = ["PublishedFile"]

_HELD = "; stop the published dashboard if it is running, and try again"


class PublishedFile(ForkAware):
    """A database file of the published dashboard, open for one migration.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connector = SQLiteConnector(
            DatabaseFile(path),
            read_only=False,
            close_idle=lambda: None,
            on_file_lost=lambda _: None,
        )
        self._errors = SQLiteErrorTranslator(self._connector, lambda: None)
        register_for_forks(self)

    @contextmanager
    def open(self, *, lock: bool) -> Iterator[sqlite3.Connection]:
        """Open a connection in a transaction, in which the content does not change.

        Args:
            lock: keep other processes from writing to the file. Without it, nothing changes.

        Yields:
            The connection.

        Raises:
            StorageError: the file is out of reach, cannot be written though it has to be locked, as
                always on Windows, or another process writes to it for longer than the busy timeout.
            DatabaseCorruptionError: it is damaged.
        """
        if lock and sys.platform == "win32":
            raise StorageError(
                f"{self.path} was not replaced: Windows replaces no file that is locked; stop the "
                "published dashboard, move the file out of the folder with its -wal and -shm, and "
                "run `burndown migrate --from FILE`"
            )
        reason = self._connector.find_read_only_reason() if lock else None
        if reason is not None:  # SQLite would leave a log behind, and report an I/O error
            raise StorageError(f"{self.path} was not replaced: {reason}")
        with self._errors.translated(), closing(self._connect(lock=lock)) as connection:
            connection.execute("BEGIN IMMEDIATE" if lock else "BEGIN")
            yield connection

    def back_up(self, target: Path) -> None:
        """Copy the database to a new private file with SQLite's online backup, and check its pages.

        Raises:
            DatabaseCorruptionError: it is damaged.
            sqlite3.Error: the copy cannot be written.
        """
        with self._errors.translated(), closing(self._connect(lock=False)) as connection:
            copy_database(connection, target, page_problems)

    def version(self, connection: sqlite3.Connection) -> int:
        """Return a number that changes when another connection has written to the file."""
        return int(connection.execute("PRAGMA data_version").fetchone()[0])

    def replace(self, connection: sqlite3.Connection, built: Path) -> Path:
        """Put another database in the place of this one atomically, and keep this one.

        If the path is a link, the file that it leads to is replaced: what waits to write has opened
        that one, and must find that it was moved away.

        Args:
            connection: that of :meth:`open` with a lock. Nothing can be read from it afterwards.
            built: the file of the other database, which is not in use, next to the one to replace.

        Returns:
            The path of the old database, equal to the byte to the file if that had no log.

        Raises:
            MigrationError: another process has the file open for longer than the busy timeout, or
                has written to it.
            StorageError: the disk is full, or the file system refuses it.
        """
        target = self.path.resolve()
        with self._errors.translated():
            kept, is_new = self._keep(connection.serialize())
            try:
                self._lock_exclusively(connection)
                sync(built)
            except BaseException:
                if is_new:
                    kept.unlink()
                raise
            built.replace(target)
            sync(target.parent)
        return kept

    def before_fork(self, deadline: float) -> None:
        """Wait for other threads."""
        self._connector.tracker.before_fork(deadline)

    def after_fork_in_parent(self) -> None:
        """Allow connections to be opened again."""
        self._connector.tracker.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Leave open connections to the parent."""
        self._connector.tracker.after_fork_in_child()

    def _connect(self, *, lock: bool) -> TrackedConnection:
        if not lock:
            return self._connector.open_to_inspect()
        uri = f"{self.path.as_uri()}?mode=rw"
        return self._connector.tracker.open(TrackedConnection, uri)

    def _keep(self, content: bytes) -> tuple[Path, bool]:
        """Write the content next to the file, unless an earlier copy is equal.

        Returns:
            The path of the copy, and whether it is new.
        """
        with working_folder(self.path.parent) as folder:
            copy = folder / self.path.name
            write_file(copy, content)
            return keep_copy(copy, self.path, ".published")

    def _lock_exclusively(self, connection: sqlite3.Connection) -> None:
        """Lock the file so that no other process can read it, or write to it after its rename.

        A process that waits for the lock has opened the file, and would afterwards use the log of
        the new one, which has its name. Without write-ahead logging SQLite refuses to write to a
        file that was moved away.
        """
        before = self.version(connection)
        connection.rollback()
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        give_up_at = time.monotonic() + self._connector.busy_timeout
        while not connection.in_transaction:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > give_up_at:
                    why = f"{self.path} is in use, so nothing was moved{_HELD}"
                    raise MigrationError(why) from None
                time.sleep(0.01)  # SQLite's own timeout does not apply to this lock
        after = self.version(connection)
        connection.rollback()  # the lock stays
        if after != before:
            why = f"{self.path} changed while it was read, so nothing was moved{_HELD}"
            raise MigrationError(why)
        connection.execute("PRAGMA journal_mode=DELETE")

"""A database in a SQLite file: how it is opened, and the rules of each connection."""

import filecmp
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from burndown.database import base
from burndown.database.backup import SIDECARS, back_up, copy_database, integrity_problems
from burndown.database.base import Database
from burndown.database.kept_connections import KeptConnections
from burndown.database.recognition import version_of
from burndown.database.sqlite_connections import (
    OpenConnections,
    SessionConnection,
    TrackedConnection,
)
from burndown.disk import sync, working_folder
from burndown.errors import DatabaseCorruptionError, PersistenceError, StorageError
from burndown.models import SCHEMA_VERSION
from burndown.repositories import DriverConnection
from burndown.schema import change_version, make_schema, stored_version
from burndown.settings import get_settings

__all__ = ["SQLiteDatabase", "remove_database"]

C = TypeVar("C", bound=TrackedConnection)
T = TypeVar("T")

POOL_SIZE = 10
"""How many connections of sessions wait for the next one; any number can be open at once."""

_LOG_PAGES = 2000
"""How many pages (of 4 KB) the log has when it is put into the file: what is saved often before
that is written there once. With SQLite's 1,000, saving takes a seventh longer in a file of 10,000
answers; with more, waiting for the disk takes longer for as long as the log still grows."""

_READ_ONLY = "burndown_read_only"


class SQLiteDatabase(Database):
    """A database in a file.

    Args:
        path: the file, made with its folder if it is not there.

    Raises:
        StorageError: the path names no file.
    """

    def __init__(self, path: str | Path) -> None:
        if str(path) in ("", ":memory:"):
            raise StorageError("A database in memory cannot be shared by threads; give it a file")
        if "://" in str(path):
            raise StorageError("A path was expected, not a URL; `open_backend` takes both")
        self._path = Path(path).absolute()
        self._synchronous = get_settings().sqlite_synchronous
        self._connections = OpenConnections(self._path, self._close_idle)
        super().__init__(URL.create("sqlite", database=str(self._path)))
        event.listen(self._engine, "checkin", self._take_back)
        self._kept = KeptConnections(self._connect, self._engine.dialect)

    @property
    def location(self) -> str:
        """The path."""
        return str(self._path)

    @property
    def path(self) -> Path:
        """The file of the database."""
        return self._path

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection of its own, in a transaction; see :func:`burndown.database`."""
        with self.translated_errors():
            self._prepare()
            self._transactions.refuse_deadlock()
            connection = self._connect_session()
        try:
            connection.row_factory = sqlite3.Row
            with self.translated_errors():
                connection.execute("BEGIN IMMEDIATE")
            with self._transactions.opened(None, holds_lock=True) as opened:
                yield connection
                opened.check_end()
                with self.translated_errors():
                    connection.commit()
        finally:
            connection.close()  # rolls back what was not committed

    def exists(self) -> bool:
        """Whether there is a file."""
        return self._path.exists()

    def size(self) -> int:
        """Bytes on disk, the log included; 0 if there is no file yet."""
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def check_integrity(self) -> tuple[bool, list[str]]:
        """Whether pages, indexes and references are whole, and one text for each problem."""
        try:
            with self.translated_errors():
                self._prepare()
            with self.translated_errors(), self._reader.connect() as connection:
                problems = integrity_problems(connection.exec_driver_sql)
        except PersistenceError as error:
            problems = [str(error)]
        return not problems, problems

    def backup(self, target: Path) -> None:
        """Copy what is committed to a new file, with SQLite's online backup."""
        if self.schema_version() is None:
            raise StorageError(f"There is no database at {self.location}")
        with self.translated_errors(), closing(self._connect_to_read()) as source:
            back_up(source, target)

    def adopt(self, built: Path) -> bool:
        """Take the file as this database's, at once, if it has none yet.

        Raises:
            StorageError: the file cannot be put there.
        """
        try:
            sync(built)
            if not self.exists():
                _remove_logs(self._path)  # of a database that was deleted
            try:
                os.link(built, self._path)
            except FileExistsError:
                return False
            except OSError:  # a file system without hard links
                built.rename(self._path)
            sync(self._path.parent)
        except OSError as error:
            raise StorageError(f"{self._path} cannot be made: {error.strerror}") from error
        return True

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._connections.renew()
        self._close_idle()
        self._ready = False

    def _close_idle(self) -> None:
        self._kept.close()
        # Not `dispose` of the engine, which makes a new pool: a thread that is about to take a
        # connection would give it back to the old one, where nobody would close it.
        self._engine.pool.dispose()

    def _take_back(self, raw: SessionConnection, record: ConnectionPoolEntry) -> None:
        """Close a connection that is given back after a fork, a close or a lost transaction."""
        raw.thread = 0
        if raw.is_aborted or raw.generation != self._connections.generation:
            record.invalidate()

    def before_fork(self, deadline: float) -> None:
        """Close all connections, once other threads are done with them."""
        self._is_opening_held = self._opening.acquire(max(0, deadline - time.monotonic()))
        self._connections.before_fork(deadline)

    def after_fork_in_parent(self) -> None:
        """Let connections be opened again."""
        self._connections.after_fork_in_parent()
        if self._is_opening_held:
            self._opening.release()

    def after_fork_in_child(self) -> None:
        """Leave what could not be closed to the parent."""
        self._connections.after_fork_in_child()
        self._kept.close()
        super().after_fork_in_child()
        self._ready = False

    def _write_alone(self, work: Callable[[DriverConnection], T]) -> T:
        return self._on_kept(self._kept.write, work)

    def _read_alone(self, work: Callable[[DriverConnection], T]) -> T:
        return self._on_kept(self._kept.read, work)

    def _on_kept(
        self,
        run: Callable[[Callable[[DriverConnection], T]], T],
        work: Callable[[DriverConnection], T],
    ) -> T:
        try:
            self._prepare()
            return run(work)
        except self._errors as error:  # not `translated_errors`: it takes a fifth of a small read
            raise self._meaning_of(error) from error

    def _make_engine(self) -> Engine:
        return create_engine(
            self.url,
            creator=self._connect_session,
            poolclass=QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=-1,
            hide_parameters=True,
        )

    def _make_reader(self, engine: Engine) -> Engine:
        return engine.execution_options(**{_READ_ONLY: True})

    def _begin(self, connection: Connection) -> None:
        if connection.get_execution_options().get(_READ_ONLY, False):
            connection.exec_driver_sql("BEGIN")
        else:
            self._transactions.refuse_deadlock()
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def schema_version(self) -> str | None:
        """The version of the tables; the file is opened to read only, so that nothing touches it.

        Raises:
            StorageError: the database is out of reach.
        """
        if not self.exists():
            return None
        with self.translated_errors(), closing(self._connect_to_read()) as connection:
            return version_of(connection)

    def _make_ready(self) -> None:
        _make_private_file(self._path)
        if self._was_ready():
            return
        with closing(self._connect_to_read()) as quiet:
            version = version_of(quiet)
            self._kept.close()  # the last to close would empty the log into the file
            self._refuse_too_new(version)
        super()._make_ready()
        self._use_write_ahead_log()

    def _was_ready(self) -> bool:
        """Whether nothing is to be done, as it mostly is; asked on a connection that is used on."""

        def is_ready(connection: DriverConnection) -> bool:
            version = version_of(connection)
            return version == SCHEMA_VERSION and connection.execute(
                "PRAGMA journal_mode"
            ).fetchone() == ("wal",)

        return self._kept.read(is_ready)

    def _make_tables(self) -> None:
        self._use_write_ahead_log()
        with self._engine.begin() as connection:
            make_schema(connection)

    def _change_version(self, version: str) -> None:
        self._use_write_ahead_log()
        engine = create_engine(
            self.url, creator=self._connect_to_alter, poolclass=NullPool, hide_parameters=True
        )
        event.listen(engine, "begin", self._begin)
        with engine.begin() as connection:
            present = stored_version(connection)
            self._refuse_too_new(present)
            if present == version:
                return
            if present is not None:
                self._back_up(present)
            change_version(connection, version)
            problems = integrity_problems(connection.exec_driver_sql)
            if problems:
                raise DatabaseCorruptionError(
                    f"{self._path} is damaged, and stays in version {present}: "
                    f"{'; '.join(problems[:5])}"
                )

    def _back_up(self, version: str) -> None:
        """Copy the database beside itself, unless an earlier copy holds the same."""
        backup = self._path.with_name(f"{self._path.name}.{version}.backup")
        with working_folder(backup.parent) as folder, closing(self._connect_to_read()) as source:
            copy = folder / backup.name
            copy_database(source, copy)
            number = 2
            while backup.exists() and not filecmp.cmp(copy, backup, shallow=False):
                backup = self._path.with_name(f"{self._path.name}.{version}.{number}.backup")
                number += 1
            copy.replace(backup)
        sync(backup.parent)

    def _use_write_ahead_log(self) -> None:
        """Have the file keep a log, so that nobody waits to read; it stays so once it is.

        SQLite needs the file for itself for a moment, and does not wait for that of its own.
        """
        give_up_at = time.monotonic() + base.BUSY_TIMEOUT_SECONDS
        with closing(self._connect()) as connection:
            while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                except sqlite3.OperationalError:
                    if time.monotonic() > give_up_at:
                        raise
                    time.sleep(0.01)

    def _connect_to_read(self) -> sqlite3.Connection:
        """A connection that leaves all as it is.

        Where there is a log, that of one to write would put it into the file when it is closed;
        where there is none, one that cannot write would leave an empty one behind.
        """
        try:
            has_log = self._path.with_name(f"{self._path.name}-wal").stat().st_size > 0
        except FileNotFoundError:
            has_log = False
        where = f"{self._path.as_uri()}?mode={'ro' if has_log else 'rw'}"
        return self._connections.open(
            TrackedConnection, where, uri=True, timeout=base.BUSY_TIMEOUT_SECONDS
        )

    def _connect_to_alter(self) -> sqlite3.Connection:
        """SQLite alters many things by replacing a table, which must not delete its children."""
        connection = self._connect_session()
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(f"PRAGMA busy_timeout={base.UPGRADE_TIMEOUT_SECONDS * 1000}")
        return connection

    def _connect(self) -> TrackedConnection:
        return self._opened(TrackedConnection)

    def _connect_session(self) -> SessionConnection:
        return self._opened(SessionConnection)

    def _opened(self, kind: type[C]) -> C:
        connection = self._connections.open(
            kind,
            self._path,
            timeout=base.BUSY_TIMEOUT_SECONDS,
            isolation_level=None,  # transactions begin where this module says so
            check_same_thread=False,  # a connection is used by one thread at a time
        )
        try:
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA secure_delete=ON")  # no deleted token is left in the file
            connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _translated(self, error: BaseException) -> StorageError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return DatabaseCorruptionError(
                f"The database is damaged ({error}); restore a backup of it"
            )
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StorageError(
                f"The database is locked: another transaction has been writing for more than "
                f"{base.BUSY_TIMEOUT_SECONDS} seconds"
            )
        return StorageError(f"The database failed: {error}")


def remove_database(path: Path) -> None:
    """Delete a database that nobody uses, with its log."""
    path.unlink(missing_ok=True)
    _remove_logs(path)


def _remove_logs(path: Path) -> None:
    for suffix in SIDECARS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _make_private_file(path: Path) -> None:
    """Make the file so that only its owner can read it: it holds Jira tokens."""
    try:
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StorageError(f"The database {path} cannot be made: {reason}") from error

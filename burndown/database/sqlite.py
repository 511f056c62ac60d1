"""A database in a SQLite file: how it is opened, and the rules of each connection."""

import filecmp
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from burndown.database import base
from burndown.database.backup import back_up, copy_database, integrity_problems
from burndown.database.base import Database
from burndown.database.database_file import Access, DatabaseFile, Fingerprint, remove_database
from burndown.database.error_chains import raise_alone
from burndown.database.kept_connections import KeptConnections
from burndown.database.recognition import contents_of, is_ours, recognized_version
from burndown.database.sqlite_connections import (
    OpenConnections,
    SessionConnection,
    TrackedConnection,
)
from burndown.database.sqlite_errors import is_of_other_tables, not_writable, translate
from burndown.disk import sync, working_folder
from burndown.errors import DatabaseCorruptionError, PersistenceError, StorageError
from burndown.models import SCHEMA_VERSION
from burndown.schema import READABLE, change_version, make_schema, stored_version
from burndown.schema.recognition import APPLICATION_ID
from burndown.settings import get_settings
from burndown.sql import Executor

__all__ = ["SQLiteDatabase", "remove_database"]

C = TypeVar("C", bound=TrackedConnection)
T = TypeVar("T")
P = ParamSpec("P")

POOL_SIZE = 10
"""How many connections of sessions wait for the next one; any number can be open at once."""

_LOG_PAGES = 2000
"""How many pages (of 4 KB) the log has when it is put into the file: what is saved often before
that is written there once. With SQLite's 1,000, saving takes a seventh longer in a file of 10,000
answers; with more, waiting for the disk takes longer for as long as the log still grows."""

_READ_ONLY = "burndown_read_only"


class SQLiteDatabase(Database):
    """A database in a file.

    Where the file cannot be written to, it can still be read, and calls that write raise an error
    with the reason.

    Args:
        path: the file, made with its folder if it is not there.
        read_only: change nothing: make no file, upgrade no tables and leave nothing behind.

    Raises:
        StorageError: the path names no file.
    """

    _readable = READABLE

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        if str(path) in ("", ":memory:"):
            raise StorageError("A database in memory cannot be shared by threads; give it a file")
        if "://" in str(path):
            raise StorageError("A path was expected, not a URL; `open_backend` takes both")
        self._path = Path(path).absolute()
        self._synchronous = get_settings().sqlite_synchronous
        self._file = DatabaseFile(self._path)
        self._why_read_only: str | None = None
        self._views: tuple[str, ...] = ()
        self._unguarded: Fingerprint | None = None
        self._connections = OpenConnections(self._path, self._close_idle)
        super().__init__(URL.create("sqlite", database=str(self._path)), read_only=read_only)
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
            self._transactions.raise_on_deadlock()
            connection = self._connect_session()
        try:
            connection.row_factory = sqlite3.Row
            with self.translated_errors():
                connection.execute(self._begin_statement(read_only=False))
            with self._transactions.opened(None, holds_lock=True) as opened:
                yield connection
                opened.check_end()
                with self.translated_errors():
                    connection.commit()
        finally:
            connection.close()  # rolls back what was not committed

    def exists(self) -> bool:
        """Return whether there is a file with something in it."""
        return self._file.exists()

    def size(self) -> int:
        """Return the bytes on disk, the log included; 0 if there is no file yet."""
        return self._file.size()

    def check_integrity(self) -> tuple[bool, list[str]]:
        """Return whether pages, indexes and references are intact, and a string for each problem.

        It changes nothing, whatever version the tables have.
        """
        try:
            with self.translated_errors():
                if not self.exists():
                    self._prepare()
                version = self.schema_version()
                if version is None:
                    raise StorageError(f"There is no database at {self._path}")
                self._refuse_too_new(version)
                with closing(self._connect_to_read()) as connection:
                    problems = integrity_problems(connection.execute)
                    problems += contents_of(connection).missing(version)
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
                self._file.make_room()
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

    def _write_alone(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            self._prepare()
            return self._kept.write(run, *args, **kwargs)
        except self._errors as error:
            raise_alone(self._meaning_of(error).with_traceback(error.__traceback__))

    def _read_alone(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            self._prepare()
            return self._kept.read(run, *args, **kwargs)
        except self._errors as error:  # not `translated_errors`: it takes a fifth of a small read
            raise_alone(self._meaning_of(error).with_traceback(error.__traceback__))

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
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        if not read_only:
            self._transactions.raise_on_deadlock()
        connection.exec_driver_sql(self._begin_statement(read_only=read_only))

    def _begin_statement(self, *, read_only: bool) -> str:
        return "BEGIN" if read_only or self._why_read_only else "BEGIN IMMEDIATE"

    def schema_version(self) -> str | None:
        """Return the version of the tables; ``None`` if there are none. Nothing is changed.

        Raises:
            StorageError: the database cannot be read.
            ForeignDatabaseError: it belongs to another program.
        """
        self._file.refuse_unsafe()
        if not self.exists():
            return None
        with self.translated_errors(), closing(self._connect_to_read()) as connection:
            return recognized_version(connection, self._path)

    def _prepare(self) -> None:
        if self._unguarded is not None and self._unguarded != self._file.fingerprint():
            self.close()  # somebody has begun to write since
        super()._prepare()

    def _make_ready(self) -> None:
        self._file.refuse_unsafe()
        self._why_read_only, self._views = self._find_why_read_only(), ()
        if self._why_read_only is not None:
            self._make_ready_to_read()
            return
        self._file.make()
        if self._was_ready():
            return
        with closing(self._connect_to_read()) as quiet:
            try:
                self._refuse_too_new(recognized_version(quiet, self._path))
            finally:
                self._kept.close()  # the last to close would put the log into the file
        super()._make_ready()
        self._use_write_ahead_log()
        with closing(self._connect()) as connection:  # a dump of a database is without its id
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")

    def _find_why_read_only(self) -> str | None:
        if self.read_only:
            return "it was opened to be read"
        return self._file.why_read_only() if self.exists() else None

    def _make_ready_to_read(self) -> None:
        unguarded = self._file.fingerprint() if self.exists() else None
        is_immutable = unguarded is not None and self._access().is_immutable
        version = self.schema_version()
        self._refuse_unreadable(version)
        self._views = READABLE[str(version)]
        self._unguarded = unguarded if is_immutable else None

    def _was_ready(self) -> bool:
        """Whether nothing is to be done, as it mostly is; asked on a connection that is used on."""

        def is_ready(connection: Executor) -> bool:
            return is_ours(connection, SCHEMA_VERSION) and connection.execute(
                "PRAGMA journal_mode"
            ).fetchone() == ("wal",)

        return self._kept.read(is_ready)

    def _make_tables(self) -> None:
        self._use_write_ahead_log()
        with self._engine.begin() as connection:
            make_schema(connection)

    def _change_version(self, version: str) -> None:
        reason = self._find_why_read_only()
        if reason is not None:
            raise not_writable(self._path, reason)
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

    def _connect(self) -> TrackedConnection:
        return self._opened(TrackedConnection)

    def _connect_session(self) -> SessionConnection:
        return self._opened(SessionConnection)

    def _connect_to_read(self) -> TrackedConnection:
        """Open a connection that leaves all as it is."""
        return self._opened_to_read(TrackedConnection)

    def _connect_to_alter(self) -> SessionConnection:
        """SQLite alters many things by replacing a table, which must not delete its children."""
        connection = self._connect_session()
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(f"PRAGMA busy_timeout={base.UPGRADE_TIMEOUT_SECONDS * 1000}")
        return connection

    def _opened(self, kind: type[C]) -> C:
        if self._why_read_only is not None:
            return self._opened_to_query(kind)
        connection = self._connections.open(kind, self._path)
        try:
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA secure_delete=ON")  # no deleted token is left in the file
            connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _opened_to_query(self, kind: type[C]) -> C:
        """Open a connection of which each use only reads, and that shows the present version."""
        connection = self._opened_to_read(kind)
        try:
            connection.execute("PRAGMA temp_store=MEMORY")
            for view in self._views:
                connection.execute(view)
            connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _opened_to_read(self, kind: type[C]) -> C:
        access = self._access()
        connection = self._connections.open(kind, access.uri)
        if access.is_exclusive:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        return connection

    def _access(self) -> Access:
        return self._file.access(may_write=not self.read_only)

    def _is_of_other_tables(self, error: BaseException) -> bool:
        return is_of_other_tables(error)

    def _translated(self, error: BaseException) -> StorageError:
        return translate(error, self._file, self._why_read_only)

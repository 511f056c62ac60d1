"""The database: connections, sessions and transactions, and the rules that hold for each.

The module's own functions work on the current database, the one that the backend uses:

    from burndown import database
    from burndown.repositories import ProfileRepository

    with database.session() as session:
        profile = ProfileRepository(session).get("kafka")

Every statement goes to the logger ``burndown.database`` at DEBUG, without its values.
"""

import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, inspect, make_url
from sqlalchemy.pool import QueuePool
from sqlmodel import Session, SQLModel

from burndown.errors import DatabaseCorruptionError, PersistenceError, StorageError
from burndown.models import AppState
from burndown.repositories import AppStateRepository, ProfileRepository
from burndown.settings import get_settings

__all__ = [
    "SCHEMA_VERSION",
    "Database",
    "check_database_integrity",
    "get_database",
    "get_db_connection",
    "read_session",
    "remove_database",
    "session",
    "set_database",
]

SCHEMA_VERSION = "1.0"
BUSY_TIMEOUT_SECONDS = 10
"""How long a transaction waits for another one that writes."""
POOL_SIZE = 10
MAX_OVERFLOW = 40

_READ_ONLY = "burndown_read_only"

logger = logging.getLogger("burndown.database")


class Database:
    """One database, shared by any number of threads.

    Args:
        where: path of a SQLite file, made with its folder if it is not there; or an SQLAlchemy
            URL such as ``sqlite:////data/burndown.db``.

    Raises:
        StorageError: it cannot be opened or made.
        DatabaseCorruptionError: the file is damaged or no database.
    """

    def __init__(self, where: str | Path) -> None:
        self.url = _url(where)
        self._synchronous = get_settings().sqlite_synchronous
        self._engine = self._make_engine()
        self._current = threading.local()
        self._ready = False
        self._opening = threading.Lock()
        _open_databases.add(self)

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    @property
    def path(self) -> Path:
        """The file of the database."""
        return Path(self.url.database or "")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session in a transaction that may write.

        It is committed at the end and rolled back on an error. Only one writes at a time; others
        wait up to 10 seconds for it. Within another session of the same thread it becomes a part
        of that one, which alone commits; an error undoes just this part.

        Raises:
            StorageError: locked for too long, disk full, read-only or out of reach.
            DatabaseCorruptionError: the file is damaged.
        """
        outer: Session | None = getattr(self._current, "session", None)
        if outer is not None:
            with translated_errors(), outer.begin_nested():
                yield outer
            return
        with translated_errors(), self._new_session(read_only=False) as new, new.begin():
            self._current.session = new
            try:
                yield new
            finally:
                del self._current.session

    @contextmanager
    def read_session(self) -> Iterator[Session]:
        """A session to read in: sees one state of the data, waits for nobody.

        Within a writing session of the same thread it is that one, and sees what it wrote.

        Raises:
            StorageError: the database is out of reach.
            DatabaseCorruptionError: the file is damaged.
        """
        outer: Session | None = getattr(self._current, "session", None)
        if outer is not None:
            with translated_errors():
                yield outer
            return
        with translated_errors(), self._new_session(read_only=True) as new, new.begin():
            yield new

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A ``sqlite3`` connection of its own, in a transaction; see :func:`get_db_connection`."""
        with translated_errors():
            self._prepare()
            connection = self._connect()
        connection.row_factory = sqlite3.Row
        try:
            with translated_errors():
                connection.execute("BEGIN IMMEDIATE")
            yield connection
            with translated_errors():
                connection.commit()
        finally:
            connection.close()  # rolls back what was not committed

    def check_integrity(self) -> tuple[bool, list[str]]:
        """Whether the database is whole; see :func:`check_database_integrity`."""
        try:
            with translated_errors():
                self._prepare()
            with translated_errors(), self._reader.connect() as connection:
                problems = [
                    str(row[0])
                    for row in connection.exec_driver_sql("PRAGMA integrity_check")
                    if row[0] != "ok"
                ]
                problems += [
                    f"row {rowid} of {table} belongs to a row of {parent} that is not there"
                    for table, rowid, parent, _ in connection.exec_driver_sql(
                        "PRAGMA foreign_key_check"
                    )
                ]
        except PersistenceError as error:
            problems = [str(error)]
        return not problems, problems

    def size(self) -> int:
        """Bytes on disk, the log included; 0 if there is no file yet."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def holds_profiles(self) -> bool:
        """Whether anybody has stored a profile."""
        with self.read_session() as session:
            return bool(ProfileRepository(session).list_documents())

    def adopt(self, built: Path) -> None:
        """Take all that the database at ``built`` holds, at once; nobody uses that one.

        Where this database has no file yet, that one becomes it. Where it has one, which other
        processes may have open, its rows are copied within a transaction.

        Raises:
            StorageError: the database is locked, the disk is full, or both hold the same rows.
        """
        _sync(built)
        try:
            os.link(built, self.path)
        except FileExistsError:
            self._copy_from(built)
            return
        except OSError:  # a file system without hard links
            built.rename(self.path)
        _sync(self.path.parent)

    def _copy_from(self, built: Path) -> None:
        self._prepare()
        with translated_errors():
            connection = self._connect()
            try:
                connection.execute("ATTACH ? AS built", [str(built)])
                connection.execute("BEGIN IMMEDIATE")
                for table in SQLModel.metadata.sorted_tables:
                    names = ", ".join(f'"{column.name}"' for column in table.columns)
                    verb = "REPLACE" if table.name == AppState.__tablename__ else "INSERT"
                    connection.execute(
                        f"{verb} INTO main.{table.name} ({names}) "  # noqa: S608 - our own names
                        f"SELECT {names} FROM built.{table.name}"
                    )
                connection.commit()
            finally:
                connection.close()

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._engine.dispose()
        self._ready = False

    def forget_connections(self) -> None:
        """Leave the connections to the process that this one was forked from."""
        self._engine.dispose(close=False)
        self._current = threading.local()
        self._opening = threading.Lock()

    def _new_session(self, *, read_only: bool) -> Session:
        self._prepare()
        bind = self._reader if read_only else self._engine
        return Session(bind, expire_on_commit=False)

    def _prepare(self) -> None:
        """Make the file and the schema on first use."""
        if self._ready:
            return
        with self._opening:
            if self._ready:
                return
            _make_private_file(self.path)
            with self._reader.connect() as connection:
                known = inspect(connection).has_table(AppState.__tablename__)
            self._use_write_ahead_log()
            if not known:
                with Session(self._engine) as new, new.begin():
                    SQLModel.metadata.create_all(new.connection())
                    state = AppStateRepository(new)
                    if state.get("schema_version") is None:
                        state.set("schema_version", SCHEMA_VERSION)
            self._ready = True

    def _use_write_ahead_log(self) -> None:
        """Have the file keep a log, so that nobody waits to read; it stays so once it is.

        SQLite needs the file for itself for a moment, and does not wait for that of its own.
        """
        connection = self._connect()
        give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS
        try:
            while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                except sqlite3.OperationalError:
                    if time.monotonic() > give_up_at:
                        raise
                    time.sleep(0.01)
        finally:
            connection.close()

    def _make_engine(self) -> Engine:
        engine = create_engine(
            self.url,
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=MAX_OVERFLOW,
            pool_timeout=BUSY_TIMEOUT_SECONDS,
            hide_parameters=True,
        )
        self._reader = engine.execution_options(**{_READ_ONLY: True})
        event.listen(engine, "begin", _begin)
        event.listen(engine, "before_cursor_execute", _log)
        return engine

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,  # transactions begin where this module says so
            check_same_thread=False,  # the pool hands a connection to one thread at a time
        )
        try:
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """The one place that turns errors of the database into this package's.

    Raises:
        StorageError: for every error of the driver or of SQLAlchemy.
        DatabaseCorruptionError: if it says that the file is damaged.
    """
    try:
        yield
    except (exc.SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise DatabaseCorruptionError(
                f"The database is damaged ({cause}); restore a backup of it"
            ) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StorageError(
                f"The database is locked: another transaction has been writing for more than "
                f"{BUSY_TIMEOUT_SECONDS} seconds"
            ) from error
        raise StorageError(f"The database failed: {cause}") from error


def _url(where: str | Path) -> URL:
    if isinstance(where, str) and "://" in where:
        try:
            url = make_url(where)
        except (exc.ArgumentError, ValueError):
            raise StorageError("The database URL is not one that SQLAlchemy understands") from None
        if url.get_backend_name() != "sqlite":
            raise StorageError(f"No backend stores in {url.get_backend_name()} yet; use sqlite")
        where = url.database or ":memory:"
    if str(where) == ":memory:":
        raise StorageError("A database in memory cannot be shared by threads; give it a file")
    return URL.create("sqlite", database=str(Path(where).absolute()))


def _make_private_file(path: Path) -> None:
    """Make the file so that only its owner can read it: it holds Jira tokens."""
    try:
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StorageError(f"The database {path} cannot be made: {reason}") from error


def remove_database(path: Path) -> None:
    """Delete a database that nobody uses, with its log."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have a file, or the entries of a folder, survive a power cut."""
    if path.is_dir() and os.name == "nt":
        return  # Windows keeps the entries of a folder by itself
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _log(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug("%s", " ".join(statement.split()))


_open_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_lock = threading.Lock()
_database: Database | None = None


def _after_fork() -> None:
    for database in _open_databases:
        database.forget_connections()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def get_database() -> Database:
    """The current database: the one that was set, or that of the settings."""
    global _database
    with _lock:
        if _database is None:
            _database = Database(get_settings().database)
        return _database


def set_database(database: Database | None) -> None:
    """Make this database the current one; ``None`` for that of the settings, opened anew."""
    global _database
    with _lock:
        _database = database


def session() -> AbstractContextManager[Session]:
    """A writing session on the current database; see :meth:`Database.session`."""
    return get_database().session()


def read_session() -> AbstractContextManager[Session]:
    """A reading session on the current database; see :meth:`Database.read_session`."""
    return get_database().read_session()


def get_db_connection() -> AbstractContextManager[sqlite3.Connection]:
    """A connection to the current database, for SQL by hand.

    A context manager that gives a ``sqlite3.Connection`` with :class:`sqlite3.Row` as its row
    factory, in a transaction: committed at the end, rolled back on an error, closed in both
    cases. The schema is there even on first use. It holds the right to write, so do not call the
    backend to write within it.

    Raises:
        StorageError: the database is locked for more than 10 seconds or out of reach.
        DatabaseCorruptionError: the file is damaged.
    """
    return get_database().connection()


def check_database_integrity() -> tuple[bool, list[str]]:
    """Whether the current database is whole, and what is wrong with it.

    Checks its structure and that every row still has the row it belongs to. It finds a torn page
    or a broken index; a flipped bit within a value can go unnoticed.

    Returns:
        ``(True, [])``, or ``False`` with one text for each problem.
    """
    return get_database().check_integrity()

"""Connections, sessions and transactions of a SQLite file or a PostgreSQL server.

The module's own functions work on the current database, the one that the backend uses:

    from burndown import database
    from burndown.repositories import ProfileRepository

    with database.session() as session:
        profile = ProfileRepository(session).get("kafka")

Every statement goes to the logger ``burndown.database`` at DEBUG, without its values.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sqlmodel import Session

from burndown.database.base import Database
from burndown.database.sqlite import SQLiteDatabase, remove_database
from burndown.errors import StorageError, StoreLocationError
from burndown.forks import ForkSafeLock
from burndown.models import SCHEMA_VERSION
from burndown.settings import get_settings

if TYPE_CHECKING:
    from burndown.database.memory import MemoryDatabase
    from burndown.database.postgresql import PostgreSQLDatabase
    from burndown.database.published_file import PublishedFile

__all__ = [
    "MEMORY",
    "SCHEMA_VERSION",
    "Database",
    "MemoryDatabase",
    "PostgreSQLDatabase",
    "PublishedFile",
    "SQLiteDatabase",
    "check_database_integrity",
    "forget_database",
    "get_database",
    "get_db_connection",
    "open_database",
    "read_session",
    "remove_database",
    "session",
    "set_database",
]

MEMORY = "memory:"
"""The location of a new database in memory."""

_MODULES = {
    "MemoryDatabase": "memory",
    "PostgreSQLDatabase": "postgresql",
    "PublishedFile": "published_file",
}
"""The modules of classes that few processes need, which are loaded on first use."""

_lock = ForkSafeLock()
_database: Database | None = None


def open_database(where: str | Path, *, read_only: bool = False) -> Database:
    """Return the database at a location; it is opened on the first use.

    Args:
        where: path of a SQLite file, or an SQLAlchemy URL such as ``sqlite:////data/burndown.db``
            or ``postgresql+psycopg://user:password@host/name``; or ``memory:`` for an empty
            :class:`MemoryDatabase`.
        read_only: make and upgrade nothing, and refuse to write.

    Raises:
        StoreLocationError: the URL names no database that can be opened.
    """
    if where == MEMORY:
        if read_only:
            raise StoreLocationError(
                f"{MEMORY} is a new database, so it cannot be opened read-only"
            )
        from burndown.database.memory import MemoryDatabase  # few processes need it

        return MemoryDatabase()
    if isinstance(where, str) and where.startswith("json:"):
        raise StoreLocationError(f"{where} is not a database; set BURNDOWN_DATABASE_URL to one")
    if not isinstance(where, str):
        return SQLiteDatabase(where, read_only=read_only)
    # Most processes open the database of a path.
    from burndown.database.database_url import parse_url, refuse_malformed_url

    if "://" not in where:
        refuse_malformed_url(where)
        return SQLiteDatabase(where, read_only=read_only)
    url = parse_url(where)
    kind = url.get_backend_name()
    if kind == "sqlite":
        return SQLiteDatabase(url.database or ":memory:", read_only=read_only)
    if kind == "postgresql":
        from burndown.database.postgresql import PostgreSQLDatabase  # its driver is optional

        return PostgreSQLDatabase(url, read_only=read_only)
    raise StoreLocationError(
        f"No backend stores in {kind}; use sqlite, postgresql+psycopg or {MEMORY}"
    )


def get_database() -> Database:
    """Return the current database: the one that was set, or that of the settings."""
    global _database
    with _lock:
        if _database is None:
            _database = open_database(get_settings().database)
        return _database


def set_database(database: Database | None) -> None:
    """Make a database the current one.

    Args:
        database: the database; ``None`` closes the current one, and the next use opens that of the
            settings.
    """
    global _database
    with _lock:
        if database is None and _database is not None:
            _database.close()
        _database = database


def forget_database() -> None:
    """Let the next use open the database of the settings; the current one is not closed."""
    global _database
    with _lock:
        _database = None


def session() -> AbstractContextManager[Session]:
    """Begin a writing session on the current database; see :meth:`Database.session`."""
    return get_database().session()


def read_session() -> AbstractContextManager[Session]:
    """Begin a reading session on the current database; see :meth:`Database.read_session`."""
    return get_database().read_session()


def get_db_connection(
    path: str | Path | None = None,
) -> AbstractContextManager[sqlite3.Connection]:
    """Open a connection to a SQLite database, for SQL written manually.

    Args:
        path: the file, which is created if it is missing; by default that of the current database.

    Returns:
        A context manager that yields a ``sqlite3.Connection`` with :class:`sqlite3.Row` as its row
        factory, in a transaction: committed at the end, rolled back on an error, closed in both
        cases. The tables exist even on the first use. The transaction holds the write lock, so do
        not write through the backend within it.

    Raises:
        StorageError: the database is locked for longer than the busy timeout or out of reach,
            or it is not a SQLite database.
        DatabaseCorruptionError: the file is damaged.
    """
    database = get_database() if path is None else open_database(path)
    if not isinstance(database, SQLiteDatabase):
        raise StorageError(
            f"{database.location} has no sqlite3 connection; "
            "run SQL in burndown.database.session() instead"
        )
    return database.connection() if path is None else _only_connection(database)


@contextmanager
def _only_connection(database: SQLiteDatabase) -> Iterator[sqlite3.Connection]:
    """Open a connection to a database that is closed with it."""
    with closing(database), database.connection() as connection:
        yield connection


def check_database_integrity() -> tuple[bool, list[str]]:
    """Return whether the current database is intact, and its problems.

    It checks the structure of the file, and that every row still has the row it belongs to. It
    finds a torn page or a broken index; a flipped bit within a value can go unnoticed.

    Returns:
        ``(True, [])``, or ``False`` with one string for each problem.
    """
    return get_database().check_integrity()


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"burndown.database.{_MODULES[name]}"), name)

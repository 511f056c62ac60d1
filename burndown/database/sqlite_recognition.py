"""Recognition of our SQLite files and of their version.

Each process does it on its first call, so it runs plain SQL: SQLAlchemy's inspection would take a
part of the time that a first call has.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from burndown.errors import DatabaseCorruptionError, ForeignDatabaseError, PublishedDatabaseError
from burndown.schema.recognition import (
    ALEMBIC_TABLE,
    APPLICATION_ID,
    TABLES,
    VERSION_TABLE,
    Contents,
)
from burndown.sql import Executor

__all__ = ["contents_of", "is_ours", "recognized_version", "schema_errors", "stored_version"]

_COLUMNS = """
SELECT tables.name, columns.name FROM sqlite_master AS tables
JOIN pragma_table_info(tables.name) AS columns
WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite!_%' ESCAPE '!'
"""
_OBJECTS = "SELECT 1 FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' LIMIT 1"
_MAX_NAMED = 5
"""How many tables of another program an error names."""

Reader = sqlite3.Connection | Executor


def is_ours(connection: Reader, version: str) -> bool:
    """Return whether the database records that it is ours and of this version."""
    return _application_id(connection) == APPLICATION_ID and _recorded(connection) == version


def recognized_version(connection: sqlite3.Connection, path: Path) -> str | None:
    """Return the version of our tables, or ``None`` if the database is empty.

    Args:
        connection: a connection to the file, in no transaction.
        path: the file, for the error.

    Raises:
        PublishedDatabaseError: it is that of the published dashboard.
        ForeignDatabaseError: it belongs to another program.
        DatabaseCorruptionError: the schema is damaged.
    """
    connection.execute("BEGIN")  # to see one state: another process may be creating the tables
    try:
        with schema_errors(path):
            application_id, contents = _application_id(connection), contents_of(connection)
            is_empty = connection.execute(_OBJECTS).fetchone() is None
    finally:
        connection.rollback()
    if application_id in (0, APPLICATION_ID) and is_empty:
        return None
    if application_id == APPLICATION_ID and (version := contents.recorded or contents.newest):
        return version
    if application_id == 0 and contents.newest:
        return contents.version
    if application_id == 0 and contents.is_published:
        raise PublishedDatabaseError(str(path), "is that of the published dashboard")
    raise ForeignDatabaseError(str(path), _looks_like(contents.columns, application_id))


def stored_version(connection: Reader) -> str | None:
    """Return the version of our tables, or ``None`` if there are none."""
    return _recorded(connection) or contents_of(connection).version


@contextmanager
def schema_errors(path: Path) -> Iterator[None]:
    """Translate the error of the first statement on a connection, for which the schema is parsed.

    Raises:
        DatabaseCorruptionError: the schema is damaged, and SQLite quotes it in a message that is
            not UTF-8.
    """
    try:
        yield
    except UnicodeDecodeError:
        raise DatabaseCorruptionError(
            f"The schema of {path} is damaged; restore a backup, or run `burndown salvage`"
        ) from None


def contents_of(connection: Reader) -> Contents:
    """Return the parts of the database by which it is recognized."""
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute(_COLUMNS):
        columns.setdefault(table, set()).add(column)
    alembic: list[str] = []
    if "version_num" in columns.get(ALEMBIC_TABLE, ()):
        found = connection.execute(f"SELECT version_num FROM {ALEMBIC_TABLE}")  # noqa: S608
        alembic = [str(version) for (version,) in found]
    return Contents(columns, _recorded(connection), alembic)


def _looks_like(columns: Collection[str], application_id: int) -> str:
    tables = sorted(columns)
    named = ", ".join(tables[:_MAX_NAMED])
    more = f" and {len(tables) - _MAX_NAMED} more" if len(tables) > _MAX_NAMED else ""
    kind = f" (application id {application_id})" if application_id else ""
    some = "; some have names of burndown's, but not its columns" if TABLES & set(tables) else ""
    what = f"with the tables {named}{more}{some}" if tables else "without tables"
    return f"belongs to another program{kind}, {what}"


def _application_id(connection: Reader) -> int:
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def _recorded(connection: Reader) -> str | None:
    try:
        recorded = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):  # table or column
            raise
        return None
    return None if recorded is None else str(recorded[0])

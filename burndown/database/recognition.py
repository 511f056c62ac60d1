"""Whose a SQLite file is, and of which version, read without SQLAlchemy."""

import sqlite3

from burndown.repositories import DriverConnection
from burndown.schema.recognition import ALEMBIC_TABLE, VERSION_TABLE, Contents

__all__ = ["contents_of", "version_of"]

_COLUMNS = """
SELECT tables.name, columns.name FROM sqlite_master AS tables
JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'
"""


def version_of(connection: sqlite3.Connection | DriverConnection) -> str | None:
    """Return the version of our tables; ``None`` if there are none."""
    return _noted(connection) or contents_of(connection).version


def contents_of(connection: sqlite3.Connection | DriverConnection) -> Contents:
    """Return what tells whose the file is."""
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute(_COLUMNS):
        columns.setdefault(table, set()).add(column)
    alembic: list[str] = []
    if "version_num" in columns.get(ALEMBIC_TABLE, ()):
        found = connection.execute(f"SELECT version_num FROM {ALEMBIC_TABLE}")  # noqa: S608
        alembic = [str(version) for (version,) in found]
    return Contents(columns, _noted(connection), alembic)


def _noted(connection: sqlite3.Connection | DriverConnection) -> str | None:
    try:
        noted = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):  # table or column
            raise
        return None
    return None if noted is None else str(noted[0])

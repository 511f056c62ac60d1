"""Tables in a SQLite database, and the changes that make them those of a store."""

import sqlite3
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from typing_extensions import TypedDict

from burndown.tables.columns import Table
from burndown.tables.declared import TABLES

__all__ = [
    "APPLICATION_ID",
    "TableChanges",
    "create_tables",
    "insertion",
    "replace_rows",
    "stage_rows",
]

APPLICATION_ID = 0x6275_7274
"""``PRAGMA application_id`` of these files: "burt" in ASCII."""

_TYPES = {int: "INTEGER", bool: "INTEGER", float: "REAL"}
_BY_ROW = {table.row: table for table in TABLES}


class TableChanges(TypedDict):
    """The number of rows of a table, and of those that a run has added, changed and removed."""

    rows: int
    added: int
    changed: int
    removed: int


def create_tables(connection: sqlite3.Connection, schema: str) -> None:
    """Create the tables that are missing; one with other columns, of another release, is replaced.

    Args:
        connection: within a transaction.
        schema: ``main``, or ``temp`` for the staged rows.
    """
    for table in TABLES:
        wanted = [(each.name, _type_of(each.type)) for each in table.columns]
        info = f"SELECT name, type FROM pragma_table_info('{table.name}', '{schema}')"
        if connection.execute(info).fetchall() != wanted:
            columns = ", ".join(f"{name} {kind}" for name, kind in wanted)
            connection.execute(f"DROP TABLE IF EXISTS {schema}.{table.name}")
            connection.execute(
                f"CREATE TABLE {schema}.{table.name} "
                f"({columns}, PRIMARY KEY ({', '.join(table.key)})) WITHOUT ROWID"
            )


def stage_rows(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows to temporary tables, from which :func:`replace_rows` takes them.

    No transaction is open afterwards: readers and writers of the file wait for nothing.
    """
    create_tables(connection, "temp")
    for row_class, of_table in groupby(rows, key=type):
        table = _BY_ROW[row_class]
        connection.executemany(insertion(table, "temp"), map(table.encoded, of_table))


def insertion(table: Table, schema: str) -> str:
    """Return the statement that inserts a row."""
    marks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {schema}.{table.name} VALUES ({marks})"


def replace_rows(connection: sqlite3.Connection) -> dict[str, TableChanges]:
    """Write the staged rows that differ, and delete those that are not staged.

    Args:
        connection: within a transaction.

    Returns:
        The changes of each table.
    """
    return {table.name: _replaced(connection, table) for table in TABLES}


def _replaced(connection: sqlite3.Connection, table: Table) -> TableChanges:
    name, key = table.name, set(table.key)
    others = [each.name for each in table.columns if each.name not in key]
    same_key = " AND ".join(f"old.{each} = new.{each}" for each in table.key)
    differs = " OR ".join(f"old.{each} IS NOT new.{each}" for each in others)
    updates = ", ".join(f"{each} = new.{each}" for each in others)
    removed = connection.execute(
        f"DELETE FROM main.{name} AS old "
        f"WHERE NOT EXISTS (SELECT 1 FROM temp.{name} AS new WHERE {same_key})"
    ).rowcount
    changed = connection.execute(
        f"UPDATE main.{name} AS old SET {updates} FROM temp.{name} AS new "
        f"WHERE {same_key} AND ({differs})"
    ).rowcount
    added = connection.execute(
        f"INSERT INTO main.{name} SELECT * FROM temp.{name} AS new "
        f"WHERE NOT EXISTS (SELECT 1 FROM main.{name} AS old WHERE {same_key})"
    ).rowcount
    [rows] = connection.execute(f"SELECT count(*) FROM main.{name}").fetchone()
    return {"rows": rows, "added": added, "changed": changed, "removed": removed}


def _type_of(kind: type[Any]) -> str:
    return _TYPES.get(kind, "TEXT")

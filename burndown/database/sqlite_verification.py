"""Verification of all rows of a SQLite database by their digests, and of its schema."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, create_engine, exc
from sqlalchemy.pool import StaticPool

from burndown import models
from burndown.models import SCHEMA_VERSION
from burndown.models.digest_functions import add_digest_functions
from burndown.models.digests import DIGEST, content_column
from burndown.schema import VERSIONS, make_schema
from burndown.schema.digests import (
    SUMS,
    create_protection,
    digest_summand,
    drop_triggers,
    has_digests,
    protected_columns,
    sign_rows,
)
from burndown.schema.guard import create_guards, drop_guards
from burndown.schema.recognition import VERSION_TABLE
from burndown.sql import RowVerifier

__all__ = ["Execute", "VerifiedRows", "schema_problems", "sign_edited_rows", "verify_rows"]

_TRIGGER = "the trigger "

Execute = Callable[[str], Iterable[Any]]
"""Runs a statement on a connection."""


class VerifiedRows(NamedTuple):
    """A string for each row that is not as this package has written it, by its name."""

    damaged: list[str]
    edited: list[str]
    """Rows that another program has written, which is no damage, and tables with such rows."""


class _Sums(NamedTuple):
    row_count: int | None
    digest_sum: int | None


def verify_rows(execute: Execute) -> VerifiedRows:
    """Compare all rows with their digests, and their number and the sum with those stored.

    It needs memory for one row at a time.

    Args:
        execute: runs a statement on a connection to the database.
    """
    found = VerifiedRows([], [])
    version = _version(execute)
    if version is None:
        return found
    sums = _stored_sums(execute)
    if sums is None:
        found.damaged.append(f"the table {SUMS} is missing; `burndown check --accept` creates it")
    for table, columns in protected_columns(version).items():
        edited: list[str] = []
        try:
            is_now = _verify(execute, table, columns, found.damaged, edited)
        except (sqlite3.Error, exc.DBAPIError) as error:
            found.damaged.append(f"not all rows of {table} can be read: {_without_value(error)}")
            continue
        found.edited.extend(edited)
        was = is_now if sums is None else sums.get(table, _Sums(0, 0))
        if was == _Sums(None, None):
            found.edited.append(
                f"the rows of {table} are not counted, since another program has inserted some"
            )
        elif was != is_now:
            # `UPDATE OR REPLACE` of another program deletes rows without a trigger.
            place = found.edited if edited else found.damaged
            place.append(
                (
                    f"the rows of the table {table} are not those that were written last"
                    if was.row_count == is_now.row_count
                    else f"the table {table} has {is_now.row_count} rows instead of {was.row_count}"
                )
                + "; if another program replaced some, `burndown check --accept` sums them up anew"
            )
    return found


def sign_edited_rows(connection: Connection) -> int:
    """Sign the rows that another program has written; create the sums and triggers anew.

    Returns:
        The number of rows that had no digest.
    """
    for statement in drop_triggers(SCHEMA_VERSION):
        connection.execute(statement)
    statements = sign_rows(SCHEMA_VERSION, edited=True)
    count = sum(connection.execute(statement).rowcount for statement in statements)
    for statement in create_protection(SCHEMA_VERSION):
        connection.execute(statement)
    for guard in (*drop_guards("sqlite"), *create_guards("sqlite")):
        connection.exec_driver_sql(guard)
    return count


def schema_problems(execute: Execute) -> list[str]:
    """Return a string for each part of the current schema that is missing or different.

    Args:
        execute: runs a statement on a connection to a database of the current version.
    """
    found = dict(_schema(execute))
    return [
        f"{name} is {'not as it was created' if name in found else 'missing'}"
        + ("; `burndown check --accept` creates it anew" if name.startswith(_TRIGGER) else "")
        for name, definition in _expected_schema().items()
        if found.get(name) != definition
    ]


@cache
def _expected_schema() -> dict[str, object]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        raw: Any = connection.connection.driver_connection
        add_digest_functions(raw)
        make_schema(connection)
        expected = dict(_schema(connection.exec_driver_sql))
    engine.dispose()
    return expected


def _stored_sums(execute: Execute) -> dict[str, _Sums] | None:
    """Return the sums of each table, or ``None`` if another program has dropped them."""
    if not _has_table(execute, SUMS):
        return None
    return {row[0]: _Sums(*row[1:]) for row in execute(f"SELECT * FROM {SUMS}")}  # noqa: S608


def _has_table(execute: Execute, name: str) -> bool:
    return (name,) in map(tuple, execute("SELECT name FROM sqlite_master"))


def _version(execute: Execute) -> str | None:
    """Return the version of a database whose rows have digests, and else ``None``."""
    if not _has_table(execute, VERSION_TABLE):
        return None
    recorded = [row[0] for row in execute(f"SELECT version_num FROM {VERSION_TABLE}")]  # noqa: S608
    known = [version for version in recorded if version in VERSIONS and has_digests(version)]
    return known[0] if known else None


def _verify(
    execute: Execute, name: str, columns: list[str], damaged: list[str], edited: list[str]
) -> _Sums:
    """Add the names of damaged and edited rows of a table; return the sums of its rows."""
    table = models.METADATA.tables[name]
    content = content_column(table)
    selected = [*columns, DIGEST, *([content] if content else [])]
    verifier = RowVerifier(table, {each: at for at, each in enumerate(selected)}, columns)
    quoted = ", ".join(f'"{each}"' for each in selected)
    count = total = 0
    for row in execute(f"SELECT {quoted} FROM {name} NOT INDEXED"):  # noqa: S608
        count += 1
        total += digest_summand(row[len(columns)])
        if row[len(columns)] is None:
            edited.append(f"{verifier.name(row)} was edited by another program")
        elif not verifier.is_intact(row):
            damaged.append(f"{verifier.name(row)} is not as it was saved")
    return _Sums(count, total)


def _schema(execute: Execute) -> Iterator[tuple[str, object]]:
    """Yield the definition of each column, index, reference and trigger of our tables, by name."""
    for table in (*models.METADATA.tables, SUMS, VERSION_TABLE):
        for _, column, *definition in execute(f"PRAGMA table_xinfo({table})"):
            yield f"the column {column} of {table}", tuple(definition)
        for _, index, is_unique, origin, is_partial in execute(f"PRAGMA index_list({table})"):
            columns = [tuple(row)[2:] for row in execute(f'PRAGMA index_xinfo("{index}")')]
            yield f"the index {index}", (table, is_unique, origin, is_partial, columns)
        references = sorted(tuple(row)[1:] for row in execute(f"PRAGMA foreign_key_list({table})"))
        yield f"the references of {table}", references
    for name, sql in execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"):
        yield f"{_TRIGGER}{name}", sql


def _without_value(error: Exception) -> str:
    """Return the message of an error, without the value that SQLite quotes in it."""
    return str(getattr(error, "orig", error)).partition(" with text ")[0]

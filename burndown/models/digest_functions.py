"""SQL of the digests of rows, and the functions of SQLite that it calls."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from burndown import models
from burndown.models.digests import (
    CONTENT_DIGEST,
    DIGEST,
    content_column,
    content_digest,
    row_digest,
)

__all__ = ["add_digest_functions", "computed_digests", "digest_sql"]


def add_digest_functions(connection: sqlite3.Connection) -> None:
    """Add the functions that compute digests to a connection."""
    connection.create_function("burndown_digest", -1, _digest, deterministic=True)
    connection.create_function("burndown_content_digest", 1, _content_digest, deterministic=True)


def digest_sql(table: str, values: Mapping[str, str]) -> str:
    """Return SQL of the digest of a row.

    Args:
        table: the name of the table.
        values: SQL of the values that the digest covers, by column.
    """
    columns = sorted(values)
    arguments = ", ".join(values[name] for name in columns)
    return f"burndown_digest('{table}', '{' '.join(columns)}', {arguments})"


def computed_digests(table: str, columns: Sequence[str]) -> dict[str, str]:
    """Return SQL of the digests that a stored row should have, by the column of each.

    It is NULL for a row with a value that this package does not store there, such as a string in
    the place of a number: another program has written it.

    Args:
        table: the name of the table.
        columns: the columns that the digest of the row covers.
    """
    values = {name: f'"{name}"' for name in columns}
    content = content_column(models.METADATA.tables[table])
    if content is None:
        return {DIGEST: digest_sql(table, values)}
    of_content = {CONTENT_DIGEST: f"burndown_content_digest({content})"}
    digest = digest_sql(table, {**values, **of_content})
    return {**of_content, DIGEST: f"CASE WHEN typeof({content}) = 'blob' THEN {digest} END"}


def _digest(table: str, columns: str, *values: Any) -> int | None:
    try:
        return _row_digest(table, columns)(values)
    except (TypeError, ValueError):
        return None


@cache
def _row_digest(table: str, columns: str) -> Callable[[Sequence[Any]], int]:
    return row_digest(models.METADATA.tables[table], columns.split())


def _content_digest(content: Any) -> bytes | None:
    return content_digest(content) if isinstance(content, bytes) else None

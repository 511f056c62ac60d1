"""SQL of the digests of rows, and the functions of SQLite that it calls."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from burndown.models.digests import (
    CONTENT_DIGEST,
    DIGEST,
    content_column,
    content_digest,
    row_digest,
)
from burndown.models.entity import Entity

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
    return f"burndown_digest('{table}', {', '.join(values[name] for name in sorted(values))})"


def computed_digests(table: str, columns: Sequence[str]) -> dict[str, str]:
    """Return SQL of the digests that a stored row should have, by the column of each.

    Args:
        table: the name of the table.
        columns: the columns that the digest of the row covers.
    """
    content = content_column(Entity.metadata.tables[table])
    of_content = {CONTENT_DIGEST: f"burndown_content_digest({content})"} if content else {}
    values = {**{name: f'"{name}"' for name in columns}, **of_content}
    return {**of_content, DIGEST: digest_sql(table, values)}


def _digest(table: str, *values: Any) -> int:
    return _row_digest(table)(values)


@cache
def _row_digest(table: str) -> Callable[[Sequence[Any]], int]:
    return row_digest(Entity.metadata.tables[table])


def _content_digest(content: Any) -> bytes | None:
    return None if content is None else content_digest(content)

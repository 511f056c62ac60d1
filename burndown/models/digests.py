"""Digests of rows, by which a changed bit in a stored value is found.

A row of a SQLite database has a digest of its values as they are stored, and a large compressed
value has one of its own, which that of the row covers: a list that omits the value is verified as
well. They are columns of the tables only; entities, documents and exports do not have them.

``NULL`` is the digest of a row that another program has written, which is no damage. A row gets it
from a trigger (:mod:`burndown.schema.digests`), and never by a default: the default of the column
is what SQLite returns for a row whose header is damaged.

PostgreSQL has checksums of its own, and all digests are ``NULL`` there.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Float, LargeBinary, Table, null
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from burndown.errors import format_value
from burndown.models.json_columns import CompressedJson

__all__ = [
    "CONTENT_DIGEST",
    "DIGEST",
    "add_digests",
    "content_column",
    "content_digest",
    "covered_columns",
    "data_columns",
    "record_name",
    "row_digest",
]

DIGEST = "digest"
"""The column with the digest of the row, an integer, so that SQL can add digests."""
CONTENT_DIGEST = "content_digest"
"""The column with the digest of the compressed value, if the table has one."""

_LABEL = "label"
_SIZE = 8
"""Bytes of a digest: one in 10**19 damages has the digest of the intact row."""


class no_digest(GenericFunction[Any]):  # noqa: N801 - it is called as SQL functions are
    """The default of a digest, which no row has."""

    inherit_cache = True


@compiles(no_digest, "sqlite")
def _no_digest_on_sqlite(*_: Any, **__: Any) -> str:
    return "x''"


@compiles(no_digest, "postgresql")
def _no_digest_on_postgresql(*_: Any, **__: Any) -> str:
    return "NULL"


def add_digests(table: Table, label: str) -> None:
    """Add the columns to the table of an entity.

    Args:
        table: the table.
        label: the plural of its rows for people.
    """
    table.info[_LABEL] = label
    if content_column(table):
        table.append_column(Column(CONTENT_DIGEST, LargeBinary, server_default=no_digest()))
    # The ORM inserts `NULL`, and signs the row then.
    digest = Column(DIGEST, BigInteger, default=null(), server_default=no_digest())
    table.append_column(digest)


def data_columns(table: Table) -> list[Column[Any]]:
    """Return the columns of a table that entities have."""
    return [column for column in table.c if column.name not in (DIGEST, CONTENT_DIGEST)]


def content_column(table: Table) -> str | None:
    """Return the name of the column with a compressed value, or ``None``."""
    return next(
        (column.name for column in table.c if isinstance(column.type, CompressedJson)), None
    )


def covered_columns(table: Table) -> list[str]:
    """Return the names of the columns that the digest of a row covers, in this order.

    By name, since the columns of an upgraded table have another order than those of a new one.
    """
    return sorted({column.name for column in table.c} - {DIGEST, content_column(table)})


def row_digest(table: Table, columns: Sequence[str]) -> Callable[[Sequence[Any]], int]:
    """Return the function that returns the digest of a row of a table.

    It takes the values of the columns as SQLite binds or returns them, and raises a ``TypeError``
    or ``ValueError`` for what cannot be stored there.

    Args:
        table: the table.
        columns: the columns that the digest covers: :func:`covered_columns`, or those of an earlier
            version of the table.
    """
    # Copied for each row, which takes 0.1 us less than making one with its parameters.
    begun = hashlib.blake2b(table.name.encode(), digest_size=_SIZE, usedforsecurity=False)
    dumps = orjson.dumps
    numbers = [at for at, name in enumerate(columns) if isinstance(table.c[name].type, Float)]

    def digest(values: Sequence[Any]) -> int:
        if numbers:
            values = [*values]
            for at in numbers:  # an integer is stored as a float, which JSON can write in many ways
                if values[at] is not None:
                    values[at] = float(values[at]).hex()
        found = begun.copy()
        found.update(dumps(values, bytes.hex))
        return int.from_bytes(found.digest(), "big", signed=True)

    return digest


def content_digest(content: bytes) -> bytes:
    """Return the digest of a compressed value."""
    return hashlib.blake2b(content, digest_size=_SIZE, usedforsecurity=False).digest()


def record_name(table: Table, key: Mapping[str, Any]) -> str:
    """Return the name of a row, such as ``cached response 'k' of query '12w' in profile 'kafka'``.

    Args:
        table: the table of an entity.
        key: the values of the primary key, as far as they are known.
    """
    label: str = table.info[_LABEL]
    kind = f"{label[:-3]}y" if label.endswith("ies") else label.removesuffix("s")
    owners = {"query_id": " of query", "profile_id": " in profile"}
    own = ", ".join(format_value(key[name]) for name in key if name not in owners)
    return f"{kind} {own}".rstrip() + "".join(
        f"{words} {format_value(key[name])}" for name, words in owners.items() if name in key
    )

"""The SQL that keeps the digests of a SQLite database true to its rows, by any program.

:mod:`burndown.models.digests` describes the digests. This package signs what it writes; for other
programs, such as the ``sqlite3`` shell, there are triggers in plain SQL:

- A row that is inserted without a digest, or changed without a new one, has ``NULL`` from then on:
  it was edited elsewhere, which is no damage.
- :data:`SUMS` has the number of rows of each table and the sum of their digests, so that rows are
  noticed that vanish, or that the disk has reverted to what they were before. Both are ``NULL``
  after a program has inserted a row: ``INSERT OR REPLACE`` deletes rows without a trigger.

A change of the schema removes the triggers first. At its end it creates them again, and signs all
rows that had a digest.
"""

from collections.abc import Iterator

from sqlalchemy import TextClause, text

from burndown import models
from burndown.models.digest_functions import computed_digests
from burndown.models.digests import CONTENT_DIGEST, DIGEST, content_column
from burndown.models.version import VERSIONS
from burndown.schema.recognition import columns_of

__all__ = [
    "SUMS",
    "create_protection",
    "digest_summand",
    "drop_triggers",
    "forget_digests",
    "has_digests",
    "protected_columns",
    "sign_rows",
    "sum_rows",
    "triggers",
]

FIRST_VERSION = "1.7"
"""The first version with digests."""

SUMS = "burndown_digest_sums"
"""The table with the number of rows of each table, and the sum of their digests."""

_SUMMAND = 2**32 - 1
"""The bits of a digest that are added: the sum for 2**31 rows is an integer of SQLite."""


def digest_summand(digest: object) -> int:
    """Return what a digest, as it is stored, adds to the sum of its table."""
    return digest & _SUMMAND if isinstance(digest, int) else 0


def _summand(digest: str) -> str:
    """Return the SQL of :func:`digest_summand`, for SQL of the digest."""
    return f"coalesce({digest} & {_SUMMAND}, 0)"


_OLD, _NEW = _summand(f"old.{DIGEST}"), _summand(f"new.{DIGEST}")


def has_digests(version: str, dialect: str = "sqlite") -> bool:
    """Return whether the rows of a database of this version have digests."""
    order = list(VERSIONS)
    return dialect == "sqlite" and order.index(version) >= order.index(FIRST_VERSION)


def protected_columns(version: str) -> dict[str, list[str]]:
    """Return the columns that the digest of a row covers in a version, by table."""
    content = {name: content_column(table) for name, table in models.METADATA.tables.items()}
    return {
        table: sorted(columns - {DIGEST, content.get(table)})
        for table, columns in columns_of(version).items()
    }


def triggers(version: str) -> dict[str, str]:
    """Return the statement that creates each trigger of a version, by name."""
    created = {}
    for table, columns in protected_columns(version).items():
        content = content_column(models.METADATA.tables[table])
        values = [name for name in columns if name != CONTENT_DIGEST]
        new, old = (
            ", ".join(f'{row}."{name}"' for name in [*values, *([content] if content else [])])
            for row in ("new", "old")
        )
        of_row, of_table = "WHERE rowid = new.rowid", f"WHERE table_name = '{table}'"
        unsign = f"UPDATE {table} SET {DIGEST} = NULL {of_row}"  # noqa: S608
        forget = f"UPDATE {SUMS} SET row_count = NULL, digest_sum = NULL {of_table}"  # noqa: S608
        events = {
            "sum_inserted": ("INSERT", "", f"{_added('1', _NEW)} {of_table}"),
            "sum_deleted": ("DELETE", "", f"{_added('-1', f'-{_OLD}')} {of_table}"),
            "sum_changed": (
                "UPDATE",
                f" WHEN new.{DIGEST} IS NOT old.{DIGEST}",
                f"{_added('0', f'{_NEW} - {_OLD}')} {of_table}",
            ),
            "note_inserted": ("INSERT", f" WHEN new.{DIGEST} = x''", f"{unsign}; {forget}"),
            "note_edited": (
                "UPDATE",
                f" WHEN new.{DIGEST} = nullif(old.{DIGEST}, x'') AND ({new}) IS NOT ({old})",
                unsign,
            ),
        }
        for name, (event, condition, statement) in events.items():
            created[f"{name}_{table}"] = (
                f"CREATE TRIGGER {name}_{table} AFTER {event} ON {table}{condition} "
                f"BEGIN {statement}; END"
            )
    return created


def _added(rows: str, digests: str) -> str:
    """Return the SQL that adds to the sums of a table."""
    return (
        f"UPDATE {SUMS} SET row_count = row_count + {rows}, "  # noqa: S608
        f"digest_sum = digest_sum + {digests}"
    )


def drop_triggers(version: str) -> Iterator[TextClause]:
    """Yield the statements that remove the triggers, unless others have."""
    for name in triggers(version):
        yield text(f"DROP TRIGGER IF EXISTS {name}")


def create_protection(version: str) -> Iterator[TextClause]:
    """Yield the statements that sum up the rows and create the triggers."""
    yield text(
        f"CREATE TABLE IF NOT EXISTS {SUMS} (table_name TEXT NOT NULL PRIMARY KEY, "
        "row_count INTEGER, digest_sum INTEGER) WITHOUT ROWID"
    )
    yield from sum_rows(version)
    for created in triggers(version).values():
        yield text(created)


def sum_rows(version: str) -> Iterator[TextClause]:
    """Yield the statements that sum up the rows of each table anew."""
    yield text(f"DELETE FROM {SUMS}")  # noqa: S608
    for table in protected_columns(version):
        sums = f"'{table}', count(*), coalesce(sum({_summand(DIGEST)}), 0)"
        yield text(f"INSERT INTO {SUMS} SELECT {sums} FROM {table}")  # noqa: S608


def sign_rows(version: str, *, edited: bool = False) -> Iterator[TextClause]:
    """Yield the statements that give the rows of each table their digests.

    Args:
        version: the version of the tables.
        edited: whether to sign the rows that have been edited elsewhere, in place of all others.
    """
    for table, columns in protected_columns(version).items():
        digests = computed_digests(table, columns)
        assigned = ", ".join(f"{name} = {digest}" for name, digest in digests.items())
        # Most upgrades change few rows: to write all 10 GB of a store takes the same space again in
        # its log, and three times as long as to compare them.
        differs = " OR ".join(f"{name} IS NOT {digest}" for name, digest in digests.items())
        chosen = f"{DIGEST} IS NULL" if edited else f"{DIGEST} IS NOT NULL AND ({differs})"
        yield text(f"UPDATE {table} SET {assigned} WHERE {chosen}")  # noqa: S608


def forget_digests(version: str) -> Iterator[TextClause]:
    """Yield the statements that mark all rows as edited elsewhere."""
    for table in protected_columns(version):
        yield text(f"UPDATE {table} SET {DIGEST} = NULL")  # noqa: S608

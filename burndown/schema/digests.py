"""The SQL that keeps the digests of a SQLite database true to its rows, by any program.

:mod:`burndown.models.digests` describes the digests. This package signs what it writes; for other
programs, such as the ``sqlite3`` shell, there are triggers in plain SQL:

- A row that is inserted without a digest, or changed without a new one, has ``NULL`` from then on:
  it was edited elsewhere, which is no damage.
- :data:`COUNTS` has the number of rows of each table, so that rows that vanish are noticed. It has
  none of a table into which another program inserts rows: ``INSERT OR REPLACE`` deletes others
  without a trigger.

A combined digest of each table would notice more, such as pages that the disk has reverted; with
it, each small write would change one more page, which takes a quarter of its time.

A change of the schema removes the triggers first. At its end it creates them again, and signs all
rows that had a digest.
"""

from collections.abc import Iterator

from sqlalchemy import TextClause, text

from burndown.models import Entity
from burndown.models.digest_functions import computed_digests
from burndown.models.digests import CONTENT_DIGEST, DIGEST, content_column
from burndown.models.version import VERSIONS
from burndown.schema.recognition import columns_of

__all__ = [
    "COUNTS",
    "count_rows",
    "create_protection",
    "drop_triggers",
    "forget_digests",
    "has_digests",
    "protected_columns",
    "sign_rows",
    "triggers",
]

FIRST_VERSION = "1.7"
"""The first version with digests."""

COUNTS = "burndown_row_counts"
"""The table with the number of rows of each table."""


def has_digests(version: str, dialect: str = "sqlite") -> bool:
    """Return whether the rows of a database of this version have digests."""
    order = list(VERSIONS)
    return dialect == "sqlite" and order.index(version) >= order.index(FIRST_VERSION)


def protected_columns(version: str) -> dict[str, list[str]]:
    """Return the columns that the digest of a row covers in a version, by table."""
    content = {name: content_column(table) for name, table in Entity.metadata.tables.items()}
    return {
        table: sorted(columns - {DIGEST, content.get(table)})
        for table, columns in columns_of(version).items()
    }


def triggers(version: str) -> dict[str, str]:
    """Return the statement that creates each trigger of a version, by name."""
    created = {}
    for table, columns in protected_columns(version).items():
        content = content_column(Entity.metadata.tables[table])
        values = [name for name in columns if name != CONTENT_DIGEST]
        new, old = (
            ", ".join(f'{row}."{name}"' for name in [*values, *([content] if content else [])])
            for row in ("new", "old")
        )
        unsign = f"UPDATE {table} SET {DIGEST} = NULL WHERE rowid = new.rowid"  # noqa: S608
        row_count = f"UPDATE {COUNTS} SET row_count = row_count"  # noqa: S608
        of_table = f"WHERE table_name = '{table}'"
        events = {
            "count_inserted": ("INSERT", "", f"{row_count} + 1 {of_table}"),
            "count_deleted": ("DELETE", "", f"{row_count} - 1 {of_table}"),
            "note_inserted": (
                "INSERT",
                f" WHEN new.{DIGEST} = x''",
                f"{unsign}; DELETE FROM {COUNTS} {of_table}",  # noqa: S608
            ),
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


def drop_triggers(version: str) -> Iterator[TextClause]:
    """Yield the statements that remove the triggers, unless others have."""
    for name in triggers(version):
        yield text(f"DROP TRIGGER IF EXISTS {name}")


def create_protection(version: str) -> Iterator[TextClause]:
    """Yield the statements that count the rows and create the triggers."""
    yield text(
        f"CREATE TABLE IF NOT EXISTS {COUNTS} "
        "(table_name TEXT NOT NULL PRIMARY KEY, row_count INTEGER NOT NULL) WITHOUT ROWID"
    )
    yield from count_rows(version)
    for created in triggers(version).values():
        yield text(created)


def count_rows(version: str) -> Iterator[TextClause]:
    """Yield the statements that count the rows of each table anew."""
    yield text(f"DELETE FROM {COUNTS}")  # noqa: S608
    for table in protected_columns(version):
        yield text(f"INSERT INTO {COUNTS} SELECT '{table}', count(*) FROM {table}")  # noqa: S608


def sign_rows(version: str, condition: str = f"{DIGEST} IS NOT NULL") -> Iterator[TextClause]:
    """Yield the statements that give the rows of each table their digests.

    Args:
        version: the version of the tables.
        condition: SQL that chooses the rows; by default all that have not been edited elsewhere.
    """
    for table, columns in protected_columns(version).items():
        digests = computed_digests(table, columns)
        assigned = ", ".join(f"{name} = {digest}" for name, digest in digests.items())
        yield text(f"UPDATE {table} SET {assigned} WHERE {condition}")  # noqa: S608


def forget_digests(version: str) -> Iterator[TextClause]:
    """Yield the statements that mark all rows as edited elsewhere."""
    for table in protected_columns(version):
        yield text(f"UPDATE {table} SET {DIGEST} = NULL")  # noqa: S608

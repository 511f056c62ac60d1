"""Checks of the data in a PostgreSQL database."""

from typing import Any

from sqlalchemy import Connection, Table, bindparam, func, select, text

from burndown.models import METADATA

__all__ = ["checksum_notes", "integrity_problems"]

_OURS: Any = bindparam("tables", expanding=True)
_NOT_VALIDATED = text("""
SELECT conrelid::regclass::text, conname FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
WHERE relname IN :tables AND pg_table_is_visible(conrelid) AND NOT convalidated
""").bindparams(_OURS)
_INVALID_INDEXES = text("""
SELECT indexrelid::regclass::text FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid
WHERE relname IN :tables AND pg_table_is_visible(indrelid) AND NOT indisvalid
""").bindparams(_OURS)


def checksum_notes(connection: Connection) -> list[str]:
    """Return a string if the server would not notice a damaged page."""
    if connection.execute(text("SHOW data_checksums")).scalar_one() == "on":
        return []
    return [
        "the server has no checksums of its pages, and does not notice all damage; to add them, "
        "stop it and run `pg_checksums --enable`"
    ]


def integrity_problems(connection: Connection) -> list[str]:
    """Return a string for each problem of constraints, indexes and references."""
    tables = METADATA.sorted_tables
    ours = {"tables": [table.name for table in tables]}
    problems = [
        f"constraint {name} of {table} has not been validated"
        for table, name in connection.execute(_NOT_VALIDATED, ours)
    ]
    problems += [
        f"index {name} is not valid" for (name,) in connection.execute(_INVALID_INDEXES, ours)
    ]
    for table in tables:
        problems += _orphans(connection, table)
    return problems


def _orphans(connection: Connection, table: Table) -> list[str]:
    """Return a string for each table with rows that lack their owner; a superuser can cause it."""
    problems = []
    for foreign in table.foreign_key_constraints:
        parent = foreign.referred_table
        joined = [key.column == key.parent for key in foreign.elements]
        lost: Any = ~select(1).select_from(parent).where(*joined).exists()
        count = connection.execute(select(func.count()).select_from(table).where(lost)).scalar_one()
        if count:
            problems.append(
                f"{count} rows of {table.name} belong to rows of {parent.name} that do not exist"
            )
    return problems

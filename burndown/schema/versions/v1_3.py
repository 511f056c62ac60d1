"""Profiles and queries: the revision."""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

from burndown.models.json_columns import JsonText
from burndown.schema.operations import add_column, free_key

revision = "1.3"
down_revision = "1.2"

_COLUMN = "revision"
_LARGEST = 2**53 - 1
_TABLES = [
    sa.table("profiles", *map(sa.column, ("id", _COLUMN)), sa.column("extra", JsonText())),
    sa.table(
        "queries", *map(sa.column, ("profile_id", "id", _COLUMN)), sa.column("extra", JsonText())
    ),
]


def upgrade() -> None:
    for table in _TABLES:
        add_column(
            table.name, sa.Column(_COLUMN, sa.BigInteger(), server_default="1", nullable=False)
        )
        if not context.is_offline_mode():
            _move_to_column(op.get_bind(), table)


def downgrade() -> None:
    for table in _TABLES:
        if not context.is_offline_mode():
            _move_to_extra(op.get_bind(), table)
        op.drop_column(table.name, _COLUMN)


def _move_to_column(connection: sa.Connection, table: sa.TableClause) -> None:
    """Fill the new column with the numbers that were kept among the unknown keys."""
    is_known = sa.type_coerce(table.c.extra, sa.Text).like(f'%"{_COLUMN}"%')
    for row in connection.execute(sa.select(*table.c).where(is_known)).mappings().all():
        extra = row["extra"]
        if _COLUMN not in extra:  # it is in a value
            continue
        values, written = {"extra": extra}, extra.pop(_COLUMN)
        if type(written) is int and 1 <= written <= _LARGEST:
            values[_COLUMN] = written
        else:
            extra[free_key(extra, f"legacy_{_COLUMN}")] = written
        _update(connection, table, row, values)


def _move_to_extra(connection: sa.Connection, table: sa.TableClause) -> None:
    is_changed = table.c[_COLUMN] != 1
    for row in connection.execute(sa.select(*table.c).where(is_changed)).mappings().all():
        extra = {**row["extra"], _COLUMN: row[_COLUMN]}
        _update(connection, table, row, {"extra": extra})


def _update(
    connection: sa.Connection, table: sa.TableClause, row: Any, values: dict[str, Any]
) -> None:
    key = [column for column in table.c if column.name in ("profile_id", "id")]
    of_row = [column == row[column.name] for column in key]
    connection.execute(sa.update(table).where(*of_row).values(values))

"""Operations of Alembic that the scripts of the versions share."""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

__all__ = ["add_column"]


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column; rename an existing one of the same name, which others added."""
    if not context.is_offline_mode():
        taken = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
        if column.name in taken:  # a column that was added manually, and may hold data
            op.execute(f'ALTER TABLE {table} RENAME COLUMN {column.name} TO "{column.name} (own)"')
    op.add_column(table, column)

"""Operations of Alembic that the scripts of the versions share."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from alembic import context, op

__all__ = ["add_column", "free_key"]


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column; rename an existing one of the same name, which others added."""
    if not context.is_offline_mode():
        taken = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
        if column.name in taken:  # a column that was added manually, and may hold data
            op.execute(f'ALTER TABLE {table} RENAME COLUMN {column.name} TO "{column.name} (own)"')
    op.add_column(table, column)


def free_key(taken: Collection[str], key: str) -> str:
    """Return the key, with a number at its end if it is taken."""
    number, free = 2, key
    while free in taken:
        free, number = f"{key}_{number}", number + 1
    return free

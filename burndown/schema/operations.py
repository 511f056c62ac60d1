"""Operations of Alembic that the scripts of the versions share."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import context, op

__all__ = ["add_column", "free_key", "iterate_keys"]

_PAGE = 1000
"""Keys that :func:`iterate_keys` reads in one statement."""


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


def iterate_keys(key: Sequence[sa.ColumnElement[Any]]) -> Iterator[Sequence[Any]]:
    """Yield the primary key of each row; a store can have a million of them.

    Args:
        key: the columns of the primary key, which do not change meanwhile.
    """
    page = sa.select(*key).order_by(*key).limit(_PAGE)
    found = op.get_bind().execute(page).all()
    while found:
        yield from found
        last = sa.tuple_(*map(sa.literal, found[-1]))
        found = op.get_bind().execute(page.where(sa.tuple_(*key) > last)).all()

"""Deleting rows, of every entity in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import bindparam, delete

from burndown import models
from burndown.models.field_types import is_line
from burndown.sql import ERASES, Executor, Statement, key_conditions, one_of, within

__all__ = ["delete_keys", "delete_rows"]


def delete_keys(
    executor: Executor, entity: type[models.Entity], keys: Iterable[tuple[str, ...]]
) -> int:
    """Delete the rows with these primary keys, and everything that belongs to them.

    Returns:
        The number of rows of the entity that there were.
    """
    statement = _deletion_by_key(entity)
    names = entity.__table__.primary_key.columns.keys()
    deleted = sum(statement.delete(executor, **dict(zip(names, key, strict=True))) for key in keys)
    if deleted and entity is models.Profile:  # its token
        executor.notes[ERASES] = True
    return deleted


def delete_rows(
    executor: Executor,
    entity: type[models.QueryData],
    profile_id: str,
    query_id: str | None,
    one_of: Mapping[str, Iterable[str]] = MappingProxyType({}),
    between: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> int:
    """Delete the rows of a profile that meet all conditions; return the number of deleted rows.

    Args:
        executor: the connection to write on.
        entity: the entity that the rows are of.
        profile_id: the profile.
        query_id: the query; ``None`` for all of the profile.
        one_of: by column, strings of which a row has one.
        between: by column, the smallest and the largest string that a row has.
    """
    parameters: dict[str, Any] = {"profile_id": profile_id}
    if query_id is not None:
        parameters["query_id"] = query_id
    statement = _deletion(entity, frozenset(parameters), frozenset(one_of), frozenset(between))
    for column, strings in one_of.items():
        parameters[_given(column)] = list(filter(is_line, set(strings)))
    for column, bounds in between.items():
        parameters.update(zip(_bounds(column), bounds, strict=True))
    # What Jira can return again has no secrets.
    is_overwritten = entity.IRREPLACEABLE
    with nullcontext() if is_overwritten else executor.without_secure_delete():
        return statement.delete(executor, **parameters)


@cache
def _deletion_by_key(entity: type[models.Entity]) -> Statement:
    table = entity.__table__
    return Statement(delete(table).where(*key_conditions(table)))


@cache
def _deletion(
    entity: type[models.QueryData],
    owners: frozenset[str],
    listed: frozenset[str],
    bounded: frozenset[str],
) -> Statement:
    """Return the DELETE of the rows of the same owners, with conditions for these columns."""
    columns = entity.__table__.c
    return Statement(
        delete(entity.__table__).where(
            *(columns[name] == bindparam(name) for name in sorted(owners)),
            *(one_of(columns[name], _given(name)) for name in sorted(listed)),
            *(
                condition
                for name in sorted(bounded)
                for condition in within(columns[name], *_bounds(name))
            ),
        )
    )


def _given(column: str) -> str:
    return f"{column}_strings"


def _bounds(column: str) -> tuple[str, str]:
    return f"first_{column}", f"last_{column}"

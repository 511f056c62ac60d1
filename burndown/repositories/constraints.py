"""Explanations of rows that break a constraint of the database."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import bindparam, select

from burndown import models
from burndown.errors import ProfileNotFoundError, QueryNotFoundError
from burndown.sql import Executor, Statement

__all__ = ["raise_constraint_error"]


def raise_constraint_error(
    executor: Executor, entity: type[models.Entity], row: dict[str, Any]
) -> None:
    """Raise the error that names the constraint which a row broke, if it is one of the schema.

    Raises:
        ProfileNotFoundError: the row belongs to a profile that does not exist.
        QueryNotFoundError: it belongs to a query that does not exist.
        ValidationError: another row has its name.
    """
    if "profile_id" in row and not _profile().values(executor, **row):
        raise ProfileNotFoundError(row["profile_id"]) from None
    if issubclass(entity, models.QueryData) and not _query().values(executor, **row):
        raise QueryNotFoundError(row["profile_id"], row["query_id"]) from None
    if issubclass(entity, models.NamedEntity):
        for holder in _holders(entity).values(executor, **row):
            if holder != row["id"]:
                raise models.named_entity.name_taken(entity, row, holder) from None


@cache
def _profile() -> Statement:
    """Return the SELECT of the profile that a row belongs to."""
    columns = models.Profile.__table__.c
    return Statement(select(columns.id).where(columns.id == bindparam("profile_id")))


@cache
def _query() -> Statement:
    """Return the SELECT of the query that a row belongs to."""
    columns = models.Query.__table__.c
    is_query = columns.profile_id == bindparam("profile_id"), columns.id == bindparam("query_id")
    return Statement(select(columns.id).where(*is_query))


@cache
def _holders(entity: type[models.NamedEntity]) -> Statement:
    """Return the SELECT of the ids with a name, within the profile that the entity belongs to."""
    columns = entity.__table__.c
    scope = [columns.name == bindparam("name")]
    if "profile_id" in columns:
        scope.append(columns.profile_id == bindparam("profile_id"))
    return Statement(select(columns.id).where(*scope))

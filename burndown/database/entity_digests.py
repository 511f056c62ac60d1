"""Digests of the rows that the ORM reads and writes: statements of its own do not know them."""

from functools import cache
from typing import Any

from sqlalchemy import TextClause, event, select, text, type_coerce
from sqlalchemy.orm import QueryContext
from sqlalchemy.types import NullType
from sqlmodel import Session

from burndown.models import Entity
from burndown.models.digest_functions import computed_digests
from burndown.models.digests import DIGEST, covered_columns, data_columns
from burndown.sql import Executor, Statement, key_conditions

__all__ = ["sign_entity"]


def sign_entity(session: Session, entity: Entity) -> None:
    """Sign the row of an entity that a session has just inserted or changed."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().execute(_signature(type(entity)), _key(entity))


@event.listens_for(Entity, "load", propagate=True)
def _verify_loaded(entity: Entity, context: QueryContext | None) -> None:
    if context is not None:  # `None` for a new entity that is merged
        _verify(entity, context)


@event.listens_for(Entity, "refresh", propagate=True)
def _verify_refreshed(entity: Entity, context: QueryContext, _: Any) -> None:
    _verify(entity, context)


def _verify(entity: Entity, context: QueryContext) -> None:
    """Read the row of an entity once more, as it is stored.

    Raises:
        DatabaseCorruptionError: the row is not as it was saved.
    """
    dialect = context.session.get_bind().dialect
    if dialect.name == "sqlite":
        # Not `Executor.of`, which would flush the session in the middle of a query.
        connection = context.session.connection().connection
        _stored(type(entity)).first(Executor(dialect, connection.cursor), **_key(entity))


def _key(entity: Entity) -> dict[str, Any]:
    return {column.name: getattr(entity, column.name) for column in entity.__table__.primary_key}


@cache
def _stored(entity: type[Entity]) -> Statement:
    table = entity.__table__
    columns: list[Any] = [
        type_coerce(each, NullType()).label(each.name) for each in data_columns(table)
    ]
    return Statement(select(*columns).where(*key_conditions(table)))


@cache
def _signature(entity: type[Entity]) -> TextClause:
    table = entity.__table__
    digests = computed_digests(table.name, covered_columns(table))
    assigned = ", ".join(f"{name} = {digest}" for name, digest in digests.items())
    # A trigger has removed the digest of a row that was changed.
    is_row = " AND ".join(f'"{each.name}" = :{each.name}' for each in table.primary_key)
    return text(f"UPDATE {table.name} SET {assigned} WHERE {is_row} AND {DIGEST} IS NULL")  # noqa: S608

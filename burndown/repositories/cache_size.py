"""The size of all cached responses and changelogs together, and its limit."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    delete,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.types import NullType

from burndown.models import EXPIRING_ENTITIES, QueryData
from burndown.models.columns import UtcTimestamp
from burndown.models.query_data import QUERY_IDS
from burndown.models.timestamps import EARLIEST
from burndown.repositories.base import is_valid
from burndown.sql import Executor, Statement

__all__ = ["delete_above"]

_RANK = ("valid", "since", "entity", *QUERY_IDS, "key")
"""The order in which rows are deleted, unique for each row of all entities."""


class _Statements(NamedTuple):
    size: Statement
    """Selects the bytes of all rows: without ordering them, in half the time of the next one."""
    cut: Statement
    """Selects the rank of the last row to delete."""
    deletions: tuple[Statement, ...]
    """Delete the rows of each entity up to this rank."""


def delete_above(
    executor: Executor, max_bytes: int, now: datetime, profile_id: str | None = None
) -> int:
    """Delete the least useful rows until the others have at most ``max_bytes``.

    Args:
        executor: the connection to write on.
        max_bytes: the bytes to keep, as they are stored.
        now: the time at which rows have expired.
        profile_id: the profile whose rows count; ``None`` for all rows.

    Returns:
        The number of deleted rows.
    """
    owner = {} if profile_id is None else {"profile_id": profile_id}
    statements = _statements(is_of_profile=profile_id is not None)
    [size] = statements.size.values(executor, **owner)
    if size <= max_bytes:
        return 0
    [cut] = statements.cut.documents(executor, max_bytes=max_bytes, now=now, **owner)
    last = {f"last_{name}": value for name, value in cut.items()}
    with executor.without_secure_delete():
        return sum(each.delete(executor, now=now, **last, **owner) for each in statements.deletions)


@cache
def _statements(*, is_of_profile: bool) -> _Statements:
    def selected(entity: type[QueryData]) -> list[ColumnElement[bool]]:
        column = entity.__table__.c.profile_id
        return [column == bindparam("profile_id")] if is_of_profile else []

    sizes = union_all(
        *(select(_size(entity)).where(*selected(entity)) for entity in EXPIRING_ENTITIES)
    ).subquery("sizes")
    ranked = union_all(
        *(_ranked(entity).where(*selected(entity)) for entity in EXPIRING_ENTITIES)
    ).subquery("ranked")
    last_first = [ranked.c[name].desc() for name in _RANK]
    # The bytes of a row and of all that are deleted after it.
    kept = func.sum(ranked.c.size).over(order_by=last_first).label("kept")
    running = select(ranked, kept).subquery("running")
    cut = (
        select(*(running.c[name] for name in _RANK))
        .where(running.c.kept > bindparam("max_bytes"))
        .order_by(*(running.c[name].desc() for name in _RANK))
        .limit(1)
    )
    last = tuple_(*(bindparam(f"last_{name}", type_=NullType()) for name in _RANK))
    return _Statements(
        Statement(select(func.coalesce(func.sum(sizes.c.size), 0).label("size"))),
        Statement(cut),
        tuple(
            Statement(
                delete(entity.__table__).where(tuple_(*_rank(entity)) <= last, *selected(entity))
            )
            for entity in EXPIRING_ENTITIES
        ),
    )


def _ranked(entity: type[QueryData]) -> Select[Any]:
    """Return a SELECT of the rank and the size of each row, which reads no content."""
    named = (each.label(name) for name, each in zip(_RANK, _rank(entity), strict=True))
    return select(*named, _size(entity))


def _size(entity: type[QueryData]) -> ColumnElement[int]:
    return func.length(entity.__table__.c[entity.CONTENT_FIELD]).label("size")


def _rank(entity: type[QueryData]) -> Sequence[ColumnElement[Any]]:
    columns = entity.__table__.c
    valid = is_valid(entity)
    saved = func.coalesce(columns.created_at, literal(EARLIEST, UtcTimestamp()))
    since = case((valid, saved), else_=columns.expires_at)
    [key] = (each for each in entity.__table__.primary_key if each.name not in QUERY_IDS)
    # Compared as it is stored, also if another program has stored it in another form.
    return (
        valid,
        type_coerce(since, NullType()),
        literal_column(str(EXPIRING_ENTITIES.index(entity))),
        columns.profile_id,
        columns.query_id,
        key,
    )

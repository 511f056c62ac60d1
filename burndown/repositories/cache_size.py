"""The size of all cached responses and changelogs together, and its limit.

What is deleted is determined by reads, for which no writer waits: in a store of 10 GB they take
seconds. It is deleted up to a rank, query by query. What others save meanwhile has a higher rank,
and stays.
"""

import time
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

from burndown import models
from burndown.models import Document, QueryData
from burndown.models.columns import UtcTimestamp
from burndown.models.documents import QUERY_IDS
from burndown.models.timestamps import EARLIEST
from burndown.repositories.base import is_valid, query_conditions
from burndown.sql import Executor, Statement

__all__ = ["cached_bytes", "delete_up_to", "list_query_ids", "rank_above"]

_RANK = ("valid", "since", "entity", *QUERY_IDS, "key")
"""The order in which rows are deleted, unique for each row of all entities."""


class _Statements(NamedTuple):
    size: Statement
    """Selects the bytes of all rows: without ordering them, in half the time of the next one."""
    cut: Statement
    """Selects the rank of the last row to delete."""


def cached_bytes(executor: Executor, profile_id: str | None) -> int:
    """Return the bytes of all rows, or of those of a profile, as they are stored."""
    owner = _owner(profile_id)
    [size] = _statements(is_of_profile=bool(owner)).size.values(executor, **owner)
    return int(size)


def rank_above(
    executor: Executor, max_bytes: int, now: datetime, profile_id: str | None
) -> Document | None:
    """Return the rank up to which rows have to be deleted, so that others have at most these bytes.

    Args:
        executor: the connection to read on.
        max_bytes: the bytes to keep, as they are stored.
        now: the time at which rows have expired.
        profile_id: the profile whose rows count; ``None`` for all rows.

    Returns:
        The rank; ``None`` if all rows have at most these bytes.
    """
    owner = _owner(profile_id)
    cut = _statements(is_of_profile=bool(owner)).cut
    return cut.first(executor, max_bytes=max_bytes, now=now, **owner)


def list_query_ids(executor: Executor, profile_id: str | None) -> list[Document]:
    """Return ``profile_id`` and ``query_id`` of all queries, or of those of a profile."""
    owner = _owner(profile_id)
    return _query_ids(is_of_profile=bool(owner)).documents(executor, **owner)


def delete_up_to(
    executor: Executor,
    queries: Sequence[Document],
    seconds: float,
    *,
    rank: Document,
    now: datetime,
) -> tuple[int, Sequence[Document]]:
    """Delete the rows of queries up to a rank.

    Args:
        executor: the connection to write on.
        queries: as :func:`list_query_ids` returns them.
        seconds: the time after which no more statements are run.
        rank: as :func:`rank_above` returns it.
        now: the time that was given to it.

    Returns:
        The number of deleted rows, and the queries of which rows may be left.
    """
    end_at = time.monotonic() + seconds
    deleted = 0
    last = {f"last_{name}": value for name, value in rank.items()}
    with executor.without_secure_delete():
        for at, ids in enumerate(queries, 1):
            deleted += sum(each.delete(executor, now=now, **last, **ids) for each in _deletions())
            if time.monotonic() >= end_at:
                return deleted, queries[at:]
    return deleted, ()


def _owner(profile_id: str | None) -> dict[str, str]:
    return {} if profile_id is None else {"profile_id": profile_id}


@cache
def _query_ids(*, is_of_profile: bool) -> Statement:
    columns = models.Query.__table__.c
    ids = select(columns.profile_id, columns.id.label("query_id"))
    of_profile = columns.profile_id == bindparam("profile_id")
    return Statement(ids.where(of_profile) if is_of_profile else ids)


@cache
def _statements(*, is_of_profile: bool) -> _Statements:
    def selected(entity: type[QueryData]) -> list[ColumnElement[bool]]:
        column = entity.__table__.c.profile_id
        return [column == bindparam("profile_id")] if is_of_profile else []

    sizes = union_all(
        *(select(_size(entity)).where(*selected(entity)) for entity in models.EXPIRING_ENTITIES)
    ).subquery("sizes")
    ranked = union_all(
        *(_ranked(entity).where(*selected(entity)) for entity in models.EXPIRING_ENTITIES)
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
    return _Statements(
        Statement(select(func.coalesce(func.sum(sizes.c.size), 0).label("size"))),
        Statement(cut),
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
        literal_column(str(models.EXPIRING_ENTITIES.index(entity))),
        columns.profile_id,
        columns.query_id,
        key,
    )


@cache
def _deletions() -> tuple[Statement, ...]:
    """Return the statements that delete the rows of a query up to a rank, one for each entity."""
    last = tuple_(*(bindparam(f"last_{name}", type_=NullType()) for name in _RANK))
    return tuple(
        Statement(
            delete(entity.__table__).where(
                tuple_(*_rank(entity)) <= last, *query_conditions(entity)
            )
        )
        for entity in models.EXPIRING_ENTITIES
    )

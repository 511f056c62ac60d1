"""Reading and writing rows, for every entity in the same way.

Each module of this package has functions that work on *documents*, plain dicts of JSON values, and
a class that reads and writes typed entities. Both run in the transaction that they are given and
never commit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import cache, partial
from typing import Any, Generic

from sqlalchemy import ColumnElement, Select, bindparam, delete, or_, tuple_, type_coerce
from sqlmodel import Session, select
from typing_extensions import TypeVar

from burndown import models
from burndown.errors import ValidationError
from burndown.models.codec import codec_of
from burndown.models.columns import UtcTimestamp, damaged
from burndown.models.digests import data_columns
from burndown.models.documents import QUERY_IDS, Document
from burndown.models.json_columns import CompressedJson, JsonColumn, JsonText
from burndown.models.sealer import sealer_of
from burndown.repositories.constraints import raise_constraint_error
from burndown.repositories.stored_secrets import keep_stored_secrets
from burndown.sql import Executor, Statement, Upsert, key_conditions, select_documents

__all__ = [
    "NOW",
    "Repository",
    "UntilExpiry",
    "atomic",
    "delete_expired",
    "is_valid",
    "iterate_records",
    "list_encoded",
    "query_conditions",
    "save_documents",
    "save_records",
    "save_rows",
]

E = TypeVar("E", bound=models.Entity)
D = TypeVar("D", bound=Mapping[str, Any], default=Document)

NOW = bindparam("now", type_=UtcTimestamp())
"""The parameter that expiries are compared with."""

_PAGE = 100
"""Rows that :func:`iterate_records` reads in one statement. They stay encoded until they are
requested, so that a page of large responses takes little memory."""

# In a file that is not in memory, each row takes some reads of the disk: another writer waited for
# 2 seconds with 200 of a million rows.
_EXPIRED_BATCH = 50
"""Rows that one statement of :func:`delete_expired` deletes."""


class Repository(Generic[E]):
    """The rows of one entity, as typed entities.

    An entity that it returns is not attached to the session: change it, then :meth:`save` it.

    Args:
        session: the session to work in.
    """

    entity: type[E]
    """The entity that is stored."""

    def __init__(self, session: Session) -> None:
        self._executor = Executor.of(session)

    def save(self, entity: E) -> None:
        """Insert the row, or replace the one with the same key.

        Raises:
            ValidationError: the entity was edited in place into something not valid.
            ProfileNotFoundError, QueryNotFoundError: what it belongs to does not exist.
        """
        save_documents(self._executor, self.entity, [entity.to_document()])

    def _typed(self, document: Mapping[str, Any] | None) -> E | None:
        return None if document is None else self._all_typed([document])[0]

    def _all_typed(self, documents: Iterable[Mapping[str, Any]]) -> list[E]:
        codec = codec_of(self.entity)
        try:
            return [codec.entity(document) for document in documents]
        except ValidationError as error:
            raise damaged(str(self.entity.__tablename__), error) from None


class UntilExpiry(Generic[D]):
    """A SELECT of rows that have not expired at a time, or also of those that have.

    Args:
        entity: the entity of the rows, which expire.
        built: the SELECT of all rows.
    """

    def __init__(self, entity: type[models.Entity], built: Select[Any]) -> None:
        self._all: Statement[D] = Statement(built)
        self._valid: Statement[D] = Statement(built.where(is_valid(entity)))

    def at(self, now: datetime | None) -> Statement[D]:
        """Return the statement for a time, which takes it as ``now``; ``None`` for all rows."""
        return self._all if now is None else self._valid


def is_valid(entity: type[models.Entity]) -> ColumnElement[bool]:
    """Return the condition that a row has not expired at ``now``."""
    expires_at = entity.__table__.c.expires_at
    is_later: ColumnElement[bool] = expires_at > NOW
    return or_(expires_at.is_(None), is_later) if expires_at.nullable else is_later


def save_documents(
    executor: Executor, entity: type[models.Entity], documents: Iterable[Mapping[str, Any]]
) -> None:
    """Insert the rows of documents, or replace those with the same key; all of them or none.

    Where a document has the mask of a secret, the stored one is kept.

    Raises:
        ValidationError: a document is not valid, or a name is taken.
        ProfileNotFoundError, QueryNotFoundError: what a row belongs to does not exist.
    """
    given = list(documents)
    save_records(executor, entity, given, codec_of(entity).rows(given))


def save_records(
    executor: Executor,
    entity: type[models.Entity],
    documents: Sequence[Mapping[str, Any]],
    rows: list[dict[str, Any]],
) -> None:
    """Save documents as :func:`save_documents`, whose rows were made before the transaction.

    Raises:
        ValidationError: a name is taken.
        ProfileNotFoundError, QueryNotFoundError: what a row belongs to does not exist.
    """
    if issubclass(entity, models.OpenEntity):
        rows = [
            keep_stored_secrets(executor, entity, document, row)
            for document, row in zip(documents, rows, strict=True)
        ]
    save_rows(executor, entity, rows)


def save_rows(executor: Executor, entity: type[models.Entity], rows: list[dict[str, Any]]) -> None:
    """Insert rows, or replace those with the same key; all of them or none.

    Args:
        executor: the connection to write on.
        entity: the entity that the rows are of.
        rows: the values by column.

    Raises:
        ValidationError: a name is taken.
        ProfileNotFoundError, QueryNotFoundError: what a row belongs to does not exist.
    """
    if not rows:
        return
    try:
        with atomic(executor, len(rows)):
            _upsert(entity).run(executor, rows)
    except executor.dialect.loaded_dbapi.IntegrityError:
        if len(rows) == 1:
            raise_constraint_error(executor, entity, rows[0])
            raise
        with executor.savepoint():
            for row in rows:  # one after the other, to find the one that is refused
                save_rows(executor, entity, [row])
        raise


def atomic(executor: Executor, row_count: int) -> AbstractContextManager[None]:
    """Undo an upsert of rows if it fails, so that the transaction can go on."""
    # SQLite undoes a single failed statement itself; a savepoint would take a third of a small
    # write. PostgreSQL needs one to go on in the transaction after an error.
    undoes_itself = executor.dialect.name == "sqlite" and row_count == 1
    return nullcontext() if undoes_itself else executor.savepoint()


def iterate_records(
    read: Callable[..., Iterator[Document]],
    entity: type[models.Entity],
    profile_id: str | None = None,
    query_id: str | None = None,
) -> Iterator[Document]:
    """Yield all documents of an entity, or those of one profile or query, by key.

    The rows are read in pages, each by a statement of its own: while the caller works on one, no
    connection is in use.

    Args:
        read: calls a function with an executor, such as :meth:`burndown.database.Database.read`.
        entity: the entity.
        profile_id: the profile; ``None`` for all of them.
        query_id: the query; ``None`` for all of them.
    """
    owners = ((entity.PROFILE_COLUMN, profile_id), (entity.QUERY_COLUMN, query_id))
    if any(column is None for column, owner in owners if owner is not None):
        return  # the entity belongs to no profile or no query
    wanted = {str(column): owner for column, owner in owners if owner is not None}
    page = _page(entity, frozenset(wanted))
    key = {column.name for column in entity.__table__.primary_key} - wanted.keys()
    parameters = {**wanted, **dict.fromkeys(key, "")}  # no key is smaller
    is_at_end = False
    while not is_at_end:
        is_at_end = True
        for document in read(partial(page.iterate, **parameters)):
            is_at_end = not key  # the owners identify the only row
            # From the columns, before unknown keys are added: what another program stored there
            # could be named like one of them, and would repeat a page without end.
            parameters.update((name, document[name]) for name in key)
            if entity.UNKNOWN_KEYS:
                document.update(document.pop(entity.UNKNOWN_KEYS))
            yield document


def delete_expired(
    executor: Executor,
    entities: Sequence[type[E]],
    seconds: float = math.inf,
    *,
    now: datetime,
) -> tuple[int, Sequence[type[E]]]:
    """Delete rows that have expired at ``now``.

    Args:
        executor: the connection to write on.
        entities: the entities of the rows.
        seconds: the time after which no more statements are run.
        now: the time of the expiry.

    Returns:
        The number of deleted rows, and the entities of which rows may be left.
    """
    end_at = time.monotonic() + seconds
    deleted = 0
    with executor.without_secure_delete():
        for at, entity in enumerate(entities):
            while count := _expired_rows(entity).delete(executor, now=now):
                deleted += count
                if count < _EXPIRED_BATCH:
                    break
                if time.monotonic() >= end_at:
                    return deleted, entities[at:]
    return deleted, ()


def list_encoded(
    executor: Executor, entity: type[models.QueryData], profile_id: str, query_id: str
) -> list[Document]:
    """Return all rows of a query, expired ones included, with their JSON as stored bytes."""
    return _encoded_rows(entity).documents(executor, profile_id=profile_id, query_id=query_id)


def query_conditions(entity: type[models.QueryData]) -> Any:
    """Return the conditions for all rows of one query."""
    return [each for each in key_conditions(entity.__table__) if each.left.name in QUERY_IDS]


@cache
def _page(entity: type[models.Entity], owner_columns: frozenset[str]) -> Statement:
    """Return the SELECT of the rows after one, all of them of the same owners."""
    table = entity.__table__
    page = select_documents(table).order_by(*table.primary_key).limit(_PAGE)
    key = []
    for column in table.primary_key:
        if column.name in owner_columns:
            page = page.where(column == bindparam(column.name))
        else:
            key.append(column)
    if key:
        last = [bindparam(column.name, type_=column.type) for column in key]
        page = page.where(tuple_(*key) > tuple_(*last))
    return Statement(
        page, opened_value=sealer_of(entity).opened_value if entity.UNKNOWN_KEYS else None
    )


@cache
def _encoded_rows(entity: type[models.QueryData]) -> Statement:
    columns = [
        type_coerce(column, _raw_type(column.type)).label(column.name)
        if isinstance(column.type, JsonColumn)
        else column
        for column in data_columns(entity.__table__)
    ]
    return Statement(select(*columns).where(*query_conditions(entity)))


def _raw_type(stored: JsonColumn[Any]) -> JsonColumn[Any]:
    return CompressedJson(raw=True) if isinstance(stored, CompressedJson) else JsonText(raw=True)


@cache
def _expired_rows(entity: type[models.Entity]) -> Statement:
    table = entity.__table__
    key = tuple(table.primary_key)
    some = select(*key).where(table.c.expires_at <= NOW).limit(_EXPIRED_BATCH)
    return Statement(delete(table).where(tuple_(*key).in_(some)))


@cache
def _upsert(entity: type[models.Entity]) -> Upsert:
    return Upsert(entity.__table__)

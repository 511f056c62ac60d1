"""Saving profiles and queries, whose revisions count the changes of their content."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import select

from burndown.errors import RevisionConflictError
from burndown.models.codec import codec_of
from burndown.models.documents import REVISION
from burndown.models.named_entity import NamedEntity, set_revision
from burndown.repositories.base import Repository, atomic
from burndown.repositories.constraints import raise_constraint_error
from burndown.repositories.stored_secrets import keep_stored_secrets, row_key
from burndown.sql import CountingUpsert, Executor, Statement, key_conditions

__all__ = ["Change", "RevisedRepository", "change_revised", "save_revised"]

N = TypeVar("N", bound=NamedEntity)
D = TypeVar("D", bound=Mapping[str, Any])

Change = Callable[[Any], tuple[Mapping[str, Any], dict[str, Any]]]
"""Takes a stored document; returns the one to save, and its values by column. It may run twice."""


class RevisedRepository(Repository[N]):
    """The rows of one entity with a revision."""

    def save(self, entity: N) -> None:
        """Insert the row, or replace the one with the same key; set the revision of the entity.

        Raises:
            RevisionConflictError: the row was changed since the entity was read. After a rollback,
                read the entity again.
            ValidationError: the entity was edited in place into something not valid.
            ProfileNotFoundError, QueryNotFoundError: what it belongs to does not exist.
        """
        document = entity.to_document()
        [row] = codec_of(self.entity).rows([document])
        self._save(document, row, entity)

    def _save(self, document: Mapping[str, Any], row: dict[str, Any], saved: N) -> None:
        save_revised(self._executor, self.entity, document, row, saved)


def save_revised(
    executor: Executor,
    entity: type[NamedEntity],
    given: Mapping[str, Any],
    row: dict[str, Any],
    saved: NamedEntity | Mapping[str, Any] | None = None,
) -> None:
    """Insert a row, or replace the one with the same key and count the change.

    Args:
        executor: the connection to write on.
        entity: the entity that the row is of.
        given: the fields that the caller gave. Where it has the mask of a secret, the stored one is
            kept. A time that was not given keeps the value of an
            existing row. A revision that was given has to be that of an existing row.
        row: the values by column.
        saved: the entity that gets the stored revision; a document does not.

    Raises:
        RevisionConflictError: the existing row has another revision.
        ValidationError: a name is taken.
        ProfileNotFoundError: the profile of a query does not exist.
    """
    row = keep_stored_secrets(executor, entity, given, row)
    preserved = entity.PRESERVED_ON_UPDATE.difference(given)
    expected = given.get(REVISION)
    upsert = _upsert(entity, preserved, expected is not None)
    try:
        with atomic(executor, 1):
            if expected is None:  # it replaces any, so the outcome need not be awaited
                upsert.run(executor, [row])
                is_saved = True
            else:
                is_saved = upsert.replaces(executor, row)
    except executor.dialect.loaded_dbapi.IntegrityError:
        if expected is not None:  # it says more than that the name is taken
            current = _current(executor, entity, row)
            if current not in (None, expected):
                raise _conflict(entity, row, current) from None
        raise_constraint_error(executor, entity, row)
        raise
    if not is_saved:
        raise _conflict(entity, row, _current(executor, entity, row))
    if saved is not None and not isinstance(saved, Mapping):
        set_revision(saved, {REVISION: _current(executor, entity, row)})


def change_revised(
    executor: Executor,
    entity: type[NamedEntity],
    read: Callable[[], D | None],
    change: Change,
    save: Callable[[Executor, Mapping[str, Any], dict[str, Any]], None],
) -> D | None:
    """Save what a function makes of a stored document.

    Args:
        executor: the connection to write on, which has the lock of the document.
        entity: the entity of the document.
        read: returns the stored document, or ``None``.
        change: makes the document to save of it.
        save: saves a document that was given with its values by column.

    Returns:
        The document as it is stored then, or ``None`` if there is none.

    Raises:
        RevisionConflictError: the document to save has another revision than the stored one.
        ValidationError: as of ``save``.
    """
    stored = read()
    if stored is None:
        return None
    given, row = change(stored)
    if row[REVISION] != stored[REVISION]:
        raise _conflict(entity, row, stored[REVISION])
    # Without the revision: nobody can change it meanwhile, so the outcome need not be awaited.
    save(executor, {name: given[name] for name in given if name != REVISION}, row)
    executor.expect_end()
    return read()


def _current(executor: Executor, entity: type[NamedEntity], row: Mapping[str, Any]) -> Any:
    """Return the revision of the stored row with the same key, or ``None``."""
    return next(iter(_revision(entity).values(executor, **row_key(entity, row))), None)


def _conflict(
    entity: type[NamedEntity], row: Mapping[str, Any], current: int
) -> RevisionConflictError:
    return RevisionConflictError(f"{entity.__name__} {row['id']!r}", row[REVISION], current)


@cache
def _upsert(
    entity: type[NamedEntity], preserved: frozenset[str], is_expected: bool
) -> CountingUpsert:
    return CountingUpsert(
        entity.__table__,
        preserved,
        REVISION,
        entity.content_fields(),
        only_if_equal=is_expected,
    )


@cache
def _revision(entity: type[NamedEntity]) -> Statement:
    table = entity.__table__
    return Statement(select(table.c[REVISION]).where(*key_conditions(table)))

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

__all__ = ["Change", "RevisedRepository", "save_revised", "without_current_revision"]

N = TypeVar("N", bound=NamedEntity)

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


def without_current_revision(
    entity: type[NamedEntity],
    given: Mapping[str, Any],
    row: Mapping[str, Any],
    stored: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a document to save without its revision, which has to be that of the stored one.

    Args:
        entity: the entity of the document.
        given: the document.
        row: its values by column.
        stored: the stored document, which nobody can change meanwhile.

    Raises:
        RevisionConflictError: it has another one.
    """
    if row[REVISION] != stored[REVISION]:
        raise _conflict(entity, row, stored[REVISION])
    return {name: value for name, value in given.items() if name != REVISION}


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

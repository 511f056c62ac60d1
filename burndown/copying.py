"""Copy records: a whole store into another one, or the data of a query to another query.

from burndown.copying import copy_store
from burndown.persistence import open_backend

with open_backend("profiles/burndown.db") as source, open_backend(url) as target:
    copy_store(source, target)
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, zip_longest

from burndown.errors import ImportExportError
from burndown.models import ENTITIES, AppState, Entity, QueryData
from burndown.models.documents import QUERY_IDS
from burndown.models.json_codec import encode
from burndown.models.sealer import sealer_of
from burndown.models.sealing import Resealing, secrets_as_stored
from burndown.persistence import Document, PersistenceBackend
from burndown.persistence.caching import is_expired

__all__ = [
    "Adapt",
    "CopyProgress",
    "copy_query_data",
    "copy_records",
    "copy_store",
    "count_records",
    "differing_records",
    "sealed",
]

CopyProgress = Callable[[str, int], None]
"""Called with the label of an entity and the number of its records copied so far."""

Adapt = Callable[[type[Entity], Document], Document]
"""Takes an entity and a record of it; returns the record to copy instead."""

_BATCH = 500
"""The number of records that one call saves. A response can take many megabytes, so that all of
them together could fill the memory; the JSON backend writes a file in full for each call."""
_SCHEMA_VERSION = "schema_version"
_STATE_OF_EMPTY_STORE = {_SCHEMA_VERSION, "migration_complete"}


def sealed(entity: type[Entity], record: Document) -> Document:
    """Return the record with its secrets sealed, if there is a key."""
    return sealer_of(entity).resealed(record, Resealing.SEAL)


def copy_store(
    source: PersistenceBackend,
    target: PersistenceBackend,
    *,
    replace: bool = False,
    adapt: Adapt = sealed,
    progress: CopyProgress | None = None,
) -> dict[str, int]:
    """Copy a store, and compare both sides value by value; all of it or nothing.

    Nobody can write to either store during the copy, unless the source was opened read-only: then
    others can continue to write there, and the copy has what was committed at its start. Tables and
    columns that others added are not copied; :meth:`PersistenceBackend.foreign_objects` lists them.

    Args:
        source: the store to copy.
        target: the store to copy to; it must be empty.
        replace: delete the content of the target instead of refusing it.
        adapt: changes each record, with its secrets as they are stored, before it is copied; for
            example to omit secrets. By default those in plain text are sealed if there is a key.
        progress: called after each batch of records.

    Returns:
        The number of profiles, queries, … that were copied.

    Raises:
        ImportExportError: there is no source, both are the same, the target is not empty, or it
            returns other records than it was given; the target is unchanged.
        StorageError: one of them is locked or cannot be reached, or the disk is full.
    """
    if not source.exists():
        raise ImportExportError(f"There is nothing to copy at {_location(source)}")
    if _location(source) == _location(target):
        raise ImportExportError(f"{_location(source)} cannot be copied onto itself")
    with secrets_as_stored(), source.transaction(), target.transaction():
        if not replace and not _is_empty(target):
            raise ImportExportError(
                f"{_location(target)} is not empty; name another target, or replace its content"
            )
        _clear(target)
        copied = copy_records(source, target, progress, adapt)
        for label in differing_records(source, target, adapt):
            raise ImportExportError(
                f"{_location(target)} does not return the {label} as they were saved; "
                "nothing was copied"
            )
    return copied


def copy_records(
    source: PersistenceBackend,
    target: PersistenceBackend,
    progress: CopyProgress | None = None,
    adapt: Adapt = sealed,
) -> dict[str, int]:
    """Copy all records but the schema version; call it within a transaction.

    Returns:
        The number of records of each entity, by its label.
    """
    copied = {}
    for entity in ENTITIES:
        copied[entity.LABEL] = 0
        for batch in _batches(_records(source, entity)):
            target.save_records(entity, [adapt(entity, record) for record in batch])
            copied[entity.LABEL] += len(batch)
            if progress is not None:
                progress(entity.LABEL, copied[entity.LABEL])
    return copied


def count_records(backend: PersistenceBackend) -> dict[str, int]:
    """Return the number of records of each entity, by its label."""
    return {entity.LABEL: sum(1 for _ in _records(backend, entity)) for entity in ENTITIES}


def copy_query_data(
    backend: PersistenceBackend, source: tuple[str, str], target: tuple[str, str]
) -> None:
    """Copy the data of a query to another query, except what has expired.

    Args:
        backend: the backend to work on; call this within a transaction of it.
        source: the ids of profile and query to copy from.
        target: the ids of profile and query to copy to.
    """
    now = backend.now()
    ids = dict(zip(QUERY_IDS, target, strict=True))
    for entity in ENTITIES:
        if issubclass(entity, QueryData):
            copies = (
                {**record, **ids}
                for record in backend.records(entity, *source)
                if not is_expired(record, now)
            )
            for batch in _batches(copies):
                backend.save_records(entity, batch)


def _records(backend: PersistenceBackend, entity: type[Entity]) -> Iterator[Document]:
    """Return all records of an entity but the schema version, which each store has of its own."""
    for record in backend.records(entity):
        if entity is not AppState or record["key"] != _SCHEMA_VERSION:
            yield record


def _batches(records: Iterable[Document]) -> Iterator[list[Document]]:
    remaining = iter(records)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def differing_records(
    source: PersistenceBackend, target: PersistenceBackend, adapt: Adapt
) -> list[str]:
    """Compare two stores, and return the labels of the entities whose records differ.

    The records are compared as JSON text, which distinguishes ``1``, ``1.0`` and ``true``.

    Args:
        source: the store that was copied.
        target: the copy.
        adapt: as of :func:`copy_store`.
    """
    differing = []
    for entity in ENTITIES:
        expected = (_as_stored(entity, adapt(entity, each)) for each in _records(source, entity))
        found = (_as_stored(entity, each) for each in _records(target, entity))
        if any(encode(one) != encode(other) for one, other in zip_longest(expected, found)):
            differing.append(entity.LABEL)
    return differing


def _as_stored(entity: type[Entity], record: Document) -> Document:
    """Return the record as this release stores it; another release may derive fields otherwise."""
    return {**record, **entity.derived(record)}


def _is_empty(backend: PersistenceBackend) -> bool:
    """Return whether a store holds nothing but what an application that only opened it noted."""
    return all(
        entity is AppState and record["key"] in _STATE_OF_EMPTY_STORE
        for entity in ENTITIES
        for record in backend.records(entity)
    )


def _clear(backend: PersistenceBackend) -> None:
    for profile in backend.list_profiles():
        backend.delete_profile(profile["id"])
    for task in backend.list_task_progress():
        backend.clear_task_progress(task["task_name"])
    for state in list(_records(backend, AppState)):
        backend.set_app_state(state["key"], None)


def _location(backend: PersistenceBackend) -> str:
    return str(backend.describe()["location"])

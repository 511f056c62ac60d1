"""A whole store from one backend into another.

from burndown.copying import copy_store
from burndown.persistence import open_backend

with open_backend("profiles/burndown.db") as source, open_backend(url) as target:
    copy_store(source, target)
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, zip_longest

from burndown.errors import ImportExportError
from burndown.models import (
    AppState,
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
    TaskProgress,
)
from burndown.models.json_codec import encode
from burndown.persistence import Document, PersistenceBackend

__all__ = ["NAMES", "Adapt", "CopyProgress", "as_it_is", "copy_records", "copy_store"]

NAMES: dict[type[Entity], str] = {
    Profile: "profiles",
    Query: "queries",
    JiraCache: "cached responses",
    JiraChangelog: "changelogs",
    ProjectData: "project data",
    MetricsSnapshot: "metrics snapshots",
    AppState: "app state",
    TaskProgress: "tasks",
}
"""All that a store holds, owners before what belongs to them, with what people call it."""

CopyProgress = Callable[[str, int], None]
"""Takes what is being copied, and how many of it are."""

Adapt = Callable[[type[Entity], Document], Document]
"""Takes a kind and a record of it; gives what is copied in its place."""

_BATCH = 500
_OF_THE_STORE_ITSELF = "schema_version"
_OF_NO_ONE = {_OF_THE_STORE_ITSELF, "migration_complete"}


def as_it_is(model: type[Entity], record: Document) -> Document:
    """The record, unchanged."""
    return record


def copy_store(
    source: PersistenceBackend,
    target: PersistenceBackend,
    *,
    replace: bool = False,
    adapt: Adapt = as_it_is,
    progress: CopyProgress | None = None,
) -> dict[str, int]:
    """Copy a store, and compare both sides value by value; all of it or nothing.

    Nobody can write to either while it runs, unless the source was opened to be read: then others
    go on writing there, and the copy has what was committed at the beginning. What others have
    added is not copied; :meth:`PersistenceBackend.foreign_objects` lists it.

    Args:
        source: what to copy.
        target: where to; it must be empty.
        replace: delete what the target holds instead of refusing it.
        adapt: changes records on the way, such as by leaving out what is secret.
        progress: is told how far it is.

    Returns:
        How many profiles, queries, … were copied.

    Raises:
        ImportExportError: there is no source, both are the same, the target is not empty, or it
            does not give back what it was given; the target is as it was.
        StorageError: one of them is locked or out of reach, or the disk is full.
    """
    if not source.exists():
        raise ImportExportError(f"There is nothing to copy at {_location(source)}")
    if _location(source) == _location(target):
        raise ImportExportError(f"{_location(source)} cannot be copied onto itself")
    with source.transaction(), target.transaction():
        if not replace and _holds_anything(target):
            raise ImportExportError(
                f"{_location(target)} is not empty; name another target, or have it replaced"
            )
        _empty(target)
        copied = copy_records(source, target, progress, adapt)
        _compare(source, target, adapt)
    return copied


def copy_records(
    source: PersistenceBackend,
    target: PersistenceBackend,
    progress: CopyProgress | None = None,
    adapt: Adapt = as_it_is,
) -> dict[str, int]:
    """Copy all records but the version of the schema; call it within a transaction.

    Returns:
        How many of each kind there were.
    """
    copied = {}
    for model, name in NAMES.items():
        copied[name] = 0
        for batch in _batches(_records(source, model)):
            target.save_records(model, [adapt(model, record) for record in batch])
            copied[name] += len(batch)
            if progress is not None:
                progress(name, copied[name])
    return copied


def _records(backend: PersistenceBackend, model: type[Entity]) -> Iterator[Document]:
    for record in backend.records(model):
        if model is not AppState or record["key"] != _OF_THE_STORE_ITSELF:
            yield record


def _batches(records: Iterable[Document]) -> Iterator[list[Document]]:
    remaining = iter(records)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _compare(source: PersistenceBackend, target: PersistenceBackend, adapt: Adapt) -> None:
    for model, name in NAMES.items():
        expected = (_as_stored(model, adapt(model, each)) for each in _records(source, model))
        found = (_as_stored(model, each) for each in _records(target, model))
        if any(encode(one) != encode(other) for one, other in zip_longest(expected, found)):
            raise ImportExportError(
                f"{_location(target)} does not give back the {name} it was given; nothing was "
                "copied"
            )


def _as_stored(model: type[Entity], record: Document) -> Document:
    """Return the record as this release stores it; another one may derive fields otherwise."""
    return {**record, **model.derived(record)}


def _holds_anything(backend: PersistenceBackend) -> bool:
    return any(
        model is not AppState or record["key"] not in _OF_NO_ONE
        for model in NAMES
        for record in backend.records(model)
    )


def _empty(backend: PersistenceBackend) -> None:
    for profile in backend.list_profiles():
        backend.delete_profile(profile["id"])
    for task in backend.list_task_progress():
        backend.clear_task_progress(task["task_name"])
    for state in list(_records(backend, AppState)):
        backend.set_app_state(state["key"], None)


def _location(backend: PersistenceBackend) -> str:
    return str(backend.describe()["location"])

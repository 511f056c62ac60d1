"""A workspace in the JSON files of the old dashboard."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from burndown.errors import (
    ProfileNotFoundError,
    QueryNotFoundError,
    StorageError,
    StoreNotFoundError,
)
from burndown.legacy import (
    LegacyProfile,
    LegacyQuery,
    WorkspaceReader,
    WorkspaceWriter,
    copy_workspace,
    find_damages,
    find_edited,
    has_workspace,
    keep_workspace,
    refuse_damaged,
    restore_workspace,
    stored_size,
    workspace_folder,
)
from burndown.models import (
    AppState,
    Entity,
    Profile,
    Query,
    QueryData,
    TaskProgress,
)
from burndown.models.codec import codec_of
from burndown.models.named_entity import NamedEntity, name_taken, set_revision
from burndown.models.public_document import with_stored_secrets, without_masked_token
from burndown.models.sealer import sealer_of
from burndown.models.sealing import secrets_as_stored
from burndown.models.submodel import to_documents
from burndown.models.timestamps import utc_now
from burndown.models.unknown_keys import OpenEntity
from burndown.persistence.arguments import document_of, query_document
from burndown.persistence.caching import cache_limits, is_expired, stale_limit
from burndown.persistence.interface import Document, PersistenceBackend
from burndown.persistence.json_cache import delete_above, delete_cached
from burndown.persistence.json_secrets import keep_stored_secrets, to_store
from burndown.persistence.patches import replacing
from burndown.persistence.task import TaskChange
from burndown.secrets import keep_keys_away_from

__all__ = ["JSONBackend"]


class JSONBackend(PersistenceBackend):
    """The storage of a workspace in the files of the old dashboard, which can still use them.

    It reads what a migration of the folder would move, and writes what the dashboard would write;
    data that its files cannot contain is stored in files next to them. A profile or query is stored
    in a folder named after its id, so a file system that ignores case cannot hold two ids that
    differ only by case.

    Args:
        folder: the folder ``profiles``; it is created on first use, readable only by its owner.
        clock: returns the current time.
        read_only: leave nothing in the folder, not even a lock, and refuse to write.
    """

    def __init__(
        self,
        folder: str | Path,
        clock: Callable[[], datetime] = utc_now,
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(clock)
        self.folder = Path(folder).absolute()
        keep_keys_away_from(self.folder)
        self._files = workspace_folder(self.folder, read_only=read_only)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r})"

    # --- records -----------------------------------------------------------------------------

    def records(
        self, entity: type[Entity], profile_id: str | None = None, query_id: str | None = None
    ) -> Iterator[Document]:
        if issubclass(entity, QueryData):
            # One query after the other, without the lock between them: the data of all queries
            # together can be large, and the caller may take long over it.
            for ids in self._query_ids(profile_id, query_id):
                yield from self._query_data(entity, *ids)
            return
        if profile_id is not None and entity.PROFILE_COLUMN is None:
            return
        if query_id is not None and entity.QUERY_COLUMN is None:
            return
        with self._reading() as records:
            found = _READERS[entity](records, profile_id, query_id)
        yield from sorted(found, key=codec_of(entity).key)

    def _query_ids(self, profile_id: str | None, query_id: str | None) -> list[tuple[str, str]]:
        """Return the ids of profile and query of these queries, in order."""
        if profile_id is not None and query_id is not None:
            return [(profile_id, query_id)]
        with self._reading() as records:
            found = _find_queries(records, profile_id, query_id)
            return sorted((owner, query.document["id"]) for owner, query in found)

    def _query_data(
        self, entity: type[QueryData], profile_id: str, query_id: str
    ) -> list[Document]:
        with self._reading() as records:
            query = records.find_query(profile_id, query_id)
            found = [] if query is None else records.data(entity, profile_id, query)
        return sorted(found, key=codec_of(entity).key)

    def save_records(
        self, entity: type[Entity], records: Iterable[Mapping[str, Any] | Entity]
    ) -> None:
        documents = to_store(entity, (document_of(entity, each) for each in records))
        if not documents:
            return
        with self._writing() as writer:
            if issubclass(entity, OpenEntity):
                documents = [keep_stored_secrets(entity, each, self.records) for each in documents]
            if issubclass(entity, QueryData):
                _save_query_data(writer, entity, documents)
                return
            for document in documents:
                _WRITERS[entity](writer, document)

    def delete_records(
        self,
        entity: type[QueryData],
        profile_id: str,
        query_id: str | None = None,
        *,
        one_of: Mapping[str, Iterable[str]] = MappingProxyType({}),
        between: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    ) -> int:
        wanted = {field: frozenset(strings) for field, strings in one_of.items()}
        deleted = 0
        with self._writing() as writer:
            profile = writer.reader.find(profile_id)
            if profile is None:
                return 0
            for query in list(profile.queries):
                if query_id not in (None, query.document["id"]):
                    continue
                found = writer.reader.data(entity, profile_id, query)
                kept = [each for each in found if not _meets(each, wanted, between)]
                if len(kept) < len(found):
                    writer.save_data(entity, profile, query, kept)
                    deleted += len(found) - len(kept)
        return deleted

    @contextmanager
    def _reading(self) -> Iterator[WorkspaceReader]:
        with self._files.reading() as root:
            yield WorkspaceReader(root, self.folder)

    @contextmanager
    def _writing(self) -> Iterator[WorkspaceWriter]:
        with secrets_as_stored(), self._files.writing() as changes:
            writer = WorkspaceWriter(WorkspaceReader(changes.root, self.folder), changes)
            yield writer
            writer.finish()

    # --- profiles and queries ----------------------------------------------------------------

    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        given, now = document_of(Profile, profile), self.now()
        [document] = to_store(Profile, [{"created_at": now, **without_masked_token(given)}])
        given = sealer_of(Profile).sealed({**to_documents(given), "id": document["id"]})
        with self._writing() as writer:
            stored = writer.reader.find(document["id"])
            earlier = {} if stored is None else writer.reader.profile(stored)
            merged = with_stored_secrets({"created_at": now, **given}, earlier)
            [document] = codec_of(Profile).complete([merged])
            if earlier:
                document = replacing(Profile, document, given, earlier)
            _save_profile(writer, document)
        set_revision(profile, document)

    def delete_profile(self, profile_id: str) -> None:
        with self._writing() as writer:
            writer.delete_profile(_get_profile(writer.reader, profile_id))

    def save_query(self, profile_id: str, query: Mapping[str, Any] | Query) -> None:
        given = query_document(profile_id, query)
        [document] = to_store(Query, [{"created_at": self.now(), **given}])
        with self._writing() as writer:
            stored = writer.reader.find_query(profile_id, document["id"])
            earlier = {} if stored is None else writer.reader.query(profile_id, stored)
            [document] = codec_of(Query).complete([with_stored_secrets(document, earlier)])
            if earlier:
                document = replacing(Query, document, given, earlier)
            _save_query(writer, document)
        set_revision(query, document)

    def delete_query(self, profile_id: str, query_id: str) -> None:
        with self._writing() as writer:
            profile = writer.reader.find(profile_id)
            query = writer.reader.find_query(profile_id, query_id)
            if profile is None or query is None:
                raise QueryNotFoundError(profile_id, query_id)
            writer.delete_query(profile, query)

    # --- app state, caches and tasks ---------------------------------------------------------

    def set_app_state(self, key: str, value: str | None) -> None:
        if value is not None:
            self.save_records(AppState, [{"key": key, "value": value}])
            return
        with self._writing() as writer:
            writer.set_app_state(key, None)

    def cleanup_expired_cache(self, max_stale: timedelta | None = timedelta()) -> int:
        limit = stale_limit(self.now(), max_stale)
        with self._writing() as writer:
            return delete_cached(writer, lambda _, document: is_expired(document, limit))

    def cleanup(self, max_bytes: int | None = None, profile_id: str | None = None) -> int:
        limits, now = cache_limits(self, max_bytes, profile_id), self.now()
        with self._writing() as writer:
            return sum(delete_above(writer, limit, now, owner) for owner, limit in limits)

    def clear_task_progress(self, task_name: str) -> None:
        with self._writing() as writer:
            writer.clear_task(task_name)

    def _change_task(self, task_name: str, change: TaskChange) -> Mapping[str, Any] | None:
        with self._writing() as writer:
            tasks = {each["task_name"]: each for each in writer.reader.tasks()}
            changed = change(tasks.get(task_name))
            if changed is None:
                return tasks.get(task_name)
            _save_task(writer, *codec_of(TaskProgress).complete([changed]))
            return changed

    # --- the store itself --------------------------------------------------------------------

    def describe(self) -> Document:
        return {
            "location": str(self.folder),
            "size_bytes": stored_size(self.folder) if self.exists() else 0,
            "free_bytes": 0,
            "schema_version": self.get_app_state("schema_version") if self.exists() else None,
        }

    def exists(self) -> bool:
        return has_workspace(self.folder)

    def check_integrity(self) -> tuple[bool, list[str]]:
        with self._files.reading() as root:
            damages = find_damages(root, self.folder)
        return not damages, damages

    def integrity_notes(self) -> list[str]:
        with self._files.reading() as root:
            return find_edited(root, self.folder)

    def _back_up(self, target: Path) -> None:
        if not self.exists():
            raise StoreNotFoundError(f"There is no workspace at {self.folder}")
        with self._files.committed() as root:
            copy_workspace(root, target)

    def restore(self, path: str | Path) -> Path | None:
        if self.in_transaction():
            raise StorageError("A backup cannot be restored within a transaction")
        backup = Path(path).absolute()
        refuse_damaged(backup)
        with self._files.writing() as changes:
            kept = keep_workspace(self.folder) if self.exists() else None
            restore_workspace(backup, changes)
        return kept

    def in_transaction(self) -> bool:
        return self._files.in_transaction()

    def transaction(self) -> AbstractContextManager[None]:
        return self._files.transaction()

    def close(self) -> None:
        pass  # no file stays open between two calls


# --- reading ---------------------------------------------------------------------------------


def _get_profile(records: WorkspaceReader, profile_id: str) -> LegacyProfile:
    profile = records.find(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    return profile


def _meets(
    document: Document,
    one_of: Mapping[str, Collection[str]],
    between: Mapping[str, tuple[str, str]],
) -> bool:
    return all(document[field] in strings for field, strings in one_of.items()) and all(
        first <= document[field] <= last for field, (first, last) in between.items()
    )


def _find_queries(
    records: WorkspaceReader, profile_id: str | None, query_id: str | None
) -> Iterator[tuple[str, LegacyQuery]]:
    for owner, query in records.queries():
        if profile_id in (None, owner) and query_id in (None, query.document["id"]):
            yield owner, query


def _read_profiles(
    records: WorkspaceReader, profile_id: str | None, _: str | None
) -> list[Document]:
    return records.profiles(profile_id)


def _read_queries(
    records: WorkspaceReader, profile_id: str | None, query_id: str | None
) -> list[Document]:
    return [records.query(*each) for each in _find_queries(records, profile_id, query_id)]


def _read_app_state(records: WorkspaceReader, *_: str | None) -> list[Document]:
    return records.app_state()


def _read_tasks(records: WorkspaceReader, *_: str | None) -> list[Document]:
    return records.tasks()


# --- writing, with the constraints that a database checks itself -----------------------------


def _save_profile(writer: WorkspaceWriter, document: Document) -> None:
    others = [each.document for each in writer.reader.workspace.profiles]
    _check_name_is_free(Profile, document, others)
    writer.save_profile(document)


def _save_query(writer: WorkspaceWriter, document: Document) -> None:
    profile = _get_profile(writer.reader, document["profile_id"])
    _check_name_is_free(Query, document, [each.document for each in profile.queries])
    writer.save_query(profile, document)


def _check_name_is_free(
    entity: type[NamedEntity], document: Document, others: Iterable[Document]
) -> None:
    for other in others:
        if other["name"] == document["name"] and other["id"] != document["id"]:
            raise name_taken(entity, document, other["id"])


def _save_task(writer: WorkspaceWriter, document: Document) -> None:
    # A database returns a float, whatever number was saved.
    writer.save_task({**document, "progress_percent": float(document["progress_percent"])})


def _save_app_state(writer: WorkspaceWriter, document: Document) -> None:
    writer.set_app_state(document["key"], document["value"])


def _save_query_data(
    writer: WorkspaceWriter, entity: type[QueryData], documents: list[Document]
) -> None:
    key = codec_of(entity).key
    added: dict[tuple[str, str], list[Document]] = {}
    for document in documents:
        added.setdefault((document["profile_id"], document["query_id"]), []).append(document)
    for (profile_id, query_id), new in added.items():
        profile = _get_profile(writer.reader, profile_id)
        query = writer.reader.find_query(profile_id, query_id)
        if query is None:
            raise QueryNotFoundError(profile_id, query_id)
        # A file is written in full. A document that is replaced moves to the end.
        by_key = {key(each): each for each in writer.reader.data(entity, profile_id, query)}
        for document in new:
            by_key.pop(key(document), None)
            by_key[key(document)] = document
        writer.save_data(entity, profile, query, list(by_key.values()))


_READERS: dict[
    type[Entity], Callable[[WorkspaceReader, str | None, str | None], list[Document]]
] = {
    Profile: _read_profiles,
    Query: _read_queries,
    AppState: _read_app_state,
    TaskProgress: _read_tasks,
}
"""For each entity that is not the data of a query, how it is read."""
_WRITERS: dict[type[Entity], Callable[[WorkspaceWriter, Document], None]] = {
    Profile: _save_profile,
    Query: _save_query,
    AppState: _save_app_state,
    TaskProgress: _save_task,
}
"""For each of these, how one document is written."""

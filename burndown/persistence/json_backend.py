"""A workspace in the JSON files of the old dashboard."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
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
from burndown.legacy.writing.json_files import encode_file
from burndown.models import AppState, Entity, Profile, Query, QueryData, TaskProgress
from burndown.models.codec import codec_of
from burndown.models.sealing import secrets_as_stored
from burndown.models.timestamps import utc_now
from burndown.persistence.arguments import document_of
from burndown.persistence.interface import Document, PersistenceBackend
from burndown.persistence.stored_documents import check_name, keep_stored_secrets, to_store
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
            yield from self._query_data(entity, profile_id, query_id)
            return
        if profile_id is not None and entity.PROFILE_COLUMN is None:
            return
        if query_id is not None and entity.QUERY_COLUMN is None:
            return
        with self._reading() as records:
            found = _READERS[entity](records, profile_id, query_id)
        yield from sorted(found, key=codec_of(entity).key)

    def _query_data(
        self, entity: type[QueryData], profile_id: str | None, query_id: str | None
    ) -> Iterator[Document]:
        reader = None
        if profile_id is not None and query_id is not None:
            queries = [(profile_id, query_id)]
        else:
            with self._reading() as reader:
                found = _find_queries(reader, profile_id, query_id)
                queries = sorted((owner, query.document["id"]) for owner, query in found)
        # One query after the other, without the lock between them: the data of all queries
        # together can be large, and the caller may take long over it.
        for ids in queries:
            with self._reading(reader) as reader:
                documents = reader.data_of_query(entity, *ids)
            yield from sorted(documents, key=codec_of(entity).key)

    def save_records(
        self, entity: type[Entity], records: Iterable[Mapping[str, Any] | Entity]
    ) -> None:
        documents = to_store(entity, (document_of(entity, each) for each in records))
        if not documents:
            return
        with self._writing() as writer:
            documents = keep_stored_secrets(entity, documents, self.records)
            if issubclass(entity, QueryData):
                _save_query_data(writer, entity, documents)
                return
            for document in documents:
                _WRITERS[entity](writer, document)

    def _delete_keys(self, entity: type[Entity], keys: Iterable[tuple[str, ...]]) -> int:
        with self._writing() as writer:
            if issubclass(entity, QueryData):
                return _delete_query_data(writer, entity, keys)
            return sum(_DELETERS[entity](writer, *key) for key in keys)

    @contextmanager
    def _reading(self, earlier: WorkspaceReader | None = None) -> Iterator[WorkspaceReader]:
        """Keep the files unchanged for the block, and read them; an earlier reader can go on."""
        with self._files.reading() as root:
            if earlier is not None and earlier.root == root:
                yield earlier
            else:
                yield WorkspaceReader(root, self.folder)

    @contextmanager
    def _writing(self) -> Iterator[WorkspaceWriter]:
        with secrets_as_stored(), self._files.writing() as changes:
            writer = WorkspaceWriter(WorkspaceReader(changes.root, self.folder), changes)
            yield writer
            writer.finish()

    def _stored_size(self, content: Document) -> int:
        return len(encode_file(content))

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


# --- reading ---------------------------------------------------------------------------------


def _get_profile(records: WorkspaceReader, profile_id: str) -> LegacyProfile:
    profile = records.find(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    return profile


def _find_queries(
    records: WorkspaceReader, profile_id: str | None, query_id: str | None
) -> Iterator[tuple[str, LegacyQuery]]:
    for owner, query in records.queries(profile_id):
        if query_id in (None, query.document["id"]):
            yield owner, query


def _read_queries(
    records: WorkspaceReader, profile_id: str | None, query_id: str | None
) -> list[Document]:
    return [records.query(*each) for each in _find_queries(records, profile_id, query_id)]


# --- writing, with the constraints that a database checks itself -----------------------------


def _save_profile(writer: WorkspaceWriter, document: Document) -> None:
    check_name(Profile, document, _names(writer.reader.workspace.profiles))
    writer.save_profile(document)


def _save_query(writer: WorkspaceWriter, document: Document) -> None:
    profile = _get_profile(writer.reader, document["profile_id"])
    check_name(Query, document, _names(profile.queries))
    writer.save_query(profile, document)


def _names(found: Iterable[LegacyProfile | LegacyQuery]) -> dict[str, str]:
    return {each.document["id"]: each.document["name"] for each in found}


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


def _delete_query_data(
    writer: WorkspaceWriter, entity: type[QueryData], keys: Iterable[tuple[str, ...]]
) -> int:
    deleted: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for key in keys:
        deleted.setdefault(key[:2], set()).add(key)
    count = 0
    for (profile_id, query_id), of_query in deleted.items():
        profile = writer.reader.find(profile_id)
        query = writer.reader.find_query(profile_id, query_id)
        if profile is not None and query is not None:
            found = writer.reader.data(entity, profile_id, query)
            kept = [each for each in found if codec_of(entity).key(each) not in of_query]
            writer.save_data(entity, profile, query, kept)
            count += len(found) - len(kept)
    return count


_READERS: dict[
    type[Entity], Callable[[WorkspaceReader, str | None, str | None], list[Document]]
] = {
    Profile: lambda records, profile_id, _: records.profiles(profile_id),
    Query: _read_queries,
    AppState: lambda records, *_: records.app_state(),
    TaskProgress: lambda records, *_: records.tasks(),
}
"""For each entity that is not the data of a query, how it is read."""
_WRITERS: dict[type[Entity], Callable[[WorkspaceWriter, Document], None]] = {
    Profile: _save_profile,
    Query: _save_query,
    AppState: _save_app_state,
    TaskProgress: WorkspaceWriter.save_task,
}
"""For each of these, how one document is written."""
_DELETERS: dict[type[Entity], Callable[..., bool]] = {
    Profile: WorkspaceWriter.delete_profile,
    Query: WorkspaceWriter.delete_query,
    AppState: WorkspaceWriter.delete_app_state,
    TaskProgress: WorkspaceWriter.delete_task,
}
"""For each of these, how the document of a key is deleted."""

"""A backend on `shelve`: a small example of how one is written.

Each entity is one value of the shelf: its documents as JSON, by key. A transaction works on copies
of these, which replace the values when it ends. Two locks guard the folder: a transaction holds
one from its first call to its end, the other is held while the shelf is read or written.
"""

import shelve
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from filelock import FileLock, Timeout

from burndown import (
    AppState,
    PersistenceBackend,
    Profile,
    ProfileNotFoundError,
    Query,
    QueryNotFoundError,
    StorageError,
    TaskProgress,
)
from burndown.models import ENTITIES, EXPIRING_ENTITIES, Document, Entity, QueryData
from burndown.models.codec import codec_of
from burndown.models.json_codec import decode_object, encode
from burndown.models.named_entity import NamedEntity, name_taken, set_revision
from burndown.models.public_document import with_stored_secrets, without_masked_token
from burndown.models.submodel import to_documents
from burndown.models.timestamps import utc_now
from burndown.models.version import SCHEMA_VERSION
from burndown.persistence.arguments import document_of, query_document
from burndown.persistence.caching import cache_limits, is_expired, keeping_order, stale_limit
from burndown.persistence.json_secrets import keep_stored_secrets
from burndown.persistence.patches import replacing
from burndown.transactions import Transactions

__all__ = ["ShelveBackend"]

Key = tuple[str, ...]
Content = dict[type[Entity], dict[Key, bytes]]

PATIENCE_SECONDS = 10


@dataclass
class Level:
    """A transaction, or one within another."""

    outer: "Level | None"
    content: Content | None = None
    """What its calls read and write, once there was one."""
    lock: FileLock | None = None


class ShelveBackend(PersistenceBackend):
    """A store in a folder of its own. It seals no secrets, and is not safe from a crash.

    Args:
        folder: where the shelf is; it is created by the first call that writes.
        clock: returns the current time.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(clock)
        self.folder = folder.absolute()
        self._transactions: Transactions[Level] = Transactions()

    # --- records -----------------------------------------------------------------------------

    def records(
        self, entity: type[Entity], profile_id: str | None = None, query_id: str | None = None
    ) -> Iterator[Document]:
        owners = [(entity.PROFILE_COLUMN, profile_id), (entity.QUERY_COLUMN, query_id)]
        wanted = [(column, text) for column, text in owners if text is not None]
        found = sorted(self._content()[entity].items())
        for document in (decode_object(stored) for _, stored in found):
            if all(column and document[column] == text for column, text in wanted):
                yield document

    def save_records(
        self, entity: type[Entity], records: Iterable[Mapping[str, Any] | Entity]
    ) -> None:
        documents = codec_of(entity).complete(document_of(entity, each) for each in records)
        with self._writing() as content:
            for document in documents:
                put(content, entity, keep_stored_secrets(entity, document, self.records))

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
        with self._writing() as content:
            deleted = [
                codec_of(entity).key(each)
                for each in self.records(entity, profile_id, query_id)
                if all(each[field] in strings for field, strings in wanted.items())
                and all(low <= each[field] <= high for field, (low, high) in between.items())
            ]
            for key in deleted:
                del content[entity][key]
        return len(deleted)

    # --- profiles and queries ----------------------------------------------------------------

    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        self._save(Profile, profile, document_of(Profile, profile))

    def save_query(self, profile_id: str, query: Mapping[str, Any] | Query) -> None:
        self._save(Query, query, query_document(profile_id, query))

    def _save(self, entity: type[NamedEntity], saved: object, given: Mapping[str, Any]) -> None:
        """Save a profile or query, which keeps its times and secrets if it has none."""
        given = to_documents(given)
        new = {"created_at": self.now(), **given}
        [document] = codec_of(entity).complete([without_masked_token(new)])
        with self._writing() as content:
            stored = content[entity].get(codec_of(entity).key(document))
            earlier = {} if stored is None else decode_object(stored)
            [document] = codec_of(entity).complete([with_stored_secrets(new, earlier)])
            if earlier:
                document = replacing(entity, document, given, earlier)
            put(content, entity, document)
        set_revision(saved, document)

    def delete_profile(self, profile_id: str) -> None:
        with self._writing() as content:
            if (profile_id,) not in content[Profile]:
                raise ProfileNotFoundError(profile_id)
            delete_below(content, Profile, (profile_id,))

    def delete_query(self, profile_id: str, query_id: str) -> None:
        with self._writing() as content:
            if (profile_id, query_id) not in content[Query]:
                raise QueryNotFoundError(profile_id, query_id)
            delete_below(content, Query, (profile_id, query_id))

    # --- app state, caches and tasks ---------------------------------------------------------

    def set_app_state(self, key: str, value: str | None) -> None:
        if value is not None:
            self.save_records(AppState, [{"key": key, "value": value}])
            return
        with self._writing() as content:
            content[AppState].pop((key,), None)

    def clear_task_progress(self, task_name: str) -> None:
        with self._writing() as content:
            content[TaskProgress].pop((task_name,), None)

    def cleanup_expired_cache(self, max_stale: timedelta | None = timedelta()) -> int:
        limit = stale_limit(self.now(), max_stale)
        with self._writing() as content:
            return delete_all(
                content,
                [
                    (entity, codec_of(entity).key(each))
                    for entity in EXPIRING_ENTITIES
                    for each in self.records(entity)
                    if is_expired(each, limit)
                ],
            )

    def cleanup(self, max_bytes: int | None = None, profile_id: str | None = None) -> int:
        limits, now, deleted = cache_limits(self, max_bytes, profile_id), self.now(), 0
        with self._writing() as content:
            for owner, limit in limits:
                cached = [
                    ((*keeping_order(each, now), number, *codec_of(entity).key(each)), entity, each)
                    for number, entity in enumerate(EXPIRING_ENTITIES)
                    for each in self.records(entity, owner)
                ]
                cached.sort(key=itemgetter(0), reverse=True)
                sizes = accumulate(len(encode(each[of.CONTENT_FIELD])) for _, of, each in cached)
                deleted += delete_all(
                    content,
                    [
                        (entity, codec_of(entity).key(each))
                        for (_, entity, each), size in zip(cached, sizes, strict=True)
                        if size > limit
                    ],
                )
        return deleted

    # --- the store itself --------------------------------------------------------------------

    def describe(self) -> Document:
        return {
            "location": str(self.folder),
            "size_bytes": sum(path.stat().st_size for path in self.folder.glob("content*")),
            "free_bytes": 0,
            "schema_version": self.get_app_state("schema_version"),
        }

    def exists(self) -> bool:
        return any(self.folder.glob("content*"))

    def check_integrity(self) -> tuple[bool, list[str]]:
        try:
            for entity in ENTITIES:
                codec_of(entity).complete(self.records(entity))
        except Exception as error:  # noqa: BLE001 - whatever a damaged shelf raises
            return False, [str(error)]
        return True, []

    def _back_up(self, target: Path) -> None:
        if not self.exists():
            raise StorageError(f"There is no store at {self.folder}")
        with self._locked("reading.lock"):
            shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns("*.lock"))

    def restore(self, path: str | Path) -> Path | None:
        if self.in_transaction():
            raise StorageError("A backup cannot be restored within a transaction")
        kept = self.folder.with_name(f"{self.folder.name}.before-restore")
        if self.exists():
            self._back_up(kept)
        with self._writing() as content:
            content.update(ShelveBackend(Path(path))._committed())
        return kept if kept.exists() else None

    def close(self) -> None:
        pass  # nothing stays open between two calls

    # --- transactions ------------------------------------------------------------------------

    def in_transaction(self) -> bool:
        return self._transactions.current() is not None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        level = Level(self._transactions.current())
        with self._transactions.opened(level) as opened:
            try:
                yield
                opened.check_end()
                if level.content is not None and level.outer is not None:
                    level.outer.content = level.content
                elif level.content is not None:
                    self._commit(level.content)
            finally:
                if level.lock is not None and not opened.belongs_to_parent:
                    level.lock.release()

    @contextmanager
    def _writing(self) -> Iterator[Content]:
        with self.transaction():
            yield self._content()

    def _content(self) -> Content:
        """Return what the caller sees: the content of its transaction, or what is committed."""
        level = self._transactions.current()
        return self._committed() if level is None else self._begun(level)

    def _begun(self, level: Level) -> Content:
        """Return the content that a transaction changes; its first call takes the lock."""
        if level.content is None:
            if level.outer is not None:
                outer = self._begun(level.outer)
                level.content = {entity: dict(documents) for entity, documents in outer.items()}
            else:
                self._transactions.raise_on_deadlock()
                level.lock = self._acquired("writing.lock")
                level.content = self._committed()
                version = {"key": "schema_version", "value": SCHEMA_VERSION}
                level.content[AppState].setdefault(("schema_version",), encode(version))
                self._transactions.mark_locked()
        return level.content

    def _committed(self) -> Content:
        content: Content = {entity: {} for entity in ENTITIES}
        if self.exists():
            with self._shelf("r") as shelf:
                content.update((each, shelf[each.LABEL]) for each in ENTITIES)
        return content

    def _commit(self, content: Content) -> None:
        with self._shelf("c") as shelf:
            shelf.update({entity.LABEL: documents for entity, documents in content.items()})

    @contextmanager
    def _shelf(self, mode: Literal["r", "c"]) -> Iterator[shelve.Shelf[dict[Key, bytes]]]:
        with self._locked("reading.lock"), shelve.open(str(self.folder / "content"), mode) as shelf:
            yield shelf

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        lock = self._acquired(name)
        try:
            yield
        finally:
            lock.release()

    def _acquired(self, name: str) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / name, thread_local=False)
        try:
            lock.acquire(timeout=PATIENCE_SECONDS)
        except Timeout:
            raise StorageError(f"The store at {self.folder} is locked by another process") from None
        return lock


# --- constraints that a database checks itself -------------------------------------------------


def put(content: Content, entity: type[Entity], document: Document) -> None:
    """Store a document below the profile and query that it belongs to."""
    if entity.PROFILE_COLUMN == "profile_id" and (document["profile_id"],) not in content[Profile]:
        raise ProfileNotFoundError(document["profile_id"])
    if entity.QUERY_COLUMN == "query_id":
        ids = (document["profile_id"], document["query_id"])
        if ids not in content[Query]:
            raise QueryNotFoundError(*ids)
    key = codec_of(entity).key(document)
    if issubclass(entity, NamedEntity):
        for other_key, stored in content[entity].items():
            is_sibling = other_key[:-1] == key[:-1] and other_key != key
            if is_sibling and decode_object(stored)["name"] == document["name"]:
                raise name_taken(entity, document, other_key[-1])
    if entity is TaskProgress:
        document = {**document, "progress_percent": float(document["progress_percent"])}
    content[entity][key] = encode(document)


def delete_below(content: Content, entity: type[Entity], ids: Key) -> None:
    """Delete a profile or query with all that belongs to it."""
    for each, documents in content.items():
        if each is entity or issubclass(each, QueryData) or each is Query:
            for key in [key for key in documents if key[: len(ids)] == ids]:
                del documents[key]


def delete_all(content: Content, keys: list[tuple[type[QueryData], Key]]) -> int:
    """Delete these documents, and return their number."""
    for entity, key in keys:
        del content[entity][key]
    return len(keys)

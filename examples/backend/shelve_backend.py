"""A backend on `shelve`: a small example of how one is written.

A shelf holds the documents of each entity as JSON, by key. A transaction changes a copy of all of
them, and ends with a new shelf and a file that names it: a process that is killed before that has
changed nothing. Two locks guard the folder: a transaction holds one from its first call to its end,
the other is held while a shelf is read or replaced.
"""

import shelve
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from burndown import (
    AppState,
    DatabaseCorruptionError,
    PersistenceBackend,
    Profile,
    Query,
    StorageError,
)
from burndown.models import ENTITIES, SCHEMA_VERSION, Document, Entity
from burndown.models.codec import codec_of
from burndown.models.json_codec import decode_object, encode
from burndown.models.sealer import sealer_of
from burndown.models.timestamps import utc_now
from burndown.transactions import Transactions

__all__ = ["ShelveBackend"]

Key = tuple[str, ...]
Content = dict[type[Entity], dict[Key, bytes]]

PATIENCE_SECONDS = 10


@dataclass
class Level:
    """A transaction, or one within another."""

    content: Content
    """What its calls read and change; empty before the first one."""
    lock: ExitStack


class ShelveBackend(PersistenceBackend):
    """A store in a folder of its own. It is safe from kills, but not from power failures.

    Args:
        folder: where the shelf is; it is created by the first call that writes.
        clock: returns the current time.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(clock)
        self.folder = folder.absolute()
        self._current = self.folder / "current"
        self._transactions: Transactions[Level] = Transactions()

    # --- records -----------------------------------------------------------------------------

    def records(
        self, entity: type[Entity], profile_id: str | None = None, query_id: str | None = None
    ) -> Iterator[Document]:
        owners = [(entity.PROFILE_COLUMN, profile_id), (entity.QUERY_COLUMN, query_id)]
        wanted = [(column, text) for column, text in owners if text is not None]
        for _, stored in sorted(self._content()[entity].items()):
            document = decode_object(stored)
            if all(column and document[column] == text for column, text in wanted):
                yield sealer_of(entity).opened(document)

    def save_records(
        self, entity: type[Entity], records: Iterable[Mapping[str, Any] | Entity]
    ) -> None:
        with self._writing() as content:
            for document in self._to_store(entity, records):
                content[entity][codec_of(entity).key(document)] = encode(document)

    def _delete_keys(self, entity: type[Entity], keys: Iterable[Key]) -> int:
        with self._writing() as content:
            deleted = {key for key in keys if content[entity].pop(key, None)}
            if entity in (Profile, Query):
                for each in (each for each in ENTITIES if each.QUERY_COLUMN):
                    content[each] = {
                        key: document
                        for key, document in content[each].items()
                        if deleted.isdisjoint((key[:1], key[:2]))
                    }
            return len(deleted)

    # --- the store itself --------------------------------------------------------------------

    def describe(self) -> Document:
        return {
            "location": str(self.folder),
            "size_bytes": sum(path.stat().st_size for path in self.folder.glob("shelf-*")),
            "free_bytes": 0,
            "schema_version": self.get_app_state("schema_version") if self.exists() else None,
        }

    def exists(self) -> bool:
        return self._current.exists()

    def _back_up(self, target: Path) -> None:
        if not self.exists():
            raise StorageError(f"There is no store at {self.folder}")
        with self._locked("reading.lock"):
            shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns("*.lock"))

    def restore(self, path: str | Path) -> Path | None:
        if self.in_transaction():
            raise StorageError("A backup cannot be restored within a transaction")
        backup, kept = ShelveBackend(Path(path)), None
        if not backup.exists():
            raise StorageError(f"There is no backup at {path}")
        if self.exists():
            name = f"{self.folder.name}.{self.now():%Y%m%d-%H%M%S}.before-restore"
            kept = self.backup(self.folder.with_name(name))
        with self._writing() as content:
            content.update(backup._committed())
        return kept

    # --- transactions ------------------------------------------------------------------------

    def in_transaction(self) -> bool:
        return self._transactions.current() is not None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        outer = self._transactions.current()
        content = {} if outer is None else self._content()
        with ExitStack() as lock:
            level = Level({each: dict(documents) for each, documents in content.items()}, lock)
            with self._transactions.opened(level) as opened:
                yield
                opened.check_end()
                if outer is not None:
                    outer.content.update(level.content)
                elif level.content:
                    self._commit(level.content)

    @contextmanager
    def _writing(self) -> Iterator[Content]:
        with self.transaction():
            yield self._content()

    def _content(self) -> Content:
        """Return what the caller sees: the content of its transaction, or what is committed."""
        level = self._transactions.current()
        if level is None:
            return self._committed()
        if not level.content:
            self._transactions.raise_on_deadlock()
            level.lock.enter_context(self._locked("writing.lock"))
            level.content.update(self._committed())
            self._transactions.mark_locked()
        return level.content

    def _committed(self) -> Content:
        if not self.exists():
            version = encode({"key": "schema_version", "value": SCHEMA_VERSION})
            return {**{entity: {} for entity in ENTITIES}, AppState: {("schema_version",): version}}
        with self._locked("reading.lock"):
            path = self.folder / self._current.read_text()
            try:
                with shelve.open(str(path), "r") as shelf:
                    return {entity: shelf[entity.LABEL] for entity in ENTITIES}
            except Exception as error:
                raise DatabaseCorruptionError(f"{path} is damaged: {error}") from error

    def _commit(self, content: Content) -> None:
        name = f"shelf-{uuid4()}"
        with shelve.open(str(self.folder / name), "n") as shelf:
            shelf.update({entity.LABEL: documents for entity, documents in content.items()})
        new = self.folder / "new"
        new.write_text(name)
        with self._locked("reading.lock"):
            new.replace(self._current)
            for path in self.folder.glob("shelf-*"):  # also those of processes that were killed
                if not path.name.startswith(name):
                    path.unlink()

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / name, timeout=PATIENCE_SECONDS, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            raise StorageError(f"The store at {self.folder} is locked by another process") from None
        try:
            yield
        finally:
            lock.release()

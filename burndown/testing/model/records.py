"""The model of records, of transactions and of the store itself."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from burndown import PersistenceBackend, ProfileNotFoundError, QueryNotFoundError
from burndown.models import Entity, Profile, Query, QueryData
from burndown.models.named_entity import NamedEntity
from burndown.testing.clocks import Clock
from burndown.testing.controlled_store import KEYS, Document, in_order, in_utc
from burndown.testing.model.refusals import RefusedError

__all__ = ["RecordModel", "newest_first"]

Key = tuple[str, ...]


class RecordModel(PersistenceBackend):
    """All records, each in a dict by its key."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.clock = clock
        self.kept: dict[type[Entity], dict[Key, Document]] = {model: {} for model in KEYS}
        self.undone_to: list[dict[type[Entity], dict[Key, Document]]] = []

    def committed(self) -> Self:
        """Return what other processes see: nothing of an open transaction."""
        seen = type(self)(self.clock)
        seen.kept = copy.deepcopy(self.undone_to[0] if self.undone_to else self.kept)
        return seen

    def _now(self) -> str:
        return in_utc(self.clock())

    def _find(self, model: type[Entity], *key: str) -> Document | None:
        return self.kept[model].get(key)

    def _keep(self, model: type[Entity], document: Document) -> None:
        self.kept[model][tuple(document[name] for name in KEYS[model])] = document

    def _below(self, model: type[Entity], *ids: str) -> list[Document]:
        """Return all documents of the model whose key begins with these values, by key."""
        found = self.kept[model].items()
        return in_order(model, (each for key, each in found if key[: len(ids)] == ids))

    def _delete(self, model: type[Entity], *key: str) -> None:
        """Delete the document with all that belongs to it."""
        del self.kept[model][key]
        for other, names in KEYS.items():
            if "profile_id" in names and other is not model:
                for found in [each for each in self.kept[other] if each[: len(key)] == key]:
                    del self.kept[other][found]

    def _require(self, profile_id: str, query_id: str | None = None) -> None:
        if (profile_id,) not in self.kept[Profile]:
            raise ProfileNotFoundError(profile_id)
        if query_id is not None and (profile_id, query_id) not in self.kept[Query]:
            raise QueryNotFoundError(profile_id, query_id)

    def _refuse_taken_name(self, model: type[Entity], document: Document) -> None:
        for other in self._below(model, *(document[name] for name in KEYS[model][:-1])):
            if other["id"] != document["id"] and other["name"] == document["name"]:
                raise RefusedError("name", mentioned=other["id"])

    def records(
        self, model: type[Entity], profile_id: str | None = None, query_id: str | None = None
    ) -> Iterator[Document]:
        yield from self._below(
            model, *(each for each in (profile_id, query_id) if each is not None)
        )

    def save_records(
        self, model: type[Entity], records: Iterable[Mapping[str, Any] | Entity]
    ) -> None:
        with self.transaction():
            for record in (dict(each) for each in records if isinstance(each, Mapping)):
                if "profile_id" in KEYS[model]:
                    self._require(record["profile_id"], record.get("query_id"))
                if issubclass(model, NamedEntity):
                    self._refuse_taken_name(model, record)
                self._keep(model, record)

    def delete_records(
        self,
        model: type[QueryData],
        profile_id: str,
        query_id: str | None = None,
        *,
        one_of: Mapping[str, Iterable[str]] = MappingProxyType({}),
        between: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    ) -> int:
        return self._forget(
            model,
            profile_id,
            query_id,
            lambda record: (
                all(record[name] in strings for name, strings in one_of.items())
                and all(low <= record[name] <= high for name, (low, high) in between.items())
            ),
        )

    def _forget(
        self,
        model: type[Entity],
        profile_id: str,
        query_id: str | None,
        is_forgotten: Callable[[Document], bool],
    ) -> int:
        ids = (profile_id,) if query_id is None else (profile_id, query_id)
        forgotten = [each for each in self._below(model, *ids) if is_forgotten(each)]
        for each in forgotten:
            del self.kept[model][tuple(each[name] for name in KEYS[model])]
        return len(forgotten)

    def in_transaction(self) -> bool:
        return bool(self.undone_to)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.undone_to.append(copy.deepcopy(self.kept))
        try:
            yield
        except BaseException:
            self.kept = self.undone_to[-1]
            raise
        finally:
            self.undone_to.pop()

    def describe(self) -> Document:
        raise NotImplementedError  # each backend has its own location

    def exists(self) -> bool:
        return True

    def check_integrity(self) -> tuple[bool, list[str]]:
        return True, []

    def _delete_keys(self, model: type[Entity], keys: Iterable[Key]) -> int:
        raise NotImplementedError  # no call needs it

    def _back_up(self, target: Path) -> None:
        raise NotImplementedError  # a copy has what is committed

    def restore(self, path: str | Path) -> Path | None:
        raise NotImplementedError  # there is no backup of it

    def close(self) -> None:
        pass


def newest_first(timestamp: str) -> float:
    """Return a sort key by which newer timestamps come first."""
    return -datetime.fromisoformat(timestamp).timestamp()

"""Backends with a fault each, and tests of them, which fail."""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from burndown import Profile, Query
from burndown.models import Document, Entity, JiraCache, QueryData
from burndown.models.codec import codec_of
from burndown.persistence.arguments import document_of
from burndown.persistence.task import TaskChange
from burndown.testing.contract import (
    BelongingContract,
    FreshnessContract,
    MetricsContract,
    OrderContract,
    ProfileContract,
    RecordContract,
    RevisionContract,
    SecretContract,
    TaskContract,
    TransactionContract,
    ValueContract,
)
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import OpenBackend
from examples.backend.shelve_backend import Content, ShelveBackend


class ExpiryIgnored(ShelveBackend):
    def records(self, entity: type[Entity], *ids: Any) -> Iterator[Document]:
        for each in super().records(entity, *ids):
            yield (
                {**each, "expires_at": "9999-12-31T00:00:00+00:00"} if entity is JiraCache else each
            )


class OrderReversed(ShelveBackend):
    def list_profiles(self) -> list[Any]:
        return super().list_profiles()[::-1]


class OrderOfALanguage(ShelveBackend):
    def records(self, entity: type[Entity], *ids: Any) -> Iterator[Document]:
        key = codec_of(entity).key
        found = super().records(entity, *ids)
        yield from sorted(found, key=lambda each: [str(part).casefold() for part in key(each)])


class LimitByRows(ShelveBackend):
    """The limit counts snapshots of other types."""

    def get_metrics_snapshots(
        self, profile_id: str, query_id: str, metric_type: Any = None, *args: Any, **options: Any
    ) -> list[Any]:
        found = super().get_metrics_snapshots(profile_id, query_id, None, *args, **options)
        return [each for each in found if metric_type in (None, each["metric_type"])]


class CascadeMissing(ShelveBackend):
    def delete_query(self, profile_id: str, query_id: str) -> None:
        with self._writing() as content:
            content[Query].pop((profile_id, query_id))


class CascadeTooWide(ShelveBackend):
    """Data of queries of the same id in other profiles are deleted, too."""

    def delete_query(self, profile_id: str, query_id: str) -> None:
        super().delete_query(profile_id, query_id)
        with self._writing() as content:
            for entity, documents in content.items():
                if issubclass(entity, QueryData):
                    content[entity] = {
                        key: each for key, each in documents.items() if key[1] != query_id
                    }


class NoTransaction(ShelveBackend):
    """Each call within a transaction is stored immediately."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    @contextmanager
    def _writing(self) -> Iterator[Content]:
        with super().transaction():
            yield self._content()


class NoNestedTransaction(ShelveBackend):
    """An error within an inner transaction undoes nothing of it."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self.in_transaction():
            yield
        else:
            with super().transaction():
                yield


class HalfOfManyRecords(ShelveBackend):
    """A record that is refused leaves those before it stored."""

    def save_records(
        self, entity: type[Entity], records: Iterable[Mapping[str, Any] | Entity]
    ) -> None:
        for each in records:
            super().save_records(entity, [each])


class RevisionIgnored(ShelveBackend):
    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        given = document_of(Profile, profile)
        super().save_profile({key: each for key, each in given.items() if key != "revision"})


class TimesReplaced(ShelveBackend):
    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        super().save_profile({"last_used": self.now(), **document_of(Profile, profile)})


class TokenLost(ShelveBackend):
    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        given = document_of(Profile, profile)
        super().save_profile({**given, "jira_config": given.get("jira_config") or {"token": ""}})


class TaskTwice(ShelveBackend):
    """A task begins though another process holds it."""

    def _change_task(self, task_name: str, change: TaskChange) -> Mapping[str, Any] | None:
        return super()._change_task(task_name, lambda _: change(None))


class TextNormalized(ShelveBackend):
    def records(self, entity: type[Entity], *ids: Any) -> Iterator[Document]:
        for each in super().records(entity, *ids):
            text = json.dumps(each, ensure_ascii=False)
            yield json.loads(unicodedata.normalize("NFC", text))


MUTANTS: dict[type[ShelveBackend], type[ContractPart]] = {
    ExpiryIgnored: FreshnessContract,
    OrderReversed: OrderContract,
    OrderOfALanguage: OrderContract,
    LimitByRows: MetricsContract,
    CascadeMissing: BelongingContract,
    CascadeTooWide: BelongingContract,
    NoTransaction: TransactionContract,
    NoNestedTransaction: TransactionContract,
    HalfOfManyRecords: RecordContract,
    RevisionIgnored: RevisionContract,
    TimesReplaced: ProfileContract,
    TokenLost: SecretContract,
    TaskTwice: TaskContract,
    TextNormalized: ValueContract,
}
"""Each backend with a fault, and the part of the contract that fails."""


def _test_of(mutant: type[ShelveBackend], part: type[ContractPart]) -> type[ContractPart]:
    @pytest.fixture(scope="class")
    def open_backend() -> OpenBackend:
        return lambda folder, clock: mutant(folder / "store", clock)

    name = f"Test{mutant.__name__}"
    return type(name, (part,), {"open_backend": staticmethod(open_backend), "__module__": __name__})


for mutant, part in MUTANTS.items():
    globals()[f"Test{mutant.__name__}"] = _test_of(mutant, part)

"""Backends with a fault each, and tests of them, which fail."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pytest

from burndown import Profile, Query
from burndown.models import Document, Entity, JiraCache, QueryData
from burndown.models.codec import codec_of
from burndown.persistence.arguments import document_of
from burndown.persistence.task import TaskChange
from burndown.testing import BackendContract
from burndown.testing.contract import (
    BelongingContract,
    ExpiryContract,
    ForgettingContract,
    MetricsContract,
    OrderContract,
    OwnershipContract,
    PatchContract,
    RecordContract,
    RevisionContract,
    SecretContract,
    TaskContract,
    TimeContract,
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


class PrefixDeleted(ShelveBackend):
    """Data of queries whose id begins with that of a deleted one are deleted, too."""

    def delete_query(self, profile_id: str, query_id: str) -> None:
        super().delete_query(profile_id, query_id)
        with self._writing() as content:
            for entity, documents in content.items():
                if issubclass(entity, QueryData):
                    content[entity] = {
                        key: each
                        for key, each in documents.items()
                        if key[0] != profile_id or not key[1].startswith(query_id)
                    }


class StateDeleted(ShelveBackend):
    """Application state whose key is the id of a deleted profile is deleted, too."""

    def delete_profile(self, profile_id: str) -> None:
        super().delete_profile(profile_id)
        self.set_app_state(profile_id, None)


class NoTransaction(ShelveBackend):
    """Each call within a transaction is stored immediately."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    @contextmanager
    def _writing(self) -> Iterator[Content]:
        with super().transaction():
            yield self._content()


class LockedFromTheBeginning(ShelveBackend):
    """A transaction without calls makes others wait."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        is_part = self.in_transaction()
        with super().transaction():
            if not is_part:
                self.set_app_state("unknown", None)
            yield


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


class PatchOfKnownKeys(ShelveBackend):
    def patch_profile(
        self, profile_id: str, changes: Mapping[str, Any], if_revision: int | None = None
    ) -> Any:
        known = {key: each for key, each in changes.items() if key in Profile.model_fields}
        return super().patch_profile(profile_id, known, if_revision)


class RevisionOfEachSave(ShelveBackend):
    """A save that changes nothing raises the revision."""

    def save_query(self, profile_id: str, query: Mapping[str, Any] | Query) -> None:
        with self.transaction():
            before = self.get_query(profile_id, document_of(Query, query)["id"])
            super().save_query(profile_id, query)
            after = self.get_query(profile_id, document_of(Query, query)["id"])
            if before and after and before["revision"] == after["revision"]:
                self.save_records(Query, [{**after, "revision": after["revision"] + 1}])


class OuterPartLost(ShelveBackend):
    """An error within an inner transaction undoes what was done before it, too."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        outer = self._transactions.current()
        try:
            with super().transaction():
                yield
        except BaseException:
            if outer is not None and outer.content is not None:
                outer.content = self._committed()
            raise


class OthersUnseen(ShelveBackend):
    """What another process commits later is not read."""

    @cached_property
    def _seen(self) -> list[Content]:
        return [super()._committed()]

    def _committed(self) -> Content:
        return {entity: dict(documents) for entity, documents in self._seen[-1].items()}

    def _commit(self, content: Content) -> None:
        super()._commit(content)
        self._seen.append(content)


class IntegersOfFloats(ShelveBackend):
    """A float without a fraction is returned as an integer."""

    def records(self, entity: type[Entity], *ids: Any) -> Iterator[Document]:
        for each in super().records(entity, *ids):
            yield json.loads(re.sub(r"\.0(?=[],}])", "", json.dumps(each)))


class DocumentsShared(ShelveBackend):
    """A document that a caller has changed is returned to the next one."""

    @cached_property
    def _returned(self) -> dict[tuple[type[Entity], str], Document]:
        return {}

    def records(self, entity: type[Entity], *ids: Any) -> Iterator[Document]:
        for each in super().records(entity, *ids):
            yield self._returned.setdefault((entity, json.dumps(each)), each)


class LastWeekKept(ShelveBackend):
    """The end of a range does not belong to it."""

    def delete_records(self, *ids: Any, **conditions: Any) -> int:
        between = conditions.get("between", {})
        shorter = {field: (first, last[:-1]) for field, (first, last) in between.items()}
        return super().delete_records(*ids, **{**conditions, "between": shorter})


FOUND_BY: dict[type[ShelveBackend], Callable[..., None]] = {
    ExpiryIgnored: (
        ExpiryContract.test_entries_are_returned_until_they_expire_and_deleted_by_cleaning
    ),
    OrderReversed: OrderContract.test_lists_come_most_recently_used_first,
    OrderOfALanguage: OrderContract.test_strings_are_compared_by_code_points,
    LimitByRows: MetricsContract.test_snapshots_come_newest_week_first_up_to_the_limit,
    LastWeekKept: ForgettingContract.test_weeks_are_read_and_deleted_by_the_same_conditions,
    CascadeMissing: BelongingContract.test_deleting_a_query_deletes_its_data_only,
    CascadeTooWide: BelongingContract.test_deleting_a_query_deletes_its_data_only,
    StateDeleted: BelongingContract.test_app_state_and_tasks_stay,
    PrefixDeleted: BelongingContract.test_a_similar_id_is_another_one,
    NoTransaction: TransactionContract.test_a_transaction_that_fails_is_rolled_back,
    NoNestedTransaction: TransactionContract.test_nested_transactions_roll_back_only_their_part,
    LockedFromTheBeginning: (OwnershipContract.test_a_transaction_without_calls_blocks_no_other),
    OuterPartLost: TransactionContract.test_nested_transactions_roll_back_only_their_part,
    OthersUnseen: TransactionContract.test_a_transaction_that_ends_is_committed,
    HalfOfManyRecords: RecordContract.test_records_are_saved_atomically,
    RevisionIgnored: RevisionContract.test_another_revision_than_the_stored_one_is_refused,
    RevisionOfEachSave: RevisionContract.test_saving_what_was_read_leaves_the_revision,
    PatchOfKnownKeys: PatchContract.test_a_patch_merges_into_what_is_stored,
    TimesReplaced: TimeContract.test_saving_without_a_timestamp_keeps_the_stored_one,
    TokenLost: SecretContract.test_a_document_without_the_token_keeps_it,
    TaskTwice: TaskContract.test_a_task_runs_once_at_a_time,
    TextNormalized: ValueContract.test_a_string_comes_back_exactly,
    DocumentsShared: ValueContract.test_a_document_belongs_to_the_caller,
    IntegersOfFloats: ValueContract.test_a_value_comes_back_exactly,
}
"""Each backend with a fault, and the test of the contract that finds it."""


def _test_of(mutant: type[ShelveBackend]) -> type[ContractPart]:
    """Return the part of the contract that finds the fault: to collect all of it takes longer."""
    name = FOUND_BY[mutant].__name__
    [part] = (each for each in BackendContract.__bases__ if name in vars(each))

    @pytest.fixture(scope="class")
    def open_backend() -> OpenBackend:
        return lambda folder, clock: mutant(folder / "store", clock)

    contents = {"open_backend": staticmethod(open_backend), "__module__": __name__}
    return type(f"Test{mutant.__name__}", (part,), contents)


for mutant in FOUND_BY:
    globals()[f"Test{mutant.__name__}"] = _test_of(mutant)

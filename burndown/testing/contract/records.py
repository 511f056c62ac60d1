"""All records of an entity can be read, and saved into another store without any change."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import ProfileNotFoundError, QueryNotFoundError, ValidationError
from burndown.models import (
    AppState,
    Entity,
    JiraCache,
    JiraChangelog,
    Profile,
    ProjectData,
    Query,
    QueryData,
    TaskProgress,
)
from burndown.testing.contract.drawn import ENTITIES, VALID
from burndown.testing.contract.examples import given
from burndown.testing.contract.orders import IDS
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import (
    GOOD,
    KEYS,
    START,
    Document,
    Store,
    fill,
    in_order,
    in_utc,
    same,
)

__all__ = ["RecordContract"]

OF_PROFILE = {"profile_id": "p"}

OF_QUERY = {"profile_id": "p", "query_id": "q"}


def documents_of(model: type[Entity]) -> st.SearchStrategy[list[Document]]:
    """Return documents of the model that can be stored together with the first query."""
    fixed = {name: text for name, text in OF_QUERY.items() if name in KEYS[model]}
    valid = ENTITIES[model].map(lambda document: {**document, **fixed})
    if model is AppState:
        valid = valid.filter(lambda document: document["key"] != "schema_version")
    unique = [lambda document: tuple(document[name] for name in KEYS[model])]
    if KEYS[model][-1] == "id":
        valid = valid.filter(
            lambda document: (
                not {document["id"], document.get("name")}
                & {"p", "q", "the query", "the profile of the query"}
            )
        )
        unique.append(lambda document: document.get("name", document["id"]))
    return st.lists(valid, max_size=2, unique_by=tuple(unique))


everything_storable = st.fixed_dictionaries({model: documents_of(model) for model in KEYS})


def valid_record(model: type[Entity], **changes: Any) -> Document:
    """Return a valid record of the model, below the first query if it belongs to one."""
    fixed = {name: text for name, text in OF_QUERY.items() if name in KEYS[model]}
    return {**VALID[model], **fixed, **changes}


ORPHANED = [model for model, key in KEYS.items() if "profile_id" in key]


class RecordContract(ContractPart):
    """The contract of the records of all entities."""

    # Documents of all entities are large on purpose.
    @given(everything_storable, divisor=3, large=True)
    def test_records_can_be_saved_again_unchanged(
        self, shared: Store, documents: dict[type[Entity], list[Document]]
    ) -> None:
        """A store that is saved from the records of another one is equal to it."""
        with shared.empty().transaction():
            for model, many in documents.items():
                shared.save_records(model, iter(many))
        before = shared.everything()
        records = {model: list(shared.records(model)) for model in KEYS}
        for model, many in documents.items():
            keys = [[each[name] for name in KEYS[model]] for each in records[model]]
            assert all([each[name] for name in KEYS[model]] in keys for each in many)
        shared.clear().clock.now = START + timedelta(days=1)
        for model in KEYS:
            shared.save_records(model, records[model])
        assert shared.everything() == before
        for model in KEYS:
            shared.save_records(model, records[model])
        assert shared.everything() == before

    def test_records_have_timestamps_that_no_other_call_returns(self, store: Store) -> None:
        """Records have all fields of the model, and expired entries are among them."""
        fill(store, "new", "q")
        store.set_app_state("key", "value")
        store.save_task_progress("task", 1, "running")
        store.clock.now = START + timedelta(days=1)
        for model in KEYS:
            for record in store.records(model):
                assert record.keys() == model.model_fields.keys() - {"extra"}
        [data] = store.records(ProjectData)
        assert data["updated_at"] == in_utc(START)
        [cache] = store.records(JiraCache)
        assert (cache["created_at"], cache["response"]) == (in_utc(START), {"issues": []})
        [changelog] = store.records(JiraChangelog)
        assert changelog["expires_at"] is None
        assert store.get_jira_cache("new", "q", "k") is None

    def test_records_of_a_profile_are_those_that_belong_to_it(self, store: Store) -> None:
        """Entities that belong to no profile have none."""
        for profile_id in ("a", "b"):
            fill(store, profile_id, "q")
        store.set_app_state("key", "value")
        store.save_task_progress("a", 1, "running")
        for model in KEYS:
            owner = "id" if model is Profile else "profile_id"
            expected = [each for each in store.records(model) if each.get(owner) == "a"]
            assert len(expected) == (0 if model in (AppState, TaskProgress) else 1)
            assert same(list(store.records(model, "a")), expected)
            for unknown in ("c", "", "a\0", "\ud800"):
                assert list(store.records(model, unknown)) == []

    def test_records_of_a_query_are_its_own(self, store: Store) -> None:
        """The query itself included; an entity that belongs to no query has none."""
        for profile_id in ("a", "b"):
            for query_id in ("q", "r"):
                fill(store, profile_id, query_id)
        store.set_app_state("key", "value")
        store.save_task_progress("task", 1, "running")
        for model in KEYS:
            owner = "id" if model is Query else "query_id"
            expected = [
                record
                for record in store.records(model)
                if (record.get("profile_id"), record.get(owner)) == ("a", "q")
            ]
            assert list(store.records(model, "a", "q")) == expected
            assert len(expected) == (issubclass(model, QueryData) or model is Query)
            for unknown in ("nope", "", "q\0", "\ud800"):
                assert list(store.records(model, "a", unknown)) == []

    @pytest.mark.parametrize("model", KEYS)
    def test_records_of_another_store_make_an_equal_store(
        self, store: Store, another_store: Store, model: type[Entity]
    ) -> None:
        """Records can be saved into another store, parents first."""
        fill(store, "new", "q")
        store.save_profile({"id": "p", "unknown": {"b": 1, "a": 2.0}, "created_at": START})
        store.save_task_progress("task", 33.3, "running", "é")
        for each in list(KEYS)[: list(KEYS).index(model) + 1]:
            another_store.save_records(each, store.records(each))
        assert same(list(another_store.records(model)), list(store.records(model)))

    def test_records_come_by_key(self, store: Store) -> None:
        """Each part of a key is compared by code points, the ids of parents first."""
        ids = IDS[::4]
        with store.clear().transaction():
            for profile_id in ids[:3]:
                for query_id in ids[:3]:
                    fill(store, profile_id, query_id)
                    for key in ids[::-1]:
                        store.save_jira_changelog(profile_id, query_id, key, {})
                    for kind in ("a_b", "ab", "a1"):
                        store.save_metrics_snapshots(
                            profile_id, query_id, [{**GOOD, "metric_type": kind}]
                        )
            for each in IDS:
                if store.get_profile(each) is None:
                    store.save_profile({"id": each})
                store.set_app_state(each, "value")
                store.save_task_progress(each, 0, "running")
        for model in KEYS:
            found = list(store.records(model))
            assert len(found) >= 9
            assert found == in_order(model, found)

    def test_any_number_of_records_is_read(self, store: Store) -> None:
        """All records come once, even if they are more than one statement reads."""
        names = [f"task-{number:04}" for number in range(450)]
        store.save_records(
            TaskProgress, [{**VALID[TaskProgress], "task_name": name} for name in reversed(names)]
        )
        assert [record["task_name"] for record in store.records(TaskProgress)] == names

    def test_reading_records_can_stop_early(self, store: Store) -> None:
        """It blocks neither the reader nor others."""
        store.save_profile({"id": "o"})
        records: Iterator[Document] = iter(store.records(Profile))
        assert next(records)["id"] == "o"
        store.save_profile({"id": "new"})
        with store.another() as other:
            other.save_profile({"id": "other"})
        del records
        assert [record["id"] for record in store.records(Profile)] == ["new", "o", "other", "p"]

    def test_records_include_changes_of_the_open_transaction(self, store: Store) -> None:
        """They are read within it, and are gone when it fails."""

        def fail() -> None:
            with store.transaction():
                store.save_records(AppState, [{"key": "key", "value": "value"}])
                assert {"key": "key", "value": "value"} in list(store.records(AppState))
                raise LookupError

        before = store.everything()
        with pytest.raises(LookupError):
            fail()
        assert store.everything() == before

    @pytest.mark.parametrize("model", KEYS)
    def test_records_are_saved_atomically(self, store: Store, model: type[Entity]) -> None:
        """If one record is invalid, or the iterator raises, none is stored."""
        before = store.everything()
        key = KEYS[model][-1]
        with pytest.raises(ValidationError) as refused:
            store.save_records(model, [valid_record(model), valid_record(model, **{key: ""})])
        assert key in {problem.path for problem in refused.value.problems}

        def fail_at_the_end() -> Iterator[Document]:
            yield valid_record(model)
            raise LookupError

        with pytest.raises(LookupError):
            store.save_records(model, fail_at_the_end())
        assert store.everything() == before
        store.save_records(model, [])
        assert store.everything() == before
        store.save_records(model, [valid_record(model)])
        assert store.everything() != before

    @pytest.mark.parametrize("model", ORPHANED)
    @pytest.mark.parametrize("before", [0, 1], ids=["first", "later"])
    def test_records_need_their_parents(
        self, store: Store, model: type[Entity], before: int
    ) -> None:
        """Any record without its parent raises the same error as other calls."""
        stored = store.everything()
        good = [valid_record(model)] * before
        with pytest.raises(ProfileNotFoundError, match="Profile 'nope' not found"):
            store.save_records(model, [*good, valid_record(model, profile_id="nope")])
        if model is not Query:
            with pytest.raises(QueryNotFoundError, match="Query 'nope' not found in profile 'p'"):
                store.save_records(model, [*good, valid_record(model, query_id="nope")])
        assert store.everything() == stored

    @pytest.mark.parametrize("model", [Profile, Query])
    @pytest.mark.parametrize("before", [0, 1], ids=["first", "later"])
    def test_a_record_cannot_have_a_taken_name(
        self, store: Store, model: type[Entity], before: int
    ) -> None:
        """It raises the same error as other calls, whichever record it is."""
        stored = store.everything()
        good = [valid_record(model, id="good")] * before
        [taken] = store.records(model)
        with pytest.raises(ValidationError) as refused:
            store.save_records(model, [*good, valid_record(model, name=taken["name"])])
        assert [problem.path for problem in refused.value.problems] == ["name"]
        assert repr(taken["id"]) in str(refused.value)
        assert store.everything() == stored

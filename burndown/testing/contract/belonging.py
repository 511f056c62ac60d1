"""Deleting a profile or query deletes all that belongs to it, and nothing else."""

from typing import Any

from burndown.models import AppState, TaskProgress
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import KEYS, Document, Store, fill

__all__ = ["BelongingContract"]

ALONE = {AppState, TaskProgress}

SIMILAR = [
    *("a", "A", "a_", "a b", "a%", "a-b"),
    *("ä", "a\u0308", "a:b", "a%2Fb", "con", "a.b"),
]
"""Ids each of which is similar to the next one."""


def of(store: Store, *ids: str) -> dict[Any, list[Document]]:
    """Return all that is stored below these ids, including the profile or query itself."""
    names = ("profile_id", "query_id")
    found = {}
    for model, key in KEYS.items():
        if model not in ALONE:
            # The key of a profile or query ends with its own id.
            of_model = (*names[: len(key) - 1], "id") if key[-1] == "id" else names
            found[model] = [
                each
                for each in store.records(model)
                if all(each[name] == text for name, text in zip(of_model, ids, strict=False))
                and len(of_model) >= len(ids)
            ]
    return found


def keys_in(store: Store) -> set[tuple[Any, ...]]:
    """Return the entity and key of all that is stored."""
    return {
        (model, *(each[name] for name in key))
        for model, key in KEYS.items()
        for each in store.records(model)
    }


class BelongingContract(ContractPart):
    """The contract of what is deleted with a profile or query."""

    def test_deleting_a_query_deletes_its_data_only(self, store: Store) -> None:
        """Data of other queries stay, even of a query with the same id."""
        for profile_id in ("one", "two"):
            for query_id in ("a", "b"):
                fill(store, profile_id, query_id)
        kept, others = of(store, "one", "b"), of(store, "two")
        assert all(of(store, "one", "a")[model] for model in kept if len(KEYS[model]) > 1)
        store.delete_query("one", "a")
        assert not any(of(store, "one", "a").values())
        assert of(store, "one", "b") == kept
        assert of(store, "two") == others

    def test_deleting_a_profile_deletes_its_queries_and_data_only(self, store: Store) -> None:
        """Queries and data of other profiles stay."""
        for profile_id in ("one", "two"):
            fill(store, profile_id, "a")
        others = of(store, "two")
        assert all(len(found) == 1 for found in of(store, "one").values())
        store.delete_profile("one")
        assert not any(of(store, "one").values())
        assert of(store, "two") == others

    def test_app_state_and_tasks_stay(self, store: Store) -> None:
        """Also those whose key is a deleted id, and the state that names one."""
        fill(store, "one", "a")
        for key, value in {"active_profile_id": "one", "active_query_id": "a"}.items():
            store.set_app_state(key, value)
            store.set_app_state(value, "value")
            store.save_task_progress(value, 1, "running")
        before = {model: list(store.records(model)) for model in ALONE}
        store.delete_query("one", "a")
        store.delete_profile("one")
        assert {model: list(store.records(model)) for model in ALONE} == before

    def test_a_profile_that_is_created_again_is_empty(self, store: Store) -> None:
        """It has nothing of the deleted profile with the same id."""
        fill(store, "one", "a")
        store.delete_profile("one")
        store.save_profile({"id": "one"})
        assert store.list_queries("one") == []
        store.save_query("one", {"id": "a"})
        assert {len(found) for found in of(store, "one", "a").values()} == {0, 1}
        assert store.get_project_data("one", "a") is None

    def test_saving_a_profile_or_query_again_keeps_its_data(self, store: Store) -> None:
        """Replacing does not delete."""
        fill(store, "one", "a")
        before = of(store, "one")
        store.save_profile({"id": "one"})
        store.save_query("one", {"id": "a"})
        assert of(store, "one") == before

    def test_a_similar_id_is_another_one(self, store: Store) -> None:
        """So is one that begins with it, or differs in case."""
        with store.transaction():
            for each in SIMILAR:
                fill(store, each, "q")
                fill(store, "p", each)
                store.save_task_progress(each, 0, "running")
                store.set_app_state(each, "x")
        left = keys_in(store)
        for deleted in (SIMILAR[::2], SIMILAR[1::2]):
            with store.transaction():
                for each in deleted:
                    store.delete_query("p", each)
                    store.delete_profile(each)
                    store.clear_task_progress(each)
                    store.set_app_state(each, None)
            queries = {("p", each) for each in deleted}
            left = {key for key in left if key[1] not in deleted and key[1:3] not in queries}
            assert keys_in(store) == left

"""Several calls in a transaction are stored together or not at all."""

import sqlite3
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import PersistenceError, QueryNotFoundError, ValidationError
from burndown.testing.calls import ORPHANS, REFUSED
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import Store, everything, fill

__all__ = ["TransactionContract"]


class Stop(BaseException):
    """A ``BaseException`` that interrupts a test, and is not an ``Exception``."""


steps = st.recursive(
    st.sampled_from(["write", "fail"]), lambda inner: st.lists(inner, max_size=4), max_leaves=10
)


class TransactionContract(ContractPart):
    """The contract of transactions."""

    @pytest.mark.parametrize(
        "error", [ValueError, Stop, KeyboardInterrupt, sqlite3.OperationalError]
    )
    def test_a_transaction_that_fails_is_rolled_back(
        self, store: Store, error: type[BaseException]
    ) -> None:
        """Whatever interrupts it, nothing has changed, and the next call works."""
        before = store.everything()

        def fail() -> None:
            with store.transaction():
                fill(store, "new", "q")
                store.set_app_state("key", "value")
                store.delete_profile("p")
                assert store.get_profile("p") is None
                assert store.get_app_state("key") == "value"
                raise error

        with pytest.raises((error, PersistenceError)):
            fail()
        assert store.everything() == before
        assert store.get_profile("p") is not None
        store.save_profile({"id": "new"})

    def test_a_transaction_that_ends_is_committed(self, store: Store) -> None:
        """Others see nothing of a transaction until it ends, and then all of it."""
        before = store.everything()
        with store.another() as other:
            with store.transaction():
                fill(store, "new", "q")
                store.set_app_state("key", "value")
                store.delete_profile("p")
                assert store.everything() != before
                assert everything(other) == before
            assert everything(other) == store.everything() != before
        assert store.get_app_state("key") == "value"
        assert store.get_profile("p") is None
        assert store.get_query("new", "q") is not None
        assert store.get_project_data("new", "q") == {}

    @given(st.lists(steps, max_size=5))
    def test_nested_transactions_roll_back_only_their_part(
        self, shared: Store, plan: list[Any]
    ) -> None:
        """An error within a transaction undoes what was done since the inner one began."""
        shared.clear()
        written = 0

        def run(part: list[Any]) -> list[str]:
            nonlocal written
            kept: list[str] = []
            for step in part:
                if step == "fail":
                    raise LookupError
                if step == "write":
                    written += 1
                    key = f"task-{written}"
                    shared.save_task_progress(key, 0, "running")
                    kept.append(key)
                else:
                    try:
                        with shared.transaction():
                            inner = run(step)
                        kept += inner
                    except LookupError:
                        pass
                here = {each["task_name"] for each in shared.list_task_progress()}
                assert set(kept) <= here
            return kept

        try:
            with shared.transaction():
                expected = run(plan)
        except LookupError:
            expected = []
        assert {each["task_name"] for each in shared.list_task_progress()} == set(expected)

    def test_a_refused_call_within_a_transaction_can_be_ignored(self, store: Store) -> None:
        """A refusal undoes its own call, and the transaction continues."""
        with store.transaction():
            store.set_app_state("before", "1")
            for save in REFUSED.values():
                with pytest.raises(ValidationError):
                    save(store.backend)
            for orphan in ORPHANS.values():
                with pytest.raises(QueryNotFoundError):
                    orphan(store.backend, "p", "nope")
            store.set_app_state("after", "1")
        assert store.get_app_state("before") == store.get_app_state("after") == "1"
        assert [profile["id"] for profile in store.list_profiles()] == ["p"]
        assert [query["id"] for query in store.list_queries("p")] == ["q"]

    def test_a_transaction_that_only_reads_changes_nothing(self, store: Store) -> None:
        """Neither does an empty one."""
        before = store.everything()
        with store.transaction():
            pass
        with store.transaction(), store.transaction():
            assert store.everything() == before
        assert store.everything() == before

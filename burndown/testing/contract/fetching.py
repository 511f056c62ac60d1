"""A response that is not cached is fetched, which others see as a task."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import strategies as st

from burndown import (
    ProfileNotFoundError,
    QueryNotFoundError,
    StorageError,
    TaskCancelledError,
    ValidationError,
)
from burndown.testing.contract.drawn import responses
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import START, Store, in_utc

__all__ = ["FetchingContract"]

KEY = ("p", "q", "k")
TTL = timedelta(hours=1)
DAY = timedelta(days=1)
OLD = {"issues": [], "total": 0}
NEW = {"issues": [{"key": "K-1"}], "total": 1}


class JiraDownError(Exception):
    """The error of a fetch."""


def unreachable() -> Any:
    raise JiraDownError("canary")


def never() -> Any:
    pytest.fail("it was fetched")


def save_old(store: Store, expired_for: timedelta) -> None:
    """Save a response that has expired."""
    store.save_jira_cache(*KEY, OLD, START - expired_for)


def found(response: Any, expires_at: Any = START + TTL) -> dict[str, Any]:
    return {
        "response": response,
        "created_at": in_utc(START),
        "expires_at": in_utc(expires_at),
        "age": 0.0,
        "state": "fresh" if expires_at > START else "stale",
        "issue_count": len(response["issues"]),
        "is_complete": True,
    }


class FetchingContract(ContractPart):
    """The contract of fetches by one caller."""

    @given(responses, st.sampled_from([None, -1, 1]))
    def test_a_response_is_fetched_unless_there_is_a_fresh_one(
        self, shared: Store, response: dict[str, Any], expired_for: int | None
    ) -> None:
        """It is stored until its expiry, and there is no task afterwards."""
        shared.empty()
        if expired_for is not None:
            save_old(shared, timedelta(hours=expired_for))
        fetch = Mock(return_value=response)
        returned = shared.cached(*KEY, fetch, TTL)
        assert fetch.call_count == (expired_for != -1)
        assert returned == shared.find_jira_cache(*KEY, timedelta())
        assert returned["expires_at"] == in_utc(START + TTL)
        assert returned["response"] == (OLD if expired_for == -1 else response)
        assert shared.cached(*KEY, never, TTL) == returned
        assert shared.list_task_progress() == []

    def test_a_fetch_is_a_task_that_others_see(self, store: Store) -> None:
        """It is cleared after a success, or has the type of the error, but not its message."""

        def fetch() -> Any:
            [task] = store.list_task_progress()
            assert (task["status"], task["message"]) == ("running", "response for q of p")
            return NEW

        store.cached(*KEY, fetch, TTL)
        assert store.list_task_progress() == []
        with pytest.raises(JiraDownError):
            store.cached("p", "q", "other", unreachable, TTL)
        [task] = store.list_task_progress()
        assert (task["status"], task["message"]) == ("failed", "JiraDownError")
        assert store.cached("p", "q", "other", lambda: NEW, TTL) == found(NEW)
        assert store.list_task_progress() == []

    @pytest.mark.parametrize(
        ("expired_for", "allowed", "is_returned"),
        [
            (DAY, timedelta(), False),
            (DAY, DAY, False),
            (DAY, DAY + timedelta(microseconds=1), True),
            (DAY, None, True),
            (None, None, False),
        ],
    )
    def test_a_stale_response_replaces_an_error_if_it_is_allowed(
        self,
        store: Store,
        expired_for: timedelta | None,
        allowed: timedelta | None,
        is_returned: bool,
    ) -> None:
        if expired_for is not None:
            save_old(store, expired_for)
        if is_returned:
            assert store.cached(*KEY, unreachable, TTL, allowed) == found(OLD, START - DAY)
        else:
            with pytest.raises(JiraDownError, match="canary"):
                store.cached(*KEY, unreachable, TTL, allowed)
        assert store.cached(*KEY, lambda: NEW, TTL, allowed) == found(NEW)

    def test_a_response_that_cannot_be_stored_is_an_error(self, store: Store) -> None:
        """A stale one does not replace it, since Jira can be reached."""
        save_old(store, DAY)
        fetched: Any
        for fetched in ({"k": float("nan")}, [], None):
            with pytest.raises(ValidationError, match="response"):
                store.cached(*KEY, lambda: fetched, TTL, None)  # noqa: B023 - called immediately
        for ids in (("p", "x"), ("x", "q")):
            with pytest.raises(ValueError, match="not found"):
                store.cached(*ids, "k", lambda: NEW, TTL)
        assert store.find_jira_cache(*KEY)["response"] == OLD

    def test_an_error_that_ends_generators_is_one_of_the_fetch(self, store: Store) -> None:
        """``StopIteration``, such as of ``next`` for an empty iterator, cannot pass a generator."""
        empty: Iterator[Any] = iter(())
        with pytest.raises(RuntimeError, match="StopIteration"):
            store.cached(*KEY, lambda: next(empty), TTL)
        save_old(store, DAY)
        assert store.cached(*KEY, lambda: next(empty), TTL, None) == found(OLD, START - DAY)

    def test_a_fetch_does_not_wait_for_itself(self, store: Store) -> None:
        """It may need another response, but not the one that it fetches."""
        other = store.another()

        def nested(backend: Any, key: str) -> Any:
            return lambda: backend.cached("p", "q", key, lambda: NEW, TTL)["response"]

        for backend in (store, other):
            with pytest.raises(StorageError, match="itself"):
                store.cached(*KEY, nested(backend, "k"), TTL)
        assert store.cached(*KEY, nested(store, "other"), TTL) == found(NEW)
        other.close()

    @pytest.mark.parametrize("name", ["stale_if_error", "stale_while_revalidate"])
    def test_invalid_arguments_are_refused_before_the_fetch(self, store: Store, name: str) -> None:
        """Even if there is a fresh response."""
        store.save_jira_cache(*KEY, NEW, TTL)
        for invalid in (-DAY, 60):
            with pytest.raises(ValidationError, match=f"{name}: input should be a timedelta"):
                store.cached(*KEY, never, TTL, **{name: invalid})
        with pytest.raises(ValidationError, match="timedelta"):
            store.cached(*KEY, never, 60)

    @pytest.mark.parametrize(
        "key", [("p\0", "q", "k"), ("p", "../q", "k"), ("p", "q", ""), ("p", "q", "\ud800")]
    )
    def test_an_invalid_key_is_refused_before_the_fetch(self, store: Store, key: Any) -> None:
        with pytest.raises(ValidationError, match="JiraCache is not valid"):
            store.cached(*key, never, TTL)
        assert store.list_task_progress() == []

    def test_it_is_refused_within_a_transaction(self, store: Store) -> None:
        """Even if there is a fresh response."""
        store.save_jira_cache(*KEY, NEW, TTL)
        with store.transaction(), pytest.raises(StorageError, match="within a transaction"):
            store.cached(*KEY, never, TTL)

    def test_a_cancelled_fetch_stores_nothing(self, store: Store) -> None:
        def fetch() -> Any:
            [task] = store.list_task_progress()
            assert store.cancel_task(task["task_name"])
            return NEW

        with pytest.raises(TaskCancelledError):
            store.cached(*KEY, fetch, TTL)
        assert store.find_jira_cache(*KEY) is None
        assert [each["status"] for each in store.list_task_progress()] == ["cancelled"]

    def test_a_fetch_that_was_replaced_by_another_one_stores_nothing(self, store: Store) -> None:
        """Its process was suspended until its lease had run out: what it has may be old."""
        other = store.another()

        def fetch() -> Any:
            store.clock.now += DAY
            other.cached(*KEY, lambda: NEW, TTL)
            return OLD

        assert store.cached(*KEY, fetch, TTL)["response"] == NEW
        assert store.get_jira_cache(*KEY) == NEW
        other.close()

    def test_nothing_is_fetched_for_what_does_not_exist(self, store: Store) -> None:
        """The error is that of saving the response."""
        with pytest.raises(QueryNotFoundError):
            store.cached("p", "nobody", "k", never, TTL)
        with pytest.raises(ProfileNotFoundError):
            store.cached("nobody", "q", "k", never, TTL)
        assert store.list_task_progress() == []

"""A response is fetched once for all threads that need it."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from burndown import FetchFailedError, TaskCancelledError
from burndown.persistence import fetching_store
from burndown.testing.contract.fetching import (
    DAY,
    KEY,
    NEW,
    OLD,
    TTL,
    JiraDownError,
    found,
    never,
    save_old,
    unreachable,
)
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import START, Store

__all__ = ["WaitingContract"]

PATIENCE = 60
"""Seconds after which a thread that has not ended fails its test."""


class Waiters:
    """The threads that have waited for the fetch of another caller."""

    def __init__(self) -> None:
        self._threads: set[int] = set()
        self._changed = threading.Condition()

    def sleep(self, seconds: float) -> None:
        with self._changed:
            self._threads.add(threading.get_ident())
            self._changed.notify_all()
        time.sleep(seconds)

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._threads) >= count, PATIENCE)


@contextmanager
def counted_waiters() -> Iterator[Waiters]:
    """Count the threads that wait in this block."""
    counted = Waiters()
    with patch.object(fetching_store, "time", SimpleNamespace(sleep=counted.sleep)):
        yield counted


def start(
    pool: ThreadPoolExecutor,
    store: Store,
    fetch: Callable[[], Any],
    ttl: timedelta = TTL,
    **allowed: timedelta | None,
) -> Future[Any]:
    """Call it in another thread."""
    return pool.submit(lambda: store.cached(*KEY, fetch, ttl, **allowed))


def outcomes(calls: list[Future[Any]]) -> list[Any]:
    """Return what each call returned or raised."""
    return [each.exception(PATIENCE) or each.result() for each in calls]


class WaitingContract(ContractPart):
    """The contract of fetches for which several threads wait."""

    @pytest.fixture
    @staticmethod
    def waiters() -> Iterator[Waiters]:
        """Count the threads that wait."""
        with counted_waiters() as counted:
            yield counted

    @pytest.fixture
    @staticmethod
    def pool() -> Iterator[ThreadPoolExecutor]:
        """Start threads, as many as a test needs."""
        with ThreadPoolExecutor(20) as new:
            yield new

    def test_sixteen_threads_fetch_once(
        self, store: Store, pool: ThreadPoolExecutor, waiters: Waiters
    ) -> None:
        fetched = []

        def fetch() -> Any:
            fetched.append(1)
            waiters.wait_for(15)
            return NEW

        calls = [start(pool, store, fetch) for _ in range(16)]
        assert outcomes(calls) == [found(NEW)] * 16
        assert len(fetched) == 1

    def test_who_waits_takes_what_has_expired_meanwhile(
        self, store: Store, pool: ThreadPoolExecutor, waiters: Waiters
    ) -> None:
        """With a short lifetime, callers do not fetch one after the other either."""
        fetched = []

        def fetch() -> Any:
            fetched.append(1)
            waiters.wait_for(3)
            return NEW

        calls = [start(pool, store, fetch, timedelta()) for _ in range(4)]
        assert outcomes(calls) == [found(NEW, START)] * 4
        assert len(fetched) == 1

    def test_an_error_is_that_of_all_who_waited(
        self, store: Store, pool: ThreadPoolExecutor, waiters: Waiters
    ) -> None:
        """They do not fetch one after the other, and see no message, which may hold a secret."""

        def fetch() -> Any:
            waiters.wait_for(15)
            return unreachable()

        calls = [start(pool, store, fetch) for _ in range(16)]
        kinds = [type(each) for each in outcomes(calls)]
        assert sorted(kinds, key=str) == [FetchFailedError] * 15 + [JiraDownError]
        [error] = {str(each) for each in outcomes(calls) if isinstance(each, FetchFailedError)}
        assert "JiraDownError" in error
        assert "canary" not in error
        assert store.cached(*KEY, lambda: NEW, TTL) == found(NEW)

    def test_a_cancelled_fetch_fails_for_all_who_waited(
        self, store: Store, pool: ThreadPoolExecutor, waiters: Waiters
    ) -> None:
        def fetch() -> Any:
            waiters.wait_for(1)
            [task] = store.list_task_progress()
            assert store.cancel_task(task["task_name"])
            return NEW

        calls = [start(pool, store, fetch) for _ in range(2)]
        ended = {type(each): str(each) for each in outcomes(calls)}
        assert ended.keys() == {TaskCancelledError, FetchFailedError}
        assert "TaskCancelledError" in ended[FetchFailedError]

    def test_after_an_error_all_take_the_stale_response_that_they_allow(
        self, store: Store, pool: ThreadPoolExecutor, waiters: Waiters
    ) -> None:
        save_old(store, DAY)

        def fetch() -> Any:
            waiters.wait_for(3)
            return unreachable()

        calls = [start(pool, store, fetch, stale_if_error=2 * DAY) for _ in range(4)]
        assert outcomes(calls) == [found(OLD, START - DAY)] * 4

    def test_a_stale_response_is_returned_while_another_caller_fetches(
        self, store: Store, pool: ThreadPoolExecutor, waiters: Waiters
    ) -> None:
        """Those that allow less wait."""
        save_old(store, DAY)
        begun, end = threading.Event(), threading.Event()

        def fetch() -> Any:
            begun.set()
            assert end.wait(PATIENCE)
            return NEW

        fetching = start(pool, store, fetch, stale_while_revalidate=None)
        assert begun.wait(PATIENCE)
        waiting = start(pool, store, never, stale_while_revalidate=DAY)
        waiters.wait_for(1)
        for allowed in (2 * DAY, None):
            stale = store.cached(*KEY, never, TTL, stale_while_revalidate=allowed)
            assert stale == found(OLD, START - DAY)
        end.set()
        assert outcomes([fetching, waiting]) == [found(NEW)] * 2

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    def test_the_next_one_fetches_after_an_interrupt(
        self, store: Store, pool: ThreadPoolExecutor, waiters: Waiters, kind: type[BaseException]
    ) -> None:
        """It says nothing about Jira."""
        begun = threading.Event()

        def interrupted() -> Any:
            begun.set()
            waiters.wait_for(1)
            raise kind

        first = start(pool, store, interrupted)
        assert begun.wait(PATIENCE)
        assert store.cached(*KEY, lambda: NEW, TTL) == found(NEW)
        with pytest.raises(kind):
            first.result(PATIENCE)

"""A response is fetched once for all callers that need it."""

import asyncio
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import (
    FetchFailedError,
    ProfileNotFoundError,
    QueryNotFoundError,
    StorageError,
    TaskCancelledError,
    ValidationError,
    aio,
    open_backend,
)
from burndown.loop_threads import THREADS
from burndown.persistence import fetching_store
from burndown.testing.contract.drawn import responses
from burndown.testing.controlled_store import START, Store, in_utc
from tests.contract.coroutines import run
from tests.support.processes import (
    FRESH,
    PATIENCE,
    in_child,
    needs_fork,
    needs_kill,
    run_all,
    start_fresh,
)

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


@pytest.fixture
def waiters(monkeypatch: pytest.MonkeyPatch) -> Waiters:
    found = Waiters()
    monkeypatch.setattr(fetching_store, "time", SimpleNamespace(sleep=found.sleep))
    return found


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as new:
        yield new


def outcomes(calls: list[Future[Any]]) -> list[Any]:
    """Return what each call returned or raised."""
    return [each.exception(PATIENCE) or each.result() for each in calls]


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


# --- one caller ------------------------------------------------------------------------------


@given(responses, st.sampled_from([None, -1, 1]))
def test_a_response_is_fetched_unless_there_is_a_fresh_one(
    shared: Store, response: dict[str, Any], expired_for: int | None
) -> None:
    """It is stored until its expiry, and there is no task afterwards."""
    shared.empty()
    if expired_for is not None:
        save_old(shared, timedelta(hours=expired_for))
    fetched = []
    returned = shared.cached(*KEY, lambda: fetched.append(1) or response, TTL)
    assert len(fetched) == (expired_for != -1)
    assert returned == shared.find_jira_cache(*KEY, timedelta())
    assert returned["expires_at"] == in_utc(START + TTL)
    assert returned["response"] == (OLD if expired_for == -1 else response)
    assert shared.cached(*KEY, never, TTL) == returned
    assert shared.list_task_progress() == []


def test_a_fetch_is_a_task_that_others_see(store: Store) -> None:
    """It is cleared after a success, and says how it failed without the message of the error."""

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
    store: Store, expired_for: timedelta | None, allowed: timedelta | None, is_returned: bool
) -> None:
    if expired_for is not None:
        save_old(store, expired_for)
    if is_returned:
        assert store.cached(*KEY, unreachable, TTL, allowed) == found(OLD, START - DAY)
    else:
        with pytest.raises(JiraDownError, match="canary"):
            store.cached(*KEY, unreachable, TTL, allowed)
    assert store.cached(*KEY, lambda: NEW, TTL, allowed) == found(NEW)


def test_a_response_that_cannot_be_stored_is_an_error(store: Store) -> None:
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


def test_an_error_that_ends_generators_is_one_of_the_fetch(store: Store) -> None:
    """``StopIteration``, such as of ``next`` for an empty iterator, cannot pass a generator."""
    empty: Iterator[Any] = iter(())
    with pytest.raises(RuntimeError, match="StopIteration"):
        store.cached(*KEY, lambda: next(empty), TTL)
    save_old(store, DAY)
    assert store.cached(*KEY, lambda: next(empty), TTL, None) == found(OLD, START - DAY)
    with pytest.raises(RuntimeError, match="StopIteration"):
        run(aio.AsyncBackend(store.backend).cached(*KEY, lambda: next(empty), TTL))


def test_a_fetch_does_not_wait_for_itself(store: Store) -> None:
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
def test_invalid_arguments_are_refused_before_the_fetch(store: Store, name: str) -> None:
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
def test_an_invalid_key_is_refused_before_the_fetch(store: Store, key: Any) -> None:
    with pytest.raises(ValidationError, match="JiraCache is not valid"):
        store.cached(*key, never, TTL)
    assert store.list_task_progress() == []


def test_it_is_refused_within_a_transaction(store: Store) -> None:
    """Even if there is a fresh response."""
    store.save_jira_cache(*KEY, NEW, TTL)
    with store.transaction(), pytest.raises(StorageError, match="within a transaction"):
        store.cached(*KEY, never, TTL)


def test_a_cancelled_fetch_stores_nothing(store: Store) -> None:
    def fetch() -> Any:
        [task] = store.list_task_progress()
        assert store.cancel_task(task["task_name"])
        return NEW

    with pytest.raises(TaskCancelledError):
        store.cached(*KEY, fetch, TTL)
    assert store.find_jira_cache(*KEY) is None
    assert [each["status"] for each in store.list_task_progress()] == ["cancelled"]


def test_a_fetch_that_was_replaced_by_another_one_stores_nothing(store: Store) -> None:
    """Its process was suspended until its lease had run out: what it has may be old."""
    other = store.another()

    def fetch() -> Any:
        store.clock.now += DAY
        other.cached(*KEY, lambda: NEW, TTL)
        return OLD

    assert store.cached(*KEY, fetch, TTL)["response"] == NEW
    assert store.get_jira_cache(*KEY) == NEW
    other.close()


def test_an_error_can_be_pickled() -> None:
    """Process pools do."""
    error = pickle.loads(pickle.dumps(FetchFailedError("ConnectionError")))
    assert error.error == "ConnectionError"
    assert "ConnectionError" in str(error)


# --- several threads -------------------------------------------------------------------------


def test_sixteen_threads_fetch_once(
    store: Store, pool: ThreadPoolExecutor, waiters: Waiters
) -> None:
    fetched = []

    def fetch() -> Any:
        fetched.append(1)
        waiters.wait_for(15)
        return NEW

    calls = [pool.submit(store.cached, *KEY, fetch, TTL) for _ in range(16)]
    assert outcomes(calls) == [found(NEW)] * 16
    assert len(fetched) == 1


def test_who_waits_takes_what_has_expired_meanwhile(
    store: Store, pool: ThreadPoolExecutor, waiters: Waiters
) -> None:
    """With a short lifetime, callers do not fetch one after the other either."""
    fetched = []

    def fetch() -> Any:
        fetched.append(1)
        waiters.wait_for(3)
        return NEW

    calls = [pool.submit(store.cached, *KEY, fetch, timedelta()) for _ in range(4)]
    assert outcomes(calls) == [found(NEW, START)] * 4
    assert len(fetched) == 1


def test_an_error_is_that_of_all_who_waited(
    store: Store, pool: ThreadPoolExecutor, waiters: Waiters
) -> None:
    """They do not fetch one after the other, and see no message, which may hold a secret."""

    def fetch() -> Any:
        waiters.wait_for(15)
        return unreachable()

    calls = [pool.submit(store.cached, *KEY, fetch, TTL) for _ in range(16)]
    kinds = [type(each) for each in outcomes(calls)]
    assert sorted(kinds, key=str) == [FetchFailedError] * 15 + [JiraDownError]
    [error] = {str(each) for each in outcomes(calls) if isinstance(each, FetchFailedError)}
    assert "JiraDownError" in error
    assert "canary" not in error
    assert store.cached(*KEY, lambda: NEW, TTL) == found(NEW)


def test_a_cancelled_fetch_fails_for_all_who_waited(
    store: Store, pool: ThreadPoolExecutor, waiters: Waiters
) -> None:
    def fetch() -> Any:
        waiters.wait_for(1)
        [task] = store.list_task_progress()
        assert store.cancel_task(task["task_name"])
        return NEW

    calls = [pool.submit(store.cached, *KEY, fetch, TTL) for _ in range(2)]
    ended = {type(each): str(each) for each in outcomes(calls)}
    assert ended.keys() == {TaskCancelledError, FetchFailedError}
    assert "TaskCancelledError" in ended[FetchFailedError]


def test_after_an_error_all_take_the_stale_response_that_they_allow(
    store: Store, pool: ThreadPoolExecutor, waiters: Waiters
) -> None:
    save_old(store, DAY)

    def fetch() -> Any:
        waiters.wait_for(3)
        return unreachable()

    calls = [pool.submit(store.cached, *KEY, fetch, TTL, 2 * DAY) for _ in range(4)]
    assert outcomes(calls) == [found(OLD, START - DAY)] * 4


def test_a_stale_response_is_returned_while_another_caller_fetches(
    store: Store, pool: ThreadPoolExecutor, waiters: Waiters
) -> None:
    """Those that allow less wait."""
    save_old(store, DAY)
    begun, end = threading.Event(), threading.Event()

    def fetch() -> Any:
        begun.set()
        assert end.wait(PATIENCE)
        return NEW

    fetching = pool.submit(store.cached, *KEY, fetch, TTL, stale_while_revalidate=None)
    assert begun.wait(PATIENCE)
    waiting = pool.submit(store.cached, *KEY, never, TTL, stale_while_revalidate=DAY)
    waiters.wait_for(1)
    for allowed in (2 * DAY, None):
        stale = store.cached(*KEY, never, TTL, stale_while_revalidate=allowed)
        assert stale == found(OLD, START - DAY)
    end.set()
    assert outcomes([fetching, waiting]) == [found(NEW)] * 2


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_the_next_one_fetches_after_an_interrupt(
    store: Store, pool: ThreadPoolExecutor, waiters: Waiters, kind: type[BaseException]
) -> None:
    """It says nothing about Jira."""
    begun = threading.Event()

    def interrupted() -> Any:
        begun.set()
        waiters.wait_for(1)
        raise kind

    first = pool.submit(store.cached, *KEY, interrupted, TTL)
    assert begun.wait(PATIENCE)
    assert store.cached(*KEY, lambda: NEW, TTL) == found(NEW)
    with pytest.raises(kind):
        first.result(PATIENCE)


# --- several processes -----------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "json", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """Return the location of a store with the clock of the system."""
    locations = {"sqlite": str(tmp_path / "burndown.db"), "json": f"json:{tmp_path / 'profiles'}"}
    chosen: str = locations.get(request.param) or request.getfixturevalue("postgres_url")
    with open_backend(chosen) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
    return chosen


def cached_in_process(location: str, start: Any, fetched: Any) -> None:
    def fetch() -> Any:
        with fetched.get_lock():
            fetched.value += 1
        return {"fetched": fetched.value}

    with open_backend(location) as backend, ThreadPoolExecutor(2) as pool:
        start.wait(PATIENCE)
        calls = [pool.submit(backend.cached, *KEY, fetch, TTL) for _ in range(2)]
        assert [each.result(PATIENCE)["response"] for each in calls] == [{"fetched": 1}] * 2


def test_two_threads_of_each_of_eight_processes_fetch_once(location: str) -> None:
    start, fetched = FRESH.Barrier(8), FRESH.Value("i", 0)
    run_all(FRESH, cached_in_process, *[(location, start, fetched)] * 8)
    assert fetched.value == 1


def fetch_without_end(location: str, begun: Any) -> None:
    fetching_store.LEASE = timedelta(seconds=1)

    def fetch() -> Any:
        begun.set()
        threading.Event().wait()

    with open_backend(location) as backend:
        backend.cached(*KEY, fetch, TTL)


@needs_kill
def test_another_caller_fetches_if_the_process_is_killed(
    location: str, pool: ThreadPoolExecutor, waiters: Waiters
) -> None:
    """Not before, although it lasts longer than the first lease; and only one of those waiting."""
    begun = FRESH.Event()
    process = start_fresh(fetch_without_end, location, begun)
    assert begun.wait(PATIENCE)
    fetched = []
    with open_backend(location) as backend:
        calls = [
            pool.submit(backend.cached, *KEY, lambda: fetched.append(1) or NEW, TTL)
            for _ in range(4)
        ]
        waiters.wait_for(4)
        leases: set[str] = set()
        while len(leases) < 3:  # the first one, and two renewals
            [task] = backend.list_task_progress()
            leases.add(task["lease_until"])
            assert task["status"] == "running"
        assert not fetched
        process.kill()
        process.join(PATIENCE)
        assert [each["response"] for each in outcomes(calls)] == [NEW] * 4
        assert backend.list_task_progress() == []
    assert len(fetched) == 1


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_within_the_fetch_leaves_it_to_the_parent(location: str) -> None:
    """The child stores nothing, and waits for what its parent fetches."""
    parent = os.getpid()
    children = []

    def fetch() -> Any:
        child = os.fork()
        children.append(child)
        return {"of_parent": child != 0}

    with open_backend(location) as backend:
        found_response = {}
        code = 1
        try:
            found_response = backend.cached(*KEY, fetch, TTL)["response"]
            code = 0 if found_response == {"of_parent": True} else 1
        finally:
            if os.getpid() != parent:
                os._exit(code)
    assert found_response == {"of_parent": True}
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0


@needs_fork
def test_a_forked_process_shares_no_fetch(location: str) -> None:
    """It fetches itself, and its parent finds what it stored."""
    with open_backend(location) as backend:
        in_child(lambda: backend.cached(*KEY, lambda: NEW, TTL))
        assert backend.cached(*KEY, never, TTL)["response"] == NEW


# --- coroutines ------------------------------------------------------------------------------


def test_more_coroutines_than_threads_fetch_once(store: Store) -> None:
    """Those that wait take no thread, so that the fetch can use the backend."""
    backend = aio.AsyncBackend(store.backend)
    count = 2 * THREADS
    fetched = []

    async def fetch() -> Any:
        fetched.append(1)
        for _ in range(count):
            await backend.list_profiles()
        return NEW

    async def main() -> None:
        calls = [backend.cached(*KEY, fetch, TTL) for _ in range(count)]
        assert await asyncio.gather(*calls) == [found(NEW)] * count
        assert len(fetched) == 1

    run(main())


@pytest.mark.parametrize(
    "fetch", [lambda: NEW, lambda: asyncio.sleep(0, NEW)], ids=["function", "awaitable"]
)
def test_a_coroutine_may_fetch_with_any_function(store: Store, fetch: Callable[[], Any]) -> None:
    """Errors, and stale responses in their place, are those of the backend."""
    backend = aio.AsyncBackend(store.backend)

    async def unreachable_later() -> Any:
        return unreachable()

    async def main() -> None:
        for failing in (unreachable, unreachable_later):
            with pytest.raises(JiraDownError):
                await backend.cached(*KEY, failing, TTL)
        save_old(store, DAY)
        stale = await backend.cached(*KEY, unreachable_later, TTL, None)
        assert stale == found(OLD, START - DAY)
        assert await backend.cached(*KEY, fetch, TTL) == found(NEW)
        async with backend.transaction():
            with pytest.raises(StorageError, match="within a transaction"):
                await backend.cached(*KEY, fetch, TTL)

    run(main())


def test_a_coroutine_that_fetches_does_not_wait_for_itself(store: Store) -> None:
    """Nor does a function that runs in a thread for it, or a task that it awaits."""
    backend = aio.AsyncBackend(store.backend)

    async def nested() -> Any:
        return await asyncio.create_task(backend.cached(*KEY, never, TTL))

    for fetch in (nested, lambda: store.cached(*KEY, never, TTL)):
        with pytest.raises(StorageError, match="itself"):
            run(backend.cached(*KEY, fetch, TTL))


def test_another_coroutine_fetches_if_the_first_is_cancelled(store: Store) -> None:
    """A client that disconnects does not fail the others."""
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        begun = asyncio.Event()

        async def endless() -> Any:
            begun.set()
            await asyncio.Event().wait()

        first = asyncio.create_task(backend.cached(*KEY, endless, TTL))
        await begun.wait()
        others = [asyncio.create_task(backend.cached(*KEY, lambda: NEW, TTL)) for _ in range(3)]
        for _ in range(100):
            await asyncio.sleep(0)
        others[0].cancel()  # it waits
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await asyncio.gather(*others[1:]) == [found(NEW)] * 2
        assert store.list_task_progress() == []

    run(main())


def test_nothing_is_fetched_for_what_does_not_exist(store: Store) -> None:
    """The error is that of saving the response."""
    with pytest.raises(QueryNotFoundError):
        store.cached("p", "nobody", "k", never, TTL)
    with pytest.raises(ProfileNotFoundError):
        store.cached("nobody", "q", "k", never, TTL)
    assert store.list_task_progress() == []

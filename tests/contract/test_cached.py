"""A response is fetched once for all processes and coroutines that need it."""

import asyncio
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from burndown import (
    FetchFailedError,
    StorageError,
    aio,
    open_backend,
)
from burndown.loop_threads import THREADS
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
from burndown.testing.contract.waiting import counted_waiters, outcomes
from burndown.testing.controlled_store import START, Store
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


def test_an_error_can_be_pickled() -> None:
    """Process pools do."""
    error = pickle.loads(pickle.dumps(FetchFailedError("ConnectionError")))
    assert error.error == "ConnectionError"
    assert "ConnectionError" in str(error)


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
def test_another_caller_fetches_if_the_process_is_killed(location: str) -> None:
    """Not before, although it lasts longer than the first lease; and only one of those waiting."""
    begun = FRESH.Event()
    process = start_fresh(fetch_without_end, location, begun)
    assert begun.wait(PATIENCE)
    fetched = []
    with (
        open_backend(location) as backend,
        ThreadPoolExecutor(4) as pool,
        counted_waiters() as waiters,
    ):
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


def test_an_error_that_ends_generators_is_one_of_the_fetch(store: Store) -> None:
    """``StopIteration``, such as of ``next`` for an empty iterator, cannot pass a generator."""
    empty: Iterator[Any] = iter(())
    with pytest.raises(RuntimeError, match="StopIteration"):
        run(aio.AsyncBackend(store.backend).cached(*KEY, lambda: next(empty), TTL))


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

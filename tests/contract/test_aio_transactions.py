"""A transaction of a backend for asyncio belongs to its task, and a cancellation rolls it back."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import (
    SQLiteBackend,
    StorageError,
    aio,
)
from burndown.loop_threads import THREADS
from burndown.testing.controlled_store import Store
from tests.contract.coroutines import TASKS, run, states


def test_no_parallel_transaction_undoes_another(store: Store) -> None:
    """Each reads, waits and writes; those that fail are rolled back."""
    backend = aio.AsyncBackend(store.backend)

    async def add(number: int) -> None:
        async with backend.transaction():
            await backend.set_app_state(f"key-{number}", "x")
            count = int(await backend.get_app_state("count") or 0)
            await asyncio.sleep(0)
            await backend.set_app_state("count", str(count + 1))
            if number % 4 == 0:
                raise LookupError

    async def main() -> None:
        found = await asyncio.gather(*map(add, range(TASKS)), return_exceptions=True)
        assert [isinstance(each, LookupError) for each in found] == [
            n % 4 == 0 for n in range(TASKS)
        ]

    run(main())
    found = states(store)
    assert found["count"] == str(TASKS - TASKS // 4)
    assert {key for key in found if key.startswith("key-")} == {
        f"key-{n}" for n in range(TASKS) if n % 4
    }


steps = st.recursive(
    st.sampled_from(["write", "fail"]), lambda inner: st.lists(inner, max_size=4), max_leaves=10
)


@given(st.lists(steps, max_size=5))
def test_nested_transactions_roll_back_only_their_part(shared: Store, plan: list[Any]) -> None:
    """An error undoes what was done since the inner one began."""
    shared.clear()
    backend = aio.AsyncBackend(shared.backend)
    written = 0

    async def perform(part: list[Any]) -> list[str]:
        nonlocal written
        kept: list[str] = []
        for step in part:
            if step == "fail":
                raise LookupError
            if step == "write":
                written += 1
                kept.append(f"key-{written}")
                await backend.set_app_state(kept[-1], "x")
            else:
                try:
                    async with backend.transaction():
                        inner = await perform(step)
                    kept += inner
                except LookupError:
                    pass
        return kept

    async def main() -> list[str]:
        try:
            async with backend.transaction():
                return await perform(plan)
        except LookupError:
            return []

    expected = asyncio.run(main())
    assert {key for key in states(shared) if key.startswith("key-")} == set(expected)


def test_a_task_does_not_join_the_transaction_of_another(store: Store) -> None:
    """It reads what is committed, and its own write is stored whatever becomes of the other."""
    backend = aio.AsyncBackend(store.backend)

    async def fail(begun: asyncio.Event, seen: asyncio.Event) -> None:
        async with backend.transaction():
            await backend.set_app_state("one", "dirty")
            begun.set()
            await seen.wait()
            raise LookupError

    async def main() -> None:
        begun, seen = asyncio.Event(), asyncio.Event()
        failing = asyncio.create_task(fail(begun, seen))
        await begun.wait()
        assert await backend.get_app_state("one") is None
        writing = asyncio.create_task(backend.set_app_state("two", "kept"))
        seen.set()
        with pytest.raises(LookupError):
            await failing
        await writing

    run(main())
    found = states(store)
    assert "one" not in found
    assert found["two"] == "kept"


def test_a_write_that_would_wait_for_its_own_task_is_refused(store: Store) -> None:
    """It is made by a task, a thread or a blocking call within the transaction."""
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        async with backend.transaction():
            await backend.set_app_state("one", "new")
            with pytest.raises(StorageError, match="locked by a transaction that cannot end"):
                await asyncio.create_task(backend.set_app_state("two", "new"))
            with pytest.raises(StorageError, match="locked by a transaction that cannot end"):
                await asyncio.to_thread(store.set_app_state, "two", "new")
            with pytest.raises(StorageError, match="locked by a transaction that cannot end"):
                store.set_app_state("two", "new")
            assert await asyncio.create_task(backend.get_app_state("one")) is None
        await asyncio.create_task(backend.set_app_state("two", "newer"))

    run(main())
    found = states(store)
    assert (found["one"], found["two"]) == ("new", "newer")


def test_calls_that_wait_for_a_transaction_do_not_keep_it_from_ending(store: Store) -> None:
    """There are more of them than threads."""
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        begun, queued = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with backend.transaction():
                await backend.set_app_state("one", "new")
                begun.set()
                await queued.wait()
                await backend.set_app_state("two", "new")

        holding = asyncio.create_task(hold())
        await begun.wait()
        calls = [
            asyncio.create_task(backend.set_app_state(f"key-{n}", "x")) for n in range(2 * THREADS)
        ]
        for _ in range(10):
            await asyncio.sleep(0)
        assert await asyncio.to_thread(int) == 0  # in a thread of its own as well
        queued.set()
        await asyncio.gather(holding, *calls)

    run(main())
    assert len(states(store).keys() & {"one", "two"}) == 2


# --- cancellation ----------------------------------------------------------------------------


@given(st.integers(0, 40), st.integers(1, 3))
def test_a_cancelled_transaction_is_stored_completely_or_not_at_all(
    shared: Store, turns: int, cancellations: int
) -> None:
    """It is cancelled at any point, also again while it is rolled back."""
    shared.empty()
    backend = aio.AsyncBackend(shared.backend)
    keys = {"one", "two", "three"}

    async def save() -> None:
        async with backend.transaction():
            for key in sorted(keys):
                await backend.set_app_state(key, "new")

    async def main() -> None:
        task = asyncio.create_task(save())
        for _ in range(turns):
            await asyncio.sleep(0)
        for _ in range(cancellations):
            task.cancel()
            await asyncio.sleep(0)
        [found] = await asyncio.gather(task, return_exceptions=True)
        stored = states(shared).keys() & keys
        assert stored == keys if found is None else stored in (set(), keys)
        # It would be refused if the transaction were still open.
        shared.set_app_state("later", "1")

    run(main())
    assert states(shared)["later"] == "1"


def test_a_transaction_that_is_cancelled_while_it_waits_is_rolled_back(store: Store) -> None:
    """The block ends after the rollback, so others can write immediately."""
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        begun = asyncio.Event()

        async def wait() -> None:
            async with backend.transaction():
                await backend.set_app_state("one", "dirty")
                begun.set()
                await asyncio.Event().wait()

        waiting = asyncio.create_task(wait())
        await begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        store.set_app_state("two", "kept")

    run(main())
    found = states(store)
    assert "one" not in found
    assert found["two"] == "kept"


def test_a_commit_ends_before_the_cancellation_is_raised(tmp_path: Path) -> None:
    """The task is cancelled while the transaction is committed."""
    ending, go_on = threading.Event(), threading.Event()

    class Slow(SQLiteBackend):
        @contextmanager
        def transaction(self) -> Iterator[None]:
            with super().transaction():
                yield
                ending.set()
                go_on.wait()

    backend = aio.AsyncBackend(Slow(tmp_path / "burndown.db"))

    async def save() -> None:
        async with backend.transaction():
            await backend.set_app_state("one", "new")

    async def main() -> None:
        saving = asyncio.create_task(save())
        await asyncio.to_thread(ending.wait)
        try:
            for _ in range(10):
                saving.cancel()
                await asyncio.sleep(0)
            assert not saving.done()
        finally:
            go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await saving
        assert await backend.get_app_state("one") == "new"

    run(main())


def test_a_generator_that_is_abandoned_within_a_transaction_is_rolled_back(store: Store) -> None:
    """The event loop ends it, in another task."""
    backend = aio.AsyncBackend(store.backend)

    async def generate() -> AsyncIterator[int]:
        async with backend.transaction():
            await backend.set_app_state("one", "dirty")
            yield 1

    async def main() -> None:
        async def begin() -> None:
            await anext(generate())

        await asyncio.create_task(begin())

    run(main())
    assert "one" not in states(store)
    store.set_app_state("two", "kept")

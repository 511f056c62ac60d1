"""A transaction belongs to the thread and task that began it, and ends with its block."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import strategies as st

from burndown import PersistenceError, StorageError, TransactionAbortedError
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import Store

__all__ = ["OwnershipContract"]


PATIENCE = 30
"""Seconds in which a call returns that need not wait: a backend that makes it wait would never."""


def set_both(store: Store, value: str) -> None:
    for key in ("one", "two"):
        store.set_app_state(key, value)


def both(store: Store) -> set[str | None]:
    return {store.get_app_state(key) for key in ("one", "two")}


# --- coroutines ------------------------------------------------------------------------------
Call = Callable[[Store], object]

WRITES: dict[str, Call] = {
    "a call": lambda store: store.set_app_state("two", "neighbour"),
    "a transaction": lambda store: in_transaction(store, "two", "neighbour"),
    "many records": lambda store: store.save_jira_changelogs("p", "q", {"A-1": {}}),
}


def in_transaction(store: Store, key: str, value: str) -> None:
    with store.transaction():
        store.set_app_state(key, value)


def fail_after(store: Store, work: Callable[[], object]) -> None:
    with store.transaction():
        work()
        assert both(store) == {"loop"}
        raise LookupError


class OwnershipContract(ContractPart):
    """The contract of threads and tasks that share a backend."""

    # --- threads ---------------------------------------------------------------------------------
    def test_a_transaction_may_end_in_another_thread(self, store: Store) -> None:
        """It is committed there, and later calls of the first thread are their own transactions."""
        with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
            block = store.transaction()
            first.submit(block.__enter__).result()
            first.submit(set_both, store, "new").result()
            second.submit(block.__exit__, None, None, None).result()
            assert second.submit(both, store).result() == {"new"}
            first.submit(store.set_app_state, "later", "kept").result()
            with store.another() as other:
                assert other.get_app_state("later") == "kept"

    def test_a_transaction_that_fails_in_another_thread_is_rolled_back(self, store: Store) -> None:
        """An error is thrown into the block where it ends."""
        error = LookupError()
        with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
            block = store.transaction()
            first.submit(block.__enter__).result()
            first.submit(set_both, store, "new").result()
            assert not second.submit(block.__exit__, LookupError, error, None).result()
            assert first.submit(both, store).result() == {None}
            first.submit(set_both, store, "newer").result()
            assert second.submit(both, store).result() == {"newer"}

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=6))
    def test_blocks_that_move_between_threads_are_atomic(
        self, shared: Store, blocks: list[tuple[int, int, bool]]
    ) -> None:
        """The calls of a block are stored together, in whichever threads it begins and ends."""
        shared.clear()
        pools = [ThreadPoolExecutor(1) for _ in range(4)]
        expected = None
        try:
            for number, (begin, end, fails) in enumerate(blocks):
                block = shared.transaction()
                pools[begin].submit(block.__enter__).result()
                pools[begin].submit(set_both, shared, str(number)).result()
                error = LookupError() if fails else None
                pools[end].submit(
                    block.__exit__, type(error) if error else None, error, None
                ).result()
                expected = expected if fails else str(number)
                for pool in pools:
                    assert pool.submit(both, shared).result() == {expected}
        finally:
            for pool in pools:
                pool.shutdown()

    def test_another_thread_does_not_join_a_transaction(self, store: Store) -> None:
        """It reads what is committed."""
        with ThreadPoolExecutor(1) as pool, store.transaction():
            set_both(store, "new")
            assert pool.submit(both, store).result(PATIENCE) == {None}
        assert both(store) == {"new"}

    def test_a_transaction_without_calls_blocks_no_other(self, store: Store) -> None:
        """It takes the lock with its first call."""
        with ThreadPoolExecutor(1) as pool, store.transaction():
            pool.submit(set_both, store, "new").result(PATIENCE)
        assert both(store) == {"new"}

    # --- blocks in other threads -----------------------------------------------------------------
    def test_a_part_that_outlives_its_transaction_rolls_it_back(self, store: Store) -> None:
        """The part may still fail, so the transaction cannot be committed."""
        outer, inner = store.transaction(), store.transaction()
        outer.__enter__()
        store.set_app_state("one", "new")
        inner.__enter__()
        store.set_app_state("two", "new")
        with pytest.raises(TransactionAbortedError, match="still open"):
            outer.__exit__(None, None, None)
        with pytest.raises(TransactionAbortedError, match="has ended"):
            store.set_app_state("two", "newer")
        with pytest.raises(TransactionAbortedError, match="has ended"):
            inner.__exit__(None, None, None)
        assert both(store) == {None}
        set_both(store, "later")
        assert both(store) == {"later"}

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_a_coroutine_does_not_join_the_transaction_of_another(
        self, store: Store, write: Call
    ) -> None:
        """It reads what is committed; a write that would block its own event loop is refused."""
        before = store.everything()

        async def fail(begun: asyncio.Event, seen: asyncio.Event) -> None:
            with store.transaction():
                store.set_app_state("one", "dirty")
                begun.set()
                await seen.wait()
                raise LookupError

        async def look(begun: asyncio.Event, seen: asyncio.Event) -> None:
            await begun.wait()
            try:
                assert both(store) == {None}
                with pytest.raises(StorageError, match="same thread or event loop"):
                    write(store)
            finally:
                seen.set()

        async def run() -> None:
            events = asyncio.Event(), asyncio.Event()
            ended = await asyncio.gather(fail(*events), look(*events), return_exceptions=True)
            assert [type(each) for each in ended] == [LookupError, type(None)]

        asyncio.run(run())
        assert store.everything() == before
        write(store)

    def test_a_thread_that_a_transaction_waits_for_is_refused(self, store: Store) -> None:
        """A coroutine that awaits a thread within its transaction would wait for itself."""

        async def run() -> None:
            with store.transaction():
                set_both(store, "new")
                assert await asyncio.to_thread(both, store) == {None}
                with pytest.raises(StorageError, match="same thread or event loop"):
                    await asyncio.to_thread(set_both, store, "other")

        asyncio.run(run())
        assert both(store) == {"new"}

    def test_a_thread_waits_for_the_transaction_of_a_coroutine(self, store: Store) -> None:
        """Threads that were not started within it wait as for a transaction of any other thread."""
        begun, told = threading.Event(), threading.Event()

        def write() -> None:
            begun.wait()
            told.set()
            store.set_app_state("two", "thread")

        async def run() -> None:
            with store.transaction():
                store.set_app_state("one", "loop")
                begun.set()
                await asyncio.to_thread(told.wait)

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            asyncio.run(run())
            writing.result()
        assert both(store) == {"loop", "thread"}

    def test_a_loop_that_runs_within_a_transaction_joins_it(self, store: Store) -> None:
        """The loop ends before the transaction does."""

        async def write(key: str) -> None:
            await asyncio.sleep(0)
            store.set_app_state(key, "loop")

        async def run() -> None:
            await asyncio.gather(write("one"), write("two"))

        with pytest.raises(LookupError):
            fail_after(store, lambda: asyncio.run(run()))
        assert both(store) == {None}

    @given(st.lists(st.booleans(), min_size=1, max_size=5))
    def test_coroutines_lose_no_acknowledged_change(self, shared: Store, fails: list[bool]) -> None:
        """Of interleaved transactions, each is committed, refused, or rolled back as a unit."""
        shared.clear()
        stored = []

        async def work(number: int) -> None:
            try:
                with shared.transaction():
                    shared.set_app_state(f"{number}a", "x")
                    await asyncio.sleep(0)
                    shared.set_app_state(f"{number}b", "x")
                    if fails[number]:
                        raise LookupError
                stored.append(number)
            except (LookupError, PersistenceError):
                pass

        async def run() -> None:
            await asyncio.gather(*map(work, range(len(fails))))

        asyncio.run(run())
        for number in range(len(fails)):
            expected = {"x" if number in stored else None}
            assert {shared.get_app_state(f"{number}{half}") for half in "ab"} == expected
        assert (0 in stored) != fails[0]  # it was the first one to write

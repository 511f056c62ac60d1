"""A task with a lease of a backend for asyncio."""

import asyncio
from datetime import timedelta

import pytest

from burndown import StorageError, TaskCancelledError, TaskLostError, TaskRunningError, aio
from burndown.testing.controlled_store import Store
from tests.contract.coroutines import run


def status(store: Store) -> tuple[str, float, str]:
    found = store.get_task_progress("fetch")
    return found["status"], found["progress_percent"], found["message"]


def test_a_task_is_awaited(store: Store) -> None:
    """It reports, is refused, is cancelled, and is lost as in a thread."""
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        async with backend.task("fetch", timedelta(seconds=10), "begun") as task:
            assert status(store) == ("running", 0.0, "begun")
            await task.progress(40, "half")
            await task.renew()
            assert status(store) == ("running", 40.0, "half")
            with pytest.raises(TaskRunningError):
                async with backend.task("fetch"):
                    pytest.fail("it was entered")
            assert await backend.cancel_task("fetch")
            with pytest.raises(TaskCancelledError):
                await task.progress(100)
        assert status(store) == ("cancelled", 100.0, "half")
        with pytest.raises(TaskLostError):
            await task.renew()

    run(main())


def test_an_error_of_the_block_ends_the_task(store: Store) -> None:
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        with pytest.raises(LookupError):
            async with backend.task("fetch"):
                raise LookupError
        assert status(store) == ("failed", 0.0, "LookupError")
        async with backend.task("fetch"):
            pass
        assert status(store) == ("completed", 100.0, "")

    run(main())


def test_a_task_begins_outside_of_transactions(store: Store) -> None:
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        async with backend.transaction():
            assert await backend.in_transaction()
            with pytest.raises(StorageError, match="within a transaction"):
                async with backend.task("fetch"):
                    pytest.fail("it was entered")
        assert not await backend.in_transaction()

    run(main())


@pytest.mark.parametrize("is_begun", [False, True])
def test_the_cancellation_of_an_asyncio_task_ends_its_task(store: Store, is_begun: bool) -> None:
    """Also if it comes while the task begins."""
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        begun = asyncio.Event()

        async def work() -> None:
            async with backend.task("fetch"):
                begun.set()
                await asyncio.Event().wait()

        working = asyncio.create_task(work())
        if is_begun:
            await begun.wait()
        else:
            await asyncio.sleep(0)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    run(main())
    assert status(store) == ("cancelled", 0.0, "")

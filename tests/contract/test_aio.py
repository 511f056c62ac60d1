"""A backend for asyncio does what the backend does, without blocking the event loop."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any, assert_type

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import (
    PersistenceBackend,
    ProfileDocument,
    ValidationError,
    aio,
)
from burndown import get_backend as get_sync_backend
from burndown.models import Document, JiraChangelog, Profile, Query
from burndown.testing.controlled_store import Store
from tests.contract.coroutines import TASKS, run, states


def public_methods(owner: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(owner, inspect.isfunction) if name[0] != "_"}


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function, eval_str=True).parameters)


def test_every_method_of_the_interface_is_awaited() -> None:
    """Those that return an iterator or a block are iterated and entered asynchronously."""
    names = public_methods(PersistenceBackend)
    assert public_methods(aio.AsyncBackend) == names
    awaited = {
        name for name in names if inspect.iscoroutinefunction(getattr(aio.AsyncBackend, name))
    }
    assert names - awaited == {"records", "task", "transaction"}
    for name in names:
        expected = parameters(getattr(PersistenceBackend, name))
        found = parameters(getattr(aio.AsyncBackend, name))
        if name == "cached":  # fetches with a coroutine, too
            assert found.pop("fetch").name == expected.pop("fetch").name
        assert found == expected


def test_calls_take_and_return_what_those_of_the_backend_do(store: Store) -> None:
    """Errors are the same as well."""
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        await backend.save_profile({"id": "new", "name": "New"})
        assert_type(await backend.get_profile("new"), ProfileDocument | None)
        assert_type(backend.records(Query), AsyncIterator[Document])
        assert await backend.get_profile(profile_id="new") == store.get_profile("new")
        assert await backend.list_profiles() == store.list_profiles()
        assert await backend.now() == store.now()
        with pytest.raises(ValidationError, match="pert_factor"):
            await backend.save_profile({"id": "new", "forecast_settings": {"pert_factor": 0}})
        with pytest.raises(TypeError, match="nope"):
            await backend.get_profile(nope="new")

    run(main())


@given(st.integers(0, 3 * aio.BATCH))
def test_records_are_iterated(shared: Store, count: int) -> None:
    """They come in the same order, those of the current transaction included."""
    shared.empty()
    backend = aio.AsyncBackend(shared.backend)

    async def main() -> None:
        async with backend.transaction():
            await backend.save_jira_changelogs("p", "q", {f"K-{n}": {} for n in range(count)})
            found = [each async for each in backend.records(JiraChangelog, "p")]
        assert len(found) == count
        assert found == list(shared.records(JiraChangelog))

    run(main())


def test_it_is_the_backend_in_use() -> None:
    async def main() -> None:
        await aio.get_backend().set_app_state("key", "value")
        assert get_sync_backend().get_app_state("key") == "value"
        async with aio.open_backend("other.db") as other:
            assert [each async for each in other.records(Profile)] == []
            assert await other.exists()

    run(main())


def test_the_event_loop_continues_while_a_call_waits(store: Store) -> None:
    """The call waits for a transaction of a thread."""
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        begun, end = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold() -> None:
            with store.transaction():
                store.set_app_state("first", "1")
                loop.call_soon_threadsafe(begun.set)
                asyncio.run_coroutine_threadsafe(end.wait(), loop).result()

        holding = asyncio.create_task(asyncio.to_thread(hold))
        await begun.wait()
        call = asyncio.create_task(backend.set_app_state("second", "1"))
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not call.done()
        end.set()
        await call
        await holding

    run(main())
    assert states(store).keys() >= {"first", "second"}


def test_all_parallel_calls_are_stored(store: Store) -> None:
    backend = aio.AsyncBackend(store.backend)

    async def main() -> None:
        await asyncio.gather(*(backend.set_app_state(f"key-{n}", "x") for n in range(TASKS)))

    run(main())
    assert states(store).keys() >= {f"key-{n}" for n in range(TASKS)}

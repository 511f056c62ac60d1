"""The interface of backends for asyncio: the same methods, awaited.

    from burndown import aio

    backend = aio.get_backend()
    async with backend.transaction():  # both or none
        await backend.save_query("kafka", {"id": "bugs"})
        await backend.set_app_state("active_query_id", "bugs")

Each call runs in a thread, in a copy of the context of its task, so that the event loop continues
meanwhile. They are not the threads of ``asyncio.to_thread``, so that calls which wait for a lock do
not delay other work there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import date
from functools import partial, wraps
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, overload
from weakref import WeakKeyDictionary

from burndown import persistence
from burndown.models import MetricSeries, Week
from burndown.persistence import PersistenceBackend
from burndown.transactions import hold_by_task

__all__ = ["AsyncBackend", "get_backend", "open_backend"]

THREADS = 32
"""The maximum number of calls, and of transactions, that an event loop runs at the same time."""
BATCH = 10
"""The number of records that one call reads for an iterator."""

P = ParamSpec("P")
T = TypeVar("T")


def get_backend() -> "AsyncBackend":
    """Return the backend in use, as :func:`burndown.get_backend` does, for asyncio."""
    return AsyncBackend(persistence.get_backend())


def open_backend(where: str | Path, *, read_only: bool = False) -> "AsyncBackend":
    """Return a backend for a location, as :func:`burndown.persistence.open_backend` does."""
    return AsyncBackend(persistence.open_backend(where, read_only=read_only))


# --- threads ---------------------------------------------------------------------------------


@dataclass
class _Worker:
    """A thread and a context that run a call.

    Those of a transaction run all its calls, since it belongs to both.
    """

    executor: Executor
    context: Context = field(default_factory=copy_context)

    def start(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        call = partial(self.context.run, function, *args, **kwargs)
        return asyncio.get_running_loop().run_in_executor(self.executor, call)


class _Threads:
    """The threads for the calls of an event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "burndown")
        self._transactions = asyncio.Semaphore(THREADS)
        self._in_transaction: dict[asyncio.Task[Any] | None, _Worker] = {}

    def worker(self) -> _Worker:
        """Return the worker of the current task's transaction, or one for a single call."""
        return self._in_transaction.get(asyncio.current_task()) or _Worker(self._pool)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Worker]:
        """Run all calls of the current task in one thread until the end of the block."""
        task = asyncio.current_task()
        if outer := self._in_transaction.get(task):
            yield outer
            return
        async with self._transactions:  # waiting here takes no thread
            executor = ThreadPoolExecutor(1, "burndown-transaction")
            self._in_transaction[task] = worker = _Worker(executor)
            try:
                yield worker
            finally:
                del self._in_transaction[task]
                executor.shutdown(wait=False)


_threads: WeakKeyDictionary[asyncio.AbstractEventLoop, _Threads] = WeakKeyDictionary()


def _threads_of_loop() -> _Threads:
    loop = asyncio.get_running_loop()
    if loop not in _threads:
        _threads[loop] = _Threads()
    return _threads[loop]


async def _run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await _threads_of_loop().worker().start(function, *args, **kwargs)


async def _completed(call: asyncio.Future[T]) -> T:
    """Wait for the end of a call even if the task is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while not call.done():
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError as error:
            cancelled = error
    try:
        return call.result()
    finally:
        if cancelled is not None:
            raise cancelled


# --- the interface ---------------------------------------------------------------------------


def _awaited(
    method: Callable[Concatenate[PersistenceBackend, P], T],
) -> Callable[Concatenate["AsyncBackend", P], Coroutine[Any, Any, T]]:
    """Return a method of :class:`AsyncBackend` for one of the interface."""

    async def call(self: "AsyncBackend", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(getattr(self.backend, method.__name__), *args, **kwargs)

    return wraps(method)(call)


def _iterated(
    method: Callable[Concatenate[PersistenceBackend, P], Iterator[T]],
) -> Callable[Concatenate["AsyncBackend", P], AsyncIterator[T]]:
    """Return a method of :class:`AsyncBackend` for one of the interface that iterates."""

    async def iterate(
        self: "AsyncBackend", /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncIterator[T]:
        found = await _run(getattr(self.backend, method.__name__), *args, **kwargs)
        while batch := await _run(list, islice(found, BATCH)):
            for each in batch:
                yield each

    return wraps(method)(iterate)


@dataclass(frozen=True)
class AsyncBackend:
    """A backend for asyncio. Its methods are those of :class:`PersistenceBackend`, awaited.

    A call that is cancelled may still have an effect: its thread continues.

    Args:
        backend: the backend that runs the calls.
    """

    backend: PersistenceBackend

    now = _awaited(PersistenceBackend.now)
    records = _iterated(PersistenceBackend.records)
    save_records = _awaited(PersistenceBackend.save_records)
    delete_records = _awaited(PersistenceBackend.delete_records)
    describe = _awaited(PersistenceBackend.describe)
    compact = _awaited(PersistenceBackend.compact)
    exists = _awaited(PersistenceBackend.exists)
    check_integrity = _awaited(PersistenceBackend.check_integrity)
    backup = _awaited(PersistenceBackend.backup)
    foreign_objects = _awaited(PersistenceBackend.foreign_objects)
    close = _awaited(PersistenceBackend.close)
    get_jira_cache = _awaited(PersistenceBackend.get_jira_cache)
    save_jira_cache = _awaited(PersistenceBackend.save_jira_cache)
    list_jira_caches = _awaited(PersistenceBackend.list_jira_caches)
    delete_jira_caches = _awaited(PersistenceBackend.delete_jira_caches)
    cleanup_expired_cache = _awaited(PersistenceBackend.cleanup_expired_cache)
    get_jira_changelog = _awaited(PersistenceBackend.get_jira_changelog)
    save_jira_changelog = _awaited(PersistenceBackend.save_jira_changelog)
    get_jira_changelogs = _awaited(PersistenceBackend.get_jira_changelogs)
    save_jira_changelogs = _awaited(PersistenceBackend.save_jira_changelogs)
    list_jira_changelogs = _awaited(PersistenceBackend.list_jira_changelogs)
    delete_jira_changelogs = _awaited(PersistenceBackend.delete_jira_changelogs)
    get_project_data = _awaited(PersistenceBackend.get_project_data)
    save_project_data = _awaited(PersistenceBackend.save_project_data)
    delete_project_data = _awaited(PersistenceBackend.delete_project_data)
    get_metrics_snapshots = _awaited(PersistenceBackend.get_metrics_snapshots)
    patch_metrics = _awaited(PersistenceBackend.patch_metrics)
    save_metrics_snapshot = _awaited(PersistenceBackend.save_metrics_snapshot)
    save_metrics_snapshots = _awaited(PersistenceBackend.save_metrics_snapshots)
    delete_metrics_snapshots = _awaited(PersistenceBackend.delete_metrics_snapshots)
    get_budget = _awaited(PersistenceBackend.get_budget)
    save_budget = _awaited(PersistenceBackend.save_budget)
    delete_budget = _awaited(PersistenceBackend.delete_budget)
    add_budget_revision = _awaited(PersistenceBackend.add_budget_revision)
    get_profile = _awaited(PersistenceBackend.get_profile)
    save_profile = _awaited(PersistenceBackend.save_profile)
    patch_profile = _awaited(PersistenceBackend.patch_profile)
    list_profiles = _awaited(PersistenceBackend.list_profiles)
    delete_profile = _awaited(PersistenceBackend.delete_profile)
    get_query = _awaited(PersistenceBackend.get_query)
    save_query = _awaited(PersistenceBackend.save_query)
    patch_query = _awaited(PersistenceBackend.patch_query)
    list_queries = _awaited(PersistenceBackend.list_queries)
    delete_query = _awaited(PersistenceBackend.delete_query)
    get_app_state = _awaited(PersistenceBackend.get_app_state)
    set_app_state = _awaited(PersistenceBackend.set_app_state)
    get_task_progress = _awaited(PersistenceBackend.get_task_progress)
    save_task_progress = _awaited(PersistenceBackend.save_task_progress)
    list_task_progress = _awaited(PersistenceBackend.list_task_progress)
    clear_task_progress = _awaited(PersistenceBackend.clear_task_progress)

    @overload
    async def get_series(
        self,
        profile_id: str,
        query_id: str,
        metric: str,
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> MetricSeries: ...

    @overload
    async def get_series(
        self,
        profile_id: str,
        query_id: str,
        metric: list[str],
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> list[MetricSeries]: ...

    @wraps(PersistenceBackend.get_series)
    async def get_series(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102 - as all others
        return await _run(self.backend.get_series, *args, **kwargs)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Begin a transaction: its calls are committed together at the end, or none on an error.

        A cancellation is an error, too; the block ends when everything is rolled back. It belongs
        to the task that began it. Other tasks do not join it: their calls see what is committed,
        and wait for its end to write. A task that was started within it cannot wait for it, and
        raises :class:`~burndown.errors.StorageError` instead.

        Raises:
            TransactionAbortedError: as :meth:`PersistenceBackend.transaction`.
        """
        async with _threads_of_loop().transaction() as worker:
            stack = ExitStack()
            try:
                await worker.start(stack.enter_context, self.backend.transaction())
                hold_by_task(worker.context)
                yield
            except BaseException as error:
                await _completed(
                    worker.start(stack.__exit__, type(error), error, error.__traceback__)
                )
                raise
            await _completed(worker.start(stack.__exit__, None, None, None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

"""The interface of backends for asyncio: the same methods, awaited.

    from burndown import aio

    backend = aio.get_backend()
    async with backend.transaction():  # both or none
        await backend.save_query("kafka", {"id": "bugs"})
        await backend.set_app_state("active_query_id", "bugs")

Each call runs in a thread, so that the event loop continues meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial, wraps
from inspect import isawaitable, iscoroutinefunction
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, overload

from burndown import persistence
from burndown.errors import TaskCancelledError
from burndown.loop_threads import completed, run, threads_of_loop
from burndown.models import FoundResponse, MetricSeries, Week
from burndown.models.timestamps import utc_now
from burndown.persistence import PersistenceBackend
from burndown.persistence.fetch_calls import fetched, within_fetch
from burndown.persistence.fetching_store import Outcome, advance, fetch_steps
from burndown.persistence.task import Task
from burndown.transactions import hold_by_task

__all__ = ["AsyncBackend", "AsyncTask", "get_backend", "open_backend"]

BATCH = 10
"""The number of records that one call reads for an iterator."""

P = ParamSpec("P")
T = TypeVar("T")


def get_backend() -> "AsyncBackend":
    """Return the backend in use, as :func:`burndown.get_backend` does, for asyncio."""
    return AsyncBackend(persistence.get_backend())


def open_backend(
    where: str | Path, *, read_only: bool = False, clock: Callable[[], datetime] = utc_now
) -> "AsyncBackend":
    """Return a backend for a location, as :func:`burndown.persistence.open_backend` does."""
    return AsyncBackend(persistence.open_backend(where, read_only=read_only, clock=clock))


def _awaited(
    method: Callable[Concatenate[PersistenceBackend, P], T],
) -> Callable[Concatenate["AsyncBackend", P], Coroutine[Any, Any, T]]:
    """Return a method of :class:`AsyncBackend` for one of the interface."""

    async def call(self: "AsyncBackend", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await run(getattr(self.backend, method.__name__), *args, **kwargs)

    return wraps(method)(call)


def _iterated(
    method: Callable[Concatenate[PersistenceBackend, P], Iterator[T]],
) -> Callable[Concatenate["AsyncBackend", P], AsyncIterator[T]]:
    """Return a method of :class:`AsyncBackend` for one of the interface that iterates."""

    async def iterate(
        self: "AsyncBackend", /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncIterator[T]:
        found = await run(getattr(self.backend, method.__name__), *args, **kwargs)
        while batch := await run(list, islice(found, BATCH)):
            for each in batch:
                yield each

    return wraps(method)(iterate)


@dataclass(frozen=True)
class AsyncTask:
    """A running task, whose methods are awaited; :meth:`AsyncBackend.task` returns it.

    Args:
        task: the task.
    """

    task: Task

    async def progress(self, progress_percent: float, message: str | None = None) -> None:
        """Report the progress, as :meth:`burndown.Task.progress` does."""
        await run(self.task.progress, progress_percent, message)

    async def renew(self) -> None:
        """Renew the lease, as :meth:`burndown.Task.renew` does."""
        await run(self.task.renew)


async def _outcome(
    step: float | str, fetch: Callable[[], Awaitable[Mapping[str, Any]] | Mapping[str, Any]]
) -> Outcome:
    if isinstance(step, float):
        await asyncio.sleep(step)
        return None
    try:
        with within_fetch(step):
            begun = (
                fetch() if iscoroutinefunction(fetch) else await asyncio.to_thread(fetched, fetch)
            )
            response: Mapping[str, Any] = await begun if isawaitable(begun) else begun
            return response
    except Exception as error:  # noqa: BLE001 - raised where the steps go on
        return error


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
    erase_deleted = _awaited(PersistenceBackend.erase_deleted)
    exists = _awaited(PersistenceBackend.exists)
    check_integrity = _awaited(PersistenceBackend.check_integrity)
    integrity_notes = _awaited(PersistenceBackend.integrity_notes)
    accept_edits = _awaited(PersistenceBackend.accept_edits)
    backup = _awaited(PersistenceBackend.backup)
    restore = _awaited(PersistenceBackend.restore)
    foreign_objects = _awaited(PersistenceBackend.foreign_objects)
    close = _awaited(PersistenceBackend.close)
    in_transaction = _awaited(PersistenceBackend.in_transaction)
    get_jira_cache = _awaited(PersistenceBackend.get_jira_cache)
    save_jira_cache = _awaited(PersistenceBackend.save_jira_cache)
    merge_jira_cache = _awaited(PersistenceBackend.merge_jira_cache)
    list_jira_caches = _awaited(PersistenceBackend.list_jira_caches)
    delete_jira_caches = _awaited(PersistenceBackend.delete_jira_caches)
    cleanup_expired_cache = _awaited(PersistenceBackend.cleanup_expired_cache)
    find_jira_cache = _awaited(PersistenceBackend.find_jira_cache)
    find_jira_changelog = _awaited(PersistenceBackend.find_jira_changelog)
    find_jira_changelogs = _awaited(PersistenceBackend.find_jira_changelogs)
    cleanup = _awaited(PersistenceBackend.cleanup)
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
    query_status = _awaited(PersistenceBackend.query_status)
    delete_query = _awaited(PersistenceBackend.delete_query)
    get_app_state = _awaited(PersistenceBackend.get_app_state)
    set_app_state = _awaited(PersistenceBackend.set_app_state)
    get_task_progress = _awaited(PersistenceBackend.get_task_progress)
    save_task_progress = _awaited(PersistenceBackend.save_task_progress)
    list_task_progress = _awaited(PersistenceBackend.list_task_progress)
    clear_task_progress = _awaited(PersistenceBackend.clear_task_progress)
    cancel_task = _awaited(PersistenceBackend.cancel_task)

    async def cached(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        fetch: Callable[[], Awaitable[Mapping[str, Any]] | Mapping[str, Any]],
        ttl: timedelta,
        stale_if_error: timedelta | None = timedelta(),
        stale_while_revalidate: timedelta | None = timedelta(),
    ) -> FoundResponse:
        """Return a cached response or fetch one, as :meth:`PersistenceBackend.cached` does.

        Callers that wait take no thread. If the asyncio task is cancelled while it fetches, another
        caller fetches instead.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            cache_key: as for :meth:`PersistenceBackend.save_jira_cache`.
            fetch: returns the response: a coroutine function, or another one, which runs in a
                thread.
            ttl: as for :meth:`PersistenceBackend.cached`.
            stale_if_error: likewise.
            stale_while_revalidate: likewise.
        """
        key = profile_id, query_id, cache_key
        steps = fetch_steps(self.backend, key, ttl, stale_if_error, stale_while_revalidate)

        worker = threads_of_loop().worker
        outcome: Outcome = None
        try:
            while True:
                step = await completed(worker().start(advance, steps, outcome))
                if not isinstance(step, float | str):
                    return step
                outcome = await _outcome(step, fetch)
        except BaseException:
            await completed(worker().start(steps.close))
            raise

    @asynccontextmanager
    async def task(
        self, task_name: str, lease: timedelta = timedelta(seconds=30), message: str = ""
    ) -> AsyncIterator["AsyncTask"]:
        """Begin a task, as :meth:`PersistenceBackend.task` does, for ``async with``.

        If the asyncio task is cancelled in the block, the status is ``cancelled`` when it ends.

        Raises:
            TaskRunningError, StorageError, ValidationError: as :meth:`PersistenceBackend.task`.
        """
        begun = self.backend.task(task_name, lease, message)
        try:
            await completed(threads_of_loop().worker().start(begun.__enter__))
            yield AsyncTask(begun)
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            reason = TaskCancelledError(task_name) if cancelled else error
            end = partial(begun.__exit__, type(reason), reason, None)
            await completed(threads_of_loop().worker().start(end))
            raise
        await completed(threads_of_loop().worker().start(begun.__exit__, None, None, None))

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
        return await run(self.backend.get_series, *args, **kwargs)

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
        async with threads_of_loop().transaction() as worker:
            stack = ExitStack()
            try:
                await worker.start(stack.enter_context, self.backend.transaction())
                hold_by_task(worker.context)
                yield
            except BaseException as error:
                await completed(
                    worker.start(stack.__exit__, type(error), error, error.__traceback__)
                )
                raise
            await completed(worker.start(stack.__exit__, None, None, None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

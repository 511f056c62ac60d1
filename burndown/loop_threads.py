"""The threads in which an event loop runs calls of a backend.

Each call runs in a copy of the context of its task. They are not the threads of
``asyncio.to_thread``, so that calls which wait for a lock do not delay other work there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["THREADS", "Threads", "Worker", "completed", "run", "threads_of_loop"]

THREADS = 32
"""The maximum number of calls, and of transactions, that an event loop runs at the same time."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Worker:
    """A thread and a context that run a call.

    Those of a transaction run all its calls, since it belongs to both.
    """

    executor: Executor
    context: Context = field(default_factory=copy_context)

    def start(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Begin a call of the function; wait for its end with :func:`completed`."""
        call = partial(self.context.run, function, *args, **kwargs)
        return asyncio.get_running_loop().run_in_executor(self.executor, call)


class Threads:
    """The threads for the calls of an event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "burndown")
        self._transactions = asyncio.Semaphore(THREADS)
        self._in_transaction: dict[asyncio.Task[Any] | None, Worker] = {}

    def worker(self) -> Worker:
        """Return the worker of the current task's transaction, or one for a single call."""
        return self._in_transaction.get(asyncio.current_task()) or Worker(self._pool)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Worker]:
        """Run all calls of the current task in one thread until the end of the block."""
        task = asyncio.current_task()
        if outer := self._in_transaction.get(task):
            yield outer
            return
        async with self._transactions:  # waiting here takes no thread
            executor = ThreadPoolExecutor(1, "burndown-transaction")
            self._in_transaction[task] = worker = Worker(executor)
            try:
                yield worker
            finally:
                del self._in_transaction[task]
                executor.shutdown(wait=False)


_threads: WeakKeyDictionary[asyncio.AbstractEventLoop, Threads] = WeakKeyDictionary()


def threads_of_loop() -> Threads:
    """Return the threads of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _threads:
        _threads[loop] = Threads()
    return _threads[loop]


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a thread: that of the current task's transaction, or one of the pool."""
    return await threads_of_loop().worker().start(function, *args, **kwargs)


async def completed(call: asyncio.Future[T]) -> T:
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

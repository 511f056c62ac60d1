"""The current transaction of a caller: a thread or an asyncio task.

A transaction belongs to the thread and the asyncio task that began it, and calls join it only while
it is open. It is stored in a context variable and not in a thread-local one: web frameworks enter
and exit a dependency in different threads, so a thread-local transaction would remain set in the
thread that began it after it has ended (5 of 7 writes that were reported as stored were lost).
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from burndown.errors import StorageError, TransactionAbortedError

__all__ = ["Transaction", "Transactions", "hold_by_task"]

LOOP_TIMEOUT_SECONDS = 1
"""Maximum time that an event loop waits for a transaction of another thread.

Short, since nothing else in the loop runs meanwhile.
"""

R = TypeVar("R")


def _running_loop() -> Any:
    """Return the event loop that runs in this thread, or ``None``."""
    # If asyncio has not been imported, no loop runs; importing it here would slow down each start.
    asyncio = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()


def _current_task() -> Any:
    return sys.modules["asyncio"].current_task() if _running_loop() is not None else None


@dataclass(eq=False)
class Transaction(Generic[R]):
    """A transaction of a store, or a nested one."""

    store: "Transactions[R]"
    resource: R | None
    """The session or connection that its calls use; ``None`` if no call can join it (any more)."""
    holds_lock: bool
    """Whether other writers have to wait for its end."""
    enclosing: "Transaction[R] | None"
    """The transaction of the same store that contains it."""
    earlier: "Transaction[Any] | None"
    """The innermost transaction, of any store, when this one began."""
    thread: int = field(default_factory=threading.get_ident)
    loop: Any = field(default_factory=_running_loop)
    task: Any = field(default_factory=_current_task)
    is_open: bool = True
    belongs_to_parent: bool = False
    """Whether this process was forked within it."""
    open_parts: int = 0
    """Number of open transactions that are nested in it."""

    def check(self) -> None:
        """Check that a call can join it.

        Raises:
            TransactionAbortedError: it belongs to the parent process, or the enclosing transaction
                has ended.
        """
        if self.belongs_to_parent:
            raise TransactionAbortedError(
                "This process was forked within a transaction, which belongs to its parent; "
                "fork before the transaction or after it"
            )
        if self.enclosing is not None and not self.enclosing.is_open:
            raise TransactionAbortedError(
                "The enclosing transaction has ended, so this one cannot continue; nothing of it "
                "was stored"
            )

    def check_end(self) -> None:
        """Check that it can be committed.

        Raises:
            TransactionAbortedError: as :meth:`check`, or a nested transaction is still open.
        """
        self.check()
        if self.open_parts:
            raise TransactionAbortedError(
                "A nested transaction is still open, so nothing of this one was stored; end the "
                "nested transaction first"
            )

    def _is_of_caller(self) -> bool:
        # A loop that was started within the transaction ends before it, so its tasks join it. In a
        # loop that was running before, each task has transactions of its own.
        if self.thread != threading.get_ident():
            return False
        return self.loop is None or self.task is _current_task()

    def _waits_for_caller(self, is_inherited: bool) -> bool:
        """Return whether it cannot end before a call of this caller returns.

        Args:
            is_inherited: whether the context of the caller contains it, as for a coroutine or
                thread that was started within it.
        """
        if is_inherited and (self.loop is not None or self.thread == threading.get_ident()):
            return True
        return self.loop is not None and self.loop is _running_loop()


_innermost: ContextVar[Transaction[Any] | None] = ContextVar("burndown_transaction", default=None)


class Transactions(Generic[R]):
    """The open transactions of one store."""

    def __init__(self) -> None:
        self._open: set[Transaction[R]] = set()
        self._ended = threading.Condition()

    def current(self) -> R | None:
        """Return the resource of the caller's transaction, or ``None`` if it is in none.

        Raises:
            TransactionAbortedError: the transaction cannot continue.
        """
        if _innermost.get() is None:  # the common case, without a generator
            return None
        found = self._find()
        return None if found is None else found.resource

    @contextmanager
    def opened(self, resource: R | None, *, holds_lock: bool = False) -> Iterator[Transaction[R]]:
        """Make a transaction the caller's current one until the end of the block.

        The block may end in another thread than it began in.

        Args:
            resource: the session or connection for the calls of the caller; ``None`` if no call
                can join the transaction.
            holds_lock: whether other writers already have to wait for its end.

        Raises:
            TransactionAbortedError: the block ends in a process that was forked within it.
        """
        enclosing = self._find()
        opened = Transaction(self, resource, holds_lock, enclosing, next(_inherited(), None))
        self._open.add(opened)
        if enclosing is not None:
            enclosing.open_parts += 1
        _innermost.set(opened)
        try:
            yield opened
        except Exception:
            if opened.belongs_to_parent:
                opened.check()
            raise
        finally:
            opened.is_open, opened.resource = False, None
            with self._ended:
                self._open.discard(opened)
                self._ended.notify_all()
            if enclosing is not None:
                enclosing.open_parts -= 1
            # In another thread than it began in, the context is another one, and is left alone.
            if _innermost.get() is opened:
                _innermost.set(opened.earlier)

    def raise_on_deadlock(self) -> None:
        """Check that waiting for other writers can end.

        Raises:
            StorageError: the caller would wait for a transaction of its own thread or event loop,
                which cannot end while the caller waits; or the caller runs in an event loop and
                has waited for another thread for ``LOOP_TIMEOUT_SECONDS``.
        """
        if not self._open:
            return
        inherited = set(_inherited())
        if any(each._waits_for_caller(each in inherited) for each in self._holders()):
            raise StorageError(
                "The database is locked by a transaction that cannot end while this call waits "
                "for it, since both run in the same thread or event loop; make the call within "
                "that transaction, or after it"
            )
        if _running_loop() is not None and self._holders():
            self._wait_in_loop()

    def _wait_in_loop(self) -> None:
        # Threads may in turn wait for the event loop, as those of FastAPI do: never without limit.
        with self._ended:
            if not self._ended.wait_for(lambda: not self._holders(), LOOP_TIMEOUT_SECONDS):
                raise StorageError(
                    "The database is locked by a transaction of another thread. An event loop "
                    f"waits no longer than {LOOP_TIMEOUT_SECONDS} s for it, since nothing else in "
                    "the loop runs meanwhile; call the backend in a thread (`asyncio.to_thread`)"
                )

    def _holders(self) -> list[Transaction[R]]:
        # list() copies atomically; other threads add and remove transactions meanwhile.
        return [each for each in list(self._open) if each.holds_lock]

    def mark_locked(self) -> None:
        """Record that other writers have to wait for the transaction of this caller."""
        found = self._find()
        while found is not None:
            found.holds_lock, found = True, found.enclosing

    def _find(self) -> Transaction[R] | None:
        for found in _inherited():
            if found.store is self and found.resource is not None and found._is_of_caller():
                found.check()
                return found
        return None

    def invalidate_in_child(self) -> None:
        """Make all calls within these transactions raise in a forked process."""
        for each in self._open:
            each.belongs_to_parent = True
        self._open.clear()
        self._ended = threading.Condition()


def hold_by_task(context: Context) -> None:
    """Let the current asyncio task hold the transaction that a thread began for it in a context.

    Calls of that thread join it. Calls of tasks and threads that the task starts do not; those that
    would wait for it raise immediately, since the task may wait for them.
    """
    begun = context.get(_innermost)
    if begun is not None:
        begun.loop = _running_loop()
        _innermost.set(begun)


def _inherited() -> Iterator[Transaction[Any]]:
    """Yield the open transactions in the caller's context, innermost first."""
    found = _innermost.get()
    while found is not None:
        if found.is_open:
            yield found
        found = found.earlier

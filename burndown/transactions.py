"""Which transaction a call belongs to.

A transaction belongs to the thread and the asyncio task that began it, and calls join it only while
it is open. It is remembered in a context variable: web frameworks enter and leave a dependency in
different threads, so a transaction remembered for each thread would outlive its end there.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from burndown.errors import StorageError, TransactionAbortedError

__all__ = ["Transaction", "Transactions"]

LOOP_TIMEOUT_SECONDS = 1
"""How long an event loop waits for a transaction of this process; nothing else in it runs then."""

R = TypeVar("R")


def _running_loop() -> Any:
    """Return the event loop that runs in this thread, or ``None``."""
    asyncio = sys.modules.get("asyncio")  # importing it takes longer than all else here
    return None if asyncio is None else asyncio._get_running_loop()


def _current_task() -> Any:
    return sys.modules["asyncio"].current_task() if _running_loop() is not None else None


@dataclass(eq=False)
class Transaction(Generic[R]):
    """A transaction of a store, or one within another."""

    store: "Transactions[R]"
    resource: R | None
    """What its calls work on; ``None`` if no call can join it, or once it has ended."""
    holds_lock: bool
    """Whether other writers have to wait for its end."""
    enclosing: "Transaction[R] | None"
    """The transaction of the same store that it is a part of."""
    earlier: "Transaction[Any] | None"
    """The one that was the innermost when this one began, on whatever store."""
    thread: int = field(default_factory=threading.get_ident)
    loop: Any = field(default_factory=_running_loop)
    task: Any = field(default_factory=_current_task)
    is_open: bool = True
    belongs_to_parent: bool = False
    """Whether this process was forked within it."""
    open_parts: int = 0
    """How many transactions within it are open."""

    def check(self) -> None:
        """Make sure that a call can be a part of it.

        Raises:
            TransactionAbortedError: it belongs to the parent process, or what it is a part of has
                ended.
        """
        if self.belongs_to_parent:
            raise TransactionAbortedError(
                "This process was forked within a transaction, which belongs to its parent; "
                "fork before the transaction or after it"
            )
        if self.enclosing is not None and not self.enclosing.is_open:
            raise TransactionAbortedError(
                "The transaction that this one is a part of has ended, so nothing more can be "
                "done in it"
            )

    def check_end(self) -> None:
        """Make sure that it can be committed.

        Raises:
            TransactionAbortedError: as :meth:`check`, or a transaction within it is still open.
        """
        self.check()
        if self.open_parts:
            raise TransactionAbortedError(
                "A transaction within this one is still open, so nothing of it was stored; "
                "end the inner transaction first"
            )

    def _is_of_caller(self) -> bool:
        # A loop that was started within the transaction ends before it: its tasks are part of it.
        if self.thread != threading.get_ident():
            return False
        return self.loop is None or self.task is _current_task()

    def _keeps_waiting(self, is_inherited: bool) -> bool:
        """Return whether it cannot end before a call of this caller returns.

        Args:
            is_inherited: whether the context of the caller has it, as that of a coroutine or
                thread which was started within it does.
        """
        if is_inherited and (self.loop is not None or self.thread == threading.get_ident()):
            return True
        return self.loop is not None and self.loop is _running_loop()


_innermost: ContextVar[Transaction[Any] | None] = ContextVar("burndown_transaction", default=None)


class Transactions(Generic[R]):
    """The transactions of one store that are open."""

    def __init__(self) -> None:
        self._open: set[Transaction[R]] = set()
        self._ended = threading.Condition()

    def current(self) -> R | None:
        """Return what the calls of this caller work on; ``None`` if it is in no transaction.

        Raises:
            TransactionAbortedError: nothing can be done in the transaction any more.
        """
        if _innermost.get() is None:  # as for most calls
            return None
        found = self._find()
        return None if found is None else found.resource

    @contextmanager
    def opened(self, resource: R | None, *, holds_lock: bool = False) -> Iterator[Transaction[R]]:
        """Make a transaction the current one of this caller until the end of the block.

        The block may end in another thread than it began in.

        Args:
            resource: what the calls of this caller work on meanwhile; ``None`` if they cannot.
            holds_lock: whether other writers have to wait for its end already.

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
            if _innermost.get() is opened:  # not so in another thread than it began in
                _innermost.set(opened.earlier)

    def refuse_deadlock(self) -> None:
        """Make sure that waiting for other writers can come to an end.

        Raises:
            StorageError: the caller would wait for a transaction of its own thread or event loop,
                which cannot end while the caller waits; or it runs in an event loop, and has
                waited for one of another thread for a second.
        """
        if not self._open:
            return
        inherited = set(_inherited())
        if any(each._keeps_waiting(each in inherited) for each in self._holders()):
            raise StorageError(
                "The database is locked by a transaction that cannot end while this call waits "
                "for it, since both run in the same thread or event loop; make the call within "
                "that transaction, or after it"
            )
        if _running_loop() is not None and self._holders():
            self._wait_in_loop()

    def _wait_in_loop(self) -> None:
        """Wait for threads, which may in turn wait for the event loop, as those of FastAPI do."""
        with self._ended:
            if not self._ended.wait_for(lambda: not self._holders(), LOOP_TIMEOUT_SECONDS):
                raise StorageError(
                    "The database is locked by a transaction of another thread, for which an event "
                    f"loop waits no longer than {LOOP_TIMEOUT_SECONDS} s, since nothing else in it "
                    "runs meanwhile; call the backend in a thread (`asyncio.to_thread`)"
                )

    def _holders(self) -> list[Transaction[R]]:
        return [each for each in list(self._open) if each.holds_lock]

    def note_lock(self) -> None:
        """Have other writers know that they wait for the transaction of this caller."""
        found = self._find()
        while found is not None:
            found.holds_lock, found = True, found.enclosing

    def _find(self) -> Transaction[R] | None:
        for found in _inherited():
            if found.store is self and found.resource is not None and found._is_of_caller():
                found.check()
                return found
        return None

    def leave_to_parent(self) -> None:
        """In a forked process: have calls that are made within these transactions refused."""
        for each in self._open:
            each.belongs_to_parent = True
        self._open.clear()
        self._ended = threading.Condition()


def _inherited() -> Iterator[Transaction[Any]]:
    """Yield the open transactions that the caller's context has, innermost first."""
    found = _innermost.get()
    while found is not None:
        if found.is_open:
            yield found
        found = found.earlier

"""Hooks that run before and after a fork, for objects with locks, files or connections.

A forked process inherits copies of locks that other threads held, which are never released there,
and of open files and sockets, which belong to its parent.
"""

# Its hook takes its lock, which threads need that a hook below waits for. The hooks before a fork
# run in reverse order, so it has to be registered first.
import logging  # noqa: F401
import os
import threading
import time
import weakref

__all__ = ["FORK_TIMEOUT_SECONDS", "ForkAware", "ForkSafeLock", "register_for_forks"]

FORK_TIMEOUT_SECONDS = 10
"""Maximum time that a fork waits for running calls of other threads.

The default of the busy timeout, so that a call that waits for a lock has ended by then. With a
longer one, a forked process cannot use the file for which a call of its parent still waits.
"""


class ForkAware:
    """Base of objects that are notified of forks.

    None of the methods may raise: Python ignores errors in fork handlers, and the handlers of the
    remaining objects would not run.
    """

    def before_fork(self, deadline: float) -> None:
        """Prepare for a fork.

        Args:
            deadline: the time of ``time.monotonic()`` until which to wait for other threads.
        """

    def after_fork_in_parent(self) -> None:
        """Continue in the parent after a fork."""

    def after_fork_in_child(self) -> None:
        """Discard what belongs to the parent."""


# Weak references: registering an object must not keep a closed store alive.
_aware: weakref.WeakSet[ForkAware] = weakref.WeakSet()
_prepared: list[ForkAware] = []
_forking = threading.Lock()


def register_for_forks(aware: ForkAware) -> None:
    """Notify an object of all forks from now on, as long as it exists."""
    _aware.add(aware)


class ForkSafeLock(ForkAware):
    """A lock between threads, which is replaced by a new one in a forked process.

    Args:
        delays_forks: whether a fork waits until no thread holds it: for what a forked process could
            not do if a thread was doing it, such as to load a module, of which Python has a lock.
    """

    def __init__(self, *, delays_forks: bool = False) -> None:
        self._delays_forks = delays_forks
        self._is_held_by_fork = False
        self._lock = threading.Lock()
        register_for_forks(self)

    def acquire(self, timeout: float = -1) -> bool:
        """Acquire the lock.

        Args:
            timeout: the seconds to wait at most; no limit if negative.

        Returns:
            Whether the lock was acquired.
        """
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def before_fork(self, deadline: float) -> None:
        """Wait for the thread that holds it, if forks wait for that."""
        if self._delays_forks:
            self._is_held_by_fork = self.acquire(max(0, deadline - time.monotonic()))

    def after_fork_in_parent(self) -> None:
        """Let others acquire it again."""
        if self._is_held_by_fork:
            self._is_held_by_fork = False
            self.release()

    def after_fork_in_child(self) -> None:
        """Replace the lock, which a thread of the parent may hold forever in this process."""
        self._is_held_by_fork = False
        self._lock = threading.Lock()


def _before_fork() -> None:
    # Two threads that fork at the same time would prepare the same objects twice.
    _forking.acquire()
    deadline = time.monotonic() + FORK_TIMEOUT_SECONDS
    # Strong references until after the fork: what was prepared must also be resumed.
    # Locks come last: a transaction that a store waits for may need one.
    _prepared[:] = sorted(_aware, key=lambda each: isinstance(each, ForkSafeLock))
    for each in _prepared:
        each.before_fork(deadline)


def _after_fork_in_parent() -> None:
    for each in _prepared:
        each.after_fork_in_parent()
    _prepared.clear()
    _forking.release()


def _after_fork_in_child() -> None:
    for each in list(_aware):
        each.after_fork_in_child()
    _prepared.clear()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )

"""What has to happen around a fork, for all that is open in a process.

A forked process gets copies of the locks of other threads, which nobody there gives back, and of
open files and sockets, which belong to its parent.
"""

import os
import threading
import time
import weakref

__all__ = ["FORK_TIMEOUT_SECONDS", "ForkAware", "ForkSafeLock", "tell_of_forks"]

FORK_TIMEOUT_SECONDS = 10
"""How long a fork waits for what other threads are doing."""


class ForkAware:
    """Something that is told of forks; none of its methods may raise."""

    def before_fork(self, deadline: float) -> None:
        """Prepare for a fork, waiting for other threads up to a time of ``time.monotonic()``."""

    def after_fork_in_parent(self) -> None:
        """Go on after a fork."""

    def after_fork_in_child(self) -> None:
        """Give up what belongs to the parent."""


_aware: weakref.WeakSet[ForkAware] = weakref.WeakSet()
_prepared: list[ForkAware] = []
_forking = threading.Lock()


def tell_of_forks(aware: ForkAware) -> None:
    """Have an object told of all forks from now on, as long as it exists."""
    _aware.add(aware)


class ForkSafeLock(ForkAware):
    """A lock of threads; in a forked process it is a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        tell_of_forks(self)

    def acquire(self, timeout: float = -1) -> bool:
        """Wait for the lock, up to some seconds if not negative; return whether it was got."""
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Let another thread have the lock."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Forget who has the lock."""
        self._lock = threading.Lock()


def _before_fork() -> None:
    _forking.acquire()
    deadline = time.monotonic() + FORK_TIMEOUT_SECONDS
    _prepared[:] = _aware
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

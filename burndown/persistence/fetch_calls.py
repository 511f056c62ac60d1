"""Calls of the function that fetches a response."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["fetched", "is_within_fetch", "within_fetch"]

_owners: ContextVar[frozenset[str]] = ContextVar("owners", default=frozenset())
"""The owners of the tasks of all fetches that the caller is within."""


@contextmanager
def within_fetch(owner: str) -> Iterator[None]:
    """Run a fetch in a block, for the owner of its task."""
    earlier = _owners.set(_owners.get() | {owner})
    try:
        yield
    finally:
        _owners.reset(earlier)


def is_within_fetch(owner: str | None) -> bool:
    """Return whether the caller is within the fetch of this owner, which so cannot end before."""
    return owner in _owners.get()


def fetched(fetch: Callable[[], Any]) -> Any:
    """Return what a fetch returns.

    Raises:
        RuntimeError: it raised ``StopIteration``, which generators and futures cannot pass on.
        Exception: any other error that it raised.
    """
    try:
        return fetch()
    except StopIteration as error:
        raise RuntimeError("the fetch raised StopIteration") from error

"""Stores for the tests, on each of the backends."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from burndown import PersistenceBackend
from burndown.testing.controlled_store import Open, OpenBackend, Store
from tests.support.backends import STORAGES, sealing, sqlite

__all__ = ["backend_of", "new_store_of", "one_store_on"]


@contextmanager
def backend_of(name: str, request: pytest.FixtureRequest) -> Iterator[OpenBackend]:
    """Yield a function that opens a backend on a storage of this name for each folder.

    The storage is removed after its folder, when another one is made.
    """
    storages: dict[Path, tuple[ExitStack, Open]] = {}
    # One block for all storages, which end in any order, and not each in its own.
    is_sealed = name == "sealed"
    new_storage = sqlite if is_sealed else STORAGES[name]

    def open_on(folder: Path, clock: Callable[[], datetime]) -> PersistenceBackend:
        if folder not in storages:
            remove_all(each for each in storages if not each.exists())
            stack = ExitStack()
            storages[folder] = stack, stack.enter_context(new_storage(request))
        return storages[folder][1](clock)

    def remove_all(folders: Iterable[Path]) -> None:
        for folder in list(folders):
            storages.pop(folder)[0].close()

    with sealing() if is_sealed else nullcontext():
        try:
            yield open_on
        finally:
            remove_all(storages)


@contextmanager
def new_store_of(name: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Open a store on a new storage of this name."""
    with STORAGES[name](request) as open_backend, closing(Store(open_backend)) as new:
        yield new


def one_store_on(storages: Iterable[str]) -> Any:
    """Return a fixture that opens one store for a module, on each storage, for all its tests."""

    @pytest.fixture(scope="module", params=[*storages])
    def shared(request: pytest.FixtureRequest) -> Iterator[Store]:
        with new_store_of(request.param, request) as new:
            yield new

    return shared

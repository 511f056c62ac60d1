"""Stores for the tests, on each of the backends."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from burndown.testing.controlled_store import Store
from tests.support.backends import STORAGES

__all__ = ["new_store_of", "one_store_on"]


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

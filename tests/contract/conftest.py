"""A store of every backend for each test, or for all examples of a module."""

from collections.abc import Iterator

import pytest

from tests.support.backends import BACKENDS
from tests.support.frames import frames_of_size
from tests.support.store import Store, new_store, one_store_on


@pytest.fixture(scope="package", autouse=True)
def small_frames() -> Iterator[None]:
    """Compress responses of three issues and more in frames of one or two."""
    with frames_of_size(64, from_issues=3):
        yield


shared = one_store_on(BACKENDS)


@pytest.fixture
def store(shared: Store) -> Store:
    """Return the store, emptied: with the profile ``p`` and its query ``q``."""
    return shared.empty()


@pytest.fixture
def another_store(request: pytest.FixtureRequest, store: Store) -> Iterator[Store]:
    """Open another, empty store of the same backend."""
    with new_store(store.name, request) as new:
        yield new

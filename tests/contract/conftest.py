"""A storage of every backend for each class of tests, or for all examples of a module."""

from collections.abc import Iterator

import pytest

from burndown.testing.controlled_store import OpenBackend, Store
from tests.support.backends import BACKENDS
from tests.support.frames import frames_of_size
from tests.support.store import backend_of, new_store_of, one_store_on


@pytest.fixture(scope="package", autouse=True)
def small_frames() -> Iterator[None]:
    """Compress responses of three issues and more in frames of one or two."""
    with frames_of_size(64, from_issues=3):
        yield


@pytest.fixture(scope="class", params=BACKENDS)
def open_backend(request: pytest.FixtureRequest) -> Iterator[OpenBackend]:
    """Open a backend on a storage of its own for each folder."""
    with backend_of(request.param, request) as opens:
        yield opens


shared = one_store_on(BACKENDS)


@pytest.fixture
def store(shared: Store) -> Store:
    """Return the store, emptied: with the profile ``p`` and its query ``q``."""
    return shared.empty()


@pytest.fixture
def another_store(request: pytest.FixtureRequest, store: Store) -> Iterator[Store]:
    """Open another, empty store of the same backend."""
    with new_store_of(request.node.callspec.params["shared"], request) as new:
        yield new

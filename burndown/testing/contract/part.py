"""The fixtures of all parts of the contract."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from burndown.testing.controlled_store import OpenBackend, Store, new_storage

__all__ = ["ContractPart", "new_store"]


class ContractPart:
    """A part of the contract: tests of a backend.

    The fixture ``open_backend``, of class scope or wider, is that of the backend: a function that
    opens it on the storage of a folder, with a clock. Called again with the same folder, it opens
    one as another process does.
    """

    @pytest.fixture(scope="class")
    @staticmethod
    def shared(open_backend: OpenBackend) -> Iterator[Store]:
        """Open one store for all examples of all tests, which empty it themselves."""
        with new_store(open_backend) as new:
            yield new

    @pytest.fixture
    @staticmethod
    def store(shared: Store) -> Store:
        """Return the store, emptied: with the profile ``p`` and its query ``q``."""
        return shared.empty()

    @pytest.fixture
    @staticmethod
    def another_store(open_backend: OpenBackend) -> Iterator[Store]:
        """Open another, empty store of the same backend."""
        with new_store(open_backend) as new:
            yield new


@contextmanager
def new_store(open_backend: OpenBackend) -> Iterator[Store]:
    """Open a store on a storage of its own."""
    with new_storage(open_backend) as open_on_storage, closing(Store(open_on_storage)) as new:
        yield new

"""A store can be copied between any two of our backends."""

from collections.abc import Iterator
from itertools import permutations

import pytest

from burndown.testing.contract import CopyingContract
from burndown.testing.controlled_store import Store
from tests.support.backends import BACKENDS
from tests.support.store import new_store_of


class TestCopiesIntoOtherBackends(CopyingContract):
    """The contract has copies between two stores of the same backend."""

    @pytest.fixture(scope="class", params=[*permutations(BACKENDS, 2)], ids=" to ".join)
    @staticmethod
    def shared_pair(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Store]]:
        """Open two stores, for each pair of backends, which each example empties."""
        source, target = request.param
        with new_store_of(source, request) as one, new_store_of(target, request) as other:
            yield one, other

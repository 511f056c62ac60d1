"""The backend keeps the contract."""

import pytest

from burndown.testing import BackendContract
from burndown.testing.contract import OpenBackend
from examples.backend.shelve_backend import ShelveBackend


@pytest.fixture(scope="module")
def open_backend() -> OpenBackend:
    """Open the backend on a folder."""
    return lambda folder, clock: ShelveBackend(folder / "store", clock)


class TestShelveBackend(BackendContract):
    """All parts of the contract."""

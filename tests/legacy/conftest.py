"""An old workspace to be damaged, and what it becomes if it is not."""

from pathlib import Path

import pytest

from tests.legacy.damaged_workspace import FILES, Stored, make, migrate


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """What the undamaged workspace becomes."""
    outcome = migrate(make(tmp_path_factory.mktemp("whole")))
    assert outcome.problems == outcome.converted == outcome.skipped == []
    assert outcome.stored.keys() == FILES.keys()
    return outcome.stored


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a workspace."""
    return make(tmp_path)

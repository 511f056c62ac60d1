"""An old workspace to damage, and the result of migrating it undamaged."""

from pathlib import Path

import pytest

from tests.legacy.damaged_workspace import FILES, Stored, make, migrate


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Return what the undamaged workspace becomes."""
    outcome = migrate(make(tmp_path_factory.mktemp("whole")))
    assert outcome.problems == outcome.converted == outcome.skipped == []
    assert outcome.stored.keys() == FILES.keys()
    return outcome.stored


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create a workspace, and return its root."""
    return make(tmp_path)

"""Databases of earlier versions."""

from pathlib import Path

import pytest

from tests.support.kept_databases import copy_of


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of version 1.0."""
    return copy_of("1.0", tmp_path / "old" / "burndown.db")

"""Databases of earlier versions."""

import shutil
from pathlib import Path

import pytest

from tests.data.schemas.generate import FOLDER

KEPT = sorted(path.stem for path in FOLDER.glob("*.db"))
"""The versions of which a database is kept."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of version 1.0."""
    return copy_of("1.0", tmp_path / "old" / "burndown.db")


def copy_of(version: str, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return Path(shutil.copy(FOLDER / f"{version}.db", path))

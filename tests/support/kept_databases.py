"""The databases of earlier versions of the schema that are kept in tests/data/schemas."""

import shutil
from pathlib import Path

from tests.data.schemas.generate import FOLDER

KEPT = sorted(path.stem for path in FOLDER.glob("*.db"))
"""The versions of which a database is kept."""


def copy_of(version: str, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return Path(shutil.copy(FOLDER / f"{version}.db", path))

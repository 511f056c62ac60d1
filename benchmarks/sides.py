"""The three compared implementations, each on its own file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.floor import Floor
from benchmarks.naive import Naive
from burndown import get_backend, set_backend

__all__ = ["Side", "open_sides", "opened", "settings", "temporary"]

Side = Any
"""The backend, the floor or the naive implementation: they have the same calls."""


@contextmanager
def temporary(folder: Path | None) -> Iterator[Path]:
    """Create a temporary folder for the files of a measurement."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(name)


@contextmanager
def settings(**values: str) -> Iterator[None]:
    """Set environment variables of the package, which started processes inherit."""
    names = {f"BURNDOWN_{name.upper()}": value for name, value in values.items()}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def opened(path: Path, synchronous: str) -> Iterator[Side]:
    """Open the backend as an application does."""
    with settings(database_url=str(path), sqlite_synchronous=synchronous):
        set_backend(None)
        try:
            yield get_backend()
        finally:
            set_backend(None)


@contextmanager
def open_sides(folder: Path, synchronous: str) -> Iterator[dict[str, Side]]:
    """Open all three with the same durability."""
    with ExitStack() as stack:
        yield {
            "floor": stack.enter_context(closing(Floor(folder / "floor.db", synchronous))),
            "burndown": stack.enter_context(opened(folder / "burndown.db", synchronous)),
            "naive": stack.enter_context(closing(Naive(folder / "naive.db", synchronous))),
        }

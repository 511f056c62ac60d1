"""A store with the sample workspace, and its tables."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from burndown import SQLiteBackend
from burndown.tables import write_tables
from burndown.testing import Clock, make_budget
from burndown.testing.sample import sample_database


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SQLiteBackend]:
    """A store with issues, metrics, weeks and a budget."""
    path = tmp_path / "sample.db"
    path.write_bytes(sample_database())
    with SQLiteBackend(path, clock=Clock()) as backend:
        backend.save_budget("kafka", "12w", make_budget())
        yield backend


@pytest.fixture
def tables(sample: SQLiteBackend, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The tables of the sample, opened with `sqlite3`."""
    write_tables(tmp_path / "out.db", backend=sample)
    with closing(sqlite3.connect(tmp_path / "out.db")) as connection:
        connection.row_factory = sqlite3.Row
        yield connection

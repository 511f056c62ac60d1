"""The backends that the contract is tested on: a new one takes a line and a way to open it."""

import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

import pytest

from burndown import PersistenceBackend, SQLiteBackend
from burndown.database import open_database
from burndown.models.timestamps import utc_now
from burndown.persistence.json_backend import JSONBackend
from burndown.persistence.sql_backend import SQLBackend
from burndown.secrets import sources
from burndown.testing.controlled_store import Open

Now = Callable[[], datetime]
NewStorage = Callable[[pytest.FixtureRequest], AbstractContextManager[Open]]
"""A storage that is empty at first and removed at the end."""


@contextmanager
def sqlite(_: pytest.FixtureRequest) -> Iterator[Open]:
    """Yield a function that opens a SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "burndown.db"
        yield lambda clock: SQLiteBackend(path, clock=clock)


def sealing() -> AbstractContextManager[object]:
    """Give all stores a key that seals their secrets, for the block."""
    key = b64encode(bytes(range(32))).decode()
    return patch.object(sources, "secret_key_sources", lambda: (key, None))


@contextmanager
def sealed_sqlite(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Yield a function that opens a SQLite file, with a key for its secrets."""
    with sealing(), sqlite(request) as open_backend:
        yield open_backend


@contextmanager
def json_files(_: pytest.FixtureRequest) -> Iterator[Open]:
    """Yield a function that opens a folder of JSON files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workspace"
        yield lambda clock: JSONBackend(path, clock=clock)


@contextmanager
def postgresql(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Yield a function that opens a database on the PostgreSQL server."""
    server = request.getfixturevalue("postgres_server")
    with server.database(_make_tables) as url:
        yield lambda clock: _on_url(url, clock)


def _on_url(url: str, clock: Now = utc_now) -> PersistenceBackend:
    return SQLBackend(open_database(url), clock=clock)


def _make_tables(url: str) -> None:
    with _on_url(url) as backend:
        backend.list_profiles()


BACKENDS: dict[str, NewStorage] = {
    "sqlite": sqlite,
    "json": json_files,
    "postgresql": postgresql,
}
"""The backends by name; test ids contain the name."""

STORAGES: dict[str, NewStorage] = {**BACKENDS, "sealed": sealed_sqlite}
"""The same, and a storage in which secrets are sealed: for what concerns profiles and queries."""

COPYING = ("sqlite", "json")
"""The backends that make backups themselves; a server has a program of its own for it."""


def open_copy(path: Path, clock: Now = utc_now) -> PersistenceBackend:
    """Open a backup."""
    return JSONBackend(path, clock) if path.is_dir() else SQLiteBackend(path, clock)

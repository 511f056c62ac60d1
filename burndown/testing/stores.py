"""Stores that exist for one test."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

from burndown.database import MEMORY
from burndown.files.working_folder import scratch_folder
from burndown.persistence import PersistenceBackend, open_backend
from burndown.testing.clocks import Clock

__all__ = ["new_store"]


@contextmanager
def new_store(storage: str, clock: Clock, server: str = "") -> Iterator[PersistenceBackend]:
    """Open an empty store, which is deleted at the end of the block.

    Args:
        storage: ``sqlite``, ``json`` or ``postgresql``.
        clock: returns the current time.
        server: the URL of a PostgreSQL database, in which the store gets a schema.

    Yields:
        The backend.

    Raises:
        ValueError: there is no such storage.
    """
    if storage not in ("sqlite", "json", "postgresql"):
        raise ValueError(f"storage should be sqlite, json or postgresql, got {storage!r}")
    with ExitStack() as stack:
        if storage == "json":
            location = f"json:{stack.enter_context(scratch_folder())}/profiles"
        elif storage == "postgresql":
            location = stack.enter_context(_schema(server))
        else:
            location = MEMORY
        yield stack.enter_context(open_backend(location, clock=clock))


@contextmanager
def _schema(url: str) -> Iterator[str]:
    """Create a schema in a PostgreSQL database, and yield the URL of the database with it."""
    import psycopg  # an extra of the package

    schema = f"burndown_test_{uuid.uuid4().hex}"
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {schema}")
        try:
            yield f"{url}{'&' if '?' in url else '?'}options={quote(f'-csearch_path={schema}')}"
        finally:
            server.execute(f"DROP SCHEMA {schema} CASCADE")

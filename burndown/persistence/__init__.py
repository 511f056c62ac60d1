"""The backends behind one interface, and the one in use.

    from burndown.persistence import get_backend

    backend = get_backend()
    profile = backend.get_profile("kafka")

Business logic calls :func:`get_backend` each time; tests replace the backend with
:func:`set_backend`. A process can have any number of stores open: functions that work on a store,
such as those of :mod:`burndown.profile_manager`, take it as ``backend=``.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from burndown.database import forget_database, get_database, open_database, set_database
from burndown.errors import (
    DatabaseCorruptionError,
    PersistenceError,
    ProfileNotFoundError,
    QueryNotFoundError,
    StorageError,
    ValidationError,
)
from burndown.forks import ForkSafeLock
from burndown.models.timestamps import utc_now
from burndown.persistence.interface import Document, PersistenceBackend
from burndown.persistence.sql_backend import SQLBackend
from burndown.settings import get_settings

__all__ = [
    "DatabaseCorruptionError",
    "Document",
    "PersistenceBackend",
    "PersistenceError",
    "ProfileNotFoundError",
    "QueryNotFoundError",
    "StorageError",
    "ValidationError",
    "backend_in_use",
    "get_backend",
    "open_backend",
    "resolve_backend",
    "set_backend",
    "transaction_on",
]

_JSON = "json:"

_lock = ForkSafeLock()
_backend: PersistenceBackend | None = None


def get_backend() -> PersistenceBackend:
    """Return the backend in use: the one that was set, or else one that the settings choose.

    Raises:
        ValidationError: a setting is not valid.
        StoreLocationError: the settings name a database that no backend can open.
    """
    global _backend
    if _backend is not None:
        return _backend
    with _lock:
        if _backend is None:
            folder = _json_folder(get_settings().database)
            _backend = SQLBackend(get_database()) if folder is None else _json_backend(folder)
        return _backend


def resolve_backend(backend: PersistenceBackend | None) -> PersistenceBackend:
    """Return the given backend, or the one in use for ``None``.

    Every function with an argument ``backend`` that can be omitted calls this.
    """
    return get_backend() if backend is None else backend


def transaction_on(backend: PersistenceBackend) -> AbstractContextManager[None]:
    """Begin a transaction on a backend, which can be a mock without return values.

    What ``Mock(spec=PersistenceBackend)`` returns cannot be entered. A test with such a backend
    asserts which calls are made; nothing is stored, so there is nothing to commit.
    """
    begun = backend.transaction()
    return begun if isinstance(begun, AbstractContextManager) else nullcontext()


def open_backend(
    where: str | Path, *, read_only: bool = False, clock: Callable[[], datetime] = utc_now
) -> PersistenceBackend:
    """Return a backend for a location, which is first accessed by the first call.

    Args:
        where: the path of a SQLite file; an SQLAlchemy URL such as
            ``postgresql+psycopg://user:password@host/name``; the folder with the JSON files of
            the old dashboard, as ``json:profiles``, or as a path if it exists; or ``memory:`` for a
            new SQLite database in memory, which the threads of this process share until the backend
            is closed (:class:`~burndown.database.MemoryDatabase`).
        read_only: create and upgrade nothing, leave nothing behind, and refuse to write. A
            transaction then sees one state of the data and blocks no writer.
        clock: returns the current time, which decides expiries and is stored.

    Raises:
        StoreLocationError: there is no backend for this location.
    """
    folder = _json_folder(where)
    if folder is None:
        return SQLBackend(open_database(where, read_only=read_only), clock)
    return _json_backend(folder, clock, read_only=read_only)


def set_backend(backend: PersistenceBackend | None) -> None:
    """Use this backend from now on; ``get_db_connection`` then opens its database.

    Args:
        backend: the backend, which leaves the one before it open; ``None`` closes and forgets the
            one in use, and the next :func:`get_backend` creates one from the settings.

    Raises:
        TypeError: it is not a :class:`PersistenceBackend`.
    """
    global _backend
    if backend is not None and not isinstance(backend, PersistenceBackend):
        raise TypeError(f"Input should be a PersistenceBackend, got {type(backend).__name__}")
    with _lock:
        if backend is None and _backend is not None:
            _backend.close()
        _backend = backend
        if backend is None:
            set_database(None)
        elif isinstance(backend, SQLBackend):
            set_database(backend.database)
        else:
            forget_database()


@contextmanager
def backend_in_use(backend: PersistenceBackend) -> Iterator[PersistenceBackend]:
    """Make a backend the one in use for the block, and close it at the end.

    The one that was in use before is in use again then. Another one that the block has set is
    closed.

    Yields:
        The backend.
    """
    before = _backend
    set_backend(backend)
    try:
        yield backend
    finally:
        if _backend is not before:
            set_backend(None)
            set_backend(before)
        backend.close()


def _json_backend(
    folder: Path, clock: Callable[[], datetime] = utc_now, *, read_only: bool = False
) -> PersistenceBackend:
    # Imported on first use: reading the old files takes as many modules as everything else here.
    from burndown.persistence.json_backend import JSONBackend

    return JSONBackend(folder, clock, read_only=read_only)


def _json_folder(where: str | Path) -> Path | None:
    """Return the folder of JSON files that is meant, or ``None`` for a database."""
    if isinstance(where, str) and where.startswith(_JSON):
        return Path(where.removeprefix(_JSON).removeprefix("//"))
    if isinstance(where, str) and "://" in where:
        return None  # a URL is no path; the error of a look-up would quote its password
    return Path(where) if Path(where).is_dir() else None

"""The storage behind one interface, and the one that is in use.

    from burndown.persistence import get_backend

    backend = get_backend()
    profile = backend.get_profile("kafka")

Business logic calls :func:`get_backend` each time; tests put another one in its place with
:func:`set_backend`.
"""

from importlib import import_module
from pathlib import Path

from burndown.database import get_database, open_database, set_database
from burndown.errors import (
    DatabaseCorruptionError,
    PersistenceError,
    ProfileNotFoundError,
    QueryNotFoundError,
    StorageError,
    ValidationError,
)
from burndown.forks import ForkSafeLock
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
    "get_backend",
    "open_backend",
    "set_backend",
]

_JSON = "json:"
_JSON_BACKEND = "burndown.persistence.json_backend"

_lock = ForkSafeLock()
_backend: PersistenceBackend | None = None


def get_backend() -> PersistenceBackend:
    """The backend in use: the one that was set, or a new one as the settings say.

    Raises:
        ValidationError: a setting has a value that is not possible.
        StorageError: the settings name a database that no backend can open.
    """
    global _backend
    if _backend is not None:
        return _backend
    with _lock:
        if _backend is None:
            folder = _json_folder(get_settings().database)
            _backend = SQLBackend(get_database()) if folder is None else _json_backend(folder)
        return _backend


def open_backend(where: str | Path, *, read_only: bool = False) -> PersistenceBackend:
    """The backend on a location; it is reached for on first use.

    Args:
        where: path of a SQLite file; an SQLAlchemy URL such as
            ``postgresql+psycopg://user:password@host/name``; or the folder of JSON files of the
            old dashboard, as ``json:profiles``, or as a path if it exists.
        read_only: make and upgrade nothing, leave nothing behind, and refuse to write. A
            transaction then sees one state of the data and keeps nobody from writing.

    Raises:
        StorageError: no backend stores there.
    """
    folder = _json_folder(where)
    if folder is None:
        return SQLBackend(open_database(where, read_only=read_only))
    return _json_backend(folder, read_only=read_only)


def set_backend(backend: PersistenceBackend | None) -> None:
    """Use this backend from now on; ``get_db_connection`` then opens its database.

    ``None`` closes and forgets the one in use; the next :func:`get_backend` makes one anew.

    Raises:
        TypeError: it is no :class:`PersistenceBackend`.
    """
    global _backend
    if backend is not None and not isinstance(backend, PersistenceBackend):
        raise TypeError(f"a PersistenceBackend was expected, not {type(backend).__name__}")
    with _lock:
        if backend is None and _backend is not None:
            _backend.close()
        _backend = backend
        set_database(backend.database if isinstance(backend, SQLBackend) else None)


def _json_backend(folder: Path, *, read_only: bool = False) -> PersistenceBackend:
    """Loaded where it is used: reading the old files takes as many modules as all else here."""
    backend: PersistenceBackend = import_module(_JSON_BACKEND).JSONBackend(
        folder, read_only=read_only
    )
    return backend


def _json_folder(where: str | Path) -> Path | None:
    """The folder of JSON files that is meant; ``None`` if it is a database."""
    if isinstance(where, str) and where.startswith(_JSON):
        return Path(where.removeprefix(_JSON).removeprefix("//"))
    if isinstance(where, str) and "://" in where:  # not looked for: an error would show a password
        return None
    return Path(where) if Path(where).is_dir() else None

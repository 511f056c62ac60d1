"""A SQLite database in memory."""

import atexit
import os
import shutil
import weakref
from contextlib import ExitStack, closing
from functools import cache
from itertools import count
from pathlib import Path

from burndown.database.sqlite import SQLiteDatabase, remove_database
from burndown.files.working_folder import scratch_folder
from burndown.forks import ForkSafeLock
from burndown.settings import DATABASE_NAME

__all__ = ["MemoryDatabase"]

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it

_lock = ForkSafeLock()
_numbers = count(1)


class MemoryDatabase(SQLiteDatabase):
    """An empty database of this process, shared by its threads, and deleted when it is closed.

    It is a file in a private folder in memory (``/dev/shm``, or else the folder for temporary
    files), so that it has all that a file has: several connections, readers that do not wait for a
    writer, forked processes that use it as well. SQLite's own ``:memory:`` belongs to one
    connection; with a shared cache, there is no write-ahead log, and readers wait for writers.

    A forked process shares the database as long as this one has it open. What a killed process
    leaves is deleted by the next one that makes such a database.
    """

    def __init__(self) -> None:
        with _lock:
            folder = _folder_of_process(os.getpid()) / str(next(_numbers))
            empty = _empty_database()
        super().__init__(folder / DATABASE_NAME)
        self._owner = os.getpid()
        weakref.finalize(self, _delete, folder, self._owner)
        self._write(empty)

    def load(self, content: bytes) -> None:
        """Replace all content by that of a database file, which was closed when it was read."""
        self.close()
        self._write(content)

    def close(self) -> None:
        """Close all connections and delete the content; the next use begins without any."""
        super().close()
        _delete(self._path.parent, self._owner)

    def _write(self, content: bytes) -> None:
        self._file.make()
        self._path.write_bytes(content)


def _delete(folder: Path, owner: int) -> None:
    """Delete the folder of a database, unless this process was forked from its owner."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _folder_of_process(_: int) -> Path:
    """Make the folder for the databases of this process, and remove it at its end."""
    stack = ExitStack()
    in_memory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    folder = stack.enter_context(scratch_folder(in_memory))
    atexit.register(stack.close)
    return folder


@cache
def _empty_database() -> bytes:
    """Return the content of a database without records, made once: it takes 10 ms."""
    path = _folder_of_process(os.getpid()) / DATABASE_NAME
    with closing(SQLiteDatabase(path)) as new, new.session():
        pass
    content = path.read_bytes()
    remove_database(path)
    return content

"""The file of a SQLite database and the files that SQLite keeps beside it, before they are opened.

Nothing here opens the database file itself other than through SQLite: closing any descriptor of it
would release all locks that this process holds on it.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from burndown.errors import ForeignDatabaseError, StorageError
from burndown.forks import ForkSafeLock

__all__ = ["BUILT_SUFFIX", "SIDECARS", "DatabaseFile", "remove_database"]

BUILT_SUFFIX = ".migrating"
"""What the name of a database ends in that is built beside ours and then takes its name."""

SIDECARS = ("-wal", "-shm", "-journal")
"""How the names of the files end that SQLite keeps beside a database in use."""

_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_RECORD_OVERHEAD = 8
_CHANGING_HEADER = (slice(18, 20), slice(24, 28), slice(92, 100))
"""Bytes of the first page that change when only the journal mode does."""

_creating = ForkSafeLock()
"""To close a file takes its locks from all of the process, so nobody else opens it before that."""

Fingerprint = tuple[int, int, int, bool, bool]


class Access(NamedTuple):
    """How a connection that only reads is to be opened."""

    uri: str
    is_exclusive: bool = False
    """Whether to ask for the index of the log in memory, since its file cannot be made."""
    is_immutable: bool = False
    """Whether SQLite takes it that nobody writes."""


class DatabaseFile:
    """The file of a database, and its log, index and journal.

    Args:
        path: where the database is, or is to be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def log(self) -> Path:
        """The log; SQLite finds it beside the file that a link leads to."""
        return self._beside("-wal")

    @property
    def index(self) -> Path:
        """The index of the log, which SQLite makes anew where it is not there."""
        return self._beside("-shm")

    @property
    def journal(self) -> Path:
        """What takes an interrupted transaction back, in a database without a log."""
        return self._beside("-journal")

    @property
    def sidecars(self) -> list[Path]:
        """All that SQLite keeps beside a database in use, whether it is there or not."""
        return [self._beside(suffix) for suffix in SIDECARS]

    def exists(self) -> bool:
        """Whether there is a file with something in it."""
        with _storage_errors(self.path):
            return _size(self.path) > 0

    def size(self) -> int:
        """Return the bytes on disk, the log included."""
        return _size(self.path) + _size(self.log)

    def refuse_unsafe(self) -> None:
        """Refuse what SQLite would open, and lose or damage something by it.

        Raises:
            StorageError: it is no file, cannot be read, has a second name, or a log or journal
                beside it belongs to another database.
            ForeignDatabaseError: it holds a single byte, so it is no database.
        """
        with _storage_errors(self.path):
            if self.path.is_dir():
                raise StorageError(
                    f"{self.path} is a folder, not a database; name a file, or "
                    f"json:{self.path} for the JSON files of the old dashboard"
                )
            if self.path.exists() and not self.path.is_file():
                raise StorageError(f"{self.path} is a device, pipe or socket, not a database")
            self._refuse_second_name()
            self._refuse_unreadable()
            if _size(self.path) == 1:  # SQLite takes it for empty, and would overwrite it
                raise ForeignDatabaseError(str(self.path), "holds a single byte")
            if not self.exists() and _size(self.log) > 0:
                raise StorageError(
                    f"{self.log} holds changes of a database that is not there, and would be "
                    f"deleted; put {self.path.name} back beside it, or move the log away"
                )
            if self.has_hot_journal() and not self._is_harmless() and self.has_hot_journal():
                raise StorageError(
                    f"{self.journal} would undo a transaction that burndown did not begin: of "
                    "another program, which has to finish it, or of another database, from which "
                    "it has to be moved away"
                )

    def read_only_reason(self) -> str | None:
        """Return why this process cannot write to the database; ``None`` if it can."""
        for path in (self.path, self.log, self.index):
            target = path if path.exists() else path.parent
            if target.exists() and not os.access(target, os.W_OK):
                return _reason(target, "it" if target == self.path else str(target))
        return None

    def access(self, *, may_write: bool) -> Access:
        """Return how to read the database without changing a file or leaving one behind.

        Only the index of a log that a process left when it was killed is made anew by SQLite.

        Args:
            may_write: whether an interrupted transaction may be taken back.
        """
        uri = self.path.as_uri()
        if _size(self.log) > 0:
            if os.name == "posix" and not self.index.exists() and self.read_only_reason():
                return Access(f"{uri}?mode=ro&vfs=unix-none", is_exclusive=True)
            return Access(f"{uri}?mode=ro")  # a writing one puts the log into the file at its end
        if self.has_hot_journal():
            return Access(f"{uri}?mode={'rw' if may_write else 'ro'}")
        if self.read_only_reason() is None:
            return Access(f"{uri}?mode=rw")  # others leave an empty log behind
        if self.index.exists():
            return Access(f"{uri}?mode=ro")
        return Access(f"{uri}?mode=ro&immutable=1", is_immutable=True)

    def fingerprint(self) -> Fingerprint:
        """Return what changes when somebody writes to a database that nobody has in use."""
        found = self.path.stat()
        return (
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            self.log.exists(),
            self.index.exists(),
        )

    def make(self) -> None:
        """Make the file so that only its owner can read it: it holds Jira tokens."""
        try:
            with _creating:
                if not self.path.exists():
                    self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    with suppress(FileExistsError):  # another process has just made it
                        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise StorageError(f"The database {self.path} cannot be made: {reason}") from error

    def remove(self) -> None:
        """Delete the database, which nobody uses, with all that SQLite keeps beside it."""
        for path in (self.path, *self.sidecars):
            path.unlink(missing_ok=True)

    def clear_sidecars(self) -> None:
        """Have nothing beside the path that SQLite would take for a part of a new database.

        The log of a database that is gone keeps its content under another name.
        """
        if _size(self.log) > 0:
            self.log.replace(self._beside(".orphaned-wal"))
        for path in self.sidecars:
            path.unlink(missing_ok=True)

    def has_hot_journal(self) -> bool:
        """Whether there is a journal that SQLite would carry out, unless its writer is alive."""
        try:
            with self.journal.open("rb") as file:
                return file.read(len(_JOURNAL_MAGIC)) == _JOURNAL_MAGIC
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _is_harmless(self) -> bool:
        """Whether the journal takes nothing back but the journal mode.

        That is all that burndown ever writes without a log, when it makes or first opens a
        database.
        """
        try:
            journal = self.journal.read_bytes()
        except FileNotFoundError:
            return True
        pages, sector, page_size = (
            int.from_bytes(journal[at : at + 4], "big") for at in (16, 20, 24)
        )
        if len(journal) > sector + page_size + _RECORD_OVERHEAD:
            return False
        found = self._content(at_most=max(pages, 1) * page_size)
        if found is None or (pages > 1 and len(found) != pages * page_size):
            return False
        record = journal[sector + 4 : sector + 4 + page_size]
        return pages == 0 or len(record) < page_size or _same_but_mode(record, found[:page_size])

    def _content(self, at_most: int) -> bytes | None:
        """All bytes of the database, unless there are more than that."""
        if _size(self.path) > at_most:
            return None
        if _size(self.path) == 0:
            return b""
        try:
            where = f"{self.path.as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(where, uri=True)) as connection:
                return connection.serialize()
        except sqlite3.Error:
            return None

    def _refuse_unreadable(self) -> None:
        for path in (self.path, self.log):
            if path.exists() and not os.access(path, os.R_OK):
                why = (
                    f"{os.strerror(errno.EACCES)} ({path.name}); ask its owner, or run as its owner"
                )
                raise PermissionError(errno.EACCES, why)

    def _refuse_second_name(self) -> None:
        if not self.path.exists() or self.path.stat().st_nlink < 2:
            return
        folder = Path(os.path.realpath(self.path)).parent
        others = [
            each.name
            for each in folder.iterdir()
            if each.name != os.path.realpath(self.path).rpartition(os.sep)[2]
            and not each.is_symlink()
            and each.samefile(self.path)
        ]
        if others == [f"{self.path.name}{BUILT_SUFFIX}"]:
            return
        named = f" ({', '.join(sorted(others))})" if others else ""
        raise StorageError(
            f"{self.path} is a file with a second name (hard link){named}, and changes made by "
            "one name would not be seen by the other; delete the other name, or make it a copy"
        )

    def _beside(self, suffix: str) -> Path:
        return Path(os.path.realpath(self.path) + suffix)


def remove_database(path: Path) -> None:
    """Delete a database that nobody uses, with its log."""
    DatabaseFile(path).remove()


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """Turn what the system refuses into an error that names the database."""
    try:
        yield
    except StorageError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StorageError(f"The database {path} cannot be read: {reason}") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _same_but_mode(page: bytes, other: bytes) -> bool:
    one, two = bytearray(page), bytearray(other)
    for part in _CHANGING_HEADER:
        one[part] = two[part] = bytes(part.stop - part.start)
    return one == two


def _reason(path: Path, subject: str) -> str:
    """Why the file or folder cannot be written to."""
    if hasattr(os, "statvfs") and os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"{subject} is on a read-only file system"
    if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
        return f"{subject} belongs to another user, and this one may only read"
    return f"{subject} has permissions that let nobody write"

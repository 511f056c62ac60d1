"""The file of a SQLite database and the files that SQLite keeps next to it, before it is opened.

Nothing here opens the database file other than through SQLite: closing any descriptor of it would
release all locks that this process holds on it.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from burndown.database.rollback_journal import RollbackJournal, file_size
from burndown.errors import DatabaseCorruptionError, ForeignDatabaseError, StorageError
from burndown.files.sqlite_files import BUILT_SUFFIX, SIDECARS
from burndown.forks import ForkSafeLock

__all__ = ["DatabaseFile", "remove_database"]


# Closing the new file releases all locks of this process on it, so no other thread may open it
# before it is closed.
_creating = ForkSafeLock()

_MARK = "user.burndown.database"
"""The extended attribute of a file that was a database once."""

Fingerprint = tuple[int, int, int, bool, bool]
"""Inode, size, time of the last change, and whether there is a log and an index."""


class Access(NamedTuple):
    """The way to open a connection that only reads."""

    uri: str
    is_exclusive: bool = False
    """``True`` if the index of the log is kept in memory, since its file cannot be made."""
    is_immutable: bool = False
    """``True`` if SQLite assumes that no process writes, and takes no locks."""


class DatabaseFile:
    """The file of a database, and its log, index and journal.

    Args:
        path: the location of the database, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def log(self) -> Path:
        """Return the write-ahead log; SQLite puts it next to the file that a link leads to."""
        return self._sidecar("-wal")

    @property
    def index(self) -> Path:
        """Return the index of the log, which SQLite rebuilds if it is missing."""
        return self._sidecar("-shm")

    @property
    def journal(self) -> Path:
        """Return the rollback journal of an interrupted transaction, if there is no log."""
        return self._sidecar("-journal")

    @property
    def sidecars(self) -> list[Path]:
        """Return the paths of all files that SQLite keeps next to a database in use."""
        real_path = os.path.realpath(self.path)
        return [Path(real_path + suffix) for suffix in SIDECARS]

    def exists(self) -> bool:
        """Return whether there is a file that is not empty."""
        with _storage_errors(self.path):
            return file_size(self.path) > 0

    def size(self) -> int:
        """Return the bytes on disk, the log included."""
        return file_size(self.path) + file_size(self.log)

    def refuse_unsafe(self) -> None:
        """Refuse a file that SQLite would open, and thereby lose or damage data.

        Raises:
            StorageError: it is not a file, cannot be read, has a second name, or a log or journal
                next to it belongs to another database.
            ForeignDatabaseError: it holds a single byte, so it is not a database.
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
            if file_size(self.path) == 1:  # SQLite takes it for empty, and would overwrite it
                raise ForeignDatabaseError(str(self.path), "holds a single byte")
            if self._was_emptied():
                raise DatabaseCorruptionError(
                    f"{self.path} is empty, but was a database: restore a backup of it with "
                    "`burndown restore`; to begin with a new one, delete the file"
                )
            # In this order: another process may create the database, and then its log, in between.
            if file_size(self.log) > 0 and not self.exists():
                raise StorageError(
                    f"{self.log} holds changes of a database that does not exist, and SQLite would "
                    f"delete it; put {self.path.name} back next to it, or move the log away"
                )
            journal = RollbackJournal(self.path, self.journal)
            # Asked twice: another process may have ended its transaction in between.
            if journal.is_hot() and not journal.is_harmless() and journal.is_hot():
                raise StorageError(
                    f"{self.journal} would undo a transaction that burndown did not begin. If "
                    "another program began it, let that program finish it; if it belongs to "
                    "another database, move it away"
                )

    def read_only_reason(self) -> str | None:
        """Return why this process cannot write to the database, or ``None`` if it can."""
        for path in (self.path, self.log, self.index):
            target = path if path.exists() else path.parent
            if target.exists() and not os.access(target, os.W_OK):
                return _reason(target, "it" if target == self.path else str(target))
        return None

    def access(self, *, may_write: bool) -> Access:
        """Return how to read the database without changing a file or leaving one behind.

        Only the index of a log that a killed process left is rebuilt by SQLite.

        Args:
            may_write: an interrupted transaction may be rolled back.
        """
        uri = self.path.as_uri()
        if file_size(self.log) > 0:
            if sys.platform != "win32" and not self.index.exists() and self.read_only_reason():
                return Access(f"{uri}?mode=ro&vfs=unix-none", is_exclusive=True)
            # A connection that can write would put the log into the file when it is closed.
            return Access(f"{uri}?mode=ro")
        if RollbackJournal(self.path, self.journal).is_hot():
            return Access(f"{uri}?mode={'rw' if may_write else 'ro'}")
        if self.read_only_reason() is None:
            # A connection that only reads would leave an empty log behind.
            return Access(f"{uri}?mode=rw")
        if self.index.exists():
            return Access(f"{uri}?mode=ro")
        return Access(f"{uri}?mode=ro&immutable=1", is_immutable=True)

    def fingerprint(self) -> Fingerprint:
        """Return properties that change when another process writes to a closed database."""
        found = self.path.stat()
        return (
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            self.log.exists(),
            self.index.exists(),
        )

    def make(self) -> None:
        """Create the file, readable only by its owner: it holds Jira tokens."""
        try:
            with _creating:
                if not self.path.exists():
                    self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    with suppress(FileExistsError):  # another process has just made it
                        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise StorageError(f"The database {self.path} cannot be made: {reason}") from error

    def make_private(self) -> None:
        """Make a file that every user can read one for its owner only: it holds Jira tokens.

        A file for a group is left so. Windows has other permissions.

        Raises:
            StorageError: it belongs to another user.
        """
        if sys.platform == "win32":
            return
        for path in (self.path, *self.sidecars):
            with suppress(FileNotFoundError):
                if path.stat().st_mode & stat.S_IRWXO:
                    self._make_private(path)

    def _make_private(self, path: Path) -> None:
        try:
            path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        except PermissionError as error:
            raise StorageError(
                f"{path} can be read by every user of this machine, and holds Jira tokens; its "
                f"owner has to change that: chmod o= {path}"
            ) from error

    def mark(self) -> None:
        """Mark the file as a database, so that it is not taken for a new one if it is emptied.

        An emptied file keeps its mark; a copy has none. Not all systems have attributes of files.
        """
        if sys.platform == "linux" and not _has_mark(self.path):
            with suppress(OSError):
                os.setxattr(self.path, _MARK, b"1")

    def remove(self) -> None:
        """Delete a database that is not in use, with the files that SQLite keeps next to it."""
        for path in (self.path, *self.sidecars):
            path.unlink(missing_ok=True)

    def clear_sidecars(self) -> None:
        """Remove files that SQLite would take for parts of a new database at this path.

        A log keeps its content under another name: it may hold changes that are nowhere else.
        """
        if file_size(self.log) > 0:
            self.log.replace(self._sidecar(".orphaned-wal"))
        for path in self.sidecars:
            path.unlink(missing_ok=True)

    def _was_emptied(self) -> bool:
        """Return whether the file is empty, and was a database once."""
        # In this order: another process may create the database, and then mark it, in between.
        return _has_mark(self.path) and not self.exists() and self.path.exists()

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

    def _sidecar(self, suffix: str) -> Path:
        return Path(os.path.realpath(self.path) + suffix)


def remove_database(path: Path) -> None:
    """Delete a database that is not in use, with the files that SQLite keeps next to it."""
    DatabaseFile(path).remove()


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """Raise errors of the operating system as errors that name the database."""
    try:
        yield
    except StorageError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StorageError(f"The database {path} cannot be read: {reason}") from error


def _has_mark(path: Path) -> bool:
    if sys.platform == "linux":
        with suppress(OSError):
            return bool(os.getxattr(path, _MARK))
    return False


def _reason(path: Path, subject: str) -> str:
    """Return why the file or folder cannot be written to."""
    if hasattr(os, "statvfs") and os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"{subject} is on a read-only file system"
    if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
        return f"{subject} belongs to another user, and this one may only read"
    return f"{subject} has permissions that let no user write"

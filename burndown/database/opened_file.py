"""Noticing that the file of a database was replaced, moved, deleted or emptied while it is in use.

SQLite goes on with the file that it has opened, wherever that is now, and reports success. So a
connection remembers which file it has opened, and compares it after each commit with the one that
is found at the path.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from burndown.files.paths import FileIdentity, identity_of

__all__ = ["OpenedFile"]

_COARSEST_TIMESTAMPS = 2_000_000_000
"""Nanoseconds: no file system keeps the time of a change less exactly than in 2 seconds."""


class OpenedFile:
    """The file and the log that a connection has open.

    Made just before the connection is opened: a file that is replaced in between is reported,
    though nothing is lost.

    Args:
        path: the path of the database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Next to the file that a link leads to, as SQLite has it.
        self._log = Path(os.path.realpath(path) + "-wal")
        self._identity = identity_of(path)
        # Not the one to compare with: another process may delete it before the first statement.
        self._log_at_opening = identity_of(self._log)
        self._log_identity: FileIdentity | None = None
        self._places = str(path), str(self._log.parent)
        self._unchanged_folder: tuple[int, ...] | None = None

    def is_in_place(self) -> bool:
        """Return whether the path still leads to this file, with its content and its log."""
        path, folder = self._places
        try:  # `Path.stat` would take half as long again, after each small write
            found, found_folder = os.stat(path), os.stat(folder)  # noqa: PTH116
        except OSError:
            return False
        if self._identity is None:  # this connection has made the file
            self._identity = (found.st_dev, found.st_ino)
        return (
            (found.st_dev, found.st_ino) == self._identity
            and found.st_size > 0
            and self._has_its_log(found_folder)
        )

    def _has_its_log(self, folder: os.stat_result) -> bool:
        """Return whether the log is the one that this connection has open, or has yet to make.

        The log itself is looked at only if something in its folder has changed: Linux stores a
        timestamp with the next write to a file that was looked at, which doubles a commit that
        waits for the disk.

        Args:
            folder: the folder of the log, looked at before.
        """
        state = folder.st_dev, folder.st_ino, folder.st_mtime_ns
        if state == self._unchanged_folder:
            return True
        log = identity_of(self._log)
        if log is None:  # SQLite makes it with the first transaction
            return self._log_identity is None
        self._log_identity = self._log_identity or log
        # A change that follows soon could get the same time.
        is_settled = folder.st_mtime_ns < time.time_ns() - _COARSEST_TIMESTAMPS
        self._unchanged_folder = state if is_settled else None
        return log == self._log_identity

    def has_log(self) -> bool:
        """Return whether the log was found, which each commit writes to."""
        return self._log_identity is not None

    def what_happened(self) -> str:
        """Return what happened to the file, and where its content is, as part of an error."""
        if self.is_emptied():
            return "the file was emptied; restore a backup of it"
        if self._is_at_path():
            return "the log next to it (-wal) was deleted or replaced"
        moved = self._moved_to()
        if moved is not None:
            return f"the file was moved to {moved}, and what was written is there"
        return "the file was deleted, or moved to another folder together with what was written"

    def is_emptied(self) -> bool:
        """Return whether the file is still at its path, but without its content."""
        return self.path.exists() and self._is_at_path() and not self.path.stat().st_size

    def has_other_log(self) -> bool:
        """Return whether the file is still at its path, but other processes use another log."""
        return self._is_at_path() and identity_of(self._log) not in (None, self._log_identity)

    def owns_log(self) -> bool:
        """Return whether the log at the path of the database is the one of this file."""
        log = identity_of(self._log)
        return log is not None and log == (self._log_identity or self._log_at_opening)

    def _is_at_path(self) -> bool:
        return self._identity is None or identity_of(self.path) == self._identity

    def _moved_to(self) -> Path | None:
        with suppress(OSError):  # the folder was moved as well
            for each in self.path.parent.iterdir():
                if identity_of(each) == self._identity:
                    return each
        return None

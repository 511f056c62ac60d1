"""A lock between threads and between processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from burndown.errors import StorageError
from burndown.files.errors import storage_errors
from burndown.files.paths import make_folder
from burndown.forks import ForkSafeLock

__all__ = ["FolderLock"]

_POLL_SECONDS = 0.005
"""The interval of tries, short enough that a wait for a short transaction is not noticed."""


class FolderLock:
    """A lock on a folder, in a file in it. Any thread may release it.

    A file lock of one process does not exclude its other threads, so a lock of threads comes first.

    Args:
        path: the lock file; it remains, since deleting it would let two processes lock two files.
        timeout: the seconds to wait for other threads, and then for other processes.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._thread_lock = ForkSafeLock()
        self._file_lock: FileLock | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for the block.

        Raises:
            StorageError: as :meth:`acquire` does.
        """
        self.acquire()
        try:
            yield
        finally:
            self.release()

    @contextmanager
    def held_if_present(self) -> Iterator[None]:
        """Hold the lock for the block if its file exists and can be written, and make none.

        For a folder that is only read: every process that writes to it makes the file first.

        Raises:
            StorageError: as :meth:`acquire` does.
        """
        if os.access(self._path, os.W_OK):
            with self.held():
                yield
        else:
            yield

    def acquire(self) -> None:
        """Wait for the lock.

        Raises:
            StorageError: another holds it for longer than the timeout, or its file cannot be made.
        """
        if not self._thread_lock.acquire(self._timeout):
            raise self._locked()
        try:
            with storage_errors():
                make_folder(self._path.parent)
                self._file_lock = self._acquire_file()
        except BaseException:
            self._thread_lock.release()
            raise

    def release(self) -> None:
        """Release the lock."""
        lock, self._file_lock = self._file_lock, None
        try:
            if lock is not None:
                lock.release()
        finally:
            self._thread_lock.release()

    def _acquire_file(self) -> FileLock:
        lock = FileLock(self._path, self._timeout, mode=0o600, thread_local=False)
        try:
            lock.acquire(poll_interval=_POLL_SECONDS)
        except Timeout:
            raise self._locked() from None
        return lock

    def _locked(self) -> StorageError:
        return StorageError(
            f"{self._path.parent} is locked: another transaction has been writing for more than "
            f"{self._timeout:g} s"
        )

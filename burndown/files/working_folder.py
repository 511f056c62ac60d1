"""A private folder to build something in, next to its target."""

import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from burndown.errors import StorageError

if sys.platform != "win32":
    import fcntl

__all__ = ["is_working_folder", "scratch_folder", "working_folder"]

_PRIVATE = 0o700
_LOCK = "lock"
_NAME = r"\.burndown-[0-9a-f]{8}\.unfinished"


@contextmanager
def working_folder(parent: Path) -> Iterator[Path]:
    """Make a private folder, and remove it at the end of the block.

    It is in the parent of the target, because a rename is atomic only within a file system. Folders
    that killed processes left in the same parent are removed first: no process holds their lock.

    Yields:
        The folder.
    """
    for left in parent.glob(".burndown-*.unfinished"):
        with suppress(OSError):
            if is_working_folder(left.name):
                _remove_unlocked(left)
    folder, lock = _new_folder(parent)
    owner = os.getpid()
    try:
        yield folder
    finally:
        os.close(lock)
        if os.getpid() == owner:  # not a process that was forked within the block
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch_folder(temporary: Path | None = None) -> Iterator[Path]:
    """Make a private folder for temporary files, and remove it at the end of the block.

    It is in a folder of this user, so that the next block also removes what killed processes left
    there.

    Args:
        temporary: the folder for temporary files of all users; by default that of the system.

    Yields:
        The folder.

    Raises:
        StorageError: another user has made the folder of this user.
        OSError: it cannot be made.
    """
    user = f"-{os.getuid()}" if sys.platform != "win32" else ""
    parent = (temporary or Path(tempfile.gettempdir())) / f"burndown{user}"
    try:
        with ExitStack() as stack:
            folder = None
            while folder is None:
                _make_private(parent)
                with suppress(FileNotFoundError):  # another process has just removed the parent
                    folder = stack.enter_context(working_folder(parent))
            yield folder
    finally:
        with suppress(OSError):  # others use it
            parent.rmdir()


def _make_private(folder: Path) -> None:
    """Make a folder, or check that an existing one belongs to this user alone."""
    with suppress(FileExistsError):
        folder.mkdir(mode=_PRIVATE)
    status = folder.lstat()
    if sys.platform != "win32" and (
        not stat.S_ISDIR(status.st_mode)
        or status.st_uid != os.getuid()
        or stat.S_IMODE(status.st_mode) != _PRIVATE
    ):
        raise StorageError(
            f"{folder} should be a folder that only this user can access; delete it, or set TMPDIR"
        )


def is_working_folder(name: str) -> bool:
    """Return whether this is the name of a :func:`working_folder`."""
    return re.fullmatch(_NAME, name) is not None


def _new_folder(parent: Path) -> tuple[Path, int]:
    while True:
        folder = parent / f".burndown-{os.urandom(4).hex()}.unfinished"
        folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):  # another process removed it before it was locked
            lock = _try_lock(folder)
            if lock is not None:
                return folder, lock


def _remove_unlocked(folder: Path) -> None:
    """Remove the folder, unless another process has its lock."""
    if sys.platform == "win32":
        (folder / _LOCK).unlink(missing_ok=True)  # an error if a process has it open
        shutil.rmtree(folder)
        return
    lock = _try_lock(folder)
    if lock is not None:
        try:
            shutil.rmtree(folder)
        finally:
            os.close(lock)


def _try_lock(folder: Path) -> int | None:
    """Lock the folder until the returned descriptor is closed; ``None`` if another process has it.

    Windows needs no lock: it does not remove a file that a process has open.
    """
    path = folder / _LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):  # it was not removed meanwhile
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None

"""Files and folders on disk: private, whole, and flushed."""

import errno
import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from burndown.errors import StorageError

if sys.platform != "win32":
    import fcntl

__all__ = [
    "complete_or_absent",
    "digest",
    "is_file",
    "is_folder",
    "is_there",
    "is_unfinished",
    "link",
    "make_folder",
    "open_below",
    "remove",
    "remove_if_empty",
    "storage_errors",
    "sync",
    "working_folder",
    "write_file",
]

_UNFINISHED = re.compile(r"\.burndown-[0-9a-f]{8}\.unfinished")
_CAN_OPEN_WITHIN = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_NOT_FOLLOWED = "a link in its place or on the way to it, and links are not followed"


@contextmanager
def storage_errors() -> Iterator[None]:
    """What the system refuses becomes a StorageError that names the file and the reason."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        where = f" ({error.filename})" if error.filename is not None else ""
        raise StorageError(f"The storage failed: {reason}{where}") from error


def is_there(path: Path) -> bool:
    """Whether there is anything of this name, be it a link that leads nowhere."""
    return os.path.lexists(path)


def is_file(path: Path) -> bool:
    """Whether there is a file, and no link to one."""
    return path.is_file() and not path.is_symlink()


def is_folder(path: Path) -> bool:
    """Whether there is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def open_below(root: Path, path: Path) -> BinaryIO:
    """Open a file for reading, through no link below the root, and never wait for a device.

    It is the one that is opened that is looked at, so that a link that takes the place of a file or
    folder meanwhile is not followed.

    Args:
        root: a folder; the way to it may have links.
        path: a path below it.

    Raises:
        OSError: there is no file, or a link or something else in its place or on the way to it.
    """
    try:
        descriptor = _open_within(root, path) if _CAN_OPEN_WITHIN else _open_unmoved(path)
    except OSError as error:
        is_link = error.errno in (errno.ELOOP, errno.ENOTDIR)
        reason = _NOT_FOLLOWED if is_link else error.strerror
        raise OSError(error.errno, reason, str(path)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def _open_within(root: Path, path: Path) -> int:
    """Open one folder after the other, each within the one before."""
    *folders, name = path.relative_to(root).parts
    steps = [*((folder, os.O_DIRECTORY) for folder in folders), (name, os.O_NONBLOCK)]
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for step, flags in steps:
        outer = descriptor
        try:
            descriptor = os.open(step, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=outer)
        finally:
            os.close(outer)
    return descriptor


def _open_unmoved(path: Path) -> int:
    """Open it, and see that it was no link then; for systems that cannot open within a folder."""
    before = path.lstat()
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    if not os.path.samestat(before, os.fstat(descriptor)):
        os.close(descriptor)
        raise OSError(errno.ELOOP, _NOT_FOLLOWED)
    return descriptor


def digest(data: bytes) -> str:
    """By which a later reader sees whether a file is still as it was written."""
    return hashlib.sha256(data).hexdigest()


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, readable for its owner only; its folders are made."""
    make_folder(path.parent)
    unfinished = path.with_name(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)


@contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """Give a path to build a new file or folder at, which becomes the target at the end.

    Missing folders above the target are made, for their owner only. After an error, or when the
    process is killed, there is no target. What is built has to be flushed; its name is flushed
    here.

    Raises:
        StorageError: there is something at the target already, whatever it is.
        OSError: the folder cannot be written to.
    """
    _refuse_existing(target)
    above = _nearest_folder(target)
    try:
        make_folder(target.parent)
        with working_folder(target.parent) as folder:
            built = folder / target.name
            yield built
            _refuse_existing(target)
            built.rename(target)
    except BaseException:
        remove_if_empty(_nearest_folder(target), above)
        raise
    for folder in (each for each in target.parents if each.is_relative_to(above)):
        sync(folder)


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in path.parents if is_there(folder))


def _refuse_existing(target: Path) -> None:
    if is_there(target):
        kind = "folder" if target.is_dir() else "file"
        raise StorageError(f"{target} is an existing {kind}; name a new path")


@contextmanager
def working_folder(parent: Path) -> Iterator[Path]:
    """Give a private folder to build something in that then moves to a place beside it.

    It is removed at the end. Those that killed processes left in the same parent are removed at the
    start; they are told by the lock that a running process holds in its own.
    """
    for left in parent.glob(".burndown-*.unfinished"):
        with suppress(OSError):
            lock = _lock_in(left) if is_unfinished(left.name) else None
            if lock is not None:
                with os.fdopen(lock):
                    shutil.rmtree(left)
    folder, lock = _new_working_folder(parent)
    try:
        yield folder
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def is_unfinished(name: str) -> bool:
    """Whether this is the name of a :func:`working_folder`."""
    return _UNFINISHED.fullmatch(name) is not None


def _new_working_folder(parent: Path) -> tuple[Path, int]:
    while True:
        folder = parent / f".burndown-{os.urandom(4).hex()}.unfinished"
        folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):  # another process took it for one that was left
            lock = _lock_in(folder)
            if lock is not None:
                return folder, lock


def _lock_in(folder: Path) -> int | None:
    """Lock the folder until the descriptor is closed; ``None`` if another process has it.

    Windows needs no lock: it does not remove a file that a process has open.
    """
    path = folder / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):  # nobody has removed it meanwhile
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def make_folder(path: Path) -> None:
    """Make the folder, and those around it, for its owner only."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, survive a power cut; what is gone needs nothing."""
    if path.is_dir() and os.name == "nt":
        return  # Windows keeps the entries of a folder by itself
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Delete the file, or the folder with all that is in it, if it is there."""
    if is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_if_empty(folder: Path, root: Path) -> None:
    """Delete the folder, and those around it up to the root, as long as nothing is in them."""
    with suppress(OSError):
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def link(path: Path, other: Path) -> None:
    """Give the file a second name, in place of what has that."""
    other.unlink(missing_ok=True)
    try:
        os.link(path, other, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without second names
        shutil.copy2(path, other, follow_symlinks=False)

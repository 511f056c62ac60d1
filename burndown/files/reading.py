"""Files opened for reading below a folder, without following links."""

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

__all__ = ["digest", "open_below", "read_below"]

_HAS_DIR_FD = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_NOT_FOLLOWED = "the file or a folder above it is a link, and links are not followed"


def open_below(root: Path, path: Path) -> BinaryIO:
    """Open a regular file for reading, without following a link below the root.

    The checks are made on the opened file, so that a link that replaces a file or folder meanwhile
    is not followed.

    Args:
        root: a folder; its own path may contain links.
        path: a path below it.

    Raises:
        OSError: the path does not exist or is not a regular file, or a part of it is a link.
    """
    try:
        descriptor = _open_each_part(root, path) if _HAS_DIR_FD else _open_and_compare(path)
    except OSError as error:
        is_link = error.errno in (errno.ELOOP, errno.ENOTDIR)
        reason = _NOT_FOLLOWED if is_link else error.strerror
        raise OSError(error.errno, reason, str(path)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_below(root: Path, path: Path) -> bytes:
    """Return the content of a file, opened by :func:`open_below`.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with open_below(root, path) as file:
        return file.read()


def digest(data: bytes) -> str:
    """Return the SHA-256 digest of the data, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _open_each_part(root: Path, path: Path) -> int:
    """Open one folder after the other, each relative to the one before."""
    *folders, name = path.relative_to(root).parts
    # Without O_NONBLOCK, opening a named pipe waits until a process writes to it.
    steps = [*((folder, os.O_DIRECTORY) for folder in folders), (name, os.O_NONBLOCK)]
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for step, flags in steps:
        outer = descriptor
        try:
            descriptor = os.open(step, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=outer)
        finally:
            os.close(outer)
    return descriptor


def _open_and_compare(path: Path) -> int:
    """Open the file, and refuse a link; for Windows, which cannot open relative to a folder."""
    before = path.lstat()
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    if not os.path.samestat(before, os.fstat(descriptor)):
        os.close(descriptor)
        raise OSError(errno.ELOOP, _NOT_FOLLOWED)
    return descriptor

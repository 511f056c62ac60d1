"""Files and folders by their paths; links are not followed."""

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

__all__ = [
    "FileIdentity",
    "hard_link",
    "identity_of",
    "is_file",
    "is_folder",
    "lexists",
    "link_tree",
    "make_folder",
    "modified_at",
    "remove",
    "remove_if_empty",
    "sync",
]


FileIdentity = tuple[int, int]
"""Device and inode, which no two existing files or folders share."""


def identity_of(path: Path) -> FileIdentity | None:
    """Return the identity of the file or folder at the path, or ``None``; links are followed."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def lexists(path: Path) -> bool:
    """Return whether the path exists; true also for a link whose target does not."""
    return os.path.lexists(path)


def is_file(path: Path) -> bool:
    """Return whether the path is a regular file, not a link to one."""
    return path.is_file() and not path.is_symlink()


def is_folder(path: Path) -> bool:
    """Return whether the path is a folder, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def modified_at(path: Path) -> datetime:
    """Return when the file was last written, in UTC; 1970 if its time is out of range."""
    try:  # a clock that was wrong, or an archive, can give a file any time
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


def make_folder(path: Path) -> None:
    """Make the folder and its missing parents, readable by their owner only."""
    if not path.is_dir():
        # `mkdir(parents=True)` gives the mode to the last folder only.
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def remove(path: Path) -> None:
    """Delete the file, or the folder with all its content, if it exists."""
    if is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_if_empty(folder: Path, root: Path) -> None:
    """Delete the folder and its parents up to the root, as far as they are empty."""
    with suppress(OSError):
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def hard_link(path: Path, other: Path) -> None:
    """Give the file a second name, which replaces an existing file of that name."""
    other.unlink(missing_ok=True)
    try:
        os.link(path, other, follow_symlinks=False)
    except (OSError, NotImplementedError):  # FAT, some network shares and containers have none
        shutil.copy2(path, other, follow_symlinks=False)


def link_tree(
    folder: Path, copy: Path, contains: Callable[[str], bool], *, skipped: Callable[[str], bool]
) -> None:
    """Copy a folder by hard links, which cost no space.

    Changes to the copy have to replace files: writing to one would change the original too.

    Args:
        folder: the folder.
        copy: the copy to make.
        contains: returns for the name of a file whether it is linked. A SQLite database must not
            be: with two names it would have two logs.
        skipped: returns for the name of a folder, link or file whether it is skipped.
    """
    copy.mkdir(mode=0o700, parents=True)
    for entry in os.scandir(folder):
        if skipped(entry.name):
            continue
        path, new = Path(entry.path), copy / entry.name
        if entry.is_symlink():
            new.symlink_to(path.readlink())
        elif entry.is_dir():
            link_tree(path, new, contains, skipped=skipped)
        elif entry.is_file() and contains(entry.name):
            hard_link(path, new)
    shutil.copystat(folder, copy)  # the times of a folder may be read too


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk, if it exists.

    A renamed file survives a power failure only if its folder was flushed as well.
    """
    if path.is_dir() and sys.platform == "win32":
        return  # Windows cannot open a folder, and writes its entries itself
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Files and folders on disk: private, flushed, and never through a link."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from burndown.errors import StorageError
from burndown.legacy.layout import is_folder, is_passing

__all__ = [
    "check_place",
    "copy_tree",
    "link",
    "make_folder",
    "remove",
    "remove_if_empty",
    "storage_errors",
    "sync_folder",
    "write_file",
]


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


def make_folder(path: Path) -> None:
    """Make the folder, and those around it, for its owner only."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush the names in the folder to the disk, where the system can do so."""
    with suppress(FileNotFoundError, PermissionError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Delete the file, or the folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
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


def copy_tree(folder: Path, copy: Path) -> None:
    """A copy of the folder that costs no space: a second name for each file, never written to."""
    copy.mkdir(mode=0o700, parents=True)
    for entry in os.scandir(folder):
        if is_passing(entry.name) or (
            entry.name.startswith("burndown.db") and not entry.is_dir(follow_symlinks=False)
        ):
            continue
        if entry.is_symlink():
            (copy / entry.name).symlink_to(Path(entry.path).readlink())
        elif entry.is_dir():
            copy_tree(Path(entry.path), copy / entry.name)
        elif entry.is_file():
            link(Path(entry.path), copy / entry.name)
    shutil.copystat(folder, copy)


def check_place(
    root: Path, name: str, removed: Collection[str] = (), *, for_file: bool = False
) -> None:
    """Whether something can be put or removed there.

    Args:
        root: a folder.
        name: the path below it.
        removed: paths below it that are removed before.
        for_file: whether a file is to be put there, in whose place no folder can be.

    Raises:
        StorageError: a link or a file is on the way, a folder in its place, or no permission.
    """
    place = root
    for part in Path(name).parts:
        parent, place = place, place / part
        if place.relative_to(root).as_posix() in removed or not os.path.lexists(place):
            break
        if place == root / name:
            if for_file and is_folder(place):
                raise StorageError(f"{place} is a folder")
        elif place.is_symlink():
            raise StorageError(f"{place} is a link; links are not followed")
        elif not place.is_dir():
            raise StorageError(f"{place} is not a folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise StorageError(f"{parent} cannot be written to")

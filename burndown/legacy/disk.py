"""Files and folders on disk: private, flushed, and never through a link."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from burndown.errors import StorageError
from burndown.legacy.layout import is_passing

__all__ = [
    "check_file_place",
    "check_place",
    "copy_tree",
    "make_folder",
    "move",
    "remove",
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
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make the folder, and those around it, for its owner only."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def move(source: Path, target: Path) -> None:
    """Put the file in the place of another one, at once; its folders are made."""
    make_folder(target.parent)
    source.replace(target)


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
            try:
                os.link(entry.path, copy / entry.name)
            except OSError:  # a file system without second names
                shutil.copy2(entry.path, copy / entry.name)
    shutil.copystat(folder, copy)


def check_file_place(root: Path, name: str, removed: set[str]) -> None:
    """As :func:`check_place`; for a file, no folder may be there."""
    check_place(root, name, removed)
    place = root / name
    if place.is_dir() and not place.is_symlink() and not removed:
        raise StorageError(f"{place} is a folder")


def check_place(root: Path, name: str, removed: set[str]) -> None:
    """Whether something can be put or removed there.

    Args:
        root: the folder.
        name: the path below it.
        removed: paths below it that are removed before.

    Raises:
        StorageError: it cannot: a link is on the way, a folder in its place, or no permission.
    """
    place = root
    for part in Path(name).parts:
        parent, place = place, place / part
        if place.relative_to(root).as_posix() in removed or not os.path.lexists(place):
            _check_writable(parent)
            return
        if place != root / name:
            if place.is_symlink():
                raise StorageError(f"{place} is a link; links are not followed")
            if not place.is_dir():
                raise StorageError(f"{place} is not a folder")
    _check_writable(place.parent)


def _check_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(f"{folder} cannot be written to")

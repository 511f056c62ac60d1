"""Files and folders on disk: private, whole, and flushed."""

import glob
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from burndown.errors import StorageError

__all__ = [
    "complete_or_absent",
    "digest",
    "is_file",
    "is_folder",
    "is_there",
    "link",
    "make_folder",
    "remove",
    "remove_if_empty",
    "storage_errors",
    "sync",
    "working_folder",
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


def is_there(path: Path) -> bool:
    """Whether there is anything of this name, be it a link that leads nowhere."""
    return os.path.lexists(path)


def is_file(path: Path) -> bool:
    """Whether there is a file, and no link to one."""
    return path.is_file() and not path.is_symlink()


def is_folder(path: Path) -> bool:
    """Whether there is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()


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
        with working_folder(target) as folder:
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
def working_folder(target: Path) -> Iterator[Path]:
    """Give a private folder beside the target, to build it in; it is removed at the end.

    One that a killed process left is removed at the start. It is renamed before, so that a process
    that still builds there fails, and never moves a folder away that is being removed.
    """
    left = f"{glob.escape(target.name)}.{'[0-9a-f]' * 8}.unfinished"
    for folder in target.parent.glob(left):
        with suppress(FileNotFoundError):  # another process removes it as well
            remove(folder.rename(_unfinished(target)))
    folder = _unfinished(target)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unfinished(target: Path) -> Path:
    return target.with_name(f"{target.name}.{secrets.token_hex(4)}.unfinished")


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

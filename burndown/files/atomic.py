"""Files and folders that are complete or absent, whenever the process dies."""

import filecmp
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from burndown.errors import StorageError
from burndown.files.checksums import checksums_of, checksums_path
from burndown.files.paths import lexists, make_folder, remove_if_empty, sync
from burndown.files.working_folder import working_folder

__all__ = ["complete_or_absent", "keep_copy", "write_file"]


def write_file(path: Path, data: bytes) -> None:
    """Write a file atomically, readable by its owner only; missing folders are made.

    The name is not flushed: a caller that writes many files flushes their folder once.
    """
    make_folder(path.parent)
    unfinished = path.with_name(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        # Before the rename: some file systems flush a new name before the data it stands for.
        os.fsync(descriptor)
    unfinished.replace(path)


@contextmanager
def complete_or_absent(target: Path, *, with_checksums: bool = False) -> Iterator[Path]:
    """Build a new file or folder, and rename it to the target at the end of the block.

    Missing folders above the target are made, for their owner only. After an error, or when the
    process is killed, the target does not exist. The block has to flush what it builds; its name is
    flushed here.

    Args:
        target: the path.
        with_checksums: write the checksums of the files to a file next to it.

    Yields:
        The path to build it at.

    Raises:
        StorageError: the target exists.
        OSError: the folder cannot be written to.
    """
    _refuse_existing(target)
    above = _nearest_folder(target)
    try:
        make_folder(target.parent)
        with working_folder(target.parent) as folder:
            built = folder / target.name
            yield built
            if with_checksums:
                write_file(folder / "checksums" / built.name, checksums_of(built))
            _refuse_existing(target)  # a rename would replace a file made meanwhile
            built.rename(target)
            if with_checksums:
                (folder / "checksums" / built.name).replace(checksums_path(target))
    except BaseException:
        remove_if_empty(_nearest_folder(target), above)
        raise
    for folder in (each for each in target.parents if each.is_relative_to(above)):
        sync(folder)


def keep_copy(copy: Path, path: Path, suffix: str) -> tuple[Path, bool]:
    """Rename a copy to a path with a suffix, unless an earlier copy there is equal.

    Args:
        copy: the file, which is flushed, on the same file system.
        path: the path without the suffix; a number is put between both if there is an earlier copy.
        suffix: such as ``.backup``.

    Returns:
        The path of the copy, and whether it is new.

    Raises:
        OSError: the folder cannot be written to.
    """
    kept, number = path.with_name(f"{path.name}{suffix}"), 2
    while lexists(kept):
        if kept.is_file() and filecmp.cmp(copy, kept, shallow=False):
            return kept, False
        kept = path.with_name(f"{path.name}.{number}{suffix}")
        number += 1
    copy.rename(kept)
    sync(kept.parent)
    return kept, True


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in path.parents if lexists(folder))


def _refuse_existing(target: Path) -> None:
    if lexists(target):
        kind = "folder" if target.is_dir() else "file"
        raise StorageError(f"{target} is an existing {kind}; name a new path")

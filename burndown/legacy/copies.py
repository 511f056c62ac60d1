"""A copy of the JSON files of a workspace, for a backup of it."""

import os
import shutil
from pathlib import Path

from burndown.errors import DatabaseCorruptionError, StorageError
from burndown.files.atomic import complete_or_absent
from burndown.files.errors import storage_errors
from burndown.files.paths import is_file, is_folder, sync
from burndown.legacy.layout import is_temporary
from burndown.legacy.records import Records, find_damages

__all__ = ["copy_workspace"]


def copy_workspace(folder: Path, target: Path) -> None:
    """Copy the JSON files of a workspace to a new folder, complete and checked or not at all.

    Other files are no part of it, and one of them may be a database that this process has open:
    to read it here would release the locks on it. Links are not followed, and not copied.

    Args:
        folder: the folder of the workspace, in which nothing changes meanwhile.
        target: a path outside of it, where nothing is.

    Raises:
        StorageError: there is something at the target, the disk is full, or a file cannot be read.
        DatabaseCorruptionError: files of the workspace are damaged.
    """
    if target.parent.resolve().is_relative_to(folder.resolve()):
        raise StorageError(f"{target} is in the folder to copy; name a path outside of {folder}")
    if Records(folder, folder).workspace.lies_at_root:
        raise StorageError(
            f"The files of the workspace are not in {folder} yet, but beside it, where they were "
            "before there were profiles; the next change moves them, or `burndown copy` copies them"
        )
    with storage_errors(), complete_or_absent(target) as built:
        _copy_json_files(folder, built)
        damages = find_damages(built, folder)
        if damages:
            raise DatabaseCorruptionError(
                f"{folder} is damaged, so no copy of it was made: {'; '.join(damages[:5])}"
            )


def _copy_json_files(folder: Path, copy: Path) -> None:
    """Copy them private and flushed, with their times, which are all that some records have."""
    copy.mkdir(mode=0o700)
    for path in folder.iterdir():
        new = copy / path.name
        if is_folder(path) and not is_temporary(path.name):
            _copy_json_files(path, new)
        elif is_file(path) and path.suffix == ".json":
            new.touch(mode=0o600)
            shutil.copyfile(path, new)
            _copy_times(path, new)
            sync(new)
    _copy_times(folder, copy)
    sync(copy)


def _copy_times(path: Path, copy: Path) -> None:
    status = path.stat()
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))

"""Copies of the files of a workspace: before it is migrated, and while it is in use."""

import os
import shutil
from datetime import datetime
from pathlib import Path

from burndown.disk import complete_or_absent, is_file, is_folder, storage_errors, sync
from burndown.errors import DatabaseCorruptionError, StorageError
from burndown.legacy.layout import ROOT_FILES, is_of_database, is_passing
from burndown.legacy.records import Records, find_damages

__all__ = ["back_up", "copy_workspace", "fingerprint"]


def back_up(profiles_dir: Path, now: datetime) -> Path:
    """Copy the workspace to ``backups/migration-<time>/`` beside its folder.

    Links are copied as links. A copy appears whole or not at all. If the latest one already holds
    the files as they are, no further one is made.

    Returns:
        The folder of the copy.

    Raises:
        OSError: the disk is full, or a file cannot be read.
    """
    backups = profiles_dir.parent / "backups"
    earlier = sorted(backups.glob("migration-*[0-9]")) if backups.is_dir() else []
    if earlier and fingerprint(earlier[-1], profiles_dir.name) == fingerprint(
        profiles_dir.parent, profiles_dir.name
    ):
        return earlier[-1]
    backup = backups / f"migration-{now:%Y%m%d-%H%M%S-%f}"
    unfinished = backup.with_suffix(".unfinished")
    for left_over in backups.glob("migration-*.unfinished"):
        shutil.rmtree(left_over)
    backups.mkdir(mode=0o700, exist_ok=True)
    unfinished.mkdir(mode=0o700)
    if profiles_dir.is_dir():
        shutil.copytree(
            profiles_dir, unfinished / profiles_dir.name, symlinks=True, ignore=_not_copied
        )
    for name in ROOT_FILES:
        if is_file(profiles_dir.parent / name):
            shutil.copy2(profiles_dir.parent / name, unfinished / name)
    unfinished.rename(backup)
    return backup


def _not_copied(folder: str, names: list[str]) -> set[str]:
    """The database itself, locks, and what is no file, folder or link, such as a pipe."""
    paths = {name: Path(folder, name) for name in names}
    return {
        name
        for name, path in paths.items()
        if is_passing(name)
        or (
            not (path.is_symlink() or path.is_dir())
            and (is_of_database(name) or not path.is_file())
        )
    }


def fingerprint(root: Path, folder: str) -> dict[str, tuple[int, int]]:
    """Size and time of change of each file of a workspace or of its backup, by path below ``root``.

    Args:
        root: what the folder of profiles lies in.
        folder: the name of the folder of profiles.
    """
    found = {}
    for parent, folders, files in os.walk(root / folder):
        skipped = _not_copied(parent, [*folders, *files])
        folders[:] = [name for name in folders if name not in skipped]
        for name in {*folders, *files} - skipped:
            path = Path(parent, name)
            if path.is_symlink() or not path.is_dir():
                found[path.relative_to(root).as_posix()] = path
    found.update({name: root / name for name in ROOT_FILES if is_file(root / name)})
    return {name: (path.lstat().st_size, path.lstat().st_mtime_ns) for name, path in found.items()}


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
        if is_folder(path) and not is_passing(path.name):
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

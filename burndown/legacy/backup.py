"""A copy of the files before anything else is done."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from burndown.files.paths import is_file, is_folder
from burndown.files.reading import open_below
from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy.layout import ROOT_FILES, is_temporary

__all__ = ["back_up", "changes_of", "fingerprint"]


def back_up(profiles_dir: Path, now: datetime, databases: SQLiteFiles) -> Path:
    """Copy the workspace to ``backups/migration-<time>/`` beside its folder.

    Links are copied as links. A copy appears whole or not at all. If the latest one already holds
    the files as they are, no further one is made.

    Args:
        profiles_dir: the folder of profiles.
        now: the time that the copy is named by.
        databases: what is not copied.

    Returns:
        The folder of the copy.

    Raises:
        OSError: the disk is full, or a file cannot be read.
    """
    backups = profiles_dir.parent / "backups"
    earlier = sorted(backups.glob("migration-*[0-9]")) if backups.is_dir() else []
    if earlier and fingerprint(earlier[-1], profiles_dir.name, databases) == fingerprint(
        profiles_dir.parent, profiles_dir.name, databases
    ):
        return earlier[-1]
    backup = backups / f"migration-{now:%Y%m%d-%H%M%S-%f}"
    unfinished = backup.with_suffix(".unfinished")
    for left_over in backups.glob("migration-*.unfinished"):
        shutil.rmtree(left_over)
    backups.mkdir(mode=0o700, exist_ok=True)
    unfinished.mkdir(mode=0o700)
    if profiles_dir.is_dir():
        _copy_folder(profiles_dir, profiles_dir, unfinished / profiles_dir.name, databases)
    for name in ROOT_FILES:
        if is_file(profiles_dir.parent / name):
            _copy_file(profiles_dir.parent, profiles_dir.parent / name, unfinished / name)
    unfinished.rename(backup)
    return backup


def fingerprint(root: Path, folder: str, databases: SQLiteFiles) -> dict[str, tuple[int, int]]:
    """Size and time of change of each file of a workspace or of its backup, by path below ``root``.

    Args:
        root: what the folder of profiles lies in.
        folder: the name of the folder of profiles.
        databases: what is not looked at.
    """
    return {
        path.relative_to(root).as_posix(): (status.st_size, status.st_mtime_ns)
        for path in _paths(root, folder, databases)
        if not stat.S_ISDIR((status := path.lstat()).st_mode)
    }


def changes_of(profiles_dir: Path, databases: SQLiteFiles) -> dict[str, tuple[int, ...]]:
    """What differs once any file, link or folder of the workspace was changed, moved or replaced.

    Also by something that has been taken away again: where the system notes it, a moved file or
    folder has a new time of change.
    """
    found: dict[str, tuple[int, ...]] = {}
    for path in _paths(profiles_dir.parent, profiles_dir.name, databases):
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode):
            found[str(path)] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        elif not databases.are_in(path):
            found[str(path)] = (status.st_ctime_ns,)
    return found


def _paths(root: Path, folder: str, databases: SQLiteFiles) -> Iterator[Path]:
    """All that belongs to a workspace; no link is followed."""
    if (root / folder).is_dir():
        yield from _paths_in(root / folder, databases)
    yield from (root / name for name in ROOT_FILES if is_file(root / name))


def _paths_in(folder: Path, databases: SQLiteFiles) -> Iterator[Path]:
    yield folder
    for path in _entries(folder, databases):
        if is_folder(path):
            yield from _paths_in(path, databases)
        else:
            yield path


def _entries(folder: Path, databases: SQLiteFiles) -> Iterator[Path]:
    """What is in the folder: files, folders and links, and nothing of a database or lock."""
    for path in folder.iterdir():
        known = path.is_symlink() or path.is_dir() or path.is_file()
        if known and not is_temporary(path.name) and path not in databases:
            yield path


def _copy_folder(root: Path, folder: Path, copy: Path, databases: SQLiteFiles) -> None:
    copy.mkdir()
    for path in _entries(folder, databases):
        target = copy / path.name
        if path.is_symlink():
            target.symlink_to(path.readlink())
            shutil.copystat(path, target, follow_symlinks=False)
        elif path.is_dir():
            _copy_folder(root, path, target, databases)
        else:
            _copy_file(root, path, target)
    shutil.copystat(folder, copy, follow_symlinks=False)


def _copy_file(root: Path, path: Path, copy: Path) -> None:
    with open_below(root, path) as source, copy.open("xb") as target:
        shutil.copyfileobj(source, target)
        status = os.fstat(source.fileno())
    copy.chmod(stat.S_IMODE(status.st_mode))
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))

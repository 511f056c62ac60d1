"""Copies of a workspace's files, and a check that they did not change meanwhile.

A migration copies all files first, unread, so that nothing can be lost by it. A backup of the JSON
backend copies only the JSON files, and checks them.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from burndown.errors import DatabaseCorruptionError, StorageError, StoreNotFoundError
from burndown.files.atomic import complete_or_absent
from burndown.files.changes import Changes
from burndown.files.checksums import changed_files, checksums_path
from burndown.files.errors import storage_errors
from burndown.files.paths import is_file, is_folder, lexists, sync
from burndown.files.reading import open_below, read_below
from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy.layout import ROOT_FILES, is_temporary
from burndown.legacy.reading.folders import has_workspace
from burndown.legacy.reading.workspace_reader import WorkspaceReader, find_damages

__all__ = [
    "back_up",
    "copy_workspace",
    "earlier_backups",
    "file_states",
    "keep_workspace",
    "new_backup",
    "refuse_damaged",
    "restore_workspace",
]

_BACKUPS = "backups"
"""The folder of copies, next to the folder of profiles."""


def back_up(profiles_dir: Path, now: datetime, databases: SQLiteFiles) -> Path:
    """Copy all files of the workspace to ``backups/migration-<time>/`` next to its folder.

    Links are copied as links. A copy appears complete or not at all. If the latest one already has
    the files as they are, no other is made.

    Args:
        profiles_dir: the folder of profiles.
        now: the time in the name of the copy.
        databases: the files that are not copied.

    Returns:
        The folder of the copy.

    Raises:
        OSError: the disk is full, or a file cannot be read.
    """
    backups, earlier = profiles_dir.parent / _BACKUPS, earlier_backups(profiles_dir)
    # A migration that fails is tried again at each start, and would fill the disk with copies.
    if earlier and _sizes_and_times(earlier[-1], profiles_dir.name, databases) == _sizes_and_times(
        profiles_dir.parent, profiles_dir.name, databases
    ):
        return earlier[-1]
    backup = new_backup(profiles_dir, now)
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


def new_backup(profiles_dir: Path, now: datetime) -> Path:
    """Return the folder of a copy that is made now."""
    return profiles_dir.parent / _BACKUPS / f"migration-{now:%Y%m%d-%H%M%S-%f}"


def earlier_backups(profiles_dir: Path) -> list[Path]:
    """Return the folders of complete copies, oldest first; the old dashboard makes some, too."""
    return sorted((profiles_dir.parent / _BACKUPS).glob("migration-*[0-9]"))


def file_states(profiles_dir: Path, databases: SQLiteFiles) -> dict[str, tuple[int, ...]]:
    """Return what differs once any file, link or folder of the workspace has changed.

    Also if the change was undone: where the system records it, a moved file or folder has a new
    time of change.

    Args:
        profiles_dir: the folder of profiles.
        databases: the files that are ignored.
    """
    found: dict[str, tuple[int, ...]] = {}
    for path in _paths(profiles_dir.parent, profiles_dir.name, databases):
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode):
            found[str(path)] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        elif not databases.are_in(path):  # a database makes and removes files next to it
            found[str(path)] = (status.st_ctime_ns,)
    return found


def copy_workspace(folder: Path, target: Path) -> None:
    """Copy the JSON files of a workspace to a new folder, complete and checked or not at all.

    Other files do not belong to it, and one of them may be a database that this process has open:
    reading it here would release the locks on it. Links are neither followed nor copied.

    Args:
        folder: the folder of the workspace, in which nothing changes meanwhile.
        target: a path outside of it that does not exist.

    Raises:
        StorageError: the target exists, the disk is full, or a file cannot be read.
        DatabaseCorruptionError: files of the workspace are damaged.
    """
    if target.parent.resolve().is_relative_to(folder.resolve()):
        raise StorageError(f"{target} is in the folder to copy; name a path outside of {folder}")
    if WorkspaceReader(folder, folder).workspace.predates_profiles:
        raise StorageError(
            f"The files of the workspace are not in {folder} yet, but next to it, where they were "
            "before there were profiles; the next change moves them, or `burndown copy` copies them"
        )
    with storage_errors(), complete_or_absent(target, with_checksums=True) as built:
        _copy_json_files(folder, built)
        damages = find_damages(built, folder)
        if damages:
            raise DatabaseCorruptionError(
                f"{folder} is damaged, so no copy of it was made: {'; '.join(damages[:5])}"
            )


def refuse_damaged(backup: Path) -> None:
    """Check a copy that :func:`copy_workspace` made.

    Raises:
        StorageError: there is none.
        DatabaseCorruptionError: files of it were changed, are missing or damaged.
    """
    if not backup.is_dir() or not has_workspace(backup):
        raise StoreNotFoundError(f"There is no backup of a workspace at {backup}")
    with storage_errors():
        changed = changed_files(backup)
    if changed:
        raise DatabaseCorruptionError(
            f"{backup} is damaged, or was changed: other checksums than in "
            f"{checksums_path(backup)} have {', '.join(changed[:5])}. Take another backup; if it "
            "was changed on purpose, delete that file"
        )
    damages = find_damages(backup, backup)
    if damages:
        raise DatabaseCorruptionError(f"{backup} is damaged: {'; '.join(damages[:5])}")


def keep_workspace(folder: Path) -> Path:
    """Copy the JSON files of a workspace, damaged or not, to ``<name>.before-restore`` next to it.

    Returns:
        The path of the copy; it has a number if there is an earlier one.
    """
    kept, number = folder.with_name(f"{folder.name}.before-restore"), 2
    while lexists(kept):
        kept = folder.with_name(f"{folder.name}.{number}.before-restore")
        number += 1
    with storage_errors(), complete_or_absent(kept) as built:
        _copy_json_files(folder, built)
    return kept


def restore_workspace(backup: Path, changes: Changes) -> None:
    """Replace all JSON files of a workspace by those of a backup; other files stay.

    A folder that only the workspace has is removed, since it would be an empty profile or query.

    Args:
        backup: the backup.
        changes: the changes to add to; their root is the workspace.
    """
    for path in _surplus(changes.root, backup):
        changes.remove(path)
    for path in _json_files(backup):
        target = changes.root / path.relative_to(backup)
        changes.write(target, read_below(backup, path), path.stat().st_mtime_ns)


# --- all files -------------------------------------------------------------------------------


def _sizes_and_times(root: Path, folder: str, databases: SQLiteFiles) -> dict[str, tuple[int, int]]:
    """Return size and modification time of each file, by path below the root.

    Args:
        root: the parent of the folder of profiles, or a backup.
        folder: the name of the folder of profiles.
        databases: the files that are ignored.
    """
    return {
        path.relative_to(root).as_posix(): (status.st_size, status.st_mtime_ns)
        for path in _paths(root, folder, databases)
        if not stat.S_ISDIR((status := path.lstat()).st_mode)
    }


def _paths(root: Path, folder: str, databases: SQLiteFiles) -> Iterator[Path]:
    """Yield all files, links and folders of a workspace; no link is followed."""
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
    """Yield the files, folders and links in the folder, without databases, locks and devices."""
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


# --- JSON files ------------------------------------------------------------------------------


def _surplus(folder: Path, backup: Path) -> Iterator[Path]:
    """Yield the JSON files, and the folders with nothing else, that the backup does not have."""
    for path in folder.iterdir():
        other = backup / path.name
        if is_folder(path) and not is_temporary(path.name):
            if lexists(other) or not all(map(_is_json_or_folder, path.rglob("*"))):
                yield from _surplus(path, other)
            else:
                yield path
        elif is_file(path) and path.suffix == ".json" and not lexists(other):
            yield path


def _is_json_or_folder(path: Path) -> bool:
    return is_folder(path) or (is_file(path) and path.suffix == ".json")


def _json_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if is_folder(path) and not is_temporary(path.name):
            yield from _json_files(path)
        elif is_file(path) and path.suffix == ".json":
            yield path


def _copy_json_files(folder: Path, copy: Path) -> None:
    """Copy the JSON files, private and flushed, with times: some documents have no other."""
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

"""A copy of the files before anything else is done."""

import os
import shutil
from datetime import datetime
from pathlib import Path

from burndown.disk import is_file
from burndown.legacy.layout import ROOT_FILES, is_of_database, is_passing

__all__ = ["back_up", "fingerprint"]


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

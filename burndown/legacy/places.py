"""What can be put where in a workspace, never through a link, and a second name for all of it."""

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from burndown.disk import is_folder, is_there, link
from burndown.errors import StorageError
from burndown.legacy.layout import is_passing, may_hold_data

__all__ = ["check_place", "copy_tree"]


def copy_tree(folder: Path, copy: Path) -> None:
    """A copy of the folder that costs no space: a second name for each file, never written to.

    Only of what a workspace holds: a database must not have two names.
    """
    copy.mkdir(mode=0o700, parents=True)
    for entry in os.scandir(folder):
        if is_passing(entry.name):
            continue
        if entry.is_symlink():
            (copy / entry.name).symlink_to(Path(entry.path).readlink())
        elif entry.is_dir():
            copy_tree(Path(entry.path), copy / entry.name)
        elif entry.is_file() and may_hold_data(entry.name):
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
        if place.relative_to(root).as_posix() in removed or not is_there(place):
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

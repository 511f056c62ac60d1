"""The changes of one call to the files of a folder, and whether they are possible."""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from burndown.errors import StorageError
from burndown.files.paths import is_folder, lexists

__all__ = ["Changes", "check_target", "outside"]


@dataclass
class Changes:
    """The changes of one call, by path below the folder; removals come before what is written."""

    root: Path
    """The folder, as the call reads it."""
    written: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    times: dict[str, int] = field(default_factory=dict)
    """The times of modification of files that have not that of the call, in nanoseconds."""

    def write(self, path: Path, data: bytes, modified_ns: int | None = None) -> None:
        """Add or replace a file; its time of modification is that of the call by default."""
        name = path.relative_to(self.root).as_posix()
        self.written[name] = data
        if modified_ns is not None:
            self.times[name] = modified_ns

    def remove(self, path: Path) -> None:
        """Remove a file, or a folder with all its content."""
        name = path.relative_to(self.root).as_posix()
        self.written = {each: self.written[each] for each in outside(self.written, {name})}
        self.removed.add(name)


def outside(names: Iterable[str], removed: set[str]) -> Iterator[str]:
    """Yield the paths that are neither removed nor below a removed folder."""
    for name in names:
        if removed.isdisjoint((name, *map(str, PurePosixPath(name).parents))):
            yield name


def check_target(
    root: Path, name: str, removed: Collection[str] = (), *, for_file: bool = False
) -> None:
    """Make sure that a path can be written or removed.

    Args:
        root: a folder.
        name: the path below it.
        removed: paths below it that are removed before.
        for_file: whether a file is to be written there, which cannot replace a folder.

    Raises:
        StorageError: a folder above it is a link or a file, a folder is in its place, or
            permission is missing.
    """
    place = root
    for part in Path(name).parts:
        parent, place = place, place / part
        if place.relative_to(root).as_posix() in removed or not lexists(place):
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

"""Many files of a folder put into place as a whole or not at all.

What is to come lies in the working folder. The journal names it: from the moment it is written, the
changes are committed, and whoever finds it carries them out, as often as it takes. What is replaced
or removed stays in the working folder until all is done, so that the files can be brought back to
what they were if the system refuses a change half-way.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

from pydantic import TypeAdapter

from burndown.disk import is_there, link, make_folder, remove, remove_if_empty, sync, write_file
from burndown.errors import StorageError
from burndown.legacy.files import UnreadableFileError, read_bytes
from burndown.legacy.places import check_place
from burndown.models.json_codec import encode

__all__ = ["Journal"]


@dataclass(frozen=True)
class _Entry:
    stage: str
    """The folder below the working folder that holds what is written."""
    removed: list[str]
    """Paths below the folder that are removed first."""
    written: list[str]
    """Paths below the folder that are then written."""

    def __post_init__(self) -> None:
        for name in (self.stage, *self.removed, *self.written):
            path = PurePath(name)
            if not path.parts or path.anchor or ".." in path.parts or "\0" in name:
                raise ValueError("a path below the folder was expected")


_ENTRY = TypeAdapter(_Entry)


class Journal:
    """The journal of a folder; who uses it has the folder to itself.

    Args:
        folder: the folder.
        work: its working folder, on the same file system.
    """

    def __init__(self, folder: Path, work: Path) -> None:
        self._folder = folder
        self._work = work
        self._path = work / "journal.json"
        self._removed = work / "removed"
        self._replaced = work / "replaced"

    def exists(self) -> bool:
        """Whether there are changes that are committed and perhaps not all made."""
        return is_there(self._path)

    def commit(self, stage: Path, written: Iterable[str], removed: Iterable[str]) -> None:
        """Make the changes.

        Args:
            stage: the folder that holds what is written.
            written: paths of files below it, and below the folder.
            removed: paths below the folder, of what is removed before.

        Raises:
            OSError: a change is not possible; none has been made.
        """
        there = {name for name in removed if is_there(self._folder / name)}
        entry = _Entry(stage.relative_to(self._work).as_posix(), sorted(there), sorted(written))
        for name in entry.removed:
            check_place(self._folder, name)
        for name in entry.written:
            check_place(self._folder, name, there, for_file=True)
        for folder in _folders_of(stage, entry.written):
            sync(folder)
        write_file(self._path, encode(asdict(entry)))
        sync(self._work)
        self.carry_out()

    def carry_out(self) -> None:
        """Make the changes that are committed; what has been made already is not made again.

        Raises:
            OSError: a change is not possible; all are taken back. Or a link is on the way, or the
                journal is damaged; none has been made.
        """
        if not self.exists():
            return
        entry = self._read()
        self._refuse_links(entry)
        try:
            self._make(entry)
        except OSError:
            self._take_back(entry)
            raise
        finally:
            for folder in _folders_of(self._folder, [*entry.removed, *entry.written]):
                sync(folder)
        self._path.unlink()
        sync(self._work)

    def _read(self) -> _Entry:
        try:
            return _ENTRY.validate_json(read_bytes(self._path))
        except (UnreadableFileError, ValueError):
            raise StorageError(
                f"{self._path} is damaged, so what was to be changed when a process died is not "
                f"known; to go on with the files as they are, delete {self._work}"
            ) from None

    def _refuse_links(self, entry: _Entry) -> None:
        """None may have come on the way to what is moved since the changes were committed."""
        ways = _folders_of(self._folder, [*entry.removed, *entry.written]) - {self._folder}
        ways |= _folders_of(self._work, (f"{entry.stage}/{name}" for name in entry.written))
        for way in (self._work, self._removed, self._replaced, *sorted(ways)):
            if way.is_symlink():
                raise StorageError(f"{way} is a link; links are not followed")

    def _make(self, entry: _Entry) -> None:
        make_folder(self._removed)
        for number, name in enumerate(entry.removed):
            aside = self._removed / str(number)
            if not is_there(aside):
                try:
                    (self._folder / name).rename(aside)
                except FileNotFoundError:
                    aside.mkdir()  # somebody else has removed it
        make_folder(self._replaced)
        for number, name in enumerate(entry.written):
            new, target = self._work / entry.stage / name, self._folder / name
            if is_there(new):
                make_folder(target.parent)
                if is_there(target):
                    link(target, self._replaced / str(number))
                new.replace(target)

    def _take_back(self, entry: _Entry) -> None:
        """Undo what was made. Nothing is lost by it, so that it too may be interrupted."""
        for number, name in enumerate(entry.written):
            new, target = self._work / entry.stage / name, self._folder / name
            old = self._replaced / str(number)
            if not is_there(new):
                target.replace(new)
            if not is_there(target):
                if is_there(old):
                    old.replace(target)
                else:
                    remove_if_empty(target.parent, self._folder)
        for number, name in enumerate(entry.removed):
            aside = self._removed / str(number)
            if is_there(aside):
                remove(self._folder / name)
                make_folder((self._folder / name).parent)
                aside.rename(self._folder / name)
        self._path.unlink()
        sync(self._work)


def _folders_of(root: Path, names: Iterable[str]) -> set[Path]:
    """The folders that hold these paths, up to the root."""
    paths = [root / name for name in names]
    return {parent for path in paths for parent in path.parents if parent.is_relative_to(root)}

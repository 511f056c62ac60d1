"""The commit of changes to several files of a folder, atomic by a journal.

New files are first complete in a working folder. Writing the journal, which names them, is the
commit: whoever finds a journal carries it out, as often as it takes. Replaced and removed files
stay in the working folder until all is done, so that everything can be rolled back if the system
refuses a change halfway.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from pydantic import TypeAdapter

from burndown.errors import StorageError
from burndown.files.atomic import write_file
from burndown.files.changes import check_target
from burndown.files.paths import hard_link, lexists, make_folder, remove, remove_if_empty, sync
from burndown.files.reading import read_below

__all__ = ["Journal"]


@dataclass(frozen=True)
class _Entry:
    stage: str
    """The folder below the working folder that holds the new files."""
    removed: list[str]
    """Paths below the folder that are removed first."""
    written: list[str]
    """Paths below the folder that are then written."""

    def __post_init__(self) -> None:
        # A damaged or forged journal must not move files outside the folder.
        for name in (self.stage, *self.removed, *self.written):
            path = PurePath(name)
            if not path.parts or path.anchor or ".." in path.parts or "\0" in name:
                raise ValueError("input should be a path below the folder")


_ENTRY = TypeAdapter(_Entry)


class Journal:
    """The journal of a folder; its user holds the lock of the folder.

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
        """Return whether there are committed changes that may not all be made."""
        return lexists(self._path)

    def commit(self, stage: Path, written: Iterable[str], removed: Iterable[str]) -> None:
        """Make the changes.

        Args:
            stage: the folder that holds the new files.
            written: paths of files below it, and below the folder.
            removed: paths below the folder that are removed first.

        Raises:
            OSError: a change is not possible; none has been made.
        """
        existing = {name for name in removed if lexists(self._folder / name)}
        entry = _Entry(stage.relative_to(self._work).as_posix(), sorted(existing), sorted(written))
        for name in entry.removed:
            check_target(self._folder, name)
        for name in entry.written:
            check_target(self._folder, name, existing, for_file=True)
        # The journal must not survive a power failure that the files it names do not.
        for folder in _folders_of(stage, entry.written):
            sync(folder)
        write_file(self._path, _ENTRY.dump_json(entry))
        sync(self._work)
        self.carry_out()

    def carry_out(self) -> None:
        """Make the committed changes that have not been made yet.

        Raises:
            OSError: a change is not possible, and all are rolled back; or a folder is a link or
                the journal is damaged, and none has been made.
        """
        if not self.exists():
            return
        entry = self._read()
        self._refuse_links(entry)
        try:
            self._apply(entry)
        except OSError:
            self._roll_back(entry)
            raise
        finally:
            for folder in _folders_of(self._folder, [*entry.removed, *entry.written]):
                sync(folder)
        self._path.unlink()
        sync(self._work)

    def _read(self) -> _Entry:
        try:
            return _ENTRY.validate_json(read_below(self._work, self._path))
        except (OSError, ValueError):
            raise StorageError(
                f"{self._path} is damaged, so the changes of a process that died are not known; "
                f"to go on with the files as they are, delete {self._work}"
            ) from None

    def _refuse_links(self, entry: _Entry) -> None:
        """Refuse links that were put above the files after the changes were committed."""
        folders = _folders_of(self._folder, [*entry.removed, *entry.written]) - {self._folder}
        folders |= _folders_of(self._work, (f"{entry.stage}/{name}" for name in entry.written))
        for folder in (self._work, self._removed, self._replaced, *sorted(folders)):
            if folder.is_symlink():
                raise StorageError(f"{folder} is a link; links are not followed")

    def _apply(self, entry: _Entry) -> None:
        """Make the changes; each step detects whether it was made before."""
        make_folder(self._removed)
        for number, name in enumerate(entry.removed):
            aside = self._removed / str(number)
            if not lexists(aside):
                try:
                    (self._folder / name).rename(aside)
                except FileNotFoundError:
                    aside.mkdir()  # another program removed it; this marks the step as made
        make_folder(self._replaced)
        for number, name in enumerate(entry.written):
            new, target = self._work / entry.stage / name, self._folder / name
            if lexists(new):
                make_folder(target.parent)
                if lexists(target):
                    # A link, not a rename: the target never disappears for those who read it.
                    hard_link(target, self._replaced / str(number))
                new.replace(target)

    def _roll_back(self, entry: _Entry) -> None:
        """Undo the changes. No file is lost by it, so it may be interrupted too."""
        for number, name in enumerate(entry.written):
            new, target = self._work / entry.stage / name, self._folder / name
            old = self._replaced / str(number)
            if not lexists(new):
                target.replace(new)
            if not lexists(target):
                if lexists(old):
                    old.replace(target)
                else:
                    remove_if_empty(target.parent, self._folder)
        for number, name in enumerate(entry.removed):
            aside = self._removed / str(number)
            if lexists(aside):
                remove(self._folder / name)
                make_folder((self._folder / name).parent)
                aside.rename(self._folder / name)
        self._path.unlink()
        sync(self._work)


def _folders_of(root: Path, names: Iterable[str]) -> set[Path]:
    """Return the folders that contain these paths, up to the root."""
    return {root / folder for name in names for folder in PurePath(name).parents}

"""Changes to the files of a folder that happen as a whole or not at all.

What a transaction changes is written into a working folder beside the files. To commit, a list of
the changes is written there, and then each file is moved into its place. Whoever comes next after
a process that died meanwhile finds the list and carries it out; without one, nothing has happened.

So the files themselves always hold what is committed, and nobody waits to read while a
transaction is open. Two locks guard the folder: one is held by who writes, as long as its
transaction lasts, the other for a moment by who reads or commits.
"""

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from burndown.errors import StorageError
from burndown.legacy.disk import (
    check_file_place,
    check_place,
    copy_tree,
    make_folder,
    move,
    remove,
    storage_errors,
    sync_folder,
    write_file,
)
from burndown.legacy.layout import STATE, WORK
from burndown.models.json_codec import decode, encode

__all__ = ["LOCK_TIMEOUT_SECONDS", "Changes", "SafeFolder"]

LOCK_TIMEOUT_SECONDS = 10
"""How long to wait for others."""

_JOURNAL = "journal.json"


@dataclass
class Changes:
    """What one call changes, by path below the folder; a removal comes before what is written."""

    root: Path
    """The folder, as the call reads it."""
    written: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def write(self, path: Path, data: bytes) -> None:
        """Let the file have this content."""
        self.written[path.relative_to(self.root).as_posix()] = data

    def remove(self, path: Path) -> None:
        """Let the file, or the folder with all that is in it, be gone."""
        name = path.relative_to(self.root).as_posix()
        self.written = {each: self.written[each] for each in _outside(self.written, {name})}
        self.removed.add(name)


@dataclass
class _Level:
    """A transaction, or one within another."""

    root: Path
    """What is read within it."""
    shadow: Path | None = None
    """The copy of the folder in which its changes are made, once there are some."""
    written: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def add(self, written: set[str], removed: set[str]) -> None:
        """Note changes that come after those so far."""
        self.written = set(_outside(self.written, removed)) | written
        self.removed |= removed


class SafeFolder:
    """A folder whose files change as a whole or not at all. Safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._work = path / WORK
        self._journal = self._work / _JOURNAL
        self._writing = _Lock(path / f"{STATE}.writing.lock")
        self._files = _Lock(path / f"{STATE}.lock")
        self._of_thread = threading.local()
        self._numbers = itertools.count()

    @contextmanager
    def reading(self) -> Iterator[Path]:
        """Gives the folder to read, in which nothing changes meanwhile.

        Raises:
            StorageError: it is locked for more than 10 seconds, or out of reach.
        """
        with storage_errors():
            level = self._innermost
            if level is not None:
                yield level.root
            else:
                with self._files.held():
                    self._carry_out()
                    yield self.path

    @contextmanager
    def writing(self) -> Iterator[Changes]:
        """Gives what takes the changes of one call; they are made at the end.

        Raises:
            StorageError: it is locked for more than 10 seconds, the disk is full, or a place
                cannot be written to.
        """
        with storage_errors():
            outer = self._innermost
            if outer is None:
                with self._begun():
                    changes = Changes(self.path)
                    yield changes
                    stage = self._staged(changes, self.path)
                    self._commit(stage, set(changes.written), changes.removed)
            else:
                changes = Changes(outer.root)
                yield changes
                self._change(outer, changes)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make several calls of this thread one; within another, an error undoes the inner part.

        Raises:
            StorageError: as :meth:`writing` does.
        """
        outer = self._innermost
        if outer is None:
            with self._begun():
                level = _Level(self.path)
                with self._entered(level):
                    yield
                if level.shadow is not None:
                    with storage_errors():
                        self._commit(level.shadow, level.written, level.removed)
        else:
            level = _Level(outer.root)
            with self._entered(level):
                yield
            if level.shadow is not None:
                outer.root = outer.shadow = level.shadow
                outer.add(level.written, level.removed)

    # --- transactions ------------------------------------------------------------------------

    @property
    def _innermost(self) -> _Level | None:
        levels: list[_Level] = getattr(self._of_thread, "levels", [])
        return levels[-1] if levels else None

    @contextmanager
    def _entered(self, level: _Level) -> Iterator[None]:
        levels = self._of_thread.__dict__.setdefault("levels", [])
        levels.append(level)
        try:
            yield
        finally:
            levels.pop()

    @contextmanager
    def _begun(self) -> Iterator[None]:
        """Nobody else writes, and nothing is left over from a process that died."""
        with self._writing.held():
            with storage_errors(), self._files.held():
                self._carry_out()
                remove(self._work)
            try:
                yield
            finally:
                with storage_errors(), self._files.held():
                    if not self._journal.exists():
                        remove(self._work)

    def _change(self, level: _Level, changes: Changes) -> None:
        if not changes.written and not changes.removed:
            return
        if level.shadow is None:
            shadow = self._work / f"{next(self._numbers)}" / self.path.name
            copy_tree(level.root, shadow)
            level.root = level.shadow = shadow
        stage = self._staged(changes, level.root)
        for name in changes.removed:
            remove(level.root / name)
        for name in changes.written:
            move(stage / name, level.root / name)
        level.add(set(changes.written), changes.removed)

    def _staged(self, changes: Changes, root: Path) -> Path:
        """A folder with what is written, all of which can go to its place below the root."""
        stage = self._work / f"{next(self._numbers)}"
        for name, data in changes.written.items():
            check_file_place(root, name, changes.removed)
            write_file(stage / name, data)
        for name in changes.removed:
            check_place(root, name, set())
        return stage

    # --- commit ------------------------------------------------------------------------------

    def _commit(self, stage: Path, written: set[str], removed: set[str]) -> None:
        """Move what is staged into place."""
        removed = {name for name in removed if os.path.lexists(self.path / name)}
        if not written and not removed:
            return
        for name in written:
            check_file_place(self.path, name, removed)
        for name in removed:
            check_place(self.path, name, set())
        changes = {
            "stage": stage.relative_to(self._work).as_posix(),
            "removed": sorted(removed),
            "written": sorted(written),
        }
        with self._files.held():
            write_file(self._journal, encode(changes))
            self._carry_out()

    def _carry_out(self) -> None:
        """Do what the journal says, if there is one; what is done already is not done again."""
        try:
            changes = decode(self._journal.read_bytes())
        except FileNotFoundError:
            return
        stage, trash = self._work / changes["stage"], self._work / "removed"
        make_folder(trash)
        for number, name in enumerate(changes["removed"]):
            aside = trash / str(number)
            if not os.path.lexists(aside):
                try:
                    (self.path / name).rename(aside)
                except FileNotFoundError:
                    aside.mkdir()
        touched = {self.path}
        for name in changes["written"]:
            target = self.path / name
            if os.path.lexists(stage / name):
                move(stage / name, target)
            touched.update(parent for parent in target.parents if self.path in parent.parents)
        touched.update((self.path / name).parent for name in changes["removed"])
        for folder in touched:
            sync_folder(folder)
        self._journal.unlink()
        sync_folder(self._work)
        remove(self._work)

    def finish_interrupted(self) -> None:
        """Carry out what a process that died had committed.

        Raises:
            StorageError: as :meth:`reading` does.
        """
        if self._journal.exists():
            with self.reading():
                pass


def _outside(names: dict[str, bytes] | set[str], removed: set[str]) -> Iterator[str]:
    """The names that do not lie in what was removed."""
    for name in names:
        if not removed & {name, *map(str, PurePosixPath(name).parents)}:
            yield name


class _Lock:
    """Keeps other threads and processes out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._among_threads = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        if not self._among_threads.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise self._locked()
        try:
            lock = self._acquired()
            try:
                yield
            finally:
                lock.release()
        finally:
            self._among_threads.release()

    def _acquired(self) -> FileLock:
        lock = FileLock(self._path, LOCK_TIMEOUT_SECONDS, mode=0o600)
        try:
            with storage_errors():
                make_folder(self._path.parent)
                lock.acquire(poll_interval=0.005)
        except Timeout:
            raise self._locked() from None
        return lock

    def _locked(self) -> StorageError:
        return StorageError(
            f"{self._path.parent} is locked: another transaction has been writing for more than "
            f"{LOCK_TIMEOUT_SECONDS} seconds"
        )

"""Changes to the files of a folder that happen as a whole or not at all.

What a transaction changes is written into a working folder beside the files, and moved into place
when it ends, by way of a journal. So the files themselves always hold what is committed, and nobody
waits to read while a transaction is open. Two locks guard the folder: one is held by who writes, as
long as its transaction lasts, the other for a moment by who reads or commits.
"""

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from burndown.disk import make_folder, remove, storage_errors, write_file
from burndown.errors import StorageError
from burndown.legacy.journal import Journal
from burndown.legacy.layout import STATE, WORK
from burndown.legacy.places import check_place, copy_tree

__all__ = ["LOCK_TIMEOUT_SECONDS", "Changes", "SafeFolder"]

LOCK_TIMEOUT_SECONDS = 10
"""How long to wait for others."""


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
    """A folder whose files change as a whole or not at all. Safe to use from many threads.

    Args:
        path: the folder.
        read_only: leave nothing in it, not even a lock, and refuse to write.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._read_only = read_only
        self._work = path / WORK
        self._journal = Journal(path, self._work)
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
            elif self._read_only or (self.path.is_dir() and not os.access(self.path, os.W_OK)):
                with self._files.held_if_there():
                    self._refuse_interrupted()
                    yield self.path
            else:
                with self._files.held():
                    self._journal.carry_out()
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
        if self._read_only:
            yield
        elif outer is None:
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
        if self._read_only:
            raise StorageError(f"{self.path} cannot be written: it was opened to be read")
        with self._writing.held():
            with storage_errors(), self._files.held():
                self._journal.carry_out()
                remove(self._work)
            try:
                yield
            finally:
                with suppress(OSError):  # the next one to write cleans up
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
            make_folder((level.root / name).parent)
            (stage / name).replace(level.root / name)
        level.add(set(changes.written), changes.removed)

    def _staged(self, changes: Changes, root: Path) -> Path:
        """A folder with what is written, all of which can go to its place below the root."""
        stage = self._work / f"{next(self._numbers)}"
        for name, data in changes.written.items():
            check_place(root, name, changes.removed, for_file=True)
            write_file(stage / name, data)
        for name in changes.removed:
            check_place(root, name)
        return stage

    def _commit(self, stage: Path, written: set[str], removed: set[str]) -> None:
        if written or removed:
            with self._files.held():
                self._journal.commit(stage, written, removed)

    def _refuse_interrupted(self) -> None:
        if self._journal.exists():
            raise StorageError(
                f"{self._work} holds changes that a process did not finish; the next call that "
                f"may write to {self.path} finishes them"
            )

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

    @contextmanager
    def held_if_there(self) -> Iterator[None]:
        """Keep others out where a lock has been made; whoever writes makes one."""
        if os.access(self._path, os.W_OK):
            with self.held():
                yield
        else:
            yield

    def _acquired(self) -> FileLock:
        lock = FileLock(self._path, LOCK_TIMEOUT_SECONDS, mode=0o600)
        with storage_errors():
            make_folder(self._path.parent)
            try:
                lock.acquire(poll_interval=0.005)
            except Timeout:
                raise self._locked() from None
        return lock

    def _locked(self) -> StorageError:
        return StorageError(
            f"{self._path.parent} is locked: another transaction has been writing for more than "
            f"{LOCK_TIMEOUT_SECONDS} seconds"
        )

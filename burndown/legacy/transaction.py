"""Changes to the files of a folder that happen as a whole or not at all.

What a transaction changes is written into a working folder beside the files, and moved into place
when it ends, by way of a journal. So the files themselves always hold what is committed, and nobody
waits to read while a transaction is open. Two locks guard the folder: one is held by a transaction
from its first call to its end, the other only while files are read or committed.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from burndown.disk import make_folder, remove, storage_errors, write_file
from burndown.errors import StorageError, TransactionAbortedError
from burndown.forks import ForkAware, ForkSafeLock, register_for_forks
from burndown.legacy.journal import Journal
from burndown.legacy.layout import STATE, WORK
from burndown.legacy.places import check_place, copy_tree
from burndown.transactions import Transaction, Transactions

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
    outer: "_Level | None" = None
    shadow: Path | None = None
    """The copy of the folder in which its changes are made, once there are some."""
    written: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    is_begun: bool = False
    """Whether it has the lock; asked of the outermost."""
    is_aborted: bool = False
    """Whether the copy may hold half of a change; asked of the outermost."""

    @property
    def outermost(self) -> "_Level":
        return self if self.outer is None else self.outer.outermost

    def add(self, written: set[str], removed: set[str]) -> None:
        """Note changes that come after those so far."""
        self.written = set(_outside(self.written, removed)) | written
        self.removed |= removed

    def check(self) -> None:
        """Make sure that it can go on.

        Raises:
            TransactionAbortedError: a change of it failed half-way.
        """
        if self.outermost.is_aborted:
            raise TransactionAbortedError(
                "The transaction cannot go on after an error while files were changed, so nothing "
                "of it was stored; begin it again"
            )


class SafeFolder(ForkAware):
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
        self._transactions: Transactions[_Level] = Transactions()
        self._numbers = itertools.count()
        register_for_forks(self)

    @contextmanager
    def reading(self) -> Iterator[Path]:
        """Give the folder to read, in which nothing changes meanwhile.

        Raises:
            StorageError: it is locked for more than 10 seconds, or out of reach.
            TransactionAbortedError: the transaction cannot go on.
        """
        with storage_errors():
            level = self._current()
            if level is not None:
                yield level.root
            else:
                with self.committed() as root:
                    yield root

    @contextmanager
    def committed(self) -> Iterator[Path]:
        """Give the folder with what is committed, in which nothing changes meanwhile.

        Raises:
            StorageError: as :meth:`reading` does.
        """
        if self._read_only or (self.path.is_dir() and not os.access(self.path, os.W_OK)):
            with storage_errors(), self._files.held_if_there():
                self._refuse_interrupted()
                yield self.path
        else:
            with storage_errors(), self._files.held():
                self._journal.carry_out()
                yield self.path

    @contextmanager
    def writing(self) -> Iterator[Changes]:
        """Give what takes the changes of one call; they are made at the end.

        Raises:
            StorageError: it is locked for more than 10 seconds, or by a transaction of the same
                event loop, the disk is full, or a place cannot be written to.
            TransactionAbortedError: the transaction cannot go on.
        """
        with storage_errors():
            level = self._current()
            if level is None:
                self._begin()
                try:
                    changes = Changes(self.path)
                    yield changes
                    stage = self._staged(changes, self.path)
                    self._commit(stage, set(changes.written), changes.removed)
                finally:
                    self._end()
            else:
                changes = Changes(level.root)
                yield changes
                self._change(level, changes)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make several calls of this thread and task one.

        Within another transaction of theirs, an error undoes the inner part.

        Raises:
            StorageError: as :meth:`writing` does.
            TransactionAbortedError: it could not go on before; nothing of it was stored.
        """
        if self._read_only:
            yield
            return
        outer = self._transactions.current()
        level = _Level(self.path if outer is None else outer.root, outer)
        with self._transactions.opened(level) as opened:
            try:
                yield
                self._finish(level, opened)
            finally:
                if level.is_begun and not opened.belongs_to_parent:
                    self._end()

    def after_fork_in_child(self) -> None:
        """Leave transactions to the parent."""
        self._transactions.invalidate_in_child()

    # --- transactions ------------------------------------------------------------------------

    def _current(self) -> _Level | None:
        """Return the innermost transaction of the caller, which has the lock from now on."""
        level = self._transactions.current()
        if level is not None:
            level.check()
            if not level.outermost.is_begun:
                self._begin()
                level.outermost.is_begun = True
                self._transactions.mark_locked()
        return level

    def _begin(self) -> None:
        """Let nobody else write, and clean up after a process that died."""
        if self._read_only:
            raise StorageError(f"{self.path} cannot be written: it was opened to be read")
        self._transactions.raise_on_deadlock()
        self._writing.acquire()
        try:
            with storage_errors(), self._files.held():
                self._journal.carry_out()
                remove(self._work)
        except BaseException:
            self._writing.release()
            raise

    def _end(self) -> None:
        try:
            with suppress(OSError):  # the next one to write cleans up
                if not self._journal.exists():
                    remove(self._work)
        finally:
            self._writing.release()

    def _finish(self, level: _Level, opened: Transaction[_Level]) -> None:
        opened.check_end()
        level.check()
        if level.shadow is None:
            return
        if level.outer is None:
            with storage_errors():
                self._commit(level.shadow, level.written, level.removed)
        else:
            level.outer.root = level.outer.shadow = level.shadow
            level.outer.add(level.written, level.removed)

    def _change(self, level: _Level, changes: Changes) -> None:
        if not changes.written and not changes.removed:
            return
        if level.shadow is None:
            shadow = self._work / f"{next(self._numbers)}" / self.path.name
            copy_tree(level.root, shadow)
            level.root = level.shadow = shadow
        stage = self._staged(changes, level.root)
        try:
            for name in changes.removed:
                remove(level.root / name)
            for name in changes.written:
                make_folder((level.root / name).parent)
                (stage / name).replace(level.root / name)
        except BaseException:
            level.outermost.is_aborted = True
            raise
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
    """Keeps other threads and processes out; any thread may release it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._among_threads = ForkSafeLock()
        self._among_processes: FileLock | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def acquire(self) -> None:
        """Wait for the lock.

        Raises:
            StorageError: another one has it for more than 10 seconds, or its file cannot be made.
        """
        if not self._among_threads.acquire(LOCK_TIMEOUT_SECONDS):
            raise self._locked()
        try:
            with storage_errors():
                make_folder(self._path.parent)
                self._among_processes = self._acquired()
        except BaseException:
            self._among_threads.release()
            raise

    def _acquired(self) -> FileLock:
        lock = FileLock(self._path, LOCK_TIMEOUT_SECONDS, mode=0o600, thread_local=False)
        try:
            lock.acquire(poll_interval=0.005)
        except Timeout:
            raise self._locked() from None
        return lock

    def release(self) -> None:
        """Let others have it."""
        lock, self._among_processes = self._among_processes, None
        try:
            if lock is not None:
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

    def _locked(self) -> StorageError:
        return StorageError(
            f"{self._path.parent} is locked: another transaction has been writing for more than "
            f"{LOCK_TIMEOUT_SECONDS} seconds"
        )

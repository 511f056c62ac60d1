"""A folder whose files change atomically, in transactions.

The changes of a transaction are written to a working folder in the folder, and moved into place by
a journal when it ends. So the files always hold what is committed, and readers do not wait for an
open transaction. Two locks guard the folder: a transaction holds one from its first call to its
end, the other is held only while files are read or committed.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from burndown.errors import StorageError, TransactionAbortedError
from burndown.files.atomic import write_file
from burndown.files.changes import Changes, check_target
from burndown.files.errors import storage_errors
from burndown.files.journal import Journal
from burndown.files.level import Level
from burndown.files.locks import FolderLock
from burndown.files.paths import FileIdentity, identity_of, link_tree, remove
from burndown.files.working_folder import is_working_folder
from burndown.forks import ForkAware, register_for_forks
from burndown.transactions import Transaction, Transactions

__all__ = ["TransactionalFolder", "is_temporary_folder"]

_WORK = ".burndown-work"
"""The folder in which a transaction keeps its changes until they are committed."""


def is_temporary_folder(name: str) -> bool:
    """Return whether this is the name of a folder that is only used while something runs."""
    return name == _WORK or is_working_folder(name)


class TransactionalFolder(ForkAware):
    """A folder whose files change atomically. Safe to use from many threads.

    Args:
        path: the folder.
        lock_name: the beginning of the names of its two lock files.
        contains: returns for the name of a file whether it takes part in transactions. Others, such
            as a database in the folder, are not linked or changed, and a transaction that has
            changed something does not see them.
        lock_timeout: the seconds to wait for a lock of another thread or process.
        read_only: make no file in it, not even a lock, and refuse to write.
    """

    def __init__(
        self,
        path: Path,
        lock_name: str,
        contains: Callable[[str], bool],
        *,
        lock_timeout: float,
        read_only: bool = False,
    ) -> None:
        self.path = path
        self._contains = contains
        self._read_only = read_only
        self._work = path / _WORK
        self._journal = Journal(path, self._work)
        self._write_lock = FolderLock(path / f"{lock_name}.writing.lock", lock_timeout)
        self._files_lock = FolderLock(path / f"{lock_name}.lock", lock_timeout)
        self._transactions: Transactions[Level] = Transactions()
        self._numbers = itertools.count()
        self._identity: FileIdentity | None = None
        register_for_forks(self)

    @contextmanager
    def reading(self) -> Iterator[Path]:
        """Keep the files unchanged for the block, as the current transaction sees them.

        Yields:
            The folder to read.

        Raises:
            StorageError: it is locked for longer than the timeout, or cannot be reached.
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
        """Keep the files unchanged for the block, as they are committed.

        Yields:
            The folder to read.

        Raises:
            StorageError: as :meth:`reading` does.
        """
        if self._read_only or (self.path.is_dir() and not os.access(self.path, os.W_OK)):
            with storage_errors(), self._files_lock.held_if_present():
                self._refuse_interrupted()
                yield self.path
        else:
            with storage_errors(), self._files_lock.held():
                self._journal.carry_out()
                yield self.path

    @contextmanager
    def writing(self) -> Iterator[Changes]:
        """Collect the changes of one call in the block, and make them at its end.

        Yields:
            The changes, to add to.

        Raises:
            StorageError: the folder is locked for longer than the timeout, or by a transaction of
                the same event loop, the disk is full, or a path cannot be written to.
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
                if changes.written or changes.removed:
                    stage = self._staged(changes, level.root)
                    level.change(stage, set(changes.written), changes.removed)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls of this thread and task in the block one change.

        Within another transaction of theirs, an error undoes the inner part.

        Raises:
            StorageError: as :meth:`writing` does.
            TransactionAbortedError: it could not go on before; nothing of it was stored.
        """
        if self._read_only:
            yield
            return
        outer = self._transactions.current()
        if outer is not None:
            with storage_errors():
                self._make_copy(outer)
        level = Level(self.path if outer is None else outer.root, outer)
        with self._transactions.opened(level) as opened:
            try:
                yield
                self._finish(level, opened)
            finally:
                if level.is_begun and not opened.belongs_to_parent:
                    self._end()

    def in_transaction(self) -> bool:
        """Return whether the caller is within a :meth:`transaction` of this folder."""
        return self._transactions.current() is not None

    def finish_interrupted(self) -> None:
        """Carry out the committed changes of a process that died.

        Raises:
            StorageError: as :meth:`reading` does.
        """
        if self._journal.exists():
            with self.reading():
                pass

    def after_fork_in_child(self) -> None:
        """Leave transactions to the parent."""
        self._transactions.invalidate_in_child()

    # --- transactions ------------------------------------------------------------------------

    def _current(self) -> Level | None:
        """Return the innermost transaction of the caller, after it has taken the lock."""
        level = self._transactions.current()
        if level is not None:
            level.check()
            if not level.outermost.is_begun:  # not at its start: without calls it need not wait
                self._begin()
                level.outermost.is_begun = True
                self._transactions.mark_locked()
            self._make_copy(level)
        return level

    def _begin(self) -> None:
        """Take the lock of writers, and clean up after a process that died."""
        if self._read_only:
            raise StorageError(f"{self.path} cannot be written: it was opened to be read")
        self._transactions.raise_on_deadlock()
        self._write_lock.acquire()
        try:
            with storage_errors(), self._files_lock.held():
                self._identity = identity_of(self.path)
                self._journal.carry_out()
                remove(self._work)
        except BaseException:
            self._write_lock.release()
            raise

    def _end(self) -> None:
        try:
            with suppress(OSError):  # the next one to write cleans up
                if not self._journal.exists():
                    remove(self._work)
        finally:
            self._write_lock.release()

    def _finish(self, level: Level, opened: Transaction[Level]) -> None:
        opened.check_end()
        level.check()
        with storage_errors():
            if level.outer is not None:
                level.join_outer()
            elif changed := level.stage or level.shadow:
                self._commit(changed, level.written, level.removed)

    def _make_copy(self, level: Level) -> None:
        """Make the staged change of a transaction, if it has one, in a copy that calls can read."""
        if level.stage is not None:
            # In a folder of its own: readers may look next to the folder as well.
            shadow = self._work / f"{next(self._numbers)}" / self.path.name
            link_tree(level.root, shadow, self._contains, skipped=is_temporary_folder)
            level.use_copy(shadow)

    def _staged(self, changes: Changes, root: Path) -> Path:
        """Write the new files to a folder, after a check that all can be moved below the root."""
        stage = self._work / f"{next(self._numbers)}"
        for name, data in changes.written.items():
            check_target(root, name, changes.removed, for_file=True)
            write_file(stage / name, data)
            if name in changes.times:
                os.utime(stage / name, ns=(changes.times[name], changes.times[name]))
        for name in changes.removed:
            check_target(root, name)
        return stage

    def _commit(self, stage: Path, written: set[str], removed: set[str]) -> None:
        if written or removed:
            with self._files_lock.held():
                self._check_in_place()
                self._journal.commit(stage, written, removed)
            self._check_in_place()  # it may be in a folder that was moved away in between

    def _check_in_place(self) -> None:
        if identity_of(self.path) != self._identity:
            raise TransactionAbortedError(
                f"The transaction was not stored: {self.path} was replaced, moved or deleted "
                "meanwhile; begin it again"
            )

    def _refuse_interrupted(self) -> None:
        if self._journal.exists():
            raise StorageError(
                f"{self._work} holds changes that a process did not finish; the next call that "
                f"may write to {self.path} finishes them"
            )

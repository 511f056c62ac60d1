"""The interface of a database: its sessions and transactions, on SQLite and PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, event
from sqlmodel import Session

from burndown.database.error_translation import ErrorTranslator, check_active
from burndown.database.upgrade import SchemaUpgrader
from burndown.errors import StorageError
from burndown.forks import ForkAware, ForkSafeLock, register_for_forks
from burndown.schema import stored_version
from burndown.sql import Executor, log_statement
from burndown.transactions import Transactions

if TYPE_CHECKING:
    from burndown.database.writing_session import WritingSession

__all__ = ["Database"]

S = TypeVar("S", bound=Session)
T = TypeVar("T")
P = ParamSpec("P")


class _Engines(NamedTuple):
    writer: Engine
    reader: Engine
    """The same with an option: they share a pool."""


class Database(ForkAware, ABC):
    """One database, shared by any number of threads.

    Transactions that write the same run one after the other, so that what one has read is unchanged
    when it writes. Those that read see one state of the data and do not wait.

    Args:
        url: the location, without secrets.
        make_engine: returns the engine of sessions; called on the first use of it.
        reads: the option of the engine whose transactions only read.
        upgrader: creates and upgrades the tables.
        errors: translates errors of the database.
        read_only: create and upgrade nothing, and refuse to write.
    """

    def __init__(
        self,
        url: URL,
        make_engine: Callable[[], Engine],
        reads: str,
        upgrader: SchemaUpgrader,
        errors: ErrorTranslator,
        *,
        read_only: bool,
    ) -> None:
        self.url = url
        self.read_only = read_only
        self._engine_maker = make_engine
        self._reads = reads
        self._engines: _Engines | None = None
        self._making_engines = ForkSafeLock()
        self._upgrader = upgrader
        self._errors = errors
        self._transactions: Transactions[WritingSession] = Transactions()
        self._ready = False
        self._opening = ForkSafeLock()
        register_for_forks(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.location!r})"

    @property
    def location(self) -> str:
        """Return the path or the URL of the database, without secrets."""
        return self._upgrader.location

    @property
    def path(self) -> Path | None:
        """Return the file of the database; ``None`` if it is on a server."""
        return None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Begin a session in a transaction that may write.

        The transaction is committed at the end, or rolled back on an error. In-place edits of
        loaded entities are stored like assignments. Other writers wait for its end, up to the busy
        timeout. It belongs to the thread and the asyncio task that began it. Within another session
        of theirs it is a savepoint: an error undoes this part only, and the outer session commits.

        Yields:
            The session.

        Raises:
            ValidationError: an entity was edited in place and is invalid.
            StorageError: the database is locked, also by the same event loop, read-only or out of
                reach, or the disk is full.
            TransactionAbortedError: the database rolled back the transaction; nothing was stored.
            TransactionConflictError: the server could not order it among others.
            DatabaseCorruptionError: the data is damaged.
        """
        outer = self._transactions.current()
        if outer is not None:
            with (
                self._errors.translated(),
                self._transactions.opened(outer) as part,
                check_active(outer),
                outer.savepoint(),
            ):
                yield outer
                part.check_end()
            return
        with (
            self._errors.translated(),
            self._new_session(_writing_session(), self._engine) as new,
            self._transactions.opened(new) as opened,
            new.begin(),
            check_active(new),
        ):
            new.opened = opened
            yield new
            opened.check_end()
        self._empty_log_after(new.info)

    def in_session(self) -> bool:
        """Return whether the caller is within a :meth:`session` of this database."""
        return self._transactions.current() is not None

    @contextmanager
    def read_session(self) -> Iterator[Session]:
        """Begin a session that reads: it sees one state of the data and does not wait.

        Within a writing session of the same thread and task, it is that session.

        Yields:
            The session.

        Raises:
            StorageError: the database is out of reach.
            DatabaseCorruptionError: the data is damaged.
        """
        outer = self._transactions.current()
        if outer is not None:
            with self._errors.translated(), check_active(outer):
                yield outer
            return
        with (
            self._errors.translated(),
            self._new_session(Session, self._reader) as new,
            new.begin(),
        ):
            yield new

    @abstractmethod
    def read(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function that runs one statement, in the transaction of the caller or alone.

        Args:
            run: a function such as those of :mod:`burndown.repositories`; its first argument is
                the executor of the transaction.
            args: its further positional arguments.
            kwargs: its keyword arguments.

        Raises:
            StorageError: as :meth:`read_session`.
        """

    def write(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function as :meth:`write_scoped`, with the whole store as its scope."""
        return self.write_scoped(None, run, *args, **kwargs)

    @abstractmethod
    def write_scoped(
        self,
        scope: str | None,
        run: Callable[Concatenate[Executor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function in a transaction, or in a savepoint of that of the caller.

        It is called again if the server could not order its transaction among others.

        Args:
            scope: what the function reads and writes, such as one profile; ``None`` for the whole
                store. Transactions with different scopes can run at the same time.
            run: a function such as those of :mod:`burndown.repositories`; its first argument is
                the executor of the transaction.
            args: its further positional arguments.
            kwargs: its keyword arguments.

        Raises:
            StorageError: as :meth:`session`.
        """

    @abstractmethod
    def exists(self) -> bool:
        """Return whether the database exists; create nothing."""

    @abstractmethod
    def size(self) -> int:
        """Return the bytes on disk; 0 if there is nothing yet."""

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Return the bytes on disk that hold nothing; ``None`` if the database cannot tell."""

    def compact(self) -> int:
        """Give free bytes back to the file system; return how many fewer bytes are on disk.

        Others read and write meanwhile.

        Raises:
            StorageError: it is called within a transaction; or as :meth:`session`.
        """
        self._require_maintenance("compacted")
        before = self.size()
        self._compact()
        return max(before - self.size(), 0)

    @abstractmethod
    def _compact(self) -> None:
        """Give free bytes back to the file system, outside of a transaction."""

    def erase_deleted(self) -> None:
        """Overwrite what was deleted or replaced, of which bytes can remain in free space.

        Raises:
            StorageError: it is called within a transaction; or as :meth:`session`.
        """
        self._require_maintenance("rewritten")
        with self._errors.translated():
            self._erase_deleted()

    @abstractmethod
    def _erase_deleted(self) -> None:
        """Overwrite what was deleted or replaced, outside of a transaction."""

    def _require_maintenance(self, verb: str) -> None:
        """Refuse to change how the data is stored where that is not possible."""
        if self.read_only:
            raise StorageError(f"{self.location} cannot be {verb}: it was opened read-only")
        if self._transactions.current() is not None:
            raise StorageError(
                f"The database cannot be {verb} within a transaction; do it after its end"
            )

    @abstractmethod
    def check_integrity(self) -> tuple[bool, list[str]]:
        """Return whether the data is intact, and a string for each problem."""

    @abstractmethod
    def integrity_notes(self) -> list[str]:
        """Return a string for each part of the data that cannot be verified."""

    def accept_edits(self) -> int:
        """Sign the rows that another program has written; return how many there were.

        Raises:
            StorageError: as :meth:`session`.
        """
        return 0

    @abstractmethod
    def backup(self, target: Path) -> None:
        """Copy what is committed to a new file, which appears complete or not at all.

        Raises:
            StorageError: there is no database, the target exists, the disk is full, or the server
                has its own program for backups, which the error names.
            DatabaseCorruptionError: the data is damaged.
        """

    @abstractmethod
    def restore(self, backup: Path) -> Path | None:
        """Replace all content by that of a backup, in one transaction.

        Args:
            backup: a file that :meth:`backup` made, of this or an earlier release.

        Returns:
            The path of a copy of the current content; ``None`` if there was none.

        Raises:
            StorageError: there is no such backup, it is in use, the database is locked or cannot
                be written, or the server has its own program for it, which the error names.
            DatabaseCorruptionError: the backup is damaged.
            SchemaTooNewError: a newer release made the backup.
            ForeignDatabaseError: the backup or the database belongs to another program.
        """

    def install_prebuilt(self, built: Path) -> bool:
        """Put the file of another database in the place of this one, atomically.

        Returns:
            ``False`` if this database exists already, or is not in a file.
        """
        return False

    def schema_version(self) -> str | None:
        """Return the version of the tables, or ``None`` if there are none; change nothing.

        Raises:
            StorageError: the database is out of reach.
            ForeignDatabaseError: it belongs to another program.
        """
        with self._errors.translated():
            return self._upgrader.version()

    def stored_version(self) -> str | None:
        """Return the version of the tables, which are created or upgraded before.

        Raises:
            StorageError: as :meth:`read_session`.
        """
        with self.read_session() as session:
            return stored_version(session.connection())

    def sql_of_change(self, version: str) -> str:
        """Return the SQL that :meth:`change_version` runs, without the filling of rows by Python.

        Raises:
            SchemaTooNewError: a newer release made the database.
            ValidationError: there is no such version.
            StorageError: there is no database.
        """
        with self._errors.translated():
            return self._upgrader.sql_of_change(version)

    def change_version(self, version: str) -> None:
        """Upgrade or downgrade the tables, with all that is in them, or change nothing.

        The next use of the database upgrades it to the version of this release again. A SQLite
        file is copied first, to ``<name>.<version>.backup`` next to it. If several processes do it
        at the same time, one works and the others wait.

        Args:
            version: one of ``burndown.schema.VERSIONS``.

        Raises:
            SchemaTooNewError: a newer release made the database.
            ValidationError: there is no such version.
            StorageError: the downgrade would lose data.
            DatabaseCorruptionError: rows or pages are damaged; the tables are unchanged.
        """
        with self._errors.translated():
            self._upgrader.change_version(version)
        self._disconnect()

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._disconnect()

    @property
    def _engine(self) -> Engine:
        """Return the engine for transactions that write, as far as the database may be written."""
        engines = self._made_engines()
        return engines.reader if self.read_only else engines.writer

    @property
    def _reader(self) -> Engine:
        """Return the engine for transactions that only read."""
        return self._made_engines().reader

    def _made_engines(self) -> _Engines:
        with self._making_engines:
            if self._engines is None:
                engine = self._engine_maker()
                # SQLAlchemy leaves the BEGIN to the drivers, which know no write lock.
                event.listen(engine, "begin", self._begin)
                event.listen(engine, "before_cursor_execute", _log)
                reader = engine.execution_options(**{self._reads: True})
                self._engines = _Engines(engine, reader)
            return self._engines

    def _disconnect(self) -> None:
        """Close all connections, and have the next use check the version of the tables."""
        self._engine.dispose()
        self._ready = False

    def before_fork(self, deadline: float) -> None:
        """Load what sessions need: a forked process waits forever for a module that is loading."""
        _writing_session()
        self._made_engines()

    def after_fork_in_child(self) -> None:
        """Leave connections and transactions to the parent."""
        self._transactions.invalidate_in_child()
        if self._engines is not None:
            self._engines.writer.dispose(close=False)

    @abstractmethod
    def _begin(self, connection: Connection) -> None:
        """Begin a transaction of the engine."""

    def _empty_log_after(self, notes: dict[Any, Any]) -> None:
        """Empty the log of the database if the notes of a transaction say that it erased a secret.

        A server has a log of its own.
        """

    def _new_session(self, kind: type[S], bind: Engine) -> S:
        _writing_session()
        self._prepare()
        # Entities can be read after the commit, when there is no session to load them again.
        return kind(bind, expire_on_commit=False)

    def _prepare(self) -> None:
        """Create or upgrade the tables on the first use."""
        if self._ready:
            return
        with self._opening:  # one thread prepares; the others wait for it
            if not self._ready:
                self._upgrader.prepare()
                self._ready = True

    def _require_preparation(self) -> None:
        """Have the next use check the version of the tables again."""
        self._ready = False

    def _read_in(
        self,
        session: WritingSession,
        run: Callable[Concatenate[Executor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function that reads, in the session of the caller."""
        with self._errors.translated(), check_active(session):
            return run(Executor.of(session), *args, **kwargs)

    def _write_in(
        self,
        session: WritingSession,
        run: Callable[Concatenate[Executor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function that writes, in a savepoint of the session of the caller."""
        executor = Executor.of(session)
        with self._errors.translated(), check_active(session), executor.savepoint():
            return run(executor, *args, **kwargs)


def _writing_session() -> type[WritingSession]:
    """Return the class, and have rows verified that any session loads as entities."""
    # Late, since it loads the base classes of all entities (5 ms), which other calls do not need.
    from burndown.database.writing_session import WritingSession

    return WritingSession


def _log(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    log_statement(statement)

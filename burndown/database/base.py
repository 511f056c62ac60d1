"""What holds for every database: sessions, transactions, and one place that translates errors."""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, event, exc
from sqlmodel import Session

from burndown.database.error_chains import raise_alone
from burndown.database.writing_session import WritingSession
from burndown.errors import (
    PersistenceError,
    SchemaTooNewError,
    StorageError,
    TransactionAbortedError,
    TransactionConflictError,
)
from burndown.forks import ForkAware, ForkSafeLock, register_for_forks
from burndown.models import SCHEMA_VERSION
from burndown.schema import VERSIONS, sql_between
from burndown.sql import Executor
from burndown.sql.executor import log_statement
from burndown.transactions import Transactions

__all__ = [
    "BUSY_TIMEOUT_SECONDS",
    "UPGRADE_TIMEOUT_SECONDS",
    "Database",
]

BUSY_TIMEOUT_SECONDS = 10
"""How long a transaction waits for another one that writes."""
UPGRADE_TIMEOUT_SECONDS = 600
"""How long to wait for another process that brings the tables to another version."""
ATTEMPTS = 5
"""How often work is tried that the server could not order among others."""

S = TypeVar("S", bound=Session)
T = TypeVar("T")
P = ParamSpec("P")

_ABORTED = (
    "The transaction cannot go on after an error in it, so nothing of it was stored; begin it again"
)
_OPENED = "burndown_transaction"
"""Where a session has its transaction."""


class Database(ForkAware, ABC):
    """One database, shared by any number of threads.

    Transactions that write come one after the other, so that what one has read is still so when
    it writes; those that read see one state of the data and wait for nobody.
    """

    _readable: Collection[str] = (SCHEMA_VERSION,)
    """The versions that can be read without an upgrade."""

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        self.url = url
        self.read_only = read_only
        self._engine = self._make_engine()
        self._reader = self._make_reader(self._engine)
        event.listen(self._engine, "begin", self._begin)
        event.listen(self._engine, "before_cursor_execute", _log)
        if read_only:
            self._engine = self._reader
        self._transactions: Transactions[WritingSession] = Transactions()
        self._ready = False
        self._opening = ForkSafeLock()
        register_for_forks(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.location!r})"

    @property
    @abstractmethod
    def location(self) -> str:
        """Where it lies, for people: a path, or a URL without its password."""

    @property
    def path(self) -> Path | None:
        """The file of the database; ``None`` if a server keeps it."""
        return None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Begin a session in a transaction that may write.

        It is committed at the end and rolled back on an error. What was edited in place in entities
        that it loaded is stored with what was assigned to them. Only one writes at a time; others
        wait up to 10 seconds for it. It belongs to the thread and the asyncio task that began it,
        wherever it ends. Within another session of theirs it becomes a part of that one, which
        alone commits; an error undoes just this part.

        Raises:
            ValidationError: an entity was edited in place into something not valid.
            StorageError: locked for too long, or by a transaction of the same event loop, disk
                full, read-only or out of reach.
            TransactionAbortedError: the database has ended the transaction before; nothing of it
                was stored.
            TransactionConflictError: the server could not order it among others.
            DatabaseCorruptionError: the data is damaged.
        """
        outer = self._transactions.current()
        if outer is not None:
            with (
                self.translated_errors(),
                self._transactions.opened(outer) as part,
                _active(outer),
                _savepoint(outer),
            ):
                yield outer
                part.check_end()
            return
        with (
            self.translated_errors(),
            self._new_session(WritingSession, self._engine) as new,
            self._transactions.opened(new) as opened,
            new.begin(),
            _active(new),
        ):
            new.info[_OPENED] = opened
            yield new
            opened.check_end()

    @contextmanager
    def read_session(self) -> Iterator[Session]:
        """Begin a session to read in: it sees one state of the data and waits for nobody.

        Within a writing session of the same thread and task it is that one, and sees what that
        wrote.

        Raises:
            StorageError: the database is out of reach.
            DatabaseCorruptionError: the data is damaged.
        """
        outer = self._transactions.current()
        if outer is not None:
            with self.translated_errors(), _active(outer):
                yield outer
            return
        with (
            self.translated_errors(),
            self._new_session(Session, self._reader) as new,
            new.begin(),
        ):
            yield new

    def write(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function in a transaction, or in a savepoint of that of the caller.

        It is called again if the server could not order its transaction among others.

        Args:
            run: a function such as those of :mod:`burndown.repositories`; it is given the executor
                of the transaction, then the arguments.
            args: the positional arguments.
            kwargs: the keyword arguments.

        Raises:
            StorageError: as :meth:`session`.
        """
        outer = self._transactions.current()
        if outer is None:
            self._transactions.raise_on_deadlock()
            return self._write_alone(run, *args, **kwargs)
        executor = Executor.of(outer)
        with self.translated_errors(), _active(outer), executor.savepoint():
            return run(executor, *args, **kwargs)

    def read(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function that runs one statement, in the transaction of the caller or alone.

        Args:
            run: a function such as those of :mod:`burndown.repositories`; it is given the executor
                of the transaction, then the arguments.
            args: the positional arguments.
            kwargs: the keyword arguments.

        Raises:
            StorageError: as :meth:`read_session`.
        """
        outer = self._transactions.current()
        if outer is None:
            return self._read_alone(run, *args, **kwargs)
        with self.translated_errors(), _active(outer):
            return run(Executor.of(outer), *args, **kwargs)

    @abstractmethod
    def exists(self) -> bool:
        """Whether anything has been made here; makes nothing."""

    @abstractmethod
    def size(self) -> int:
        """Bytes on disk; 0 if there is nothing yet."""

    @abstractmethod
    def check_integrity(self) -> tuple[bool, list[str]]:
        """Whether the data is whole, and one text for each problem."""

    @abstractmethod
    def backup(self, target: Path) -> None:
        """Copy what is committed to a new file, which appears complete or not at all.

        Raises:
            StorageError: there is no database or something at the target, the disk is full, or
                the server makes backups with a program of its own, which the error names.
            DatabaseCorruptionError: the data is damaged.
        """

    def adopt(self, built: Path) -> bool:
        """Take the file of a database as this one's, at once; ``False`` if that cannot be."""
        return False

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._engine.dispose()
        self._ready = False

    def after_fork_in_child(self) -> None:
        """Leave connections and transactions to the parent."""
        self._transactions.invalidate_in_child()
        self._engine.dispose(close=False)

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """The one place that turns errors of the database into this package's.

        Raises:
            StorageError: for every error of the driver or of SQLAlchemy.
        """
        try:
            yield
        except self._errors as error:
            raise_alone(self._meaning_of(error).with_traceback(error.__traceback__))
        except PersistenceError as error:  # such as one that says which rule a row broke
            if isinstance(error.__context__, self._errors):
                raise_alone(error)
            raise

    @property
    def _errors(self) -> tuple[type[Exception], ...]:
        """What SQLAlchemy and the driver raise."""
        return exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error

    def _meaning_of(self, error: Exception) -> StorageError:
        if isinstance(error, exc.PendingRollbackError):
            return TransactionAbortedError(_ABORTED)
        original = getattr(error, "orig", None) or error
        if self._is_of_other_tables(original):
            self._ready = False  # the next use brings them to the version of this release
        return original if isinstance(original, StorageError) else self._translated(original)

    @abstractmethod
    def _make_engine(self) -> Engine: ...

    @abstractmethod
    def _make_reader(self, engine: Engine) -> Engine:
        """The same engine, for transactions that only read."""

    @abstractmethod
    def _begin(self, connection: Connection) -> None:
        """What opens a transaction."""

    @abstractmethod
    def schema_version(self) -> str | None:
        """The version of the tables, ``None`` if there are none; changes and makes nothing.

        Raises:
            StorageError: the database is out of reach.
        """

    def sql_of_change(self, version: str) -> str:
        """The SQL that :meth:`change_version` would run; rows are filled in beside it.

        Raises:
            SchemaTooNewError: a newer release made the database.
            StorageError: there is no such version, or no database.
        """
        present = self._present_version(version)
        if present == version:
            return ""
        return sql_between(self.url.get_backend_name(), present, version)

    def change_version(self, version: str) -> None:
        """Bring the tables to a version, up or down, with all that is in them, or change nothing.

        Opening a database brings it to the version of this release by itself; an older version
        lasts until then. A SQLite file is copied beside itself first, as
        ``<name>.<version>.backup``. Of several processes at once, one does it and the others wait.

        Args:
            version: one of :data:`burndown.schema.VERSIONS`.

        Raises:
            SchemaTooNewError: a newer release made the database.
            StorageError: there is no such version, or the way down would lose something.
            DatabaseCorruptionError: rows or pages are damaged; the tables are as they were.
        """
        self._present_version(version)
        with self.translated_errors():
            self._change_version(version)
        self.close()

    def _make_ready(self) -> None:
        """Have tables of the present version, on first use.

        Raises:
            StorageError: it was opened to be read, and there are none.
        """
        version = self.schema_version()
        if self.read_only:
            self._refuse_unreadable(version)
            return
        if version is None:
            self._make_tables()
            version = self.schema_version()  # somebody else may have made them
        self._refuse_too_new(version)
        if version != SCHEMA_VERSION:
            self._change_version(SCHEMA_VERSION)

    def _refuse_unreadable(self, version: str | None) -> None:
        if version is None:
            raise StorageError(
                f"There is no database at {self.location}; `burndown migrate` makes one"
            )
        self._refuse_too_new(version)
        if version not in self._readable:
            raise StorageError(
                f"{self.location} has the schema version {version}, which has to be upgraded "
                "before it can be read; `burndown upgrade` does that"
            )

    def _present_version(self, wanted: str) -> str:
        """The version of the tables, if it and the wanted one are known."""
        if wanted not in VERSIONS:
            known = ", ".join(VERSIONS)
            raise StorageError(f"There is no schema version {wanted!r}; there are {known}")
        present = self.schema_version()
        if present is None:
            raise StorageError(f"There is no database at {self.location}")
        self._refuse_too_new(present)
        return present

    def _refuse_too_new(self, version: str | None) -> None:
        if version is not None and version not in VERSIONS:
            raise SchemaTooNewError(self.location, version, SCHEMA_VERSION)

    @abstractmethod
    def _make_tables(self) -> None: ...

    @abstractmethod
    def _change_version(self, version: str) -> None: ...

    @abstractmethod
    def _is_of_other_tables(self, error: BaseException) -> bool:
        """Whether a table or column was not found, as after a downgrade by another process."""

    @abstractmethod
    def _translated(self, error: BaseException) -> StorageError:
        """What an error of the driver, or of SQLAlchemy itself, means."""

    def _new_session(self, kind: type[S], bind: Engine) -> S:
        self._prepare()
        return kind(bind, expire_on_commit=False)

    def _prepare(self) -> None:
        if self._ready:
            return
        with self._opening:
            if not self._ready:
                self._make_ready()
                self._ready = True

    def _write_alone(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return self._retry(self.session, run, *args, **kwargs)

    def _read_alone(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return self._retry(self.read_session, run, *args, **kwargs)

    def _retry(
        self,
        begin: Callable[[], AbstractContextManager[Session]],
        run: Callable[Concatenate[Executor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        for attempt in range(1, ATTEMPTS):
            try:
                with begin() as session:
                    return run(Executor.of(session), *args, **kwargs)
            except TransactionConflictError:
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
        with begin() as session:
            return run(Executor.of(session), *args, **kwargs)


@event.listens_for(WritingSession, "after_begin")
def _note_lock(session: Session, *_: Any) -> None:
    session.info[_OPENED].holds_lock = True


@contextmanager
def _active(session: Session) -> Iterator[None]:
    """Refuse to go on in a session that has been rolled back by SQLAlchemy.

    Raises:
        TransactionAbortedError: writing its pending objects has failed.
    """
    try:
        yield
    except exc.InvalidRequestError:
        if session.is_active:
            raise
    if not session.is_active:
        raise TransactionAbortedError(_ABORTED)


@contextmanager
def _savepoint(session: WritingSession) -> Iterator[None]:
    part = session.begin_nested()
    try:
        yield
    except BaseException:
        session.note_edits()  # so that they are undone, too
        with suppress(TransactionAbortedError, exc.InvalidRequestError):
            part.rollback()  # unless it has ended already; the error says more
        raise
    part.commit()


def _log(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    log_statement(statement)

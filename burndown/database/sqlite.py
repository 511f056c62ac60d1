"""A database in a SQLite file."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from burndown.database.base import Database
from burndown.database.connection_cache import ConnectionCache
from burndown.database.database_file import DatabaseFile, remove_database
from burndown.database.engine_logging import WITHOUT_VALUES
from burndown.database.error_chains import raise_without_context
from burndown.database.sqlite_backup import (
    back_up,
    integrity_problems,
    page_problems,
    refuse_changed,
)
from burndown.database.sqlite_compaction import (
    can_free_pages,
    checkpoint,
    complete,
    empty_log,
    free_bytes,
    free_pages,
    rewrite,
)
from burndown.database.sqlite_connections import SessionConnection, TrackedConnection
from burndown.database.sqlite_connector import SQLiteConnector
from burndown.database.sqlite_errors import SQLiteErrorTranslator
from burndown.database.sqlite_recognition import contents_of, stored_version
from burndown.database.sqlite_restore import prepare_to_restore, replace_content
from burndown.database.sqlite_upgrade import SQLiteUpgrader
from burndown.database.sqlite_verification import schema_problems, sign_edited_rows, verify_rows
from burndown.errors import (
    DatabaseCorruptionError,
    PersistenceError,
    StorageError,
    StoreLocationError,
    StoreNotFoundError,
)
from burndown.files.errors import storage_errors
from burndown.files.paths import make_folder, sync
from burndown.files.working_folder import working_folder
from burndown.models import SCHEMA_VERSION
from burndown.secrets import keep_keys_away_from
from burndown.sql import ERASES, Executor, log_statement

__all__ = ["SQLiteDatabase", "remove_database"]

T = TypeVar("T")
P = ParamSpec("P")

# As many as the idle connections of small calls. None waits for a connection: with a limit, a
# thread that has a session and needs a second one could wait for itself.
POOL_SIZE = 10
"""The maximum number of idle connections of sessions; any number can be open."""

# Each check takes 3 us, nearly as long as a small read.
FILE_CHECK_SECONDS = 1
"""How often a process looks whether its file was replaced, apart from its commits."""

_READ_ONLY = "burndown_read_only"
"""The option of an engine whose transactions only read."""


class SQLiteDatabase(Database):
    """A database in a file.

    Where the file cannot be written to, it can still be read, and calls that write raise an error
    with the reason.

    Args:
        path: the file; it is created with its folder on the first use.
        read_only: change nothing: create no file, upgrade no tables and leave nothing behind.

    Raises:
        StoreLocationError: the path is empty, a URL or ``:memory:``.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        if str(path) in ("", ":memory:"):
            raise StoreLocationError(
                "SQLite's :memory: belongs to one connection; open `memory:`, which threads share"
            )
        if "://" in str(path):
            raise StoreLocationError("Input should be a path, got a URL; `open_backend` takes both")
        self._path = Path(path).absolute()
        keep_keys_away_from(self._path)
        self._file = DatabaseFile(self._path)
        self._connector = SQLiteConnector(
            self._file,
            read_only=read_only,
            close_idle=self._close_idle,
            on_file_lost=self._leave_file,
        )
        self._cache = ConnectionCache(self._connector.open)
        upgrader = SQLiteUpgrader(
            self._connector,
            self._cache,
            lambda: self._engine.begin(),
            self._begin_to_alter,
            read_only=read_only,
        )
        errors = SQLiteErrorTranslator(self._connector, self._require_preparation)
        url = URL.create("sqlite", database=str(self._path))
        super().__init__(url, self._make_engine, _READ_ONLY, upgrader, errors, read_only=read_only)
        self._check_file_at = 0.0

    @property
    def path(self) -> Path:
        """Return the file of the database."""
        return self._path

    def read(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function that runs one statement, in the transaction of the caller or alone."""
        outer = self._transactions.current()
        if outer is not None:
            return self._read_in(outer, run, *args, **kwargs)
        try:
            self._prepare()
            with self._cache.reader() as executor:
                return run(executor, *args, **kwargs)
        # Not `translated()`: the context manager would take a fifth of the time of a small read.
        except self._errors.types as error:
            raise_without_context(self._errors.translate(error).with_traceback(error.__traceback__))
        # Another process recovers the log or closes the file, for which a session waits.
        with self.read_session() as session:
            return run(Executor.of(session), *args, **kwargs)

    def write_scoped(
        self,
        scope: str | None,
        run: Callable[Concatenate[Executor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function in a transaction, which locks the file, or in a savepoint."""
        outer = self._transactions.current()
        if outer is not None:
            return self._write_in(outer, run, *args, **kwargs)
        self._transactions.raise_on_deadlock()
        try:
            self._prepare()
            with self._cache.writer() as executor:
                result = run(executor, *args, **kwargs)
            self._empty_log_after(executor.notes)
            return result
        except self._errors.types as error:
            raise_without_context(self._errors.translate(error).with_traceback(error.__traceback__))

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection in a transaction; see :func:`burndown.database.get_db_connection`.

        Yields:
            The connection, which is closed at the end.

        Raises:
            StorageError: as :meth:`session`.
        """
        with self._errors.translated():
            self._check_file_at = 0.0
            self._prepare()
            self._transactions.raise_on_deadlock()
            connection = self._connector.open_session()
        try:
            connection.row_factory = sqlite3.Row
            with self._errors.translated():
                self._begin_on(connection)
            with self._transactions.opened(None, holds_lock=True) as opened:
                yield connection
                opened.check_end()
                with self._errors.translated():
                    connection.commit()
        finally:
            connection.close()  # rolls back what was not committed

    def stored_version(self) -> str | None:
        """Return the version of the tables, without a session."""
        return self.read(stored_version)

    def exists(self) -> bool:
        """Return whether there is a file with something in it."""
        return self._file.exists()

    def size(self) -> int:
        """Return the bytes on disk, the log included; 0 if there is no file yet."""
        return self._file.size()

    def free_bytes(self) -> int:
        """Return the bytes in the file that hold nothing; 0 if there is no file yet."""
        return self.read(free_bytes) if self.exists() else 0

    def _compact(self) -> None:
        """Give free pages back, some at a time, with pauses for other writers."""
        if not self.read(can_free_pages):
            with self._errors.translated():
                rewrite(self._connector)
        begun = time.monotonic()
        while self.write(free_pages):
            time.sleep(time.monotonic() - begun)
            begun = time.monotonic()
        with self._errors.translated():
            checkpoint(self._connector)

    def _erase_deleted(self) -> None:
        """Rewrite the file, and empty its log."""
        self._prepare()
        rewrite(self._connector)
        empty_log(self._connector)

    def check_integrity(self) -> tuple[bool, list[str]]:
        """Return whether pages, rows, references and schema are intact, and each problem.

        It changes nothing, whatever version the tables have.
        """
        try:
            with self._errors.translated():
                if not self.exists():
                    self._prepare()
                version = self._upgrader.version()
                if version is None:
                    raise StoreNotFoundError(f"There is no database at {self._path}")
                self._upgrader.refuse_too_new(version)
                with closing(self._connector.open_to_inspect()) as connection:
                    connection.execute("BEGIN")  # others can write meanwhile
                    if problems := contents_of(connection).missing(version):
                        problems += page_problems(connection.execute)  # rows cannot be selected
                    else:
                        problems = integrity_problems(connection.execute)
                        if version == SCHEMA_VERSION:
                            problems += schema_problems(connection.execute)
        except PersistenceError as error:
            problems = [str(error)]
        return not problems, problems

    def integrity_notes(self) -> list[str]:
        """Return the rows that another program has written since they were last accepted."""
        if self.schema_version() != SCHEMA_VERSION:
            return []
        with self._errors.translated(), closing(self._connector.open_to_inspect()) as connection:
            connection.execute("BEGIN")  # others can write meanwhile
            return verify_rows(connection.execute).edited

    def accept_edits(self) -> int:
        """Sign the rows that another program has written; return how many there were.

        Sums and triggers that others have changed or dropped are created anew.

        Raises:
            StorageError: as :meth:`session`.
        """
        with self.session() as session:
            return sign_edited_rows(session.connection())

    def backup(self, target: Path) -> None:
        """Copy what is committed to a new file, with SQLite's online backup.

        Raises:
            StorageError: there is no database, the target exists, or the disk is full.
            DatabaseCorruptionError: the database is damaged.
        """
        if self.schema_version() is None:
            raise StoreNotFoundError(f"There is no database at {self.location}")
        with self._errors.translated(), closing(self._connector.open_to_inspect()) as source:
            back_up(source, target)

    def restore(self, backup: Path) -> Path | None:
        """Replace all content by that of a backup, in one transaction that other processes see.

        Raises:
            StorageError: as :meth:`Database.restore`, and within a transaction.
            DatabaseCorruptionError: the backup is damaged, or the database so badly that it cannot
                be kept.
        """
        if self._transactions.current() is not None:
            raise StorageError("A backup cannot be restored within a transaction")
        refuse_changed(backup)
        with self._errors.translated(), storage_errors():
            make_folder(self._path.parent)
            with working_folder(self._path.parent) as folder:
                content = folder / self._path.name
                _copy_upgraded(backup, content)  # first: without a backup, no file is made
                exists = prepare_to_restore(self._connector, self._upgrader)
                kept = replace_content(self._connector, content, keeps=exists)
            checkpoint(self._connector)
        self._disconnect()
        return kept

    def install_prebuilt(self, built: Path) -> bool:
        """Put the file of another database in the place of this one, atomically.

        Returns:
            ``False`` if this database has a file.

        Raises:
            StorageError: the file system refuses it.
        """
        try:
            sync(built)
            if not self.exists():
                self._file.clear_sidecars()
            try:
                os.link(built, self._path)  # unlike a rename, it fails if there is a file
            except FileExistsError:
                return False
            except OSError:  # a file system without hard links
                built.rename(self._path)
            sync(self._path.parent)
        except OSError as error:
            raise StorageError(f"{self._path} cannot be made: {error.strerror}") from error
        return True

    def _disconnect(self) -> None:
        """Close all connections, and have the next use check the version of the tables."""
        self._connector.tracker.begin_generation()
        self._close_idle()
        self._ready = False

    def before_fork(self, deadline: float) -> None:
        """Close all connections, once other threads have finished with them."""
        super().before_fork(deadline)
        self._is_opening_held = self._opening.acquire(max(0, deadline - time.monotonic()))
        self._connector.tracker.before_fork(deadline)

    def after_fork_in_parent(self) -> None:
        """Allow connections to be opened again."""
        self._connector.tracker.after_fork_in_parent()
        if self._is_opening_held:
            self._opening.release()

    def after_fork_in_child(self) -> None:
        """Leave what could not be closed to the parent."""
        self._connector.tracker.after_fork_in_child()
        self._cache.close()
        super().after_fork_in_child()
        self._ready = False

    def _make_engine(self) -> Engine:
        engine = create_engine(
            self.url,
            creator=self._connector.open_session,
            poolclass=QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=-1,
            **WITHOUT_VALUES,
        )
        event.listen(engine, "checkin", self._check_in)
        return engine

    def _empty_log_after(self, notes: dict[Any, Any]) -> None:
        if notes.pop(ERASES, False):
            checkpoint(self._connector)

    def _prepare(self) -> None:
        if self._connector.is_outdated():
            self._disconnect()
        if self._ready and time.monotonic() > self._check_file_at:
            self._check_file()
        if not self._ready:
            super()._prepare()

    def _check_file(self) -> None:
        """Notice that the file was replaced, so that the new one is opened.

        Raises:
            StorageError: it was deleted. The next call makes a new one.
        """
        self._check_file_at = time.monotonic() + FILE_CHECK_SECONDS
        idle = self._cache.idle_connection()
        if idle is None or idle.file is None or idle.file.is_in_place():
            return
        why = idle.file.what_happened()
        self._leave_file(idle)
        if not self._path.exists():
            raise StorageError(f"{self._path} is gone: {why}. The next call makes a new database")

    def _leave_file(self, connection: TrackedConnection) -> None:
        """Close a file that is not at its path any more, complete and without a log there."""
        file = connection.file
        if file is not None and not file.is_emptied() and not file.has_other_log():
            complete(connection)
            if file.owns_log():
                self._file.clear_sidecars()
        self._disconnect()

    def _begin(self, connection: Connection) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        if not read_only:
            self._transactions.raise_on_deadlock()
        raw = cast(SessionConnection, connection.connection.driver_connection)
        self._begin_on(raw, read_only=read_only)

    def _begin_on(self, connection: SessionConnection, *, read_only: bool = False) -> None:
        if read_only or self._connector.read_only_reason is not None:
            log_statement("BEGIN")
            connection.execute("BEGIN")
        else:
            connection.begin_to_write()

    def _begin_to_alter(self) -> AbstractContextManager[Connection]:
        # An engine of its own, whose connection is not kept: its foreign keys are off.
        engine = create_engine(
            self.url,
            creator=self._connector.open_to_alter,
            poolclass=NullPool,
            **WITHOUT_VALUES,
        )
        event.listen(engine, "begin", self._begin)
        return engine.begin()

    def _close_idle(self) -> None:
        self._cache.close()
        # Not `dispose` of the engine, which makes a new pool: a thread that is about to take a
        # connection would return it to the old one, and it would never be closed.
        if self._engines is not None:
            self._engines.writer.pool.dispose()

    def _check_in(self, raw: SessionConnection | None, record: ConnectionPoolEntry) -> None:
        """Close a connection that is returned after a fork, a close or a lost transaction."""
        if raw is None:  # closed already, since its statement was interrupted
            return
        raw.thread = 0
        if raw.is_aborted or raw.generation != self._connector.tracker.generation:
            record.invalidate()


def _copy_upgraded(backup: Path, target: Path) -> None:
    """Copy a backup to a new file, in the version of this release and checked.

    Raises:
        StorageError: there is no such backup.
        DatabaseCorruptionError: it is damaged.
        SchemaTooNewError: a newer release made it.
        ForeignDatabaseError: it belongs to another program.
    """
    with closing(SQLiteDatabase(backup, read_only=True)) as source:
        source._upgrader.refuse_too_new(source.schema_version())
        source.backup(target)
    with closing(SQLiteDatabase(target)) as copy:
        copy._prepare()
        is_intact, problems = copy.check_integrity()
    if not is_intact:
        raise DatabaseCorruptionError(f"{backup} is damaged: {'; '.join(problems[:5])}")

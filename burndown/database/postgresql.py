"""A database on a PostgreSQL server, or on one that speaks its protocol."""

import os
import random
import select
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, func
from sqlalchemy import select as sql_select
from sqlalchemy.pool import ConnectionPoolEntry

from burndown import models
from burndown.database.base import Database
from burndown.database.database_url import ServerAddress
from burndown.database.engine_logging import WITHOUT_VALUES
from burndown.database.error_translation import check_active
from burndown.database.postgresql_backup import (
    back_up,
    dump_command,
    dump_version,
    restore_command,
)
from burndown.database.postgresql_errors import PostgreSQLErrorTranslator, RunAgain
from burndown.database.postgresql_executor import (
    SAVEPOINT,
    BatchExecutor,
    Block,
    Query,
    run_in_block,
)
from burndown.database.postgresql_integrity import checksum_notes, integrity_problems
from burndown.database.postgresql_locks import lock_expressions
from burndown.database.postgresql_settings import asks_read_only, select_settings
from burndown.database.postgresql_upgrade import PostgreSQLUpgrader
from burndown.database.writing_session import WritingSession
from burndown.errors import (
    MissingExtraError,
    PersistenceError,
    StorageError,
    StoreNotFoundError,
    TransactionAbortedError,
    TransactionConflictError,
)
from burndown.settings import UPGRADE_TIMEOUT_SECONDS, get_settings
from burndown.sql import Executor, log_statement

if TYPE_CHECKING:
    from burndown.database.postgresql_channel import Channel

__all__ = ["PostgreSQLDatabase"]

T = TypeVar("T")
P = ParamSpec("P")

# 20 threads that read and pause made 710 calls per second with 5 idle connections, since a seventh
# of the calls opened one; 930 with 10, as many as with 20.
MAX_IDLE = 10
"""The maximum number of idle connections."""
CONNECT_TIMEOUT_SECONDS = 10
"""The seconds to wait for the server when connecting, unless the URL has a value."""
ATTEMPTS = 5
"""How often a call runs that the server could not order among others, before it fails."""

_DEFAULTS = {
    "fallback_application_name": "burndown",
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
}
_REQUIRED = {
    "client_encoding": "utf8",
    # No prepared statements: a pooler may run the next statement on another server connection.
    "prepare_threshold": None,
}

_READS = "burndown_reads"
"""The option of an engine whose transactions only read."""
_ALTERS = "burndown_alters"
"""The option of an engine whose transactions alter tables."""
_BEGINS_LATER = "burndown_begins_later"
"""The option of a connection whose transaction begins with its first statement on the channel."""
_CHANNEL = "burndown_channel"
"""The key of a connection's channel."""

_BEGIN_TO_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"  # one state of the data
# A stricter level would not see what was committed while this waits for the lock.
_BEGIN_TO_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
_ACCESS = {True: " READ ONLY", False: " READ WRITE", None: ""}
"""By whether the URL asks for read-only transactions; ``None`` leaves it to the server."""
_REFUSE_WRITES = "pg_catalog.set_config('transaction_read_only', 'on', true)"
_QUALIFIED = """
SELECT pg_catalog.format('%%I.%%I', nspname, relname) FROM pg_catalog.unnest(%s::text[]) AS name
JOIN pg_catalog.pg_class ON pg_class.oid = pg_catalog.to_regclass(name)
JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace"""
"""The names of tables with their schemas, quoted."""

_SERVER = """
SELECT pg_catalog.current_setting('server_version_num')::int, pg_catalog.quote_ident(nspname)
FROM (VALUES (1)) AS one LEFT JOIN pg_catalog.pg_class
    ON pg_class.oid = pg_catalog.to_regclass('app_state')
LEFT JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace"""
"""The version of the server, and the quoted name of the schema of the tables."""


class PostgreSQLDatabase(Database):
    """A database on a server.

    Args:
        url: such as ``postgresql+psycopg://user:password@host/name``, with any parameters of
            libpq. Tables are found by the search path, and created in the first schema of it.

    Raises:
        StorageError: the URL is invalid.
        MissingExtraError: the driver is not installed.
    """

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        self._address = ServerAddress.of(url)
        self._connected: weakref.WeakSet[Any] = weakref.WeakSet()
        settings = get_settings()
        self._busy_timeout = settings.busy_timeout
        self._max_connections = settings.max_connections
        self._begin_to_write = (
            _BEGIN_TO_WRITE + _ACCESS[True if read_only else asks_read_only(self._address.settings)]
        )
        self._settings_to_read = self._settings(_REFUSE_WRITES)
        engine = self._make_engine()
        self._dialect = engine.dialect
        reader = engine.execution_options(**{_READS: True})
        writer = reader if read_only else engine
        upgrader = PostgreSQLUpgrader(
            self._address.url.render_as_string(),
            reader,
            writer.begin,
            writer.execution_options(**{_ALTERS: True}).begin,
            read_only=read_only,
        )
        driver = engine.dialect.loaded_dbapi
        errors = PostgreSQLErrorTranslator(
            self._address, driver, self._busy_timeout, self._require_preparation
        )
        super().__init__(
            self._address.url, lambda: engine, _READS, upgrader, errors, read_only=read_only
        )
        event.listen(self._engine, "connect", self._open_channel)
        event.listen(self._engine, "checkout", _refuse_closed)
        event.listen(self._engine, "before_cursor_execute", _send_queued)
        event.listen(self._engine, "commit", _commit)
        event.listen(self._engine, "rollback", _discard_queued)
        event.listen(self._engine, "rollback", _drop_closed)
        event.listen(self._engine, "rollback_savepoint", _drop_closed)

    def read(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function that runs one statement, in the transaction of the caller or alone."""
        outer = self._transactions.current()
        if outer is not None:
            return self._read_in(outer, run, *args, **kwargs)

        def read_on(channel: "Channel") -> T:
            executor = BatchExecutor(self._dialect, channel, self._settings_to_read)
            result = run(executor, *args, **kwargs)
            executor.receive()
            return result

        return self._ordered(read_on)

    def write_scoped(
        self,
        scope: str | None,
        run: Callable[Concatenate[Executor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function in a transaction, or in a savepoint of that of the caller."""
        outer = self._transactions.current()
        if outer is not None:
            return self._write_in(outer, run, *args, **kwargs)
        self._transactions.raise_on_deadlock()
        begin: list[Query] = [(self._begin_to_write, ()), self._settings_to_write(scope)]
        block = Block(begin, undo=["ROLLBACK"], end="COMMIT")

        def write_on(channel: "Channel") -> T:
            return run_in_block(self._dialect, channel, block, run, *args, **kwargs)

        return self._ordered(write_on)

    def _ordered(self, call: Callable[["Channel"], T]) -> T:
        """Make a call, again if the server could not order its transaction among others."""
        for attempt in range(1, ATTEMPTS):
            try:
                with self._errors.translated():
                    self._prepare()
                    return self._on_connection(call)
            except TransactionConflictError:
                # Random and growing, so that calls that were in conflict do not meet again.
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
        with self._errors.translated():
            return self._on_connection(call)

    def _on_connection(self, call: Callable[["Channel"], T]) -> T:
        """Make a call, and once more if its connection was lost before anything was committed.

        The server, or a pooler, may have closed the connection since it was used last.
        """
        channel: Channel | None = None
        try:
            with self._channel() as channel:
                return call(channel)
        except (RunAgain, self._dialect.loaded_dbapi.OperationalError) as error:
            is_lost = channel is not None and channel.is_lost
            if not is_lost and not isinstance(error, RunAgain):
                raise
        with self._channel() as channel:
            return call(channel)

    def exists(self) -> bool:
        """Return whether the tables are there."""
        return self.schema_version() is not None

    def size(self) -> int:
        """Return the bytes that the tables take with their indexes."""
        if not self.exists():
            return 0
        sizes = (func.pg_total_relation_size(table.name) for table in models.METADATA.sorted_tables)
        with self._errors.translated(), self._reader.connect() as connection:
            return sum(connection.execute(sql_select(size)).scalar_one() for size in sizes)

    def free_bytes(self) -> None:
        """Return ``None``: the server tells it only with an extension."""

    def _compact(self) -> None:
        """Have the server reuse the space of deleted rows, and truncate tables that end with it."""
        self._vacuum("VACUUM", [table.name for table in models.METADATA.sorted_tables])

    def _erase_deleted(self) -> None:
        """Have the server rewrite the tables that hold secrets."""
        self._vacuum("VACUUM FULL", [str(each.__tablename__) for each in models.OPEN_ENTITIES])

    def _vacuum(self, command: str, names: list[str]) -> None:
        with self.read_session() as session:
            tables = session.connection().exec_driver_sql(_QUALIFIED, (names,)).scalars().all()
        # VACUUM runs outside of transactions, and so without the search path of the URL.
        autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with self._errors.translated(), autocommit.connect() as connection:
            for table in tables:
                connection.exec_driver_sql(f"{command} {table}")

    def integrity_notes(self) -> list[str]:
        """Return a string if the server has no checksums of its pages."""
        with self.read_session() as session:
            return checksum_notes(session.connection())

    def check_integrity(self) -> tuple[bool, list[str]]:
        """Return whether constraints and indexes are valid and no row lacks its owner.

        The server checks its pages itself, if it was set up with checksums.
        """
        try:
            with self.read_session() as session:
                problems = integrity_problems(session.connection())
        except PersistenceError as error:
            problems = [str(error)]
        return not problems, problems

    def after_fork_in_child(self) -> None:
        """Leave connections and transactions to the parent, whose sockets this process has too."""
        for raw in self._connected:
            if not raw.closed:
                _disconnect(raw.fileno())
        self._connected.clear()
        super().after_fork_in_child()

    def backup(self, target: Path) -> None:
        """Run ``pg_dump``, where one is installed that knows the version of the server.

        Raises:
            StorageError: there is none, and the error has the command to run; or it fails.
        """
        command = dump_command(self._address, target)
        version = dump_version()
        if version is None:
            raise StorageError(
                "PostgreSQL makes backups with its own program, which is not installed here; "
                f"run: {command}"
            )
        with self.read_session() as session:
            number, schema = session.connection().exec_driver_sql(_SERVER).one()
        if schema is None:
            raise StoreNotFoundError(f"There is no database at {self.location}")
        if version < number // 10_000:
            raise StorageError(
                f"The server has version {number // 10_000}, and pg_dump {version} cannot read "
                f"it; with a newer one, run: {command}"
            )
        back_up(self._address, schema, target)

    def restore(self, backup: Path) -> None:
        """Raise an error that has the command for it with the server's own program.

        Raises:
            StorageError: always.
        """
        raise StorageError(
            "PostgreSQL restores backups with its own program; stop what uses the database, and "
            f"run: {restore_command(self._address, backup)}"
        )

    def _make_engine(self) -> Engine:
        idle = min(MAX_IDLE, self._max_connections)
        try:
            engine = create_engine(
                # Only the driver: the repr of an engine shows its URL, but not its connect_args.
                self._address.url.drivername + "://",
                pool_size=idle,
                max_overflow=self._max_connections - idle,
                pool_timeout=self._busy_timeout,
                **WITHOUT_VALUES,
                connect_args={**_DEFAULTS, **self._address.parameters, **_REQUIRED},
            )
        except ImportError:
            raise MissingExtraError("PostgreSQL needs its driver", "postgres") from None
        libpq: Any = engine.dialect.loaded_dbapi
        self._address.refuse_unknown(
            {each.keyword.decode() for each in libpq.pq.Conninfo.get_defaults()}
        )
        return engine

    def _open_channel(self, raw: Any, record: ConnectionPoolEntry) -> None:
        from burndown.database.postgresql_channel import Channel  # its driver is optional

        self._connected.add(raw)
        record.info[_CHANNEL] = Channel(raw)

    @contextmanager
    def _channel(self) -> Iterator["Channel"]:
        """Use a connection of the pool, for statements that need no session."""
        pooled = self._engine.raw_connection()
        channel: Channel = pooled.info[_CHANNEL]
        try:
            yield channel
        finally:
            if channel.is_lost:
                pooled.invalidate()
            pooled.close()

    def _begin(self, connection: Connection) -> None:
        if connection.connection.dbapi_connection.autocommit:  # type: ignore[union-attr]
            return
        options = connection.get_execution_options()
        if options.get(_READS):
            begin, settings = _BEGIN_TO_READ, self._settings()
        else:
            self._transactions.raise_on_deadlock()
            wait = UPGRADE_TIMEOUT_SECONDS if options.get(_ALTERS) else None
            begin, settings = self._begin_to_write, self._settings_to_write(None, wait)
        channel = _channel(connection)
        log_statement(begin)
        channel.queue(begin)
        channel.queue(*settings)
        if not options.get(_BEGINS_LATER):
            channel.exchange()

    def _settings(self, *expressions: str, lock_timeout: float | None = None) -> Query:
        """Return the statement that sets all settings for a transaction, and its parameters."""
        wait = self._busy_timeout if lock_timeout is None else lock_timeout
        calls, parameters = select_settings(self._address.settings, wait)
        return f"SELECT {', '.join([calls, *expressions])}", parameters

    def _settings_to_write(self, scope: str | None, lock_timeout: float | None = None) -> Query:
        """Return the statement that sets all settings, and waits for the locks of a scope."""
        locks, parameters = lock_expressions(scope)
        sql, values = self._settings(locks, lock_timeout=lock_timeout)
        return sql, [*values, *parameters]

    def _read_in(
        self,
        session: WritingSession,
        run: Callable[Concatenate[Executor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function that reads, in the session of the caller."""
        with self._errors.translated(), check_active(session):
            executor = BatchExecutor(self._dialect, _channel_of(session))
            try:
                return run(executor, *args, **kwargs)
            finally:  # also after an error: the begin of the transaction may be queued
                executor.receive()

    def _write_in(
        self,
        session: WritingSession,
        run: Callable[Concatenate[Executor, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a function that writes, in a savepoint of the session of the caller."""
        with self._errors.translated(), check_active(session):
            channel = _channel_of(session)
            return run_in_block(self._dialect, channel, SAVEPOINT, run, *args, **kwargs)


def _channel_of(session: WritingSession) -> "Channel":
    """Return the channel of a session, whose pending changes it has sent."""
    session.flush()
    options = None if session.has_connection else {_BEGINS_LATER: True}
    return _channel(session.connection(execution_options=options))


def _channel(connection: Connection) -> "Channel":
    channel: Channel = connection.connection.info[_CHANNEL]
    return channel


def _send_queued(connection: Connection, *_: object) -> None:
    """Send what belongs before a statement of SQLAlchemy, which does not use the channel."""
    channel = connection.connection.info.get(_CHANNEL)
    if channel is not None:  # it is made after the first ones
        channel.exchange()


def _refuse_closed(raw: Any, *_: object) -> None:
    """Have the pool replace an idle connection that the server has closed, without a round trip.

    Raises:
        DisconnectionError: the server has sent something, which is the reason or the end.
    """
    if raw.closed or _is_readable(raw.fileno()):
        raise exc.DisconnectionError("the server has closed the connection")


def _is_readable(descriptor: int) -> bool:
    if hasattr(select, "poll"):
        ready = select.poll()
        ready.register(descriptor, select.POLLIN)
        return bool(ready.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])


def _commit(connection: Connection) -> None:
    """Commit with what is queued; SQLAlchemy then finds that no transaction is open.

    Raises:
        TransactionAbortedError: a statement of the transaction has failed, for which the server
            would roll back without an error.
    """
    status = connection.connection.dbapi_connection.info.transaction_status  # type: ignore[union-attr]
    if status.name == "INERROR":
        raise TransactionAbortedError(
            "The transaction cannot be committed after an error in it, so nothing of it was "
            "stored; begin it again"
        )
    channel = _channel(connection)
    if channel.is_waiting:
        channel.queue("COMMIT")
        channel.exchange()


def _discard_queued(connection: Connection) -> None:
    """Send nothing more of a transaction that is rolled back."""
    _channel(connection).discard()


def _drop_closed(connection: Connection, *_: object) -> None:
    """Drop a connection that the server closed, without a rollback, whose error would hide why."""
    if connection.connection.dbapi_connection.closed:  # type: ignore[union-attr]
        connection.invalidate()


def _disconnect(descriptor: int) -> None:
    """Replace a socket by the null device, in this process only.

    Closing a connection of the parent would tell the server to end the parent's session.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)

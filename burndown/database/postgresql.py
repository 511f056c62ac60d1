"""A database on a PostgreSQL server, or on one that speaks its protocol."""

import os
import random
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    select,
)
from sqlmodel import Session

from burndown.database.base import Database
from burndown.database.database_url import ServerAddress
from burndown.database.engine_logging import WITHOUT_VALUES
from burndown.database.postgresql_backup import (
    back_up,
    dump_command,
    dump_version,
    restore_command,
)
from burndown.database.postgresql_errors import PostgreSQLErrorTranslator
from burndown.database.postgresql_integrity import checksum_notes, integrity_problems
from burndown.database.postgresql_settings import asks_read_only, select_settings
from burndown.database.postgresql_upgrade import PostgreSQLUpgrader
from burndown.distribution import install_command
from burndown.errors import (
    PersistenceError,
    StorageError,
    StoreNotFoundError,
    TransactionAbortedError,
    TransactionConflictError,
)
from burndown.models import OPEN_ENTITIES, Entity
from burndown.settings import UPGRADE_TIMEOUT_SECONDS, get_settings
from burndown.sql import Executor

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

_READ_ONLY = "postgresql_readonly"
_ALTERS = "burndown_alters"
"""The option of an engine whose transactions alter tables."""

_LOCK_KEYS = int.from_bytes(b"burn") << 32
_WRITE_LOCK = f"""pg_catalog.pg_advisory_xact_lock(
    {_LOCK_KEYS} | coalesce(pg_catalog.to_regclass('app_state')::oid::bigint, 0))"""
"""Orders writers one after the other, as on SQLite: what one has read is unchanged when it writes.

It is an advisory lock, since a lock of a table would make autovacuum wait, too. Its key is the
table's id, so that programs with different search paths wait for each other if they use the same
table. Until the tables are created, all use the same key.
"""

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

# SQLAlchemy's option alone does not set it if the engine was made with a value of its own.
_REFUSE_WRITES = "pg_catalog.set_config('transaction_read_only', 'on', true)"


class PostgreSQLDatabase(Database):
    """A database on a server.

    Args:
        url: such as ``postgresql+psycopg://user:password@host/name``, with any parameters of
            libpq. Tables are found by the search path, and created in the first schema of it.

    Raises:
        StorageError: the URL is invalid, or the driver is not installed.
    """

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        self._address = ServerAddress.of(url)
        self._connected: weakref.WeakSet[Any] = weakref.WeakSet()
        settings = get_settings()
        self._busy_timeout = settings.busy_timeout
        self._max_connections = settings.max_connections
        engine = self._make_engine()
        reader = engine.execution_options(
            isolation_level="REPEATABLE READ",  # all statements see one state of the data
            **{_READ_ONLY: True},
        )
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
        super().__init__(self._address.url, engine, reader, upgrader, errors, read_only=read_only)
        event.listen(self._engine, "connect", lambda raw, _: self._connected.add(raw))
        event.listen(self._engine, "commit", _refuse_aborted)
        event.listen(self._engine, "rollback", _drop_closed)
        event.listen(self._engine, "rollback_savepoint", _drop_closed)

    def read(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function that runs one statement, in the transaction of the caller or alone."""
        outer = self._transactions.current()
        if outer is not None:
            return self._read_in(outer, run, *args, **kwargs)
        return _retry(self.read_session, run, *args, **kwargs)

    def write(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function in a transaction, or in a savepoint of that of the caller."""
        outer = self._transactions.current()
        if outer is not None:
            return self._write_in(outer, run, *args, **kwargs)
        self._transactions.raise_on_deadlock()
        return _retry(self.session, run, *args, **kwargs)

    def exists(self) -> bool:
        """Return whether the tables are there."""
        return self.schema_version() is not None

    def size(self) -> int:
        """Return the bytes that the tables take with their indexes."""
        if not self.exists():
            return 0
        sizes = (func.pg_total_relation_size(table.name) for table in Entity.metadata.sorted_tables)
        with self._errors.translated(), self._reader.connect() as connection:
            return sum(connection.execute(select(size)).scalar_one() for size in sizes)

    def free_bytes(self) -> None:
        """Return ``None``: the server tells it only with an extension."""

    def _compact(self) -> None:
        """Have the server reuse the space of deleted rows, and truncate tables that end with it."""
        self._vacuum("VACUUM", [table.name for table in Entity.metadata.sorted_tables])

    def _erase_deleted(self) -> None:
        """Have the server rewrite the tables that hold secrets."""
        self._vacuum("VACUUM FULL", [str(each.__tablename__) for each in OPEN_ENTITIES])

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
                # A stricter level would not see what was committed while this waits for the lock.
                isolation_level="READ COMMITTED",
                pool_size=idle,
                max_overflow=self._max_connections - idle,
                pool_timeout=self._busy_timeout,
                pool_pre_ping=True,  # a server that was restarted has closed the connections
                **WITHOUT_VALUES,
                execution_options={_READ_ONLY: asks_read_only(self._address.settings)},
                connect_args={**_DEFAULTS, **self._address.parameters, **_REQUIRED},
            )
        except ImportError:
            raise StorageError(
                f"PostgreSQL needs its driver: {install_command('postgres')}"
            ) from None
        libpq: Any = engine.dialect.loaded_dbapi
        self._address.refuse_unknown(
            {each.keyword.decode() for each in libpq.pq.Conninfo.get_defaults()}
        )
        return engine

    def _begin(self, connection: Connection) -> None:
        options = connection.get_execution_options()
        alters = options.get(_ALTERS, False)
        wait = UPGRADE_TIMEOUT_SECONDS if alters else self._busy_timeout
        expressions, parameters = select_settings(self._address.settings, wait)
        if options.get(_READ_ONLY):
            expressions += f", {_REFUSE_WRITES}"
        else:
            self._transactions.raise_on_deadlock()
            expressions += f", {_WRITE_LOCK}"
        # All in one statement, which is one round trip to the server.
        connection.exec_driver_sql(f"SELECT {expressions}", tuple(parameters))


def _retry(
    begin: Callable[[], AbstractContextManager[Session]],
    run: Callable[Concatenate[Executor, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Call a function in a session of its own, again if the server could not order it."""
    for attempt in range(1, ATTEMPTS):
        try:
            with begin() as session:
                return run(Executor.of(session), *args, **kwargs)
        except TransactionConflictError:
            # Random and growing, so that calls that were in conflict do not meet again.
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
    with begin() as session:
        return run(Executor.of(session), *args, **kwargs)


def _refuse_aborted(connection: Connection) -> None:
    """Refuse a commit for which the server would roll back, without an error.

    Raises:
        TransactionAbortedError: a statement of the transaction has failed.
    """
    status = connection.connection.dbapi_connection.info.transaction_status  # type: ignore[union-attr]
    if status.name == "INERROR":
        raise TransactionAbortedError(
            "The transaction cannot be committed after an error in it, so nothing of it was "
            "stored; begin it again"
        )


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

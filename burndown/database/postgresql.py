"""A database on a PostgreSQL server, or on one that speaks its protocol."""

import os
import shlex
import weakref
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    select,
    text,
)

from burndown.database import base
from burndown.database.base import Database
from burndown.database.database_url import ServerAddress
from burndown.database.postgresql_errors import translate
from burndown.database.postgresql_settings import asks_read_only, select_settings
from burndown.distribution import install_command
from burndown.errors import PersistenceError, StorageError, TransactionAbortedError
from burndown.models import Entity
from burndown.schema import change_version, make_schema, stored_version

__all__ = ["PostgreSQLDatabase"]

POOL_SIZE = 5
MAX_OVERFLOW = 15
CONNECT_TIMEOUT_SECONDS = 10

_DEFAULTS = {
    "fallback_application_name": "burndown",
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
}
_REQUIRED = {
    "client_encoding": "utf8",
    "prepare_threshold": None,  # a pooler may run the next statement where none was prepared
}

_READ_ONLY = "postgresql_readonly"
_ALTERS = "burndown_alters"

_LOCK_KEYS = int.from_bytes(b"burn") << 32
_WRITE_LOCK = f"""pg_catalog.pg_advisory_xact_lock(
    {_LOCK_KEYS} | coalesce(pg_catalog.to_regclass('app_state')::oid::bigint, 0))"""
"""Writers come one after the other, as on SQLite: what one has read is still so when it writes.

They lock a table of ours, by whatever search path they find it, or all the same until it is made.
"""

_REFUSE_WRITES = "pg_catalog.set_config('transaction_read_only', 'on', true)"
"""What SQLAlchemy's option says by itself only if the engine was made without one."""

_CREATION_SCHEMA = "SELECT pg_catalog.quote_ident(pg_catalog.current_schema())"
_TABLES_SCHEMA = """
SELECT relnamespace::pg_catalog.regnamespace::text FROM pg_catalog.pg_class
WHERE oid = pg_catalog.to_regclass('app_state')
"""
_SET_SEARCH_PATH = "SELECT pg_catalog.set_config('search_path', %s, true)"

_OURS: Any = bindparam("tables", expanding=True)
_NOT_VALIDATED = text("""
SELECT conrelid::regclass::text, conname FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
WHERE relname IN :tables AND pg_table_is_visible(conrelid) AND NOT convalidated
""").bindparams(_OURS)
_INVALID_INDEXES = text("""
SELECT indexrelid::regclass::text FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid
WHERE relname IN :tables AND pg_table_is_visible(indrelid) AND NOT indisvalid
""").bindparams(_OURS)


class PostgreSQLDatabase(Database):
    """A database on a server.

    Args:
        url: such as ``postgresql+psycopg://user:password@host/name``, with any parameters of
            libpq. Tables are found by the search path, and created in the first schema of it.

    Raises:
        StorageError: the URL is not possible, or the driver is not installed.
    """

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        self._address = ServerAddress.of(url)
        self._connected: weakref.WeakSet[Any] = weakref.WeakSet()
        super().__init__(self._address.url, read_only=read_only)
        event.listen(self._engine, "connect", lambda raw, _: self._connected.add(raw))
        event.listen(self._engine, "commit", _refuse_aborted)
        event.listen(self._engine, "rollback", _drop_closed)
        event.listen(self._engine, "rollback_savepoint", _drop_closed)

    @property
    def location(self) -> str:
        """The URL without its secrets."""
        return self.url.render_as_string()

    def exists(self) -> bool:
        """Return whether the tables are there."""
        return self.schema_version() is not None

    def size(self) -> int:
        """Return the bytes that the tables take with their indexes."""
        if not self.exists():
            return 0
        sizes = (func.pg_total_relation_size(table.name) for table in _tables())
        with self.translated_errors(), self._reader.connect() as connection:
            return sum(connection.execute(select(size)).scalar_one() for size in sizes)

    def check_integrity(self) -> tuple[bool, list[str]]:
        """Whether constraints and indexes hold and every row can be read and has its owner.

        The server itself checks its pages, if it was set up with checksums.
        """
        try:
            with self.read_session() as session:
                connection = session.connection()
                ours = {"tables": [table.name for table in _tables()]}
                problems = [
                    f"constraint {name} of {table} has not been validated"
                    for table, name in connection.execute(_NOT_VALIDATED, ours)
                ]
                problems += [
                    f"index {name} is not valid"
                    for (name,) in connection.execute(_INVALID_INDEXES, ours)
                ]
                for table in _tables():
                    problems += _orphans(connection, table)
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
        """Name the program of the server that makes a backup.

        Raises:
            StorageError: always.
        """
        url = self.url
        host = url.host or url.query.get("host")
        port = url.port or url.query.get("port")
        connection = {"--host": host, "--port": port, "--username": url.username}
        options = [f"{name}={value}" for name, value in connection.items() if value is not None]
        named = [url.database] if url.database else []
        command = shlex.join(["pg_dump", *options, "--format=custom", f"--file={target}", *named])
        raise StorageError(f"PostgreSQL makes backups with its own program; run: {command}")

    def _make_engine(self) -> Engine:
        try:
            engine = create_engine(
                self.url.drivername + "://",  # no repr of an engine shows what is in connect_args
                isolation_level="READ COMMITTED",  # what is read after waiting for the lock is new
                pool_size=POOL_SIZE,
                max_overflow=MAX_OVERFLOW,
                pool_timeout=base.BUSY_TIMEOUT_SECONDS,
                pool_pre_ping=True,
                hide_parameters=True,
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

    def _make_reader(self, engine: Engine) -> Engine:
        return engine.execution_options(isolation_level="REPEATABLE READ", **{_READ_ONLY: True})

    def _begin(self, connection: Connection) -> None:
        options = connection.get_execution_options()
        alters = options.get(_ALTERS, False)
        wait = base.UPGRADE_TIMEOUT_SECONDS if alters else base.BUSY_TIMEOUT_SECONDS
        expressions, parameters = select_settings(self._address.settings, wait)
        if options.get(_READ_ONLY):
            expressions += f", {_REFUSE_WRITES}"
        else:
            self._transactions.raise_on_deadlock()
            expressions += f", {_WRITE_LOCK}"
        connection.exec_driver_sql(f"SELECT {expressions}", tuple(parameters))

    def schema_version(self) -> str | None:
        """The version of the tables.

        Raises:
            StorageError: the server is out of reach.
        """
        with self.translated_errors(), self._reader.connect() as connection:
            return stored_version(connection)

    def _make_tables(self) -> None:
        with self._engine.begin() as connection:
            if stored_version(connection) is None:
                _work_within(connection, _CREATION_SCHEMA)
                make_schema(connection, self.location)

    def _change_version(self, version: str) -> None:
        with self._engine.execution_options(**{_ALTERS: True}).begin() as connection:
            present = stored_version(connection)
            self._refuse_too_new(present)
            if present != version:
                _work_within(connection, _TABLES_SCHEMA)
                change_version(connection, version)

    def _is_of_other_tables(self, error: BaseException) -> bool:
        return getattr(error, "sqlstate", None) in ("42P01", "42703")  # undefined table, column

    def _translated(self, error: BaseException) -> StorageError:
        return translate(error, self._address, self._engine.dialect.loaded_dbapi)


def _work_within(connection: Connection, schema: str) -> None:
    """Have a transaction find and create tables in one schema only, which a SELECT gives.

    Raises:
        StorageError: there is no such schema.
    """
    name = connection.exec_driver_sql(schema).scalar()
    if name is None:
        path = connection.exec_driver_sql("SHOW search_path").scalar_one()
        raise StorageError(
            f"No schema of the search path {path} exists; run CREATE SCHEMA, or name another one "
            "in the URL: ?options=-csearch_path=NAME"
        )
    connection.exec_driver_sql(_SET_SEARCH_PATH, (name,))


def _refuse_aborted(connection: Connection) -> None:
    """Refuse a commit that the server would answer with a rollback, without an error.

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
    """Leave a connection that the server closed without a rollback, whose error would hide why."""
    if connection.connection.dbapi_connection.closed:  # type: ignore[union-attr]
        connection.invalidate()


def _disconnect(descriptor: int) -> None:
    """Have whatever is sent on a socket go nowhere, in this process alone."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _tables() -> list[Table]:
    return Entity.metadata.sorted_tables


def _orphans(connection: Connection, table: Table) -> list[str]:
    """Rows whose owner is not there, which only a superuser can bring about."""
    problems = []
    for foreign in table.foreign_key_constraints:
        parent = foreign.referred_table
        of_parent = [key.column == key.parent for key in foreign.elements]
        lost: Any = ~select(1).select_from(parent).where(*of_parent).exists()
        count = connection.execute(select(func.count()).select_from(table).where(lost)).scalar_one()
        if count:
            problems.append(
                f"{count} rows of {table.name} belong to rows of {parent.name} that are not there"
            )
    return problems

"""A database on a PostgreSQL server, or on one that speaks its protocol."""

from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    create_engine,
    func,
    inspect,
    select,
    text,
)
from sqlmodel import SQLModel

from burndown.database import base
from burndown.database.base import Database
from burndown.errors import (
    DatabaseCorruptionError,
    PersistenceError,
    StorageError,
    TransactionConflictError,
)
from burndown.models import AppState
from burndown.schema import change_version, make_schema, stored_version

__all__ = ["PostgreSQLDatabase"]

POOL_SIZE = 5
MAX_OVERFLOW = 15
CONNECT_TIMEOUT_SECONDS = 10

_READ_ONLY = "postgresql_readonly"
_ALTERS = "burndown_alters"
_WRITE_LOCK = "SELECT pg_advisory_xact_lock(hashtext('burndown'), hashtext(current_schema()))"
"""Writers come one after the other, as on SQLite: what one has read is still so when it writes."""

_CONFLICTS = ("40001", "40P01")
_LOCKED = "55P03"
_CORRUPT = ("XX001", "XX002")
_FOREIGN_ROWS = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND NOT convalidated
"""
_INVALID_INDEXES = """
SELECT indexrelid::regclass::text FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = current_schema()::regnamespace AND NOT indisvalid
"""


class PostgreSQLDatabase(Database):
    """A database on a server.

    Args:
        url: such as ``postgresql+psycopg://user:password@host/name``; the tables lie in the first
            schema of the ``search_path``.

    Raises:
        StorageError: the driver is not installed.
    """

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        super().__init__(url.set(drivername="postgresql+psycopg"), read_only=read_only)

    @property
    def location(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def exists(self) -> bool:
        """Whether the tables are there."""
        with self.translated_errors(), self._reader.connect() as connection:
            return inspect(connection).has_table(AppState.__tablename__)

    def size(self) -> int:
        """Bytes that the tables take with their indexes."""
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
                problems = [
                    f"constraint {name} of {table} has not been validated"
                    for table, name in connection.execute(text(_FOREIGN_ROWS))
                ]
                problems += [
                    f"index {name} is not valid"
                    for (name,) in connection.execute(text(_INVALID_INDEXES))
                ]
                for table in _tables():
                    problems += _orphans(connection, table)
        except PersistenceError as error:
            problems = [str(error)]
        return not problems, problems

    def _make_engine(self) -> Engine:
        try:
            return create_engine(
                self.url,
                pool_size=POOL_SIZE,
                max_overflow=MAX_OVERFLOW,
                pool_timeout=base.BUSY_TIMEOUT_SECONDS,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={
                    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                    "application_name": "burndown",
                    "options": f"-c timezone=UTC -c lock_timeout={base.BUSY_TIMEOUT_SECONDS}s",
                },
            )
        except ImportError:
            raise StorageError(
                'PostgreSQL needs its driver: python -m pip install "burndown[postgres]"'
            ) from None

    def _make_reader(self, engine: Engine) -> Engine:
        return engine.execution_options(isolation_level="REPEATABLE READ", **{_READ_ONLY: True})

    def _begin(self, connection: Connection) -> None:
        if connection.get_execution_options().get(_ALTERS, False):
            wait = f"{base.UPGRADE_TIMEOUT_SECONDS}s"
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{wait}'")
        if not connection.get_execution_options().get(_READ_ONLY, False):
            connection.exec_driver_sql(_WRITE_LOCK)

    def schema_version(self) -> str | None:
        """The version of the tables.

        Raises:
            StorageError: the server is out of reach.
        """
        with self.translated_errors(), self._reader.connect() as connection:
            return stored_version(connection)

    def _make_tables(self) -> None:
        with self._engine.begin() as connection:
            make_schema(connection, self.location)

    def _change_version(self, version: str) -> None:
        with self._engine.execution_options(**{_ALTERS: True}).begin() as connection:
            present = stored_version(connection)
            self._refuse_too_new(present)
            if present != version:
                change_version(connection, version)

    def _translated(self, error: BaseException) -> StorageError:
        state = getattr(error, "sqlstate", None)
        if state in _CONFLICTS:
            return TransactionConflictError(
                "The server could not order this transaction among others; try it again"
            )
        if state == _LOCKED:
            return StorageError(
                f"The database is locked: another transaction has been writing for more than "
                f"{base.BUSY_TIMEOUT_SECONDS} seconds"
            )
        if state in _CORRUPT:
            return DatabaseCorruptionError(f"The database is damaged: {self._said(error)}")
        if isinstance(error, self._engine.dialect.loaded_dbapi.OperationalError) and (
            state is None or state[:2] in ("08", "28", "3D", "57")
        ):
            return StorageError(
                f"The database server {self.url.host or 'on this machine'} is out of reach: "
                f"{self._said(error)}"
            )
        return StorageError(f"The database failed: {self._said(error)}")

    def _said(self, error: BaseException) -> str:
        """What the server or the driver said, in one line, without the password or any row."""
        primary = getattr(getattr(error, "diag", None), "message_primary", None)
        said = " ".join((primary or str(error)).split())
        return said.replace(str(self.url.password), "***") if self.url.password else said


def _tables() -> list[Table]:
    return SQLModel.metadata.sorted_tables


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

"""Creating and upgrading the tables in a schema of a PostgreSQL server."""

from sqlalchemy import Connection, Engine

from burndown.database.upgrade import Begin, SchemaUpgrader
from burndown.errors import StorageError
from burndown.schema import stored_version

__all__ = ["PostgreSQLUpgrader"]

_CREATION_SCHEMA = "SELECT pg_catalog.quote_ident(pg_catalog.current_schema())"
_TABLES_SCHEMA = """
SELECT relnamespace::pg_catalog.regnamespace::text FROM pg_catalog.pg_class
WHERE oid = pg_catalog.to_regclass('app_state')
"""
_SET_SEARCH_PATH = "SELECT pg_catalog.set_config('search_path', %s, true)"


class PostgreSQLUpgrader(SchemaUpgrader):
    """The creation and upgrade of the tables of a PostgreSQL database.

    Args:
        location: where the database is, for errors.
        reader: the engine for transactions that only read.
        begin: begins a transaction to create tables in.
        begin_to_alter: begins a transaction to alter tables in.
        read_only: create and change nothing.
    """

    def __init__(
        self, location: str, reader: Engine, begin: Begin, begin_to_alter: Begin, *, read_only: bool
    ) -> None:
        super().__init__(location, "postgresql", begin, begin_to_alter, read_only=read_only)
        self._reader = reader

    def version(self) -> str | None:
        """Return the version of the tables, or ``None`` if there are none."""
        with self._reader.connect() as connection:
            return stored_version(connection)

    def _create_in(self, connection: Connection) -> None:
        _restrict_to_schema(connection, _CREATION_SCHEMA)
        super()._create_in(connection)

    def _change_in(self, connection: Connection, current: str | None, version: str) -> None:
        _restrict_to_schema(connection, _TABLES_SCHEMA)
        super()._change_in(connection, current, version)


def _restrict_to_schema(connection: Connection, selection: str) -> None:
    """Let a transaction find and create tables in one schema only.

    With a search path of several schemas, a table of the same name in a later one would be taken
    for ours, and left uncreated or altered.

    Args:
        connection: in a transaction.
        selection: the SELECT that gives the schema.

    Raises:
        StorageError: there is no such schema.
    """
    name = connection.exec_driver_sql(selection).scalar()
    if name is None:
        path = connection.exec_driver_sql("SHOW search_path").scalar_one()
        raise StorageError(
            f"No schema of the search path {path} exists; run CREATE SCHEMA, or name another one "
            "in the URL: ?options=-csearch_path=NAME"
        )
    connection.exec_driver_sql(_SET_SEARCH_PATH, (name,))

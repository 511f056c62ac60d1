"""The versions of the tables, and the way from one to another.

Which version a database has stands in ``alembic_version``, as Alembic keeps it; the app state
``schema_version`` follows it, for people and programs that look there. A database of version 1.0
was made without that table. Alembic itself is imported only when there is something to do.
"""

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select
from sqlmodel import SQLModel

from burndown.models import SCHEMA_VERSION, AppState

__all__ = [
    "VERSIONS",
    "change_version",
    "make_schema",
    "note_version",
    "sql_between",
    "stored_version",
]

VERSIONS = {
    "1.0": "profiles, queries and what hangs on them, the app state, tasks",
    "1.1": "cached answers: number of issues, completeness; queries: time of the last edit",
}
"""All versions, oldest first, with what each brought; ``versions`` has a script for each."""

_FIRST = next(iter(VERSIONS))
_NOTE = "schema_version"

_alembic_version = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), primary_key=True)
)
_app_state = SQLModel.metadata.tables[AppState.__tablename__]


def stored_version(connection: Connection) -> str | None:
    """The version of the tables that are there; ``None`` if there are none."""
    tables = inspect(connection)
    if tables.has_table(_alembic_version.name):
        noted = connection.execute(select(_alembic_version.c.version_num)).scalars().first()
        if noted is not None:
            return str(noted)
    return _FIRST if tables.has_table(_app_state.name) else None


def make_schema(connection: Connection) -> None:
    """Make all tables in the present version, unless there are some."""
    if stored_version(connection) is None:
        SQLModel.metadata.create_all(connection)
        note_version(connection, SCHEMA_VERSION)


def note_version(connection: Connection, version: str) -> None:
    """Have the database say that it is of this version."""
    _alembic_version.create(connection, checkfirst=True)
    connection.execute(_alembic_version.delete())
    connection.execute(_alembic_version.insert().values(version_num=version))
    connection.execute(_app_state.delete().where(_app_state.c.key == _NOTE))
    connection.execute(_app_state.insert().values(key=_NOTE, value=version))


def change_version(connection: Connection, version: str) -> None:
    """Bring the tables to this version, up or down, with all that is in them.

    Args:
        connection: in a transaction; on SQLite with ``foreign_keys`` off.
        version: one of :data:`VERSIONS`.

    Raises:
        StorageError: the way down would lose something.
    """
    from burndown.schema import alembic_runner  # it takes longer than all else here

    present = stored_version(connection)
    if present is not None:
        note_version(connection, present)  # a database of version 1.0 does not say so
    alembic_runner.run(connection, present, version)
    note_version(connection, version)


def sql_between(dialect: str, present: str, version: str) -> str:
    """The SQL that leads from one version to another; Python fills rows in between.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        present: the version to begin with.
        version: the version to end with.
    """
    from burndown.schema import alembic_runner

    return alembic_runner.render(dialect, present, version)

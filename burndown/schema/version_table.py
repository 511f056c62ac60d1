"""Reading and recording the version of the tables, at the place that each version uses.

It is also recorded as the app state ``schema_version``, for people and programs that look there.
"""

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    String,
    Table,
    column,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.base import Executable

from burndown.errors import StorageError
from burndown.schema.recognition import (
    ALEMBIC_TABLE,
    APPLICATION_ID,
    TABLES,
    VERSION_TABLE,
    Contents,
)

__all__ = ["OLD_VERSIONS", "contents_of", "insert_version", "record_version", "recorded_version"]

OLD_VERSIONS = ("1.0", "1.1")
"""The versions without a version table of our own; the second used Alembic's."""

_VERSION_KEY = "schema_version"
"""The key of the app state that has the version."""

_UNREADABLE = "unreadable"
"""Stands for the rows of a table that we may not read: it is another program's."""
# Asked first: a refused SELECT would end the transaction on PostgreSQL.
_MAY_READ = text(f"SELECT has_table_privilege('{ALEMBIC_TABLE}', 'SELECT')")


def _version_table(name: str) -> Table:
    return Table(name, MetaData(), Column("version_num", String(32), primary_key=True))


_own = _version_table(VERSION_TABLE)
_alembic = _version_table(ALEMBIC_TABLE)
# Only what every version has.
_app_state = table("app_state", column("key", String), column("value", String))


def recorded_version(connection: Connection) -> str | None:
    """Return the version in our own table, or ``None``."""
    # Inspected first: a SELECT that fails would end the transaction on PostgreSQL.
    if not inspect(connection).has_table(_own.name):
        return None
    recorded = connection.execute(select(_own.c.version_num)).scalars().first()
    return None if recorded is None else str(recorded)


def contents_of(connection: Connection) -> Contents:
    """Return the parts of a database by which it is recognized."""
    found = inspect(connection).get_multi_columns(filter_names=[*TABLES, ALEMBIC_TABLE])
    columns = {name: {each["name"] for each in rows} for (_, name), rows in found.items()}
    return Contents(columns, recorded_version(connection), _alembic_rows(connection, columns))


def _alembic_rows(connection: Connection, columns: Mapping[str, Collection[str]]) -> list[str]:
    if "version_num" not in columns.get(ALEMBIC_TABLE, ()):
        return []
    if connection.dialect.name == "postgresql" and not connection.execute(_MAY_READ).scalar():
        return [_UNREADABLE]
    return list(map(str, connection.execute(select(_alembic.c.version_num)).scalars()))


def insert_version(version: str) -> Iterator[Executable]:
    """Yield the statements that record the version in our own table, where Alembic looks for it."""
    yield CreateTable(_own, if_not_exists=True)
    yield _own.delete()
    yield _own.insert().values(version_num=version)


def record_version(version: str, dialect: str, alembic: Collection[str]) -> Iterator[Executable]:
    """Yield the statements that record the version, and remove the records of other versions.

    Args:
        version: the version of the tables.
        dialect: ``sqlite`` or ``postgresql``.
        alembic: the rows of Alembic's own version table, if there is one.

    Raises:
        StorageError: version 1.1 has to be recorded in that table, but it is another program's.
    """
    # Rows of other programs, whose table it is as well as ours.
    is_shared = not set(alembic) <= set(OLD_VERSIONS)
    if not set(alembic).isdisjoint(OLD_VERSIONS):
        yield _alembic.delete().where(_alembic.c.version_num.in_(OLD_VERSIONS))
        if not is_shared:
            yield DropTable(_alembic)
    if version not in OLD_VERSIONS:
        yield from insert_version(version)
    else:
        yield DropTable(_own, if_exists=True)
    if version == OLD_VERSIONS[-1]:
        if is_shared:
            raise StorageError(
                f"Schema version {version} is recorded in the table {ALEMBIC_TABLE}, which another "
                f"program uses; downgrade to {OLD_VERSIONS[0]} instead"
            )
        yield CreateTable(_alembic, if_not_exists=True)
        yield _alembic.insert().values(version_num=version)
    if dialect == "sqlite":
        yield text(f"PRAGMA application_id={0 if version in OLD_VERSIONS else APPLICATION_ID}")
    yield _app_state.delete().where(_app_state.c.key == _VERSION_KEY)
    yield _app_state.insert().values(key=_VERSION_KEY, value=version)

"""What a database says of its version, where each version keeps it."""

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.base import Executable

from burndown.errors import StorageError
from burndown.models import AppState, Entity
from burndown.schema.recognition import (
    ALEMBIC_TABLE,
    APPLICATION_ID,
    TABLES,
    VERSION_TABLE,
    Contents,
)

__all__ = ["OLD_VERSIONS", "announce", "contents_of", "note", "noted_version"]

OLD_VERSIONS = ("1.0", "1.1")
"""The versions without a version table of our own; the second noted itself in Alembic's."""

_NOTE = "schema_version"

_UNREADABLE = "unreadable"
"""Stands for rows that we may not read, and that are therefore another program's."""
_MAY_READ = text(f"SELECT has_table_privilege('{ALEMBIC_TABLE}', 'SELECT')")


def _version_table(name: str) -> Table:
    return Table(name, MetaData(), Column("version_num", String(32), primary_key=True))


_own = _version_table(VERSION_TABLE)
_alembic = _version_table(ALEMBIC_TABLE)
_app_state = Entity.metadata.tables[AppState.__tablename__]


def noted_version(connection: Connection) -> str | None:
    """Return the version that our own table says, or ``None``."""
    if not inspect(connection).has_table(_own.name):
        return None
    noted = connection.execute(select(_own.c.version_num)).scalars().first()
    return None if noted is None else str(noted)


def contents_of(connection: Connection) -> Contents:
    """Return what tells whose this database is."""
    found = inspect(connection).get_multi_columns(filter_names=[*TABLES, ALEMBIC_TABLE])
    columns = {name: {each["name"] for each in rows} for (_, name), rows in found.items()}
    return Contents(columns, noted_version(connection), _alembic_rows(connection, columns))


def _alembic_rows(connection: Connection, columns: Mapping[str, Collection[str]]) -> list[str]:
    if "version_num" not in columns.get(ALEMBIC_TABLE, ()):
        return []
    if connection.dialect.name == "postgresql" and not connection.execute(_MAY_READ).scalar():
        return [_UNREADABLE]
    return list(map(str, connection.execute(select(_alembic.c.version_num)).scalars()))


def announce(version: str) -> Iterator[Executable]:
    """Yield what notes the version in our own table, where Alembic looks for it."""
    yield CreateTable(_own, if_not_exists=True)
    yield _own.delete()
    yield _own.insert().values(version_num=version)


def note(version: str, dialect: str, alembic: Collection[str]) -> Iterator[Executable]:
    """Yield what has the database say that it is of this version, and of no other.

    Args:
        version: that of the tables.
        dialect: ``sqlite`` or ``postgresql``.
        alembic: the rows of Alembic's own version table, if there is one.

    Raises:
        StorageError: version 1.1 would note itself in that table, but it is another program's.
    """
    is_shared = not set(alembic) <= set(OLD_VERSIONS)
    if not set(alembic).isdisjoint(OLD_VERSIONS):
        yield _alembic.delete().where(_alembic.c.version_num.in_(OLD_VERSIONS))
        if not is_shared:
            yield DropTable(_alembic)
    if version not in OLD_VERSIONS:
        yield from announce(version)
    else:
        yield DropTable(_own, if_exists=True)
    if version == OLD_VERSIONS[-1]:
        if is_shared:
            raise StorageError(
                f"Schema version {version} keeps its number in the table {ALEMBIC_TABLE}, which "
                "another program uses"
            )
        yield CreateTable(_alembic, if_not_exists=True)
        yield _alembic.insert().values(version_num=version)
    if dialect == "sqlite":
        yield text(f"PRAGMA application_id={0 if version in OLD_VERSIONS else APPLICATION_ID}")
    yield _app_state.delete().where(_app_state.c.key == _NOTE)
    yield _app_state.insert().values(key=_NOTE, value=version)

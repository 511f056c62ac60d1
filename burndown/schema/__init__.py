"""The versions of the tables: creating the current one, upgrading and downgrading.

A database records its version in ``burndown_version``, and as the app state ``schema_version``, for
people and programs that look there. Version 1.1 recorded it in Alembic's ``alembic_version``, and
1.0 nowhere. Alembic is imported only when there is something to change.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from sqlalchemy import ClauseElement, Connection, TextClause, make_url
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.base import Executable

from burndown import models
from burndown.errors import ForeignDatabaseError
from burndown.models.version import SCHEMA_VERSION, VERSIONS
from burndown.schema.digests import (
    create_protection,
    drop_triggers,
    forget_digests,
    has_digests,
    sign_rows,
)
from burndown.schema.guard import create_guards
from burndown.schema.recognition import READABLE
from burndown.schema.version_table import (
    contents_of,
    insert_version,
    record_version,
    recorded_version,
)

__all__ = [
    "READABLE",
    "VERSIONS",
    "change_version",
    "make_schema",
    "sql_between",
    "stored_version",
]


def stored_version(connection: Connection) -> str | None:
    """Return the version of the tables, or ``None`` if there are none."""
    return recorded_version(connection) or contents_of(connection).version


def make_schema(connection: Connection, location: str = "The database") -> None:
    """Create all tables in the current version, unless there are some.

    Args:
        connection: in a transaction.
        location: where the database is, for the error.

    Raises:
        ForeignDatabaseError: tables of another program have their names.
    """
    contents = contents_of(connection)
    if contents.version is not None:  # another process was faster
        return
    if contents.foreign:
        tables = ", ".join(contents.foreign)
        raise ForeignDatabaseError(location, f"has another program's tables {tables}")
    dialect = connection.dialect.name
    for statement in _tables(dialect):
        connection.exec_driver_sql(statement)
    for recorded in record_version(SCHEMA_VERSION, dialect, contents.alembic):
        connection.execute(recorded)
    for statement in _protection(dialect):
        connection.exec_driver_sql(statement)


@cache
def _tables(dialect: str) -> tuple[str, ...]:
    """Return the SQL that creates the tables: to compile it takes longer than to run it."""
    statements: list[ClauseElement] = []
    for table in models.METADATA.sorted_tables:
        statements.append(CreateTable(table, if_not_exists=True))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [CreateIndex(index, if_not_exists=True) for index in indexes]
    return (*_compiled(dialect, statements), *create_guards(dialect))


@cache
def _protection(dialect: str) -> tuple[str, ...]:
    return tuple(_compiled(dialect, _protect(SCHEMA_VERSION, dialect)))


def _compiled(dialect: str, statements: Iterable[ClauseElement]) -> Iterator[str]:
    compiler = make_url(f"{dialect}://").get_dialect()()
    return (str(each.compile(dialect=compiler)) for each in statements)


def change_version(connection: Connection, version: str) -> None:
    """Upgrade or downgrade the tables to a version, with all that is in them.

    Args:
        connection: in a transaction; on SQLite with ``foreign_keys`` off.
        version: one of :data:`VERSIONS`.

    Raises:
        StorageError: the downgrade would lose data.
    """
    from burndown.schema import alembic_runner  # slow to import, and rarely needed

    contents = contents_of(connection)
    alembic_runner.run(
        connection,
        contents.version,
        version,
        before=_before(contents.version, connection.dialect.name),
        after=(
            *record_version(version, connection.dialect.name, contents.alembic),
            *_protect(version, connection.dialect.name),
        ),
    )


def sql_between(dialect: str, current: str, version: str) -> str:
    """Return the SQL that changes one version to another, without the filling of rows by Python.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        current: the version to begin with.
        version: the version to end with.
    """
    from burndown.schema import alembic_runner

    return alembic_runner.render(
        dialect,
        current,
        version,
        before=_before(current, dialect),
        after=(
            *record_version(version, dialect, [current] if current == "1.1" else []),
            *_protect(version, dialect, can_sign=False),
        ),
    )


def _before(current: str | None, dialect: str) -> Iterator[Executable]:
    """Yield the statements that run before the tables are changed."""
    if current is not None:
        if has_digests(current, dialect):
            yield from drop_triggers(current)
        yield from insert_version(current)


def _protect(version: str, dialect: str, *, can_sign: bool = True) -> Iterator[TextClause]:
    """Yield the statements that give rows their digests, and keep these true from then on."""
    if has_digests(version, dialect):
        yield from sign_rows(version) if can_sign else forget_digests(version)
        yield from create_protection(version)

"""The versions of the tables, and the way from one to another.

Which version a database has is kept in ``burndown_version``; the app state ``schema_version``
follows it, for people and programs that look there. Version 1.1 kept it in Alembic's own
``alembic_version``, and 1.0 nowhere. Alembic itself is imported only when there is something to do.
"""

from sqlalchemy import Connection

from burndown.errors import ForeignDatabaseError
from burndown.models import SCHEMA_VERSION, Entity
from burndown.schema.version_table import announce, contents_of, note, noted_version

__all__ = [
    "READABLE",
    "VERSIONS",
    "change_version",
    "make_schema",
    "sql_between",
    "stored_version",
]

VERSIONS = {
    "1.0": "profiles, queries and what hangs on them, the app state, tasks",
    "1.1": "cached answers: number of issues, completeness; queries: time of the last edit",
    "1.2": "a version table of its own; changelogs: completeness",
}
"""All versions, oldest first, with what each brought; ``versions`` has a script for each."""

READABLE: dict[str, tuple[str, ...]] = {
    "1.1": (
        "CREATE TEMP VIEW jira_changelog_cache AS "
        "SELECT *, NULL AS is_complete FROM main.jira_changelog_cache",
    ),
    SCHEMA_VERSION: (),
}
"""The versions that a SQLite file can be read in without an upgrade, each with what makes a
connection show it as the present one."""


def stored_version(connection: Connection) -> str | None:
    """Return the version of the tables that are there; ``None`` if there are none."""
    return noted_version(connection) or contents_of(connection).version


def make_schema(connection: Connection, location: str = "The database") -> None:
    """Make all tables in the present version, unless there are some.

    Args:
        connection: in a transaction.
        location: where the database is, for the error.

    Raises:
        ForeignDatabaseError: tables of another program have their names.
    """
    contents = contents_of(connection)
    if contents.version is not None:
        return
    if contents.foreign:
        tables = ", ".join(contents.foreign)
        raise ForeignDatabaseError(location, f"has another program's tables {tables}")
    Entity.metadata.create_all(connection)
    for statement in note(SCHEMA_VERSION, connection.dialect.name, contents.alembic):
        connection.execute(statement)


def change_version(connection: Connection, version: str) -> None:
    """Bring the tables to this version, up or down, with all that is in them.

    Args:
        connection: in a transaction; on SQLite with ``foreign_keys`` off.
        version: one of :data:`VERSIONS`.

    Raises:
        StorageError: the way down would lose something.
    """
    from burndown.schema import alembic_runner  # it takes longer than all else here

    contents = contents_of(connection)
    alembic_runner.run(
        connection,
        contents.version,
        version,
        before=announce(contents.version) if contents.version else (),
        after=note(version, connection.dialect.name, contents.alembic),
    )


def sql_between(dialect: str, present: str, version: str) -> str:
    """The SQL that leads from one version to another; Python fills rows in between.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        present: the version to begin with.
        version: the version to end with.
    """
    from burndown.schema import alembic_runner

    return alembic_runner.render(
        dialect,
        present,
        version,
        before=announce(present),
        after=note(version, dialect, [present] if present == "1.1" else []),
    )

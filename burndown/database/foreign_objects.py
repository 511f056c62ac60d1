"""Objects in a database that are not ours; a copy of a store does not have them."""

from collections.abc import Iterator

from sqlalchemy import Connection, Table, inspect, text

from burndown import models
from burndown.models import SCHEMA_VERSION
from burndown.schema.digests import SUMS, triggers
from burndown.schema.guard import GUARDS
from burndown.schema.recognition import ALEMBIC_TABLE, VERSION_TABLE
from burndown.schema.version_table import OLD_VERSIONS, contents_of

__all__ = ["foreign_objects"]

_TRIGGERS = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": """
SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND pg_table_is_visible(tgrelid) ORDER BY tgname
""",
}
_INDEXES = {
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
    "ORDER BY name",
    "postgresql": """
SELECT indexes.relname, tables.relname FROM pg_index
JOIN pg_class AS indexes ON indexes.oid = indexrelid
JOIN pg_class AS tables ON tables.oid = indrelid
WHERE pg_table_is_visible(indrelid)
AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1
""",
}


def foreign_objects(connection: Connection) -> list[str]:
    """Return the tables, views, columns, indexes and triggers of others, such as ``table mine``.

    Columns, indexes and triggers of their own tables are not listed.
    """
    ours = {table.name: table for table in models.METADATA.sorted_tables}
    own_triggers = {*GUARDS, *triggers(SCHEMA_VERSION)}
    found, dialect = inspect(connection), connection.dialect.name
    tables = {*found.get_table_names()} - ours.keys() - _other_tables(connection)
    return [
        *(f"table {name}" for name in sorted(tables)),
        *(f"view {name}" for name in sorted(found.get_view_names())),
        *(each for table in ours.values() for each in _columns(connection, table)),
        *(
            f"index {name} of {table}"
            for name, table in connection.execute(text(_INDEXES[dialect]))
            if table in ours and name not in {index.name for index in ours[table].indexes}
        ),
        *(
            f"trigger {name} of {table}"
            for name, table in connection.execute(text(_TRIGGERS[dialect]))
            if table in ours and name not in own_triggers
        ),
    ]


def _other_tables(connection: Connection) -> set[str]:
    """Return the tables that are ours next to the data; that of Alembic may be another's."""
    alembic = contents_of(connection).alembic
    return {VERSION_TABLE, SUMS, *([ALEMBIC_TABLE] if set(alembic) <= set(OLD_VERSIONS) else [])}


def _columns(connection: Connection, table: Table) -> Iterator[str]:
    for column in inspect(connection).get_columns(table.name):
        if column["name"] not in table.columns:
            yield f"column {column['name']} of {table.name}"

"""INSERT statements that replace the row with the same key."""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.types import TypeEngine

from burndown.models.digest_functions import digest_sql
from burndown.models.digests import (
    CONTENT_DIGEST,
    DIGEST,
    content_column,
    content_digest,
    covered_columns,
    row_digest,
)
from burndown.models.json_columns import JsonColumn
from burndown.sql.executor import Executor
from burndown.sql.statements import Precompiled

__all__ = ["CountingUpsert", "Upsert"]


class Upsert(Precompiled):
    """An INSERT that replaces the row with the same key; JSON is encoded already.

    Args:
        table: the table.
        preserved: the names of columns that are not changed where there is a row.
    """

    def __init__(self, table: Table, preserved: Collection[str] = ()) -> None:
        self._table = table
        self._preserved = preserved
        encoded = sql_table(
            table.name,
            *(sql_column(column.name, _encoded_type(column.type)) for column in table.c),
        )
        super().__init__(encoded.insert())
        self._no_digests = dict.fromkeys({DIGEST, CONTENT_DIGEST} & set(table.c.keys()))
        positions = {name: at for at, name in enumerate(table.c.keys())}
        content = content_column(table)
        self._content_position = positions.get(content) if content else None
        self._positions = positions
        covered = covered_columns(table)
        self._digest = row_digest(table, covered)
        self._covered = itemgetter(*(positions[name] for name in covered))

    def run(self, executor: Executor, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace the rows, given by column."""
        sql = self.compiled(executor.dialect).sql
        if len(rows) == 1:
            executor.execute(sql, self._bound(executor.dialect, rows[0]))
        else:
            executor.execute_many(sql, [self._bound(executor.dialect, row) for row in rows])

    def _bound(self, dialect: Dialect, row: Mapping[str, Any]) -> Any:
        """Return the parameters of a row as the driver takes them, with its digests."""
        values = self.compiled(dialect).bound({**row, **self._no_digests})
        if dialect.name == "sqlite":
            if self._content_position is not None:
                content = values[self._content_position]
                values[self._positions[CONTENT_DIGEST]] = content_digest(content)
            values[self._positions[DIGEST]] = self._digest(self._covered(values))
        return values

    def _ending(self, dialect: Dialect) -> str:
        # The same in SQLite and PostgreSQL. SQLAlchemy's `on_conflict_do_update` needs the module
        # of each dialect, which takes longer to import than this package.
        quoted = dialect.identifier_preparer.quote
        key = ", ".join(quoted(column.name) for column in self._table.primary_key)
        values = {
            column.name: self._new_value(column.name, dialect)
            for column in self._table.c
            if not column.primary_key and column.name not in self._preserved
        }
        if dialect.name == "sqlite":
            values[DIGEST] = self._new_digest(values, dialect)
        replaced = ", ".join(f"{quoted(name)} = {value}" for name, value in values.items())
        return f" ON CONFLICT ({key}) DO UPDATE SET {replaced}"

    def _new_digest(self, values: Mapping[str, str], dialect: Dialect) -> str:
        """Return the SQL of the digest that a stored row gets with these values of SQL."""
        quoted = dialect.identifier_preparer.quote
        covered, key = covered_columns(self._table), {each.name for each in self._table.primary_key}
        stored = {name: f"{quoted(self._table.name)}.{quoted(name)}" for name in covered}
        new = {name: values.get(name, stored[name]) for name in covered}
        if all(new[name] == f"excluded.{quoted(name)}" for name in new.keys() - key):
            return f"excluded.{DIGEST}"
        # A kept value may be damaged, and stays so: no row has an empty digest.
        name, current = self._table.name, f"{quoted(self._table.name)}.{DIGEST}"
        return (
            f"CASE WHEN {current} IS NULL OR {current} = {digest_sql(name, stored)} "
            f"THEN {digest_sql(name, new)} ELSE x'' END"
        )

    def _new_value(self, name: str, dialect: Dialect) -> str:
        """Return the SQL of the value that a column gets where there is a row."""
        return f"excluded.{dialect.identifier_preparer.quote(name)}"


class CountingUpsert(Upsert):
    """An upsert that counts in a column how often the content of the row has changed.

    Args:
        table: the table.
        preserved: as of :class:`Upsert`.
        counter: the name of the column that counts.
        content: the names of the columns that are compared; one change of any of them counts.
        only_if_equal: replace a row only if it has the count that is given.
    """

    def __init__(
        self,
        table: Table,
        preserved: Collection[str],
        counter: str,
        content: Collection[str],
        *,
        only_if_equal: bool,
    ) -> None:
        super().__init__(table, preserved)
        self._counter = counter
        self._content = content
        self._only_if_equal = only_if_equal

    def replaces(self, executor: Executor, row: Mapping[str, Any]) -> bool:
        """Insert or replace a row; return ``False`` if the stored one has another count."""
        sql = self.compiled(executor.dialect).sql
        written: int = executor.execute(sql, self._bound(executor.dialect, row)).rowcount
        return written > 0

    def _ending(self, dialect: Dialect) -> str:
        # Without RETURNING, for which SQLite searches the tables that refer to this one.
        ending = super()._ending(dialect)
        if not self._only_if_equal:
            return ending
        quoted = dialect.identifier_preparer.quote
        counter = quoted(self._counter)
        return f"{ending} WHERE {quoted(self._table.name)}.{counter} = excluded.{counter}"

    def _new_value(self, name: str, dialect: Dialect) -> str:
        if name != self._counter:
            return super()._new_value(name, dialect)
        quoted = dialect.identifier_preparer.quote
        table = quoted(self._table.name)
        stored, given = (
            ", ".join(f"{source}.{quoted(column)}" for column in self._content)
            for source in (table, "excluded")
        )
        # Both compare NULL as a value; SQLite knows the words of the standard only since 3.39.
        differ = "IS NOT" if dialect.name == "sqlite" else "IS DISTINCT FROM"
        is_changed = f"({stored}) {differ} ({given})"
        return f"{table}.{quoted(name)} + CASE WHEN {is_changed} THEN 1 ELSE 0 END"


def _encoded_type(stored: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type of a value that the codec has encoded: to look at each again takes 1.5 us."""
    return stored.impl_instance if isinstance(stored, JsonColumn) else stored

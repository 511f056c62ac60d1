"""INSERT statements that replace the row with the same key."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.types import TypeEngine

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

    def run(self, executor: Executor, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace the rows, given by column."""
        compiled = self.compiled(executor.dialect)
        if len(rows) == 1:
            executor.execute(compiled.sql, compiled.bound(rows[0]))
        else:
            executor.execute_many(compiled.sql, [compiled.bound(row) for row in rows])

    def _ending(self, dialect: Dialect) -> str:
        # The same in SQLite and PostgreSQL. SQLAlchemy's `on_conflict_do_update` needs the module
        # of each dialect, which takes longer to import than this package.
        quoted = dialect.identifier_preparer.quote
        key = ", ".join(quoted(column.name) for column in self._table.primary_key)
        replaced = ", ".join(
            f"{quoted(column.name)} = {self._new_value(column.name, dialect)}"
            for column in self._table.c
            if not column.primary_key and column.name not in self._preserved
        )
        return f" ON CONFLICT ({key}) DO UPDATE SET {replaced}"

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

    def run_counting(self, executor: Executor, row: Mapping[str, Any]) -> int | None:
        """Insert or replace a row; return its count, or ``None`` if it has another count."""
        compiled = self.compiled(executor.dialect)
        cursor = executor.execute(compiled.sql, compiled.bound(row))
        [count] = next(iter(cursor.fetchall()), [None])
        return count

    def _ending(self, dialect: Dialect) -> str:
        quoted = dialect.identifier_preparer.quote
        counter, table = quoted(self._counter), quoted(self._table.name)
        condition = f" WHERE {table}.{counter} = excluded.{counter}" if self._only_if_equal else ""
        return f"{super()._ending(dialect)}{condition} RETURNING {counter}"

    def _new_value(self, name: str, dialect: Dialect) -> str:
        new = super()._new_value(name, dialect)
        if name != self._counter:
            return new
        quoted = dialect.identifier_preparer.quote
        table = quoted(self._table.name)
        stored_content = ", ".join(f"{table}.{quoted(each)}" for each in self._content)
        new_content = ", ".join(
            super(CountingUpsert, self)._new_value(each, dialect) for each in self._content
        )
        # NULL-safe in both; SQLite knows the standard's words only since 3.39.
        differs = "IS NOT" if dialect.name == "sqlite" else "IS DISTINCT FROM"
        return (
            f"{table}.{quoted(name)} + "
            f"CASE WHEN ({stored_content}) {differs} ({new_content}) THEN 1 ELSE 0 END"
        )


def _encoded_type(stored: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type of a value that the codec has encoded: to look at each again takes 1.5 us."""
    return stored.impl_instance if isinstance(stored, JsonColumn) else stored

"""Statements that are built once, compiled once for each kind of database, and then only run.

Building a SELECT anew costs more than most of them take.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Delete,
    Dialect,
    Select,
    Table,
    bindparam,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeEngine

from burndown.errors import format_value
from burndown.models import Entity
from burndown.models.columns import (
    DECODING_ERRORS,
    IsoText,
    JsonText,
    StoredType,
    SubmodelJson,
    UtcTimestamp,
    damaged,
)
from burndown.models.values import is_line
from burndown.repositories.connections import DriverConnection

__all__ = ["Documents", "Statement", "Upsert", "columns_of", "documents", "key_of", "one_of"]

Documents = list[dict[str, Any]]
"""Rows as plain dicts of JSON values, timestamps as ISO 8601 in UTC."""

_NOT_UTF_8 = re.compile(r"Could not decode to UTF-8 column '([^']*)'").match


def columns_of(model: type[Entity]) -> Any:
    """The columns of the model's table, by name."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table.c


@cache
def documents(model: type[Entity], *without: str) -> Select[Any]:
    """A SELECT of whole rows as documents: nested sections as dicts, moments as text."""
    return select(
        *(
            type_coerce(column, _document_type(column.type)).label(column.name)
            for column in columns_of(model)
            if column.name not in without
        )
    )


def key_of(model: type[Entity]) -> list[ColumnElement[bool]]:
    """The conditions that one row meets, with a parameter for each column of the key."""
    return [column == bindparam(column.name) for column in columns_of(model) if column.primary_key]


def one_of(column: ColumnElement[str], parameter: str) -> ColumnElement[bool]:
    """The condition that the column has one of the texts of a list, however many there are."""
    texts = json_texts(bindparam(parameter, type_=JsonText())).table_valued("value", name="texts")
    return column.in_(select(texts.c.value))


class json_texts(GenericFunction[str]):  # noqa: N801 - it is called as SQL functions are
    """The texts of a JSON array as rows."""

    inherit_cache = True


@compiles(json_texts, "sqlite")
def _json_texts_on_sqlite(function: json_texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each{compiler.function_argspec(function, **options)}"


@compiles(json_texts, "postgresql")
def _json_texts_on_postgresql(function: json_texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text({compiler.function_argspec(function, **options)}::json)"


class _Precompiled:
    """Something to run, compiled on first use for each kind of database."""

    def __init__(self, built: ClauseElement) -> None:
        self._built = built
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: Dialect) -> "Compiled":
        """The SQL for a kind of database."""
        known = self._compiled.get(dialect.name)
        if known is None:
            known = Compiled(self._built, dialect, self._ending(dialect))
            self._compiled[dialect.name] = known
        return known

    def _ending(self, dialect: Dialect) -> str:
        """What follows what SQLAlchemy makes of it."""
        return ""


class Statement(_Precompiled):
    """A SELECT or DELETE with named parameters.

    Args:
        built: the statement; each value in it is a ``bindparam``.
    """

    def __init__(self, built: Select[Any] | Delete) -> None:
        super().__init__(built)

    def documents(self, connection: DriverConnection, /, **parameters: Any) -> Documents:
        """What a SELECT finds, each row as a dict by column."""
        return list(self.lazily(connection, **parameters))

    def lazily(
        self, connection: DriverConnection, /, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Run a SELECT; return an iterator over its rows, which are decoded one after the other."""
        if not all(map(_can_be_there, parameters.values())):
            return iter(())
        compiled = self.compiled(connection.dialect)
        cursor = connection.execute(compiled.sql, compiled.bound(parameters))
        try:
            rows = cursor.fetchall()
        except BaseException as error:
            cursor.close()  # in SQLite, later reads would see the state of this one until then
            compiled.refuse_undecodable(error)
            raise
        return map(compiled.document, rows)

    def values(self, connection: DriverConnection, /, **parameters: Any) -> list[Any]:
        """What a SELECT of one column finds."""
        return [value for row in self.documents(connection, **parameters) for value in row.values()]

    def count(self, connection: DriverConnection, /, **parameters: Any) -> int:
        """Run a DELETE; returns how many rows it found."""
        if not all(map(_can_be_there, parameters.values())):
            return 0
        compiled = self.compiled(connection.dialect)
        found: int = connection.execute(compiled.sql, compiled.bound(parameters)).rowcount
        return found


class Upsert(_Precompiled):
    """An INSERT that replaces the row of the same key.

    Args:
        model: what is stored.
        kept: columns that are left alone where there is a row.
    """

    def __init__(self, model: type[Entity], kept: frozenset[str] = frozenset()) -> None:
        self._table: Table = model.__table__  # type: ignore[attr-defined]
        self._kept = kept
        super().__init__(self._table.insert())

    def run(self, connection: DriverConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace the rows, given by column."""
        compiled = self.compiled(connection.dialect)
        if len(rows) == 1:
            connection.execute(compiled.sql, compiled.bound(rows[0]))
        else:
            connection.execute_many(compiled.sql, [compiled.bound(row) for row in rows])

    def _ending(self, dialect: Dialect) -> str:
        """As SQLite and PostgreSQL say it; SQLAlchemy's own ways are slow to load."""
        quoted = dialect.identifier_preparer.quote
        key = ", ".join(quoted(column.name) for column in self._table.primary_key)
        replaced = ", ".join(
            f"{quoted(column.name)} = excluded.{quoted(column.name)}"
            for column in self._table.c
            if not column.primary_key and column.name not in self._kept
        )
        return f" ON CONFLICT ({key}) DO UPDATE SET {replaced}"


class Compiled:
    """A statement as SQL for one kind of database, and how values go in and out of it."""

    def __init__(self, built: ClauseElement, dialect: Dialect, ending: str) -> None:
        compiled: Any = built.compile(dialect=dialect)
        self.sql = f"{compiled}{ending}"
        binds = compiled.binds
        names = compiled.positiontup if compiled.positional else binds
        self._parameters = [
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names
        ]
        self._constants = {name: bound.value for name, bound in binds.items() if not bound.required}
        self._is_positional = compiled.positional
        columns = built.selected_columns if isinstance(built, Select) else ()
        self._names = tuple(column.name for column in columns)
        self._decoders = [
            (column.name, column.type.decoder(dialect))
            for column in columns
            if isinstance(column.type, StoredType)  # others are what drivers give
        ]
        self._table = built.get_final_froms()[0] if isinstance(built, Select) else None

    def bound(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        if self._constants:
            values = {**self._constants, **values}
        encoded = [
            values[name] if process is None else process(values[name])
            for name, process in self._parameters
        ]
        if self._is_positional:
            return encoded
        return {name: value for (name, _), value in zip(self._parameters, encoded, strict=True)}

    def document(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return a row of the driver by column, decoded.

        Raises:
            DatabaseCorruptionError: a value is not what was stored.
        """
        found = dict(zip(self._names, row, strict=True))
        try:
            for name, decode in self._decoders:
                if found[name] is not None:
                    found[name] = decode(found[name])
        except DECODING_ERRORS as error:
            raise damaged(self._location(name, found), error) from None
        return found

    def refuse_undecodable(self, error: BaseException | None) -> None:
        """Raise what it means if the driver could not decode a value by itself.

        Raises:
            DatabaseCorruptionError: it could not. SQLite's error quotes the value; this does not.
        """
        if in_column := _NOT_UTF_8(str(error)):
            raise damaged(self._location(in_column[1], {}), "the string is not UTF-8") from None
        if type(error).__name__ == "DataError":
            raise damaged(self._location("", {}), error) from None

    def _location(self, name: str, row: Mapping[str, Any]) -> str:
        """The table and column, and the key of the row as far as it was selected."""
        table: Any = self._table
        key = [column.name for column in table.primary_key if column.name in row]
        where = ", ".join(f"{column} = {format_value(row[column])}" for column in key)
        return f"{table.name}.{name}".rstrip(".") + (f" of the row with {where}" if where else "")


def _document_type(stored: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(stored, SubmodelJson):
        return JsonText()
    return IsoText() if isinstance(stored, UtcTimestamp) else stored


def _can_be_there(value: Any) -> bool:
    """Whether a column can hold the value; if not, no row needs to be looked for."""
    return not isinstance(value, str) or (value.isascii() and "\0" not in value) or is_line(value)

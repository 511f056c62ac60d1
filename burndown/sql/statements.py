"""Statements that are built once, compiled once for each dialect, and then only run.

Building and compiling a SELECT costs more than running most of them: a small read takes 6 us in
place of 103 us.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Generic, cast

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Delete,
    Dialect,
    FromClause,
    Join,
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
from typing_extensions import TypeVar

from burndown.errors import DatabaseCorruptionError, format_value
from burndown.models.columns import DECODING_ERRORS, StoredType, damaged
from burndown.models.digests import data_columns
from burndown.models.documents import Document
from burndown.models.field_types import is_line
from burndown.models.json_columns import JsonColumn, JsonText
from burndown.secrets import MARK
from burndown.sql.executor import Executor
from burndown.sql.verification import RowVerifier, with_verifiers

D = TypeVar("D", bound=Mapping[str, Any], default=Document)

OpenedValue = Callable[[str, Any, Mapping[str, Any]], Any]
"""Takes a column, its decoded value and the row; returns the value with its secrets opened."""

__all__ = [
    "Precompiled",
    "Statement",
    "document_by_key",
    "key_conditions",
    "one_of",
    "select_documents",
    "within",
]

_NOT_UTF_8 = r"Could not decode to UTF-8 column '([^']*)'"


@cache
def select_documents(table: Table, *omitted: str) -> Select[Any]:
    """Return a SELECT of rows as documents: nested sections as dicts, timestamps as strings.

    Args:
        table: the table.
        omitted: the names of columns that are not selected.
    """
    return select(
        *(
            type_coerce(column, _of_documents(column.type)).label(column.name)
            for column in data_columns(table)
            if column.name not in omitted
        )
    )


def key_conditions(table: Table) -> list[ColumnElement[bool]]:
    """Return the conditions for one row, with a parameter for each column of the primary key."""
    return [column == bindparam(column.name) for column in table.primary_key]


def one_of(column: ColumnElement[str], parameter: str) -> ColumnElement[bool]:
    """Return the condition that a column has one of the strings of a list.

    The list is one parameter, so that any number of strings takes the same compiled statement.
    """
    strings = json_strings(bindparam(parameter, type_=JsonText())).table_valued(
        "value", name="strings"
    )
    return column.in_(select(strings.c.value))


def within(column: ColumnElement[str], first: str, last: str) -> list[ColumnElement[bool]]:
    """Return the conditions that a column is between two parameters, both included."""
    # Not BETWEEN, whose bounds cannot have a collation on PostgreSQL.
    return [column >= bindparam(first), column <= bindparam(last)]


class json_strings(GenericFunction[str]):  # noqa: N801 - it is called as SQL functions are
    """The strings of a JSON array as rows."""

    inherit_cache = True


@compiles(json_strings, "sqlite")
def _json_strings_on_sqlite(function: json_strings, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each{compiler.function_argspec(function, **options)}"


@compiles(json_strings, "postgresql")
def _json_strings_on_postgresql(
    function: json_strings, compiler: SQLCompiler, **options: Any
) -> str:
    return f"json_array_elements_text({compiler.function_argspec(function, **options)}::json)"


@cache
def document_by_key(table: Table, spread: str = "") -> "Statement":
    """Return the SELECT of the document with a primary key, with its secrets as they are stored.

    Args:
        table: the table.
        spread: as of :class:`Statement`.
    """
    return Statement(select_documents(table).where(*key_conditions(table)), spread)


class Precompiled:
    """A statement that is compiled on first use for each dialect."""

    def __init__(
        self, built: ClauseElement, spread: str = "", opened_value: OpenedValue | None = None
    ) -> None:
        self._built = built
        self._spread = spread
        self._opened_value = opened_value
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: Dialect) -> "Compiled":
        """Return the SQL for a dialect."""
        known = self._compiled.get(dialect.name)
        if known is None:
            known = Compiled(
                self._built, dialect, self._ending(dialect), self._spread, self._opened_value
            )
            self._compiled[dialect.name] = known
        return known

    def _ending(self, dialect: Dialect) -> str:
        """Return the SQL that follows what SQLAlchemy makes of the statement."""
        return ""


class Statement(Precompiled, Generic[D]):
    """A SELECT of documents, or a DELETE, with named parameters.

    Args:
        built: the statement; each value in it is a ``bindparam``.
        spread: the name of a JSON column whose keys are put next to the columns.
        opened_value: opens the secrets of a value that has some sealed.
    """

    def __init__(
        self, built: Select[Any] | Delete, spread: str = "", opened_value: OpenedValue | None = None
    ) -> None:
        super().__init__(built, spread, opened_value)

    def documents(self, executor: Executor, /, **parameters: Any) -> list[D]:
        """Run a SELECT; return each row as a dict by column."""
        return list(self.iterate(executor, **parameters))

    def first(self, executor: Executor, /, **parameters: Any) -> D | None:
        """Run a SELECT; return the first row as a dict by column, or ``None``."""
        compiled, rows = self._select(executor, parameters)
        return cast("D", compiled.document(rows[0])) if rows else None

    def iterate(self, executor: Executor, /, **parameters: Any) -> Iterator[D]:
        """Run a SELECT; return an iterator over its rows, each decoded when it is requested."""
        compiled, rows = self._select(executor, parameters)
        return map(cast("Callable[[Any], D]", compiled.document), rows)

    def _select(
        self, executor: Executor, parameters: Mapping[str, Any]
    ) -> tuple["Compiled", list[Any]]:
        """Run a SELECT; return it with its rows as the driver returns them."""
        compiled = self.compiled(executor.dialect)
        if not all(map(_can_be_stored, parameters.values())):
            return compiled, []
        cursor = executor.execute(compiled.sql, compiled.bound(parameters))
        try:
            return compiled, cursor.fetchall()
        except BaseException as error:
            cursor.close()  # in SQLite, later reads would see the state of this one until then
            compiled.raise_if_undecodable(error)
            raise

    def values(self, executor: Executor, /, **parameters: Any) -> list[Any]:
        """Run a SELECT of one column; return its values."""
        return [value for row in self.iterate(executor, **parameters) for value in row.values()]

    def delete(self, executor: Executor, /, **parameters: Any) -> int:
        """Run a DELETE; return the number of deleted rows."""
        if not all(map(_can_be_stored, parameters.values())):
            return 0
        compiled = self.compiled(executor.dialect)
        deleted: int = executor.execute(compiled.sql, compiled.bound(parameters)).rowcount
        return deleted


class Compiled:
    """A statement as SQL for one dialect, with the conversion of its parameters and rows."""

    def __init__(
        self,
        built: ClauseElement,
        dialect: Dialect,
        ending: str = "",
        spread: str = "",
        opened_value: OpenedValue | None = None,
    ) -> None:
        self._spread = spread
        columns = list(built.selected_columns) if isinstance(built, Select) else []
        self._verifiers: list[RowVerifier] = []
        if isinstance(built, Select) and dialect.name == "sqlite":
            built, self._verifiers = with_verifiers(built)
        self._opened_value = opened_value
        compiled: Any = built.compile(dialect=dialect)
        self.sql = f"{compiled}{ending}"
        binds = compiled.binds
        names = compiled.positiontup if compiled.positional else binds
        self._parameters = [
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names
        ]
        self._constants = {name: bound.value for name, bound in binds.items() if not bound.required}
        self._is_positional = compiled.positional
        self._names = tuple(column.name for column in columns)
        self._decoders = {
            at: column.type.decoder(dialect)
            for at, column in enumerate(columns)
            if isinstance(column.type, StoredType)  # others are what drivers give
        }
        self._decoded = _decoding_function(self._names, self._decoders)
        self._json = [
            (index, column.name)
            for index, column in enumerate(columns)
            if isinstance(column.type, JsonColumn)
        ]
        self._table = _decoded_table(built) if isinstance(built, Select) else None

    def bound(self, values: Mapping[str, Any]) -> Any:
        """Return the parameters as the driver takes them."""
        if self._constants:
            values = {**self._constants, **values}
        encoded = [
            values[name] if process is None else process(values[name])
            for name, process in self._parameters
        ]
        if self._is_positional:
            return encoded
        return {name: value for (name, _), value in zip(self._parameters, encoded, strict=True)}

    def document(self, row: Sequence[Any]) -> Document:
        """Return a row of the driver by column, decoded.

        Raises:
            DatabaseCorruptionError: the row, or a value of it, is not what was stored.
        """
        for verifier in self._verifiers:
            if not verifier.is_intact(row):
                raise damaged(verifier.name(row), "it is not as it was saved")
        try:
            found = self._decoded(row)
        except DECODING_ERRORS:
            raise self._undecodable(row) from None
        if self._opened_value is not None:
            for index, name in self._json:
                encoded = row[index]
                if type(encoded) is str and MARK in encoded:
                    found[name] = self._opened_value(name, found[name], found)
        if self._spread:
            found.update(found.pop(self._spread))
        return found

    def _undecodable(self, row: Sequence[Any]) -> DatabaseCorruptionError:
        """Return the error of the first value in a row that cannot be decoded."""
        for at, decode in self._decoders.items():
            try:
                if row[at] is not None:
                    decode(row[at])
            except DECODING_ERRORS as error:
                key = dict(zip(self._names, row, strict=False))
                return damaged(self._location(self._names[at], key), error)
        raise AssertionError("each value can be decoded")  # pragma: no cover

    def raise_if_undecodable(self, error: BaseException) -> None:
        """Raise the meaning of an error if the driver could not decode a value itself.

        Raises:
            DatabaseCorruptionError: it could not. SQLite's error quotes the value; this does not.
        """
        if in_column := re.match(_NOT_UTF_8, str(error)):
            raise damaged(self._location(in_column[1], {}), "the string is not UTF-8") from None
        if type(error).__name__ == "DataError":
            raise damaged(self._location("", {}), error) from None

    def _location(self, name: str, row: Mapping[str, Any]) -> str:
        """Return the table and column, and the key of the row as far as it was selected."""
        table: Any = self._table
        key = [column.name for column in table.primary_key if column.name in row]
        where = ", ".join(f"{column} = {format_value(row[column])}" for column in key)
        return f"{table.name}.{name}".rstrip(".") + (f" of the row with {where}" if where else "")


def _decoding_function(
    names: Sequence[str], decoders: Mapping[int, Callable[[Any], Any]]
) -> Callable[[Sequence[Any]], Document]:
    """Return the function that returns a row by column, decoded.

    It is made as code, without a loop over the columns: a list of queries takes a fifth less time.

    Args:
        names: the names of the columns. What is selected after them is ignored.
        decoders: what decodes the values that are not ``None``, by the position of the column.
    """
    values = (
        f"None if row[{at}] is None else decode_{at}(row[{at}])" if at in decoders else f"row[{at}]"
        for at in range(len(names))
    )
    items = ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True))
    named = {f"decode_{at}": decode for at, decode in decoders.items()}
    # The names of columns are all that it is made from.
    made: Callable[[Sequence[Any]], Document] = eval(f"lambda row: {{{items}}}", named)  # noqa: S307
    return made


def _decoded_table(built: Select[Any]) -> FromClause:
    """Return the table whose rows are decoded: in a join, the last one."""
    found = built.get_final_froms()[0]
    return found.right if isinstance(found, Join) else found


def _of_documents(stored: TypeEngine[Any]) -> TypeEngine[Any]:
    return stored.of_documents if isinstance(stored, StoredType) else stored


def _can_be_stored(value: Any) -> bool:
    """Return whether a column can hold the value; if not, no row needs to be looked up."""
    return not isinstance(value, str) or (value.isascii() and "\0" not in value) or is_line(value)

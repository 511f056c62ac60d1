"""Tables and their columns, read from the classes of their rows."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, get_args, get_type_hints

from burndown.jira.values import to_number
from burndown.secrets.envelopes import MARK

__all__ = ["Column", "Described", "Table", "Value", "table_of"]

Value = str | int | float | None
"""A value as SQLite and CSV files have it: a timestamp or date in ISO 8601, a boolean as 0 or 1."""

_SECRET = re.compile(rf"(?<=://)[^/?#\s]*@|{MARK}\S*")
"""The user of a URL, which may have a password, and sealed secrets."""


class Described(NamedTuple):
    """The description of a column, next to its type in the class of a row."""

    title: str
    """Its content."""
    source: str
    """The field of the store or of Jira that it has."""
    unit: str | None = None
    """The unit of its numbers."""
    is_key: bool = False
    """Whether it identifies the row, together with the other columns of the key."""


class Column(NamedTuple):
    """A column of a table."""

    name: str
    type: type[Any]
    """``str``, ``int``, ``float``, ``bool``, ``date`` or ``datetime``."""
    described: Described

    @property
    def description(self) -> str:
        """Return its title, unit and source as one string."""
        title, source, unit, _ = self.described
        return f"{title}{f', in {unit}' if unit else ''}. Source: {source}"


@dataclass(frozen=True)
class Table:
    """A table with its columns."""

    name: str
    row: type[tuple[Any, ...]]
    """The class of its rows, a ``NamedTuple`` of ``str``, ``int`` and so on."""
    columns: tuple[Column, ...]

    @property
    def title(self) -> str:
        """Return what a row is."""
        return (self.row.__doc__ or "").partition("\n")[0]

    @property
    def key(self) -> list[str]:
        """Return the names of the columns that identify a row."""
        return [each.name for each in self.columns if each.described.is_key]

    def encoded(self, row: tuple[Any, ...]) -> list[Value]:
        """Return the values of a row, without secrets in strings; an empty string is ``None``."""
        return [
            value if column.described.is_key else _encoded(value, column.type)
            for column, value in zip(self.columns, row, strict=True)
        ]


def table_of(name: str, row: type[tuple[Any, ...]]) -> Table:
    """Return the table that has rows of a class, with a column for each annotation of it."""
    hints = get_type_hints(row, include_extras=True)
    return Table(name, row, tuple(_column(each, hint) for each, hint in hints.items()))


def _column(name: str, hint: Any) -> Column:
    annotated, described = get_args(hint)
    return Column(name, (get_args(annotated) or (annotated,))[0], described)  # without `None`


def _encoded(value: Any, kind: type[Any]) -> Value:
    if kind is float:
        return to_number(value)  # `None` for an integer that is no float
    if isinstance(value, str):
        return _SECRET.sub("", value) or None
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value

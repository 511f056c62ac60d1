"""Lines and tables on the terminal.

All strings are printed literally: rich's markup in them has no effect, and control characters are
escaped, since names and values may come from an export of unknown origin.
"""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from burndown.escaping import escaped

__all__ = ["add_row", "error", "line", "literal", "print_counts", "print_table", "size", "width"]

_PLAIN_WIDTH = 120
"""Width of tables where there is no terminal: rich's default of 80 breaks paths into pieces."""


def line(text: str) -> None:
    """Print one line; line breaks in the string are escaped."""
    _console().print(literal(text), soft_wrap=True)


def error(text: str) -> None:
    """Print an error message on stderr.

    The message may have several lines: errors of this package escape the values that they quote.
    """
    lines = map(literal, f"Error: {text}".split("\n"))
    Console(stderr=True).print(Text("\n").join(lines), style="red", soft_wrap=True)


def literal(text: str) -> Text:
    """Return the string for rich, without markup and with control characters escaped."""
    return Text(escaped(text))


def print_text(text: Text) -> None:
    """Print styled text, as one line that is not wrapped."""
    _console().print(text, soft_wrap=True)


def add_row(table: Table, *cells: str | Text) -> None:
    """Add a row to a table; a ``Text`` is used unchanged and may have several lines."""
    table.add_row(*(literal(cell) if isinstance(cell, str) else cell for cell in cells))


def print_table(table: Table, *, even_if_empty: bool = False) -> None:
    """Print a table, unless it has no rows."""
    if table.row_count or even_if_empty:
        table.title_justify = "left"
        _console().print(table)


def print_counts(title: str, counts: dict[str, int]) -> None:
    """Print a table of numbers of records."""
    table = Table(title=title)
    table.add_column("records")
    table.add_column("number", justify="right")
    for name, number in counts.items():
        add_row(table, name, str(number))
    print_table(table, even_if_empty=True)


def width() -> int:
    """Return the characters of a line."""
    return _console().width


def size(number: int) -> str:
    """Return a number of bytes for people."""
    return f"{number / 1024:.0f} KB" if number < 1024**2 else f"{number / 1024**2:.1f} MB"


def _console() -> Console:
    # A new console for each call: tests and callers may replace sys.stdout between two of them.
    return Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH, highlight=False)

"""Reports on rows: equal ones of thousands of rows become one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from burndown.conversion import Report

__all__ = ["RowReport", "first_few", "summed_up"]

RowReport = Callable[[str, str], None]
"""Takes the name of a row, such as an issue key, and a sentence on it."""

_SHOWN = 3


def first_few(names: Sequence[str]) -> str:
    """Return the first names, with the number of the others."""
    others = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {others} more" if others > 0 else shown


@contextmanager
def summed_up(report: Report) -> Iterator[RowReport]:
    """Collect reports on rows, and give equal ones as one at the end of the block.

    Args:
        report: takes the sentences, each followed by the first rows that it is on.
    """
    rows: dict[str, list[str]] = {}
    yield lambda row, what: rows.setdefault(what, []).append(row)
    for what, names in rows.items():
        report(f"{what} ({first_few(names)})")

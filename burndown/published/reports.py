"""Reports on rows: equal ones of thousands of rows become one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from burndown.conversion import Report, first_few

__all__ = ["RowReport", "summed_up"]

RowReport = Callable[[str, str], None]
"""Takes the name of a row, such as an issue key, and a sentence on it."""


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

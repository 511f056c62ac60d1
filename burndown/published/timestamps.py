"""Timestamps in the columns of the published dashboard, all of which are strings.

Without an offset they are local time.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from burndown.conversion import describe
from burndown.models.timestamps import to_utc
from burndown.published.reports import RowReport
from burndown.published.rows import Row

__all__ = ["column_times", "read_timestamp"]


def read_timestamp(value: Any) -> datetime | None:
    """Return the timestamp in UTC; ``None`` if it is not one."""
    try:
        return to_utc(value) if isinstance(value, str) else None
    except ValueError:
        return None


def column_times(
    rows: Iterable[Row], column: str, name_of: str, report: RowReport
) -> dict[Any, datetime]:
    """Return the timestamps in a column, by what is written there.

    Args:
        rows: the rows.
        column: the column.
        name_of: the column that names a row in reports.
        report: takes each row whose timestamp cannot be read.
    """
    named = {row.get(column): row.get(name_of) for row in rows}
    found = {}
    for written, name in named.items():
        timestamp = read_timestamp(written)
        if timestamp is not None:
            found[written] = timestamp
        else:
            report(f"{name}: {describe(written)}", f"{column}: input should be a timestamp")
    return found

"""The budget of a query, and its revisions.

The settings hold the amounts as they are; the revisions are a log of the differences that led to
them. ``created_at`` of the settings is the day from which the amounts hold.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from burndown.conversion import Report, UnreadableError, convert, read_week
from burndown.models import Budget, Document
from burndown.published.rows import IDS, Row, parse_column
from burndown.published.timestamps import read_timestamp

__all__ = ["OF_PROFILE", "budget_document"]

OF_PROFILE = "of_profile"
"""The unknown key of a budget that belonged to the profile, and not to one of its queries."""

_NAMES = {
    "team_cost_per_week_eur": "team_cost_per_week",
    "budget_total_eur": "budget_total",
    "revision_reason": "reason",
}
"""The fields whose columns have other names."""
_AMOUNTS = (
    "time_allocated_weeks",
    "team_cost_per_week",
    "budget_total",
    "baseline_velocity_items",
    "baseline_velocity_points",
)
_EXACT = 2**53
"""From here on, a float can lose a digit of an integer."""
_METADATA_DEPTH = 3
"""Containers around the metadata of a revision: the budget, its revisions, the revision."""


def budget_document(
    settings: Row | None, revisions: Sequence[Row], written_at: datetime, report: Report
) -> Document | None:
    """Return the budget that the rows make, as a document of ``Budget``.

    Columns that no release until now has are kept as unknown keys.

    Args:
        settings: the row of ``budget_settings``, if there is one.
        revisions: the rows of ``budget_revisions``.
        written_at: the time of the file, used where the rows have none.
        report: takes a sentence on each value that is converted or kept aside.

    Returns:
        The document without the ids of profile and query; ``None`` without rows.
    """
    if settings is None and not revisions:
        return None
    document = _fields(settings or {})
    if settings is None:
        report("revisions of a budget without its amounts")
    for key in _AMOUNTS:
        written = document.get(key)
        if type(written) is int and abs(written) < _EXACT:
            document[key] = float(written)
    effective_from = _day(document.get("created_at"))
    if effective_from is not None:
        document["effective_from"] = effective_from
    if revisions:
        document["revisions"] = [_revision(row, report) for row in revisions]
    document = convert(Budget, document, report)
    for key in ("created_at", "updated_at"):
        document.setdefault(key, written_at)
    return document


def _fields(row: Row) -> Document:
    """Return the columns that are not NULL, by the name of their field."""
    return {
        _NAMES.get(column, column): value
        for column, value in row.items()
        if value is not None and column not in IDS
    }


def _revision(row: Row, report: Report) -> Document:
    """Return a revision; values that are not valid are kept aside with those of the budget."""
    revision = _fields(row)
    for key in ("revision_date", "created_at"):
        timestamp = read_timestamp(revision.get(key))
        if timestamp is not None:
            revision[key] = timestamp.isoformat()
    week = revision.get("week_label")
    if isinstance(week, str):
        revision["week_label"] = read_week(week) or week
    if "metadata" in revision:
        revision["metadata"] = _metadata(revision["metadata"], report)
    return revision


def _metadata(written: Any, report: Report) -> Any:
    """Return the JSON of metadata, or what is written there instead."""
    try:
        return parse_column(
            written, _METADATA_DEPTH, lambda what: report(f"metadata of a revision: {what}")
        )
    except UnreadableError:
        return written


def _day(written: Any) -> str | None:
    """Return the day of a timestamp as it is written, in whatever time zone that is."""
    try:
        return date.fromisoformat(str(written)[:10]).isoformat()
    except ValueError:
        return None

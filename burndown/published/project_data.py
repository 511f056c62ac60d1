"""The weekly statistics and the scope of a query as project data."""

from collections.abc import Sequence
from datetime import datetime

from burndown.conversion import LEGACY_VALUES, Report, describe, keep_storable
from burndown.models import Document
from burndown.models.time_types import AN_ISO_WEEK
from burndown.published.metrics import week_of
from burndown.published.reports import summed_up
from burndown.published.rows import IDS, Row, json_object
from burndown.published.timestamps import column_times

__all__ = ["project_data_document"]

_SCOPE_DEPTH = 1
"""Containers around the scope: the project data."""
_PART = "part"
"""The column that names the scope in reports."""


def project_data_document(
    statistics: Sequence[Row],
    scope: Row | None,
    metrics: Sequence[Row],
    written_at: datetime,
    report: Report,
) -> Document | None:
    """Return the project data that the rows make, as a document of ``ProjectData``.

    Args:
        statistics: the rows of ``project_statistics`` of a query.
        scope: its row of ``project_scope``, if there is one.
        metrics: its rows of ``metrics_data_points``. Those that are of no week belong to no
            snapshot, and are kept here.
        written_at: the time of the file, used where the rows have none.
        report: takes a sentence on each value that is converted or kept aside.

    Returns:
        The document without the ids of profile and query; ``None`` if there is nothing for it.
    """
    scopes = [] if scope is None else [{**scope, _PART: "project_scope"}]
    data: Document = {}
    kept: Document = {}
    with summed_up(report) as report_row:
        for row in scopes:
            found = json_object(row, "scope_data", _SCOPE_DEPTH, kept, report)
            if found is not None:
                data["project_scope"] = found
        if statistics:
            data["statistics"] = [_week(row) for row in sorted(statistics, key=_date)]
        unplaced = [_without_ids(row) for row in metrics if week_of(row) is None]
        if unplaced:
            kept["metrics_data_points"] = unplaced
            for row in unplaced:
                report_row(
                    f"{describe(row.get('metric_name'))} of {describe(row.get('snapshot_date'))}",
                    f"snapshot_date: {AN_ISO_WEEK}; kept in the project data under {LEGACY_VALUES}",
                )
        times = [
            *column_times(statistics, "recorded_at", "stat_date", report_row).values(),
            *column_times(scopes, "updated_at", _PART, report_row).values(),
        ]
    if kept:
        data[LEGACY_VALUES] = kept
    if not data:
        return None
    return {"updated_at": max(times, default=written_at), "data": keep_storable(data, report)}


def _date(row: Row) -> str:
    return str(row.get("stat_date") or "")


def _week(row: Row) -> Document:
    """Return a week as the files of the old dashboard have it, with all further columns."""
    return {
        "date": row.get("stat_date"),
        **{key: row[key] for key in row if key != "stat_date" and key not in IDS},
    }


def _without_ids(row: Row) -> Document:
    return {key: row[key] for key in row if key not in IDS}

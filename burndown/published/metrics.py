"""Metrics of weeks, one in each row, as snapshots of one week and type."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from burndown.conversion import LEGACY_VALUES, Report, UnreadableError, WeeklyMetrics, read_week
from burndown.models import Document
from burndown.models.json_codec import encode
from burndown.published.reports import RowReport, summed_up
from burndown.published.rows import Row, json_object, parse_column
from burndown.published.timestamps import column_times

__all__ = ["snapshot_documents", "week_of"]

_DEPTH = 3
"""Containers around a value in a metric: the metrics, the metric, and what it keeps aside."""
_CATEGORIES = frozenset({"dora", "flow", "custom", None})
"""Those that the dashboard writes. They follow from the name of a metric."""
_FORECAST = ("forecast_value", "forecast_confidence_low", "forecast_confidence_high")
_NO_FORECAST = dict.fromkeys(_FORECAST)


def week_of(row: Row) -> str | None:
    """Return the ISO week of a metric; ``None`` if the row has no week or the metric no name."""
    spelling = row.get("snapshot_date")
    is_named = isinstance(row.get("metric_name"), str)
    return read_week(spelling) if is_named and isinstance(spelling, str) else None


def snapshot_documents(rows: Sequence[Row], written_at: datetime, report: Report) -> list[Document]:
    """Return what rows of ``metrics_data_points`` make, as documents of ``MetricsSnapshot``.

    If a week in two spellings has a metric twice, the one that was calculated later counts, and the
    other one is kept under another name.

    Args:
        rows: the metrics of a query; those without :func:`week_of` are ignored.
        written_at: the time of the file, used where the rows have none.
        report: takes a sentence on each value that is converted or kept aside.

    Returns:
        One document for each week and type, without the ids of profile and query.
    """
    found = WeeklyMetrics(report)
    with summed_up(report) as report_row:
        times = column_times(rows, "calculated_at", "metric_name", report_row)
        for row in rows:
            week = week_of(row)
            if week is not None:
                spelling, name = row["snapshot_date"], row["metric_name"]
                found.add_week(spelling)
                metric = _metric(row, report_row)
                found.add(week, name, metric, times.get(row.get("calculated_at")), spelling)
    return found.documents(written_at)


def _metric(row: Row, report_row: RowReport) -> Document:
    """Return the metric of a row, as the dashboard itself reads it: later values replace others."""
    kept: Document = {}

    def report(what: str) -> None:
        report_row(row["snapshot_date"], f"{row['metric_name']}: {what}")

    metric = dict(json_object(row, "calculation_metadata", _DEPTH, kept, report) or {})
    category, unit = row.get("metric_category"), row.get("metric_unit") or ""
    if category not in _CATEGORIES:
        kept["metric_category"] = category
    value = _value(row.get("metric_value"), report)
    if not isinstance(value, dict):
        value = {"value": value, "unit": unit}
    elif unit:
        kept["metric_unit"] = unit
    columns = {"excluded_issue_count": row.get("excluded_issue_count") or 0}
    forecast = {column: row.get(column) for column in _FORECAST}
    if forecast != _NO_FORECAST:
        columns.update(forecast)
    for layer in (value, columns):
        for key in layer.keys() & metric.keys():
            if metric[key] is not None and metric[key] != layer[key]:
                kept[f"{key} (double)" if key in kept else key] = metric[key]
        metric.update(layer)
    if kept:
        earlier = metric.get(LEGACY_VALUES, {})
        metric[LEGACY_VALUES] = {**kept, **(earlier if isinstance(earlier, dict) else {})}
        report(f"{', '.join(kept)}: without a place; kept under {LEGACY_VALUES}")
    return metric


def _value(written: Any, report: Report) -> Any:
    """Return the value of a metric: a number, a string, or what its JSON text holds."""
    if isinstance(written, str) and written[:1] not in ("{", "["):
        return written
    try:
        return parse_column(written, _DEPTH, lambda what: report(f"metric_value: {what}"))
    except UnreadableError as error:
        report(f"metric_value: {error}; kept as text")
        return written if isinstance(written, str) else encode(written).decode()

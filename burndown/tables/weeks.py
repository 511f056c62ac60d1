"""Rows of the weeks of a query: its metrics with their forecasts, and its work."""

from collections.abc import Iterator
from itertools import groupby

from burndown.models import Document, MetricsSnapshotDocument, Week
from burndown.models.metric_series import metrics_in, series_of
from burndown.remaining_work import remaining_work, weekly_work
from burndown.tables.declared import ForecastRow, MetricRow, WeekRow

__all__ = ["metric_rows", "week_rows"]


def metric_rows(
    profile_id: str, query_id: str, snapshots: list[MetricsSnapshotDocument]
) -> Iterator[MetricRow | ForecastRow]:
    """Yield the metrics and forecasts of a query.

    Args:
        profile_id: the profile of the query.
        query_id: the query.
        snapshots: its snapshots, those of the same week together.
    """
    # Week by week: a series has an item for each week between the first and the last one.
    for name, of_week in groupby(snapshots, key=lambda each: each["snapshot_date"]):
        found = list(of_week)
        week = Week.of(name)
        for series in series_of(metrics_in(found), found, week, week):
            ids = profile_id, query_id, series["metric"], name, week.monday
            [value] = series["values"]
            [forecast], [lower], [upper] = series["forecast"], series["lower"], series["upper"]
            if value is not None:
                yield MetricRow(*ids, value, series["unit"])
            if (forecast, lower, upper) != (None, None, None):
                yield ForecastRow(*ids, forecast, lower, upper, series["unit"])


def week_rows(profile_id: str, query_id: str, data: Document) -> Iterator[WeekRow]:
    """Yield the weeks of the statistics in project data, without a gap."""
    remaining, work = remaining_work(data), weekly_work(data.get("statistics"))
    for name, items, points in zip(*remaining.values(), strict=True):
        week = Week.of(name)
        yield WeekRow(
            profile_id=profile_id,
            query_id=query_id,
            week=name,
            week_start=week.monday,
            created_items=work[week]["created_items"],
            completed_items=work[week]["completed_items"],
            remaining_items=items,
            created_points=work[week]["created_points"],
            completed_points=work[week]["completed_points"],
            remaining_points=points,
        )

"""The part of a backend that stores weekly metrics, in terms of records."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, cast

from burndown.models import MetricsSnapshot, MetricsSnapshotDocument, Week
from burndown.persistence.arguments import checked_limit, checked_weeks, document_of
from burndown.persistence.budget_store import BudgetStore

__all__ = ["MetricsStore"]


class MetricsStore(BudgetStore):
    """A store of the metrics of each query, in snapshots of one week and type."""

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> list[MetricsSnapshotDocument]:
        """Return snapshots of one metric type or of all, newest week first.

        Each has ``profile_id``, ``query_id``, ``snapshot_date`` (``2025-W12``), ``metric_type``,
        ``created_at``, ``metrics``, ``forecast`` and ``forecasts``, by metric (both ``None`` if
        there is none).

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            metric_type: such as ``dora`` or ``flow``; ``None`` for all.
            limit: the maximum number of snapshots, 1 or more; ``None`` for no limit.
            since: the first week, or a day in it; ``None`` for any.
            until: the last week, or a day in it; ``None`` for any.

        Raises:
            ValidationError: the limit is less than 1, or a bound is no week.
        """
        limit, (first, last) = checked_limit(limit), checked_weeks(since, until)
        found = [
            each
            for each in self.records(MetricsSnapshot, profile_id, query_id)
            if metric_type in (None, each["metric_type"]) and first <= each["snapshot_date"] <= last
        ]
        found.sort(key=lambda each: str(each["snapshot_date"]), reverse=True)
        return cast("list[MetricsSnapshotDocument]", found[:limit])

    def save_metrics_snapshot(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: Week | date | str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecast: Mapping[str, Any] | None = None,
        forecasts: Mapping[str, Any] | None = None,
    ) -> None:
        """Save the metrics of one type in one week, in place of earlier ones.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            snapshot_date: the week: a ``Week``, ``2025-W12``, or its Monday as a date or string.
            metric_type: ``dora``, ``flow`` or another lower-case word.
            metrics: numbers, strings, objects or null, by name.
            forecast: the forecast made in that week, if any.
            forecasts: forecasts by the name of their metric, if any.
        """
        snapshot = {
            "snapshot_date": snapshot_date,
            "metric_type": metric_type,
            "metrics": metrics,
            "forecast": forecast,
            "forecasts": forecasts,
        }
        self.save_metrics_snapshots(profile_id, query_id, [snapshot])

    def save_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        snapshots: Iterable[Mapping[str, Any] | MetricsSnapshot],
    ) -> None:
        """Save many snapshots, all of them or none.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            snapshots: entities, or documents, each with ``snapshot_date``, ``metric_type`` and
                ``metrics``, and optionally ``forecast``, ``forecasts`` and ``created_at`` (by
                default the current time).
        """
        now, ids = self.now(), {"profile_id": profile_id, "query_id": query_id}
        self.save_records(
            MetricsSnapshot,
            (
                {"created_at": now, **document_of(MetricsSnapshot, each), **ids}
                for each in snapshots
            ),
        )

    def delete_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str | None = None,
        metric_type: str | None = None,
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> int:
        """Delete snapshots of some weeks, or of all.

        Args:
            profile_id: the profile of the queries.
            query_id: the query; ``None`` for all of the profile.
            metric_type: such as ``dora`` or ``flow``; ``None`` for all.
            since: the first week, or a day in it; ``None`` for any.
            until: the last week, or a day in it; ``None`` for any.

        Returns:
            The number of deleted snapshots; 0 also if there is no such profile or query.

        Raises:
            ValidationError: a bound is no week.
        """
        return self.delete_records(
            MetricsSnapshot,
            profile_id,
            query_id,
            one_of={} if metric_type is None else {"metric_type": [metric_type]},
            between={"snapshot_date": checked_weeks(since, until)},
        )

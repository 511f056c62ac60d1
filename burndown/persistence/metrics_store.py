"""The part of a backend that stores weekly metrics, in terms of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, cast, overload

from burndown import models
from burndown.models import Document
from burndown.models.codec import codec_of
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
        since: models.Week | date | str | None = None,
        until: models.Week | date | str | None = None,
    ) -> list[models.MetricsSnapshotDocument]:
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
            for each in self.records(models.MetricsSnapshot, profile_id, query_id)
            if metric_type in (None, each["metric_type"]) and first <= each["snapshot_date"] <= last
        ]
        found.sort(key=lambda each: str(each["snapshot_date"]), reverse=True)
        return cast("list[models.MetricsSnapshotDocument]", found[:limit])

    @overload
    def get_series(
        self,
        profile_id: str,
        query_id: str,
        metric: str,
        since: models.Week | date | str | None = None,
        until: models.Week | date | str | None = None,
    ) -> models.MetricSeries: ...

    @overload
    def get_series(
        self,
        profile_id: str,
        query_id: str,
        metric: list[str],
        since: models.Week | date | str | None = None,
        until: models.Week | date | str | None = None,
    ) -> list[models.MetricSeries]: ...

    def get_series(
        self,
        profile_id: str,
        query_id: str,
        metric: str | list[str],
        since: models.Week | date | str | None = None,
        until: models.Week | date | str | None = None,
    ) -> models.MetricSeries | list[models.MetricSeries]:
        """Return a metric, or each of several, as lists with an item for each week, for a plot.

        A series has ``metric``, ``unit`` (``None`` if it is not known), ``weeks`` such as
        ``2025-W12``, oldest first and without gaps, and as many ``values``: numbers, or ``None``
        where there is none. ``forecast``, ``lower`` and ``upper`` have the forecast that was saved
        with the week, and its bounds. The lists are empty if nothing is stored and a bound is
        missing.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            metric: the type and the name, such as ``dora.lead_time_days``; or a list, for series
                over the same weeks. The DORA and Flow metrics are found as numbers and as objects
                of the dashboard. A path leads into an object: ``flow.flow_load.by_status.Testing``.
            since: the first week, or a day in it; ``None`` for the first that is stored.
            until: the last week, or a day in it; ``None`` for the last that is stored.

        Raises:
            ValidationError: a metric has no type, or a bound is no week.
        """
        metrics = [metric] if isinstance(metric, str) else metric
        types = {models.metric_series.metric_type_of(each) for each in metrics}
        single_type = next(iter(types)) if len(types) == 1 else None
        found = self.get_metrics_snapshots(
            profile_id, query_id, single_type, None, since=since, until=until
        )
        series = models.metric_series.series_of(metrics, found, since, until)
        return series[0] if isinstance(metric, str) else series

    def save_metrics_snapshot(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: models.Week | date | str,
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
        snapshots: Iterable[Mapping[str, Any] | models.MetricsSnapshot],
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
            models.MetricsSnapshot,
            (
                {"created_at": now, **document_of(models.MetricsSnapshot, each), **ids}
                for each in snapshots
            ),
        )

    def patch_metrics(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: models.Week | date | str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecasts: Mapping[str, Any] | None = None,
    ) -> None:
        """Save some metrics of a week, and keep its others; of concurrent ones, none is lost.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            snapshot_date: the week, as for :meth:`save_metrics_snapshot`. If it has no snapshot of
                this type, it gets one.
            metric_type: the type of all the metrics.
            metrics: by name; each replaces the stored one. ``None`` removes it.
            forecasts: likewise, by the name of their metric; ``None`` keeps all.
        """
        given = {
            "profile_id": profile_id,
            "query_id": query_id,
            "snapshot_date": snapshot_date,
            "metric_type": metric_type,
            "created_at": self.now(),
            "metrics": metrics,
            "forecasts": forecasts,
        }
        # Refused before the transaction begins, and with the week as it is stored.
        [patch] = codec_of(models.MetricsSnapshot).complete([given])
        self._patch_snapshot(patch)

    def _patch_snapshot(self, patch: Document) -> None:
        """Save a snapshot that is merged into the stored one, in one transaction."""
        week = patch["snapshot_date"]
        with self.transaction():
            found = self.get_metrics_snapshots(
                patch["profile_id"], patch["query_id"], patch["metric_type"], 1, week, week
            )
            self.save_records(
                models.MetricsSnapshot, [models.MetricsSnapshot.patched(found, patch)]
            )

    def delete_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str | None = None,
        metric_type: str | None = None,
        since: models.Week | date | str | None = None,
        until: models.Week | date | str | None = None,
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
            models.MetricsSnapshot,
            profile_id,
            query_id,
            one_of={} if metric_type is None else {"metric_type": [metric_type]},
            between={"snapshot_date": checked_weeks(since, until)},
        )

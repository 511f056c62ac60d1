"""The model of project data and metrics."""

import copy
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from burndown.models import MetricsSnapshot, ProjectData, Week
from burndown.testing.controlled_store import Document, in_utc
from burndown.testing.model.records import RecordModel
from burndown.testing.model.refusals import RefusedError, check

__all__ = ["MetricsModel"]


class MetricsModel(RecordModel):
    """Project data, and snapshots by type and week."""

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        found = self._find(ProjectData, profile_id, query_id)
        return None if found is None else found["data"]

    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        check("data", {"data": data})
        self._require(profile_id, query_id)
        of_query = {"profile_id": profile_id, "query_id": query_id}
        self._keep(ProjectData, {**of_query, "updated_at": self._now(), "data": data})

    def delete_project_data(self, profile_id: str, query_id: str | None = None) -> int:
        return self._forget(ProjectData, profile_id, query_id, lambda _: True)

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> Any:
        if limit is not None and limit < 1:
            raise RefusedError("limit")
        is_in = in_weeks(since, until)
        found = self._below(MetricsSnapshot, profile_id, query_id)
        found.sort(key=lambda each: each["snapshot_date"], reverse=True)
        return [
            each for each in found if metric_type in (None, each["metric_type"]) and is_in(each)
        ][:limit]

    def delete_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str | None = None,
        metric_type: str | None = None,
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> int:
        is_in = in_weeks(since, until)
        return self._forget(
            MetricsSnapshot,
            profile_id,
            query_id,
            lambda each: metric_type in (None, each["metric_type"]) and is_in(each),
        )

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
        snapshot = {
            "snapshot_date": snapshot_date,
            "metric_type": metric_type,
            "metrics": metrics,
            "forecast": forecast,
            "forecasts": forecasts,
        }
        self.save_metrics_snapshots(profile_id, query_id, [snapshot])

    def patch_metrics(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: Week | date | str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecasts: Mapping[str, Any] | None = None,
    ) -> None:
        key = {"snapshot_date": snapshot_date, "metric_type": metric_type}
        given = {"metrics": metrics, "forecasts": forecasts}
        check("snapshot", {**key, **given})
        self._require(profile_id, query_id)
        found = self._find(
            MetricsSnapshot, profile_id, query_id, metric_type, str(snapshot_date)
        ) or {"forecast": None, "forecasts": None, "metrics": {}}
        snapshot = {**copy.deepcopy(found), **key}
        for name, changes in given.items():
            if changes is not None:
                snapshot[name] = snapshot[name] or {}
                for each, change in changes.items():
                    snapshot[name].pop(each, None)
                    if change is not None:
                        snapshot[name][each] = change
        self.save_metrics_snapshots(profile_id, query_id, [{**snapshot, "created_at": self._now()}])

    def save_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        snapshots: Iterable[Mapping[str, Any] | MetricsSnapshot],
    ) -> None:
        many = [each for each in snapshots if isinstance(each, Mapping)]
        for snapshot in many:
            check("snapshot", snapshot)
        for snapshot in many:
            self._require(profile_id, query_id)
            given = {
                **snapshot,
                "created_at": in_utc(snapshot.get("created_at", self.clock())),
                "profile_id": profile_id,
                "query_id": query_id,
            }
            self._keep(MetricsSnapshot, {"forecast": None, "forecasts": None, **given})


def in_weeks(since: Any, until: Any) -> Callable[[Document], bool]:
    """Return whether a snapshot is in a range; the samples are weeks, Thursdays and no weeks."""
    first, last = (None if week is None else as_week(week) for week in (since, until))
    paths = [name for name, week in (("since", first), ("until", last)) if week == ""]
    if paths:
        raise RefusedError(paths[0])
    return lambda each: (first or "") <= each["snapshot_date"] <= (last or "9")


def as_week(sample: Week | date | str) -> str:
    """Return the week of a sample as documents have it; an empty string for ``soon``."""
    if isinstance(sample, date):
        return sample.strftime("%G-W%V")
    return "" if sample == "soon" else str(sample)

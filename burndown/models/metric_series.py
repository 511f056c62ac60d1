"""Metrics as series of numbers, one for each week, whatever form they were stored in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import TypedDict

from burndown.errors import ValidationError
from burndown.models.field_types import number_or_none
from burndown.models.week import Week

if TYPE_CHECKING:  # a series needs no table
    from burndown.models.metrics_snapshot import MetricsSnapshotDocument

__all__ = ["MEASURES", "Measure", "MetricSeries", "metric_type_of", "metrics_in", "series_of"]


class MetricSeries(TypedDict):
    """A metric over weeks. All lists have the same length."""

    metric: str
    unit: str | None
    weeks: list[str]
    values: list[float | None]
    forecast: list[float | None]
    lower: list[float | None]
    upper: list[float | None]


class Measure(NamedTuple):
    """A metric that is stored as a number, or in an object of the dashboard."""

    name: str
    """The name of the number."""
    unit: str
    """Its unit."""
    object: str
    """The name of the object."""
    key: str
    """The key of the number in the object."""
    divisor: int = 1
    """By what the number in the object is divided to get the unit."""

    def value_in(self, found: Mapping[str, Any]) -> float | None:
        """Return the value in an object of the dashboard, in the unit; ``None`` if it has none."""
        return _number(_at(found, self.key), self.divisor)


MEASURES = (
    Measure("deployment_frequency", "deployments", "dora_deployment_frequency", "deployment_count"),
    Measure("lead_time_days", "days", "dora_lead_time", "median_hours", 24),
    Measure(
        "change_failure_rate",
        "share",
        "dora_change_failure_rate",
        "change_failure_rate_percent",
        100,
    ),
    Measure("mttr_hours", "hours", "dora_mttr", "median_hours"),
    Measure("flow_time", "days", "flow_time", "median_days"),
    Measure("flow_efficiency", "percent", "flow_efficiency", "overall_pct"),
    Measure("flow_load", "issues", "flow_load", "wip_count"),
    Measure("flow_velocity", "issues", "flow_velocity", "completed_count"),
)
"""The DORA and Flow metrics."""

_MEASURES = {name: each for each in MEASURES for name in (each.name, each.object)}
_SAMPLES = {
    **dict.fromkeys(("median_days", "avg_days", "p85_days"), "completed_count"),
    **dict.fromkeys(
        ("overall_pct", "median_pct", "avg_active_days", "avg_waiting_days"), "completed_count"
    ),
    **dict.fromkeys(("median_hours", "mean_hours", "p95_hours"), "issues_with_lead_time"),
    "change_failure_rate_percent": "total_deployments",
    "release_failure_rate_percent": "total_releases",
    "value": "bugs_with_mttr",
}
"""For keys of the dashboard's objects, the key of the count that the number was calculated from.

If that is 0, the dashboard writes 0 for a number that there is not.
"""
_PLAIN = "value"
"""The key of a number in an object that has no other one."""


class _Forecast(NamedTuple):
    predicted: float | None = None
    lower: float | None = None
    upper: float | None = None


_NO_FORECAST = _Forecast()


def metric_type_of(metric: str) -> str:
    """Return the type of a metric that is named with it, such as ``dora.lead_time_days``.

    Raises:
        ValidationError: it is not a type and a name.
    """
    if isinstance(metric, str):
        metric_type, _, name = metric.partition(".")
        if metric_type and name:
            return metric_type
    expected = "input should be a type and a name, such as dora.lead_time_days"
    raise ValidationError.of("Metric", "", expected, metric)


def metrics_in(snapshots: Iterable[MetricsSnapshotDocument]) -> list[str]:
    """Return the names of the metrics that snapshots have, each once, for :func:`series_of`."""
    found: dict[str, None] = {}
    for snapshot in snapshots:
        for name in filter(None, [*snapshot["metrics"], *(snapshot["forecasts"] or {})]):
            measure = _MEASURES.get(name)
            canonical = name if measure is None else measure.name
            found[f"{snapshot['metric_type']}.{canonical}"] = None
    return list(found)


def series_of(
    metrics: Collection[str],
    snapshots: Iterable[MetricsSnapshotDocument],
    since: Week | date | str | None,
    until: Week | date | str | None,
) -> list[MetricSeries]:
    """Return the series of metrics, all of them over the same weeks.

    Args:
        metrics: the metrics, each with its type.
        snapshots: the snapshots of these types between the weeks, in any order.
        since: the first week; ``None`` for the first that has a snapshot.
        until: the last week; ``None`` for the last that has a snapshot.
    """
    by_type: dict[str, dict[str, MetricsSnapshotDocument]] = {
        metric_type_of(each): {} for each in metrics
    }
    for snapshot in snapshots:
        if snapshot["metric_type"] in by_type:
            by_type[snapshot["metric_type"]][snapshot["snapshot_date"]] = snapshot
    stored = [week for of_type in by_type.values() for week in of_type]
    weeks: list[str] = []
    if stored or (since is not None and until is not None):
        first = min(stored) if since is None else since
        last = max(stored) if until is None else until
        weeks = [str(each) for each in Week.span(first, last)]
    return [
        _series(each, weeks, list(map(by_type[metric_type_of(each)].get, weeks)))
        for each in metrics
    ]


def _series(
    metric: str, weeks: list[str], snapshots: list[MetricsSnapshotDocument | None]
) -> MetricSeries:
    name = metric.partition(".")[2]
    measure = _MEASURES.get(name)
    name = name if measure is None else measure.name
    forecasts = [
        _NO_FORECAST if each is None else _forecast(each, name, measure) for each in snapshots
    ]
    return {
        "metric": metric,
        "unit": None if measure is None else measure.unit,
        "weeks": list(weeks),
        "values": [
            None if each is None else _value(each["metrics"], name, measure) for each in snapshots
        ],
        "forecast": [each.predicted for each in forecasts],
        "lower": [each.lower for each in forecasts],
        "upper": [each.upper for each in forecasts],
    }


def _value(metrics: Mapping[str, Any], name: str, measure: Measure | None) -> float | None:
    """Return the number of a metric in the unit of its series; ``None`` if it has none."""
    if measure is None:
        found = _at(metrics, name)
        return _number(_at(found, _PLAIN) if isinstance(found, dict) else found)
    if measure.name in metrics and not isinstance(metrics[measure.name], dict):
        return _number(metrics[measure.name])
    found = metrics.get(measure.object)
    return measure.value_in(found) if isinstance(found, dict) else None


def _at(metrics: Mapping[str, Any], path: str) -> Any:
    """Return the value at a key, or at keys that are joined by dots; ``None`` if there is none."""
    if path in metrics:
        is_missing = path in _SAMPLES and metrics[path] == metrics.get(_SAMPLES[path]) == 0
        return None if is_missing else metrics[path]
    key, dot, rest = path.partition(".")
    inner = metrics.get(key)
    return _at(inner, rest) if dot and isinstance(inner, dict) else None


def _number(value: Any, divisor: int = 1) -> float | None:
    if value is None:
        return None
    number = number_or_none(value)
    try:
        if number is None or not isfinite(number):  # a string can mean NaN
            return None
    except OverflowError:  # an integer that is no float
        return None
    return number if divisor == 1 else number / divisor


def _forecast(snapshot: MetricsSnapshotDocument, name: str, measure: Measure | None) -> _Forecast:
    """Return the forecast of a metric.

    It is the one of its name or of its object, or that of a snapshot with no other metric.
    """
    metrics, by_name = snapshot["metrics"], snapshot["forecasts"] or {}
    owner, divisor = (name, 1) if measure is None else (measure.object, measure.divisor)
    found = _read_forecast(by_name.get(name))
    if not found and owner != name:
        found = _read_forecast(by_name.get(owner), divisor)
    if not found and isinstance(metric := metrics.get(owner), dict):
        found = _read_forecast(metric.get("forecast"), divisor) or _read_forecast(metric, divisor)
    if not found and len(metrics) == 1 and metrics.keys() & {name, owner}:
        found = _read_forecast(snapshot["forecast"])
    return found or _NO_FORECAST


def _read_forecast(forecast: Any, divisor: int = 1) -> _Forecast | None:
    """Return a forecast in one of its forms, or ``None``: a number, or an object with bounds."""
    if forecast is None:
        return None
    if not isinstance(forecast, dict):
        predicted = _number(forecast, divisor)
        return None if predicted is None else _Forecast(predicted)
    bounds = forecast.get("forecast_range")
    interval = forecast.get("confidence_interval")
    if isinstance(bounds, dict):
        lower, upper = bounds.get("lower"), bounds.get("upper")
    elif isinstance(interval, list) and len(interval) == 2:
        lower, upper = interval
    else:
        lower = forecast.get("forecast_confidence_low")
        upper = forecast.get("forecast_confidence_high")
    predicted = forecast.get("predicted_value", forecast.get("forecast_value"))
    found = _Forecast(*(_number(each, divisor) for each in (predicted, lower, upper)))
    return None if found == _NO_FORECAST else found

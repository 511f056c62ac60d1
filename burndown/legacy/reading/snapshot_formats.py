"""The formats of ``metrics_snapshots.json``.

The old dashboard writes ``{week: {metric: value}}``, without the type of a metric. Which metrics
belong to which snapshot is in the sidecar.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from burndown.conversion import (
    LEGACY_VALUES,
    FormatError,
    Report,
    WeeklyMetrics,
    is_timestamp,
    json_type,
    keep_storable,
)
from burndown.errors import format_value
from burndown.legacy.sidecar import SnapshotInfo
from burndown.models import Document
from burndown.models.timestamps import to_utc

__all__ = ["described_snapshots", "snapshot_documents"]

_Metrics = dict[str, Any]


def described_snapshots(
    written: Any,
    described: Iterable[SnapshotInfo],
    written_at: datetime,
    report: Report,
    skip: Report,
) -> list[Document]:
    """Return the snapshots in the file, as the sidecar describes them.

    Metrics that the sidecar does not name are read as :func:`snapshot_documents` reads them.

    Args:
        written: the content of the file.
        described: the snapshots in the sidecar; those that the file no longer has are ignored.
        written_at: the time of the file, used without a timestamp.
        report: takes a sentence on each value that is converted.
        skip: takes a sentence on each key that is not a week.

    Raises:
        FormatError: it is not an object of weeks.
    """
    documents = snapshot_documents(written, written_at, report, skip)
    weeks: dict[str, _Metrics] = {}
    for document in documents:
        weeks.setdefault(document["snapshot_date"], {}).update(document["metrics"])
    found: dict[tuple[str, str], Document] = {}
    claimed: dict[str, set[str]] = {}
    for info in described:
        if info.snapshot_date not in weeks:
            continue
        values = {**weeks[info.snapshot_date], **info.values}
        found[info.snapshot_date, info.metric_type] = {
            **info.model_dump(exclude={"metrics", "values"}),
            "metrics": {name: values[name] for name in info.metrics if name in values},
        }
        claimed.setdefault(info.snapshot_date, set()).update(info.metrics)
    for document in documents:
        taken = claimed.get(document["snapshot_date"])
        if taken is not None:
            metrics = document["metrics"].items()
            document["metrics"] = {name: each for name, each in metrics if name not in taken}
        if taken is None or document["metrics"]:
            key = document["snapshot_date"], document["metric_type"]
            found.setdefault(key, {**document, "metrics": {}})["metrics"].update(
                document["metrics"]
            )
    return list(found.values())


def snapshot_documents(
    written: Any, written_at: datetime, report: Report, skip: Report
) -> list[Document]:
    """Return the snapshots in the file, one for each week and type.

    Args:
        written: the content of the file.
        written_at: the time of the file, used without a timestamp.
        report: takes a sentence on each value that is converted.
        skip: takes a sentence on each key that is not a week.

    Raises:
        FormatError: it is not an object of weeks.
    """
    if not isinstance(written, dict):
        raise FormatError(f"input should be an object of weeks, got {json_type(written)}")
    found = WeeklyMetrics(report)
    for spelling, metrics in written.items():
        week = found.add_week(spelling)
        if week is None:
            skip(f"{format_value(spelling)}: input should be an ISO week such as 2025-W12")
            continue
        metrics = _metrics(metrics, spelling, report)
        if not metrics:  # the week itself was recorded
            found.add_empty(week)
        for name, metric in metrics.items():
            found.add(week, name, metric, _timestamp_of(metric), spelling)
    return found.documents(written_at)


def _metrics(written: Any, week: str, report: Report) -> _Metrics:
    """Return the metrics of a week; a value that is not an object is kept as one metric."""
    if isinstance(written, dict):
        return keep_storable(written, lambda what: report(f"{week}: {what}"))
    if written is None:
        report(f"{week}: null read as no metrics")
        return {}
    problem = f"input should be an object of metrics, got {json_type(written)}"
    report(f"{week}: {problem}; kept under {LEGACY_VALUES}")
    return keep_storable({LEGACY_VALUES: written}, report)


def _timestamp_of(metric: Any) -> datetime | None:
    written = metric.get("timestamp") if isinstance(metric, dict) else None
    return to_utc(written) if is_timestamp(written) else None

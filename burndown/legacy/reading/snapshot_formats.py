"""The formats of ``metrics_snapshots.json``.

The old dashboard writes ``{week: {metric: value}}``, without the type of a metric. Which metrics
belong to which snapshot is in the sidecar.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from burndown.errors import format_value
from burndown.legacy.findings import Report
from burndown.legacy.reading.conversion import LEGACY_VALUES, is_timestamp, keep_storable
from burndown.legacy.reading.json_files import FormatError, json_type
from burndown.legacy.sidecar import SnapshotInfo
from burndown.models import Document
from burndown.models.timestamps import to_iso_week, to_utc

__all__ = ["described_snapshots", "snapshot_documents"]

_ONE_DIGIT = re.compile(r"[0-9]{4}-W[1-9]").fullmatch
_OLDEST = datetime.min.replace(tzinfo=UTC)

_Metrics = dict[str, Any]
_Found = dict[tuple[str, str], _Metrics]
"""Metrics by week and type."""


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
            **info.model_dump(include={"snapshot_date", "metric_type", "created_at", "forecast"}),
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

    The type of a metric is the prefix of its name, ``dora_`` or ``flow_``, and else ``other``.

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
    found: _Found = {}
    other_spellings: list[str] = []
    for spelling, metrics in written.items():
        week = _week(spelling)
        if week is None:
            skip(f"{format_value(spelling)}: input should be an ISO week such as 2025-W12")
            continue
        if week != spelling:
            other_spellings.append(spelling)
        metrics = _metrics(metrics, spelling, report)
        if not metrics:  # the week itself was recorded
            found.setdefault((week, "other"), {})
        for name, metric in metrics.items():
            _add_metric(found, week, name, metric, spelling, report)
    _report_spellings(other_spellings, report)
    return [
        {
            "snapshot_date": week,
            "metric_type": metric_type,
            "created_at": _newest_timestamp(metrics) or written_at,
            "metrics": metrics,
            "forecast": None,
        }
        for (week, metric_type), metrics in found.items()
    ]


def _week(spelling: str) -> str | None:
    """Return the ISO week, also of one digit (``2025-W7``) or its Monday (``2025-02-10``)."""
    if _ONE_DIGIT(spelling):
        spelling = f"{spelling[:-1]}0{spelling[-1]}"
    return to_iso_week(spelling)


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


def _add_metric(
    found: _Found, week: str, name: str, metric: Any, spelling: str, report: Report
) -> None:
    """Add a metric; if two spellings of a week both have it, keep the older under another name."""
    metrics = found.setdefault((week, _metric_type(name)), {})
    if name not in metrics or metrics[name] == metric:
        metrics[name] = metric
        return
    older_name = f"{name} (double)"
    report(f"week {spelling}: {name} exists twice; the older one is kept as {older_name!r}")
    # Without timestamps, the one that comes later in the file is the newer.
    older, newer = sorted(
        (metrics[name], metric), key=lambda each: _newest_timestamp({name: each}) or _OLDEST
    )
    metrics[name] = newer
    found.setdefault((week, "other"), {})[older_name] = older


def _metric_type(name: str) -> str:
    prefix = name.partition("_")[0]
    return prefix if prefix in ("dora", "flow") and "_" in name else "other"


def _report_spellings(spellings: list[str], report: Report) -> None:
    if spellings:
        named = ", ".join(f"{each} is now {_week(each)}" for each in spellings[:3])
        more = f" and {len(spellings) - 3} more" if len(spellings) > 3 else ""
        report(f"weeks in another spelling: {named}{more}")


def _newest_timestamp(metrics: _Metrics) -> datetime | None:
    found = [metric.get("timestamp") for metric in metrics.values() if isinstance(metric, dict)]
    return max((to_utc(each) for each in found if is_timestamp(each)), default=None)

"""Metrics of weeks, collected into one snapshot for each week and type."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from burndown.conversion.findings import Report, first_few
from burndown.models import Document
from burndown.models.time_types import to_iso_week

__all__ = ["WeeklyMetrics", "read_week"]

_ONE_DIGIT = re.compile(r"[0-9]{4}-W[1-9]").fullmatch
_OLDEST = datetime.min.replace(tzinfo=UTC)
_OTHER = "other"
"""The type of metrics that are neither DORA nor Flow metrics."""


@lru_cache(1024)
def read_week(spelling: str) -> str | None:
    """Return the ISO week, which can also be of one digit (``2025-W7``) or its Monday.

    Returns:
        The week, or ``None`` if it is no week.
    """
    return to_iso_week(f"{spelling[:-1]}0{spelling[-1]}" if _ONE_DIGIT(spelling) else spelling)


class _Metric(NamedTuple):
    value: Any
    calculated_at: datetime | None


class WeeklyMetrics:
    """Metrics of weeks, which old formats store without their type.

    The type of a metric is the prefix of its name, ``dora_`` or ``flow_``, and else ``other``.

    Args:
        report: takes a sentence on each value that is converted.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._found: dict[tuple[str, str], dict[str, _Metric]] = {}
        self._other_spellings: dict[str, str] = {}
        self._doubles: dict[tuple[str, str], list[str]] = {}
        self._numbers: defaultdict[tuple[str, str], Iterator[int]] = defaultdict(lambda: count(2))

    def add_week(self, spelling: str) -> str | None:
        """Return the ISO week as :func:`read_week` does, and remember the spelling for a report."""
        week = read_week(spelling)
        if week is not None and week != spelling:
            self._other_spellings[spelling] = week
        return week

    def add_empty(self, week: str) -> None:
        """Add a week that has no metrics."""
        self._found.setdefault((week, _OTHER), {})

    def add(
        self, week: str, name: str, value: Any, calculated_at: datetime | None, spelling: str
    ) -> None:
        """Add a metric; if two spellings of a week both have it, keep the older under another name.

        Args:
            week: the ISO week.
            name: the name of the metric.
            value: the metric.
            calculated_at: when it was calculated, if that is known.
            spelling: the week as it was written, for reports.
        """
        metrics = self._found.setdefault((week, _type_of(name)), {})
        metric = _Metric(value, calculated_at)
        if name not in metrics:
            metrics[name] = metric
            return
        # Without timestamps, the one that comes later is the newer.
        older, newer = sorted(
            (metrics[name], metric), key=lambda each: each.calculated_at or _OLDEST
        )
        metrics[name] = newer
        if older.value == newer.value:
            return
        others = self._found.setdefault((week, _OTHER), {})
        older_name = f"{name} (double)"
        while older_name in others:
            older_name = f"{name} (double {next(self._numbers[week, name])})"
        others[older_name] = older
        self._doubles.setdefault((name, older_name), []).append(spelling)

    def documents(self, written_at: datetime) -> list[Document]:
        """Return the snapshots, without the ids of profile and query.

        Args:
            written_at: the time of those without a metric whose time is known.
        """
        self._report_changes()
        return [
            {
                "snapshot_date": week,
                "metric_type": metric_type,
                "created_at": max(
                    (each.calculated_at for each in metrics.values() if each.calculated_at),
                    default=written_at,
                ),
                "metrics": {name: each.value for name, each in metrics.items()},
                "forecast": None,
            }
            for (week, metric_type), metrics in self._found.items()
        ]

    def _report_changes(self) -> None:
        for (name, older_name), spellings in self._doubles.items():
            self._report(
                f"{name} exists twice, and the older one is kept as {older_name!r}: in the week"
                f" {first_few(spellings)}"
            )
        if self._other_spellings:
            named = [f"{each} is now {week}" for each, week in self._other_spellings.items()]
            self._report(f"weeks in another spelling: {first_few(named)}")


@lru_cache(256)
def _type_of(name: str) -> str:
    prefix = name.partition("_")[0]
    return prefix if prefix in ("dora", "flow") and "_" in name else _OTHER

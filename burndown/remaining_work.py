"""The work that remains at the end of each week, which a burndown chart shows."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from burndown.errors import ValidationError
from burndown.models.field_types import number_or_none
from burndown.models.week import Week

__all__ = ["RemainingWork", "remaining_work", "weekly_work"]


_WORK = ("created_items", "completed_items", "created_points", "completed_points")
_MAX_NUMBER = 2**53
"""Up to here, each integer is exactly a float."""


class RemainingWork(TypedDict):
    """Remaining work over weeks, oldest first. All lists have the same length."""

    weeks: list[str]
    """The weeks, such as ``2025-W12``, without a gap."""
    items: list[float]
    """The issues that were not done at the end of each week."""
    points: list[float]
    """Their story points."""


def remaining_work(data: Mapping[str, Any] | None) -> RemainingWork:
    """Return the remaining work of a query over the weeks of its statistics.

    It is calculated backwards from the scope, which is that of the last week: what a week completed
    remained before it, and what was created in it did not.

    Args:
        data: project data, as :meth:`~burndown.PersistenceBackend.get_project_data` returns them:
            ``project_scope`` with ``remaining_items`` and ``remaining_points``, and ``statistics``
            with the numbers of each week (``completed_items``, ``created_points`` and so on). A
            number that is missing or above 2**53 counts as 0, and a row without a valid date is
            ignored.

    Returns:
        The series, which is empty without statistics.
    """
    data = data or {}
    scope, work = data.get("project_scope", data), weekly_work(data.get("statistics"))
    weeks = Week.span(min(work), max(work)) if work else []
    return {
        "weeks": list(map(str, weeks)),
        "items": _backwards(weeks, work, "items", _number(scope, "remaining_items")),
        "points": _backwards(weeks, work, "points", _number(scope, "remaining_points")),
    }


def weekly_work(statistics: Any) -> defaultdict[Week, dict[str, float]]:
    """Return what was created and completed in each week, by the names of the statistics.

    Args:
        statistics: the statistics in project data, as of :func:`remaining_work`.
    """
    found: defaultdict[Week, dict[str, float]] = defaultdict(lambda: dict.fromkeys(_WORK, 0))
    for row in statistics if isinstance(statistics, list) else []:
        if isinstance(row, Mapping):
            try:
                week = Week.of(row.get("date", ""))
            except ValidationError:
                continue
            for name in _WORK:
                found[week][name] += _number(row, name)
    return found


def _backwards(
    weeks: list[Week], work: Mapping[Week, dict[str, float]], kind: str, remaining: float
) -> list[float]:
    """Return the work at the end of each week, from that at the end of the last one."""
    found: list[float] = []
    for week in reversed(weeks):
        found.append(max(remaining, 0))
        if week in work:
            remaining -= work[week][f"created_{kind}"] - work[week][f"completed_{kind}"]
    return found[::-1]


def _number(values: Any, name: str) -> float:
    number = number_or_none(values.get(name)) if isinstance(values, Mapping) else None
    return number if number is not None and abs(number) <= _MAX_NUMBER else 0

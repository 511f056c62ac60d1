"""The work that remains at the end of each week, which a burndown chart shows."""

from collections import defaultdict
from collections.abc import Mapping
from math import isfinite
from typing import Any

from typing_extensions import TypedDict

from burndown.errors import ValidationError
from burndown.models.field_types import number_or_none
from burndown.models.week import Week

__all__ = ["RemainingWork", "remaining_work"]


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
            number that is missing counts as 0, and a row without a valid date is ignored.

    Returns:
        The series, which is empty without statistics.
    """
    data = data or {}
    scope = data.get("project_scope", data)
    changes = {kind: _changes(data.get("statistics"), kind) for kind in ("items", "points")}
    found: RemainingWork = {"weeks": [], "items": [], "points": []}
    if changes["items"]:
        weeks = Week.span(min(changes["items"]), max(changes["items"]))
        found["weeks"] = list(map(str, weeks))
        found["items"] = _backwards(weeks, changes["items"], _number(scope, "remaining_items"))
        found["points"] = _backwards(weeks, changes["points"], _number(scope, "remaining_points"))
    return found


def _changes(statistics: Any, kind: str) -> defaultdict[Week, float]:
    """Return by how much each week changed the remaining work."""
    changes: defaultdict[Week, float] = defaultdict(float)
    for row in statistics if isinstance(statistics, list) else []:
        if isinstance(row, Mapping):
            try:
                week = Week.of(row.get("date", ""))
            except ValidationError:
                continue
            changes[week] += _number(row, f"created_{kind}") - _number(row, f"completed_{kind}")
    return changes


def _backwards(
    weeks: list[Week], changes: defaultdict[Week, float], remaining: float
) -> list[float]:
    """Return the work at the end of each week, from that at the end of the last one."""
    found: list[float] = []
    for week in reversed(weeks):
        found.append(max(remaining, 0))
        remaining -= changes[week]
    return found[::-1]


def _number(values: Any, name: str) -> float:
    number = number_or_none(values.get(name)) if isinstance(values, Mapping) else None
    return number if number is not None and isfinite(number) else 0

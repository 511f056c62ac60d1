"""Data that a legacy workspace cannot hold: a budget, and the progress of a task."""

from datetime import timedelta
from statistics import fmean

from burndown.models import Week
from burndown.persistence import PersistenceBackend

__all__ = ["add_newer_data"]

_COST = 12_000
"""The cost of six people in a week."""
_WEEKS, _ADDED_WEEKS = 36, 4
"""The weeks of the budget, and how many of them the revision added."""


def add_newer_data(backend: PersistenceBackend) -> None:
    """Add a budget with a revision, and a finished task, to a migrated sample workspace.

    The budget is that of the query ``12w`` of the profile ``kafka``. It holds from the first week
    of the statistics, and was revised eight weeks ago. The task ``fetch-issues`` has fetched the
    cached response of this query. The same store and time give the same data.

    Args:
        backend: the store into which the workspace was migrated.
    """
    ids = ("kafka", "12w")
    statistics = (backend.get_project_data(*ids) or {})["statistics"]
    [response] = backend.list_jira_caches(*ids)
    began_on = statistics[0]["date"]
    revised_at = backend.now() - timedelta(weeks=8)
    revision = {
        "revision_date": revised_at,
        "week_label": str(Week.of(revised_at)),
        "time_allocated_weeks_delta": _ADDED_WEEKS,
        "budget_total_delta": _ADDED_WEEKS * _COST,
        "reason": "More bugs than expected",
        "created_at": revised_at,
    }
    budget = {
        "time_allocated_weeks": _WEEKS,
        "team_cost_per_week": _COST,
        "budget_total": _WEEKS * _COST,
        "baseline_velocity_items": _mean(statistics, "completed_items"),
        "baseline_velocity_points": _mean(statistics, "completed_points"),
        "effective_from": began_on,
        "created_at": f"{began_on}T09:00:00+00:00",
        "revisions": [revision],
    }
    with backend.transaction():
        backend.save_budget(*ids, budget)
        count = response["issue_count"]
        backend.save_task_progress("fetch-issues", 100, "completed", f"{count} of {count} issues")


def _mean(statistics: list[dict[str, float]], name: str) -> float:
    """Return the mean of the first half of the weeks, from which the budget was planned."""
    return round(fmean(week[name] for week in statistics[: len(statistics) // 2]), 1)

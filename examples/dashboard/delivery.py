"""What the dashboard shows of a query, read from the store."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from burndown import BudgetDocument, FoundResponse, MetricSeries, PersistenceBackend, Profile, Week
from burndown.jira import Issue, issues_of
from burndown.remaining_work import remaining_work, weekly_work
from examples.dashboard.forecast import Forecast, forecast

__all__ = ["ACTIVE", "Budget", "Delivery", "newest_response", "read_delivery"]

METRICS = [
    *("dora.deployment_frequency", "dora.lead_time_days"),
    *("dora.change_failure_rate", "dora.mttr_hours"),
    *("flow.flow_velocity", "flow.flow_time", "flow.flow_efficiency", "flow.flow_load"),
]
WEEKS, OLD = 26, 4
"""Weeks that charts show, and after which statistics are too old for a forecast."""
ACTIVE = ["In Progress", "In Review"]
"""The statuses of work in progress, in a profile that names none."""


@dataclass(frozen=True)
class Budget:
    """A budget, and how much of it is used.

    Args:
        document: the budget, with a total and a weekly cost of the team.
        spent: the cost of the team since it began, in its currency.
        needed: the same until everything is likely to be done; ``None`` if that is not known.
    """

    document: BudgetDocument
    spent: float
    needed: float | None


@dataclass(frozen=True)
class Delivery:
    """The delivery of a query.

    Args:
        profile: its profile.
        today: the current day.
        unit: ``points`` if the profile shows story points and there are any, or else ``issues``.
        work: the remaining work at the end of each week, in this unit, oldest week first.
        completed: the work that was completed in each of these weeks.
        throughput: the same in the weeks that the forecast draws from, which are over.
        forecast: of the remaining work; empty if the statistics are too old for it.
        cycle_times: for each resolved issue, the days of active work on it.
        in_progress: the same for issues in progress, longest first.
        metrics: the DORA and Flow metrics, by name, over the last 26 weeks.
        budget: the budget; ``None`` without one that has a total and a weekly cost.
    """

    profile: Profile
    today: date
    unit: str
    work: list[tuple[Week, float]]
    completed: list[tuple[Week, float]]
    throughput: list[float]
    forecast: Forecast
    cycle_times: list[tuple[Issue, float]]
    in_progress: list[tuple[Issue, float]]
    metrics: dict[str, MetricSeries]
    budget: Budget | None


def read_delivery(backend: PersistenceBackend, profile_id: str, query_id: str) -> Delivery | None:
    """Return the delivery of a query; ``None`` if there is no such query."""
    found = backend.get_profile(profile_id)
    if found is None or backend.get_query(profile_id, query_id) is None:
        return None
    ids = (profile_id, query_id)
    profile, now = Profile.model_validate(found), backend.now()
    week = Week.of(now)
    data = backend.get_project_data(*ids) or {}
    remaining, by_week = remaining_work(data), weekly_work(data.get("statistics"))
    weeks = [Week.of(each) for each in remaining["weeks"]]
    points = profile.show_points and any(remaining["points"])
    values = remaining["points"] if points else remaining["items"]
    column = "completed_points" if points else "completed_items"
    completed = [(each, by_week[each][column]) for each in weeks]
    past = [value for each, value in completed if each < week]
    throughput = past[-int(profile.forecast_settings.data_points_count) :]
    is_recent = bool(weeks) and weeks[-1] >= week - OLD
    ahead = forecast(values[-1] if is_recent else 0, throughput, week)
    issues = worked_days(backend, ids, profile, now)
    in_progress = [each for each in issues if each[0].status_category == "indeterminate"]
    series = backend.get_series(*ids, METRICS, since=week - WEEKS + 1, until=week)
    return Delivery(
        profile=profile,
        today=now.date(),
        unit="points" if points else "issues",
        work=list(zip(weeks, values, strict=True))[-WEEKS:],
        completed=completed[-WEEKS:],
        throughput=throughput,
        forecast=ahead,
        cycle_times=[each for each in issues if each[0].resolved],
        in_progress=sorted(in_progress, key=lambda each: -each[1]),
        metrics={each["metric"].partition(".")[2]: each for each in series},
        budget=read_budget(backend.get_budget(*ids), now.date(), ahead.done(50)),
    )


def worked_days(
    backend: PersistenceBackend, ids: tuple[str, str], profile: Profile, now: datetime
) -> list[tuple[Issue, float]]:
    """Return the issues of the newest response whose history is known, with days of active work."""
    response = newest_response(backend, ids)
    statuses = profile.project_classification.active_statuses or ACTIVE
    return [
        (issue, issue.history.time_in(statuses, now) / timedelta(days=1))
        for issue in issues_of(response, profile, backend.get_jira_changelogs(*ids))
        if issue.history.is_known
    ]


def newest_response(backend: PersistenceBackend, ids: tuple[str, str]) -> FoundResponse | None:
    """Return the newest response of a query, ``None`` if it has none.

    It is taken whichever fields it has, whoever saved it, and however old it is.
    """
    keys = [each["cache_key"] for each in backend.list_jira_caches(*ids)]
    return backend.find_jira_cache(*ids, keys[0]) if keys else None


def read_budget(budget: BudgetDocument | None, today: date, done: Week | None) -> Budget | None:
    """Return how much of a budget is used today, and when everything is done."""
    if budget is None or not budget["budget_total"] or budget["team_cost_per_week"] is None:
        return None
    begin = date.fromisoformat((budget["effective_from"] or budget["created_at"])[:10])

    def cost_until(day: date) -> float:
        return max((day - begin) / timedelta(weeks=1), 0) * (budget["team_cost_per_week"] or 0)

    return Budget(budget, cost_until(today), cost_until(done.sunday) if done else None)

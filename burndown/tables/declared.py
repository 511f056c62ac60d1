"""The tables: a class for the rows of each, with the type and the description of its columns.

The column types of SQLite and Parquet, Datasette's metadata and the test of the documentation
are made from these classes.
"""

from datetime import date, datetime
from typing import Annotated, NamedTuple

from burndown.tables.columns import Described, table_of

__all__ = [
    "TABLES",
    "BudgetRow",
    "ForecastRow",
    "IssueRow",
    "MetricRow",
    "ProfileRow",
    "QueryRow",
    "SprintRow",
    "StatusChangeRow",
    "WeekRow",
]


def _key(title: str, source: str) -> Described:
    return Described(title, source, is_key=True)


_ProfileId = Annotated[str, _key("Id of the profile", "profiles.id")]
_QueryId = Annotated[str, _key("Id of the query, unique within its profile", "queries.id")]
_IssueKey = Annotated[str, _key("Key of the issue", "key")]
_Week = Annotated[
    str, _key("ISO week, such as 2025-W12", "snapshot_date, or date of the statistics")
]
_WeekStart = Annotated[date, Described("Monday of the week", "the week")]
_Metric = Annotated[str, _key("Type and name, such as dora.lead_time_days", "metrics_snapshots")]
_SPRINT = "field of the sprint, or history"
_Unit = Annotated[str | None, Described("Unit of the values, if it is known", "the metric")]


class ProfileRow(NamedTuple):
    """A Jira connection with its settings."""

    profile_id: _ProfileId
    name: Annotated[str, Described("Name", "profiles.name")]
    description: Annotated[str | None, Described("Description", "profiles.description")]
    jira_url: Annotated[str | None, Described("URL of Jira", "jira_config.base_url")]
    deadline: Annotated[date | None, Described("Deadline", "forecast_settings.deadline")]
    milestone: Annotated[date | None, Described("Milestone", "forecast_settings.milestone")]
    created_at: Annotated[datetime, Described("When it was created, UTC", "profiles.created_at")]


class QueryRow(NamedTuple):
    """A JQL query of a profile, with the scope and the age of its issues."""

    profile_id: _ProfileId
    query_id: _QueryId
    name: Annotated[str, Described("Name", "queries.name")]
    jql: Annotated[str | None, Described("The search", "queries.jql")]
    description: Annotated[str | None, Described("Description", "queries.description")]
    created_at: Annotated[datetime, Described("When it was created, UTC", "queries.created_at")]
    fetched_at: Annotated[
        datetime | None, Described("When its issues were fetched, UTC", "newest cached response")
    ]
    is_complete: Annotated[
        bool | None, Described("Whether all issues were fetched", "newest cached response")
    ]
    total_items: Annotated[float | None, Described("All issues", "project_scope", "issues")]
    completed_items: Annotated[
        float | None, Described("Issues that are done", "project_scope", "issues")
    ]
    remaining_items: Annotated[
        float | None, Described("Issues that are not done", "project_scope", "issues")
    ]
    total_points: Annotated[float | None, Described("All story points", "project_scope", "points")]
    completed_points: Annotated[
        float | None, Described("Story points of issues that are done", "project_scope", "points")
    ]
    remaining_points: Annotated[
        float | None,
        Described("Story points of issues that are not done", "project_scope", "points"),
    ]


class IssueRow(NamedTuple):
    """An issue of a query, as its newest cached response has it."""

    profile_id: _ProfileId
    query_id: _QueryId
    issue_key: _IssueKey
    project: Annotated[str | None, Described("Key of the project", "project")]
    type: Annotated[str | None, Described("Issue type", "issuetype")]
    summary: Annotated[str | None, Described("Summary", "summary")]
    status: Annotated[str | None, Described("Status", "status")]
    status_category: Annotated[
        str | None, Described("new, indeterminate or done", "status.statusCategory")
    ]
    priority: Annotated[str | None, Described("Priority", "priority")]
    resolution: Annotated[str | None, Described("Resolution", "resolution")]
    assignee: Annotated[str | None, Described("Full name of the assignee", "assignee")]
    parent: Annotated[str | None, Described("Key of the parent", "parent")]
    labels: Annotated[str | None, Described("Labels, a JSON array", "labels")]
    components: Annotated[str | None, Described("Components, a JSON array", "components")]
    fix_versions: Annotated[str | None, Described("Fix versions, a JSON array", "fixVersions")]
    points: Annotated[
        float | None, Described("Story points", "the field that the profile names", "points")
    ]
    due: Annotated[date | None, Described("Day on which it is due", "duedate")]
    created_at: Annotated[datetime | None, Described("When it was created, UTC", "created")]
    updated_at: Annotated[datetime | None, Described("When it was changed, UTC", "updated")]
    resolved_at: Annotated[
        datetime | None, Described("When it was resolved, UTC", "resolutiondate")
    ]
    started_at: Annotated[
        datetime | None,
        Described(
            "When it first entered a status with which work begins, UTC",
            "history; flow_start_statuses, or else active_statuses of the profile",
        ),
    ]
    finished_at: Annotated[
        datetime | None,
        Described(
            "When it entered the statuses of done work, in which it still is, UTC",
            "history; flow_end_statuses of the profile, or else resolutiondate",
        ),
    ]
    cycle_time_days: Annotated[
        float | None, Described("From started_at to finished_at", "history", "days")
    ]


class StatusChangeRow(NamedTuple):
    """A status that an issue has entered, and the time that it spent there."""

    profile_id: _ProfileId
    query_id: _QueryId
    issue_key: _IssueKey
    number: Annotated[int, _key("1 for the first status, and so on", "history")]
    previous_status: Annotated[
        str | None, Described("Status before; empty for the first one", "history")
    ]
    status: Annotated[str, Described("Status that it entered", "history")]
    entered_at: Annotated[
        datetime | None, Described("When, UTC; empty if it is not known", "history")
    ]
    left_at: Annotated[
        datetime | None, Described("When it left it, UTC; empty if it is still there", "history")
    ]
    days: Annotated[float | None, Described("From entered_at to left_at", "history", "days")]


class SprintRow(NamedTuple):
    """An issue that is or was in a sprint."""

    profile_id: _ProfileId
    query_id: _QueryId
    sprint_id: Annotated[str, _key("Id of the sprint, or its name if that is not known", _SPRINT)]
    issue_key: _IssueKey
    sprint: Annotated[str, Described("Name of the sprint, the newest that is known", _SPRINT)]
    state: Annotated[str | None, Described("active, closed or future", "field of the sprint")]
    starts_at: Annotated[
        datetime | None, Described("Start of the sprint, UTC", "field of the sprint")
    ]
    ends_at: Annotated[
        datetime | None, Described("Planned end of the sprint, UTC", "field of the sprint")
    ]
    completed_at: Annotated[
        datetime | None, Described("When the sprint was closed, UTC", "field of the sprint")
    ]
    added_at: Annotated[
        datetime | None,
        Described("When the issue was last added, UTC; empty since its creation", "history"),
    ]
    removed_at: Annotated[
        datetime | None, Described("When it was removed, UTC; empty while it is in it", "history")
    ]


class MetricRow(NamedTuple):
    """A metric in one week; a week without a value has no row."""

    profile_id: _ProfileId
    query_id: _QueryId
    metric: _Metric
    week: _Week
    week_start: _WeekStart
    value: Annotated[float, Described("Value", "metrics_snapshots", "its unit")]
    unit: _Unit


class ForecastRow(NamedTuple):
    """The forecast that was saved with a metric in one week."""

    profile_id: _ProfileId
    query_id: _QueryId
    metric: _Metric
    week: _Week
    week_start: _WeekStart
    forecast: Annotated[float | None, Described("Forecast", "metrics_snapshots", "its unit")]
    lower: Annotated[float | None, Described("Lower bound", "metrics_snapshots", "its unit")]
    upper: Annotated[float | None, Described("Upper bound", "metrics_snapshots", "its unit")]
    unit: _Unit


class WeekRow(NamedTuple):
    """The work that was created and completed in one week, and what remained at its end."""

    profile_id: _ProfileId
    query_id: _QueryId
    week: _Week
    week_start: _WeekStart
    created_items: Annotated[float, Described("Issues created", "statistics", "issues")]
    completed_items: Annotated[float, Described("Issues completed", "statistics", "issues")]
    remaining_items: Annotated[
        float, Described("Issues that remained", "statistics and project_scope", "issues")
    ]
    created_points: Annotated[float, Described("Story points created", "statistics", "points")]
    completed_points: Annotated[float, Described("Story points completed", "statistics", "points")]
    remaining_points: Annotated[
        float, Described("Story points that remained", "statistics and project_scope", "points")
    ]


class BudgetRow(NamedTuple):
    """The budget of a query."""

    profile_id: _ProfileId
    query_id: _QueryId
    time_allocated_weeks: Annotated[float | None, Described("Allocated time", "budgets", "weeks")]
    team_cost_per_week: Annotated[
        float | None, Described("Weekly cost of the team", "budgets", "the currency")
    ]
    budget_total: Annotated[float | None, Described("Total", "budgets", "the currency")]
    cost_rate_type: Annotated[str | None, Described("Kind of the cost rate", "budgets")]
    currency_symbol: Annotated[str | None, Described("Currency", "budgets")]
    baseline_velocity_items: Annotated[
        float | None, Described("Planned velocity", "budgets", "issues per week")
    ]
    baseline_velocity_points: Annotated[
        float | None, Described("Planned velocity", "budgets", "points per week")
    ]
    effective_from: Annotated[date | None, Described("Day from which on it holds", "budgets")]
    updated_at: Annotated[datetime, Described("When it was saved, UTC", "budgets")]


TABLES = (
    table_of("profiles", ProfileRow),
    table_of("queries", QueryRow),
    table_of("issues", IssueRow),
    table_of("status_changes", StatusChangeRow),
    table_of("sprints", SprintRow),
    table_of("metrics", MetricRow),
    table_of("forecasts", ForecastRow),
    table_of("weeks", WeekRow),
    table_of("budgets", BudgetRow),
)
"""All tables."""

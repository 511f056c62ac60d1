"""The rows of all tables, from a store."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from burndown.jira import issues_of
from burndown.models import Document, ProfileDocument, QueryDocument
from burndown.models.project_data import ProjectScope
from burndown.models.timestamps import to_utc
from burndown.persistence import PersistenceBackend
from burndown.tables.declared import BudgetRow, ProfileRow, QueryRow
from burndown.tables.issues import Workflow, issue_row, status_rows
from burndown.tables.sprints import sprint_rows
from burndown.tables.weeks import metric_rows, week_rows

__all__ = ["rows_of"]


def rows_of(backend: PersistenceBackend) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of all tables, query by query, so that one query at a time is in memory."""
    for profile in backend.list_profiles():
        yield _profile_row(profile)
        workflow = Workflow(profile)
        for query in backend.list_queries(profile["id"]):
            yield from _rows_of_query(backend, profile, query, workflow)


def _profile_row(profile: ProfileDocument) -> ProfileRow:
    settings = profile["forecast_settings"]
    return ProfileRow(
        profile_id=profile["id"],
        name=profile["name"],
        description=profile["description"],
        jira_url=profile["jira_config"].get("base_url", "").partition("?")[0],
        deadline=_day(settings.get("deadline")),
        milestone=_day(settings.get("milestone")),
        created_at=to_utc(profile["created_at"]),
    )


def _rows_of_query(
    backend: PersistenceBackend, profile: ProfileDocument, query: QueryDocument, workflow: Workflow
) -> Iterator[tuple[Any, ...]]:
    ids = profile["id"], query["id"]
    data = backend.get_project_data(*ids) or {}
    newest = next(iter(backend.list_jira_caches(*ids)), None)
    yield _query_row(query, data, newest)
    if newest is not None:
        found = backend.find_jira_cache(*ids, newest["cache_key"])
        changelogs = {
            key: each["changelog"] for key, each in backend.find_jira_changelogs(*ids).items()
        }
        issues = [each for each in issues_of(found, profile, changelogs) if each.key]
        for issue in issues:
            yield issue_row(*ids, issue, workflow)
            yield from status_rows(*ids, issue)
        yield from sprint_rows(*ids, issues)
    yield from metric_rows(*ids, backend.get_metrics_snapshots(*ids, limit=None))
    yield from week_rows(*ids, data)
    yield from _budget_rows(backend, *ids)


def _query_row(query: QueryDocument, data: Document, newest: Any) -> QueryRow:
    found = data.get("project_scope", data)
    scope = ProjectScope.model_validate(found if isinstance(found, dict) else {})
    return QueryRow(
        profile_id=query["profile_id"],
        query_id=query["id"],
        name=query["name"],
        jql=query["jql"],
        description=query["description"],
        created_at=to_utc(query["created_at"]),
        fetched_at=None if newest is None else to_utc(newest["created_at"]),
        is_complete=None if newest is None else newest["is_complete"],
        total_items=scope.total_items,
        completed_items=scope.completed_items,
        remaining_items=scope.remaining_items,
        total_points=scope.total_points,
        completed_points=scope.completed_points,
        remaining_points=scope.remaining_points,
    )


def _budget_rows(
    backend: PersistenceBackend, profile_id: str, query_id: str
) -> Iterator[BudgetRow]:
    budget = backend.get_budget(profile_id, query_id)
    if budget is not None:
        yield BudgetRow(
            profile_id=profile_id,
            query_id=query_id,
            time_allocated_weeks=budget["time_allocated_weeks"],
            team_cost_per_week=budget["team_cost_per_week"],
            budget_total=budget["budget_total"],
            cost_rate_type=budget["cost_rate_type"],
            currency_symbol=budget["currency_symbol"],
            baseline_velocity_items=budget["baseline_velocity_items"],
            baseline_velocity_points=budget["baseline_velocity_points"],
            effective_from=_day(budget["effective_from"]),
            updated_at=to_utc(budget["updated_at"]),
        )


def _day(text: str | None) -> date | None:
    return datetime.fromisoformat(text).date() if text else None

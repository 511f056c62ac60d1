"""Summaries of what is stored, for people and programs."""

import glob
from datetime import datetime
from pathlib import Path

from burndown.models import (
    SCHEMA_VERSION,
    BudgetDocument,
    MetricSeries,
    QueryDocument,
    Week,
    public_document,
)
from burndown.models.metric_series import MEASURES
from burndown.persistence import Document, PersistenceBackend
from burndown.profile_manager import get_profile
from burndown.query_manager import get_query
from burndown.schema import VERSIONS

__all__ = ["profile_overview", "query_overview", "store_health", "workspace_overview"]

_TRENDS = [
    f"{'dora' if each.object.startswith('dora_') else 'flow'}.{each.name}" for each in MEASURES
]
_TREND_WEEKS = 26
"""Weeks of a trend, up to the last one that has a snapshot."""


def store_health(backend: PersistenceBackend) -> Document:
    """Return whether the store can be used, without reading all of it.

    Returns:
        What :meth:`~burndown.PersistenceBackend.describe` returns, and ``is_current``, whether the
        schema version is that of this release; ``profiles``, their number; ``running_tasks``, the
        names of the tasks that a process holds the lease of.

    Raises:
        StorageError: the store is busy or out of reach.
        DatabaseCorruptionError: what was read is damaged.
    """
    with backend.transaction():
        described = backend.describe()
        now = backend.now().isoformat()
        return {
            **described,
            "is_current": described["schema_version"] == SCHEMA_VERSION,
            "profiles": len(backend.list_profiles()),
            "running_tasks": [
                task["task_name"]
                for task in backend.list_task_progress()
                if task["lease_until"] is not None and task["lease_until"] > now
            ],
        }


def workspace_overview(backend: PersistenceBackend) -> Document:
    """Return a summary of the store, its profiles with their queries, and the tasks."""
    return {
        "database": {**backend.describe(), "schema_history": _schema_history(backend)},
        "active_profile_id": backend.get_app_state("active_profile_id"),
        "active_query_id": backend.get_app_state("active_query_id"),
        "profiles": [
            {
                "id": profile["id"],
                "name": profile["name"],
                "last_used": profile["last_used"],
                "queries": [
                    _query_summary(backend, query) for query in backend.list_queries(profile["id"])
                ],
            }
            for profile in backend.list_profiles()
        ],
        "tasks": backend.list_task_progress(),
    }


def _schema_history(backend: PersistenceBackend) -> list[Document]:
    """Return the versions up to that of the store, each with the backups that upgrades made."""
    described = backend.describe()
    file = Path(described["location"])
    if described["schema_version"] not in VERSIONS or file.is_dir():
        return []
    versions = list(VERSIONS)
    backups = sorted(file.parent.glob(f"{glob.escape(file.name)}.*.backup"))
    return [
        {
            "version": version,
            "description": VERSIONS[version],
            "backups": [
                str(each) for each in backups if each.name.startswith(f"{file.name}.{version}.")
            ],
        }
        for version in versions[: versions.index(described["schema_version"]) + 1]
    ]


def profile_overview(backend: PersistenceBackend, profile_id: str) -> Document:
    """Return the :func:`~burndown.public_document` of a profile, and a summary of its queries.

    Raises:
        ProfileNotFoundError: it does not exist.
    """
    return {
        **public_document(get_profile(profile_id, backend=backend)),
        "queries": [_query_summary(backend, query) for query in backend.list_queries(profile_id)],
    }


def query_overview(backend: PersistenceBackend, profile_id: str, query_id: str) -> Document:
    """Return a summary of a query with all its data.

    Raises:
        ProfileNotFoundError: the profile does not exist.
        QueryNotFoundError: the profile has no such query.
    """
    get_profile(profile_id, backend=backend)
    query = get_query(profile_id, query_id, backend=backend)
    data = backend.get_project_data(profile_id, query_id) or {}
    scope = data.get("project_scope", data)
    totals = scope if isinstance(scope, dict) else {}
    return {
        **_query_summary(backend, query),
        "jql": query["jql"],
        "description": query["description"],
        "created_at": query["created_at"],
        "last_used": query["last_used"],
        "project_scope": {
            name: totals.get(name)
            for name in ("total_items", "completed_items", "total_points", "completed_points")
        },
        "budget": _budget_summary(backend.get_budget(profile_id, query_id)),
        "trends": _trends(backend, profile_id, query_id),
        "snapshots": [
            {
                "snapshot_date": snapshot["snapshot_date"],
                "metric_type": snapshot["metric_type"],
                "metrics": sorted(snapshot["metrics"]),
            }
            for snapshot in backend.get_metrics_snapshots(profile_id, query_id, limit=None)
        ],
    }


def _query_summary(backend: PersistenceBackend, query: QueryDocument) -> Document:
    ids = query["profile_id"], query["id"]
    weeks = {found["snapshot_date"] for found in backend.get_metrics_snapshots(*ids, limit=None)}
    now = backend.now()
    return {
        "id": query["id"],
        "name": query["name"],
        "cached_responses": [
            {**cache, "age_seconds": _age_seconds(cache["created_at"], now)}
            for cache in backend.list_jira_caches(*ids)
        ],
        "changelog_count": len(backend.list_jira_changelogs(*ids)),
        "has_project_data": backend.get_project_data(*ids) is not None,
        "has_budget": backend.get_budget(*ids) is not None,
        "week_count": len(weeks),
        "latest_week": max(weeks, default=None),
    }


def _trends(backend: PersistenceBackend, profile_id: str, query_id: str) -> list[MetricSeries]:
    """Return the DORA and Flow metrics that there are, over the last weeks with a snapshot."""
    newest = backend.get_metrics_snapshots(profile_id, query_id, limit=1)
    if not newest:
        return []
    last = Week.of(newest[0]["snapshot_date"])
    series = backend.get_series(profile_id, query_id, _TRENDS, since=last - (_TREND_WEEKS - 1))
    return [each for each in series if any(value is not None for value in each["values"])]


def _budget_summary(budget: BudgetDocument | None) -> Document | None:
    if budget is None:
        return None
    return {
        "time_allocated_weeks": budget["time_allocated_weeks"],
        "team_cost_per_week": budget["team_cost_per_week"],
        "budget_total": budget["budget_total"],
        "currency_symbol": budget["currency_symbol"],
        "effective_from": budget["effective_from"],
        "revision_count": len(budget["revisions"]),
    }


def _age_seconds(created_at: str, now: datetime) -> int:
    return int((now - datetime.fromisoformat(created_at)).total_seconds())

"""What is stored, summed up for people and programs."""

import glob
from datetime import datetime
from pathlib import Path
from typing import Any

from burndown.models.values import utc_now
from burndown.persistence import Document, PersistenceBackend
from burndown.profile_manager import get_profile
from burndown.query_manager import get_query
from burndown.schema import VERSIONS

__all__ = ["profile_overview", "query_overview", "workspace_overview"]


def workspace_overview(backend: PersistenceBackend) -> Document:
    """The database, its profiles with their queries, and the tasks."""
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
    """The versions up to that of the store, with the copies that upgrades made beside its file."""
    described = backend.describe()
    file = Path(described["location"])
    if described["schema_version"] not in VERSIONS or file.is_dir():
        return []
    versions = list(VERSIONS)
    copies = sorted(file.parent.glob(f"{glob.escape(file.name)}.*.backup"))
    return [
        {
            "version": version,
            "description": VERSIONS[version],
            "backups": [
                str(copy) for copy in copies if copy.name.startswith(f"{file.name}.{version}.")
            ],
        }
        for version in versions[: versions.index(described["schema_version"]) + 1]
    ]


def profile_overview(backend: PersistenceBackend, profile_id: str) -> Document:
    """A profile with its queries; of the token only whether there is one.

    Raises:
        ProfileNotFoundError: there is none.
    """
    profile = get_profile(profile_id)
    jira = profile["jira_config"]
    return {
        "id": profile_id,
        "name": profile["name"],
        "description": profile["description"],
        "created_at": profile["created_at"],
        "last_used": profile["last_used"],
        "jira": {"base_url": jira.get("base_url", ""), "has_token": bool(jira.get("token"))},
        "forecast_settings": profile["forecast_settings"],
        "queries": [_query_summary(backend, query) for query in backend.list_queries(profile_id)],
    }


def query_overview(backend: PersistenceBackend, profile_id: str, query_id: str) -> Document:
    """A query with all that hangs on it.

    Raises:
        ProfileNotFoundError: there is no such profile.
        QueryNotFoundError: it has no such query.
    """
    get_profile(profile_id)
    query = get_query(profile_id, query_id)
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
        "snapshots": [
            {
                "snapshot_date": snapshot["snapshot_date"],
                "metric_type": snapshot["metric_type"],
                "metrics": sorted(snapshot["metrics"]),
            }
            for snapshot in backend.get_metrics_snapshots(profile_id, query_id, limit=None)
        ],
    }


def _query_summary(backend: PersistenceBackend, query: Document) -> Document:
    ids = query["profile_id"], query["id"]
    weeks = {found["snapshot_date"] for found in backend.get_metrics_snapshots(*ids, limit=None)}
    return {
        "id": query["id"],
        "name": query["name"],
        "cached_responses": [
            {**cache, "age_seconds": _age_seconds(cache["created_at"])}
            for cache in backend.list_jira_caches(*ids)
        ],
        "changelog_count": len(backend.list_jira_changelogs(*ids)),
        "has_project_data": backend.get_project_data(*ids) is not None,
        "week_count": len(weeks),
        "latest_week": max(weeks, default=None),
    }


def _age_seconds(moment: Any) -> int:
    return int((utc_now() - datetime.fromisoformat(moment)).total_seconds())

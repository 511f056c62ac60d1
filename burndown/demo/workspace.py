"""The files of the workspace: profiles, queries, their registry and the files at the root."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from burndown.demo import jira
from burndown.demo.issues import Issue, Query, changelog_cache, issue_cache, random_issues
from burndown.demo.jira import Json, Site
from burndown.demo.metrics import FLOW_TYPES, metrics_snapshots, project_scope, weekly_statistics

__all__ = ["MAPPINGS", "project_data", "write_demo_workspace"]

MAPPINGS: Json = {
    "field_mappings": {
        "dora": {
            "deployment_date": "fixVersions",
            "code_commit_date": "status:In Progress.DateTime",
            "incident_detected_at": "created",
            "incident_resolved_at": "resolutiondate",
            "change_failure": f"{jira.CHANGE_FAILURE_FIELD}=Yes",
            "severity_level": "priority",
            "affected_environment": "environment=PROD|Production",
        },
        "flow": {
            "flow_item_type": "issuetype",
            "status": "status",
            "completed_date": "resolutiondate",
            "effort_category": "customfield_10212",
            "estimate": jira.POINTS_FIELD,
        },
    },
    "project_classification": {
        "devops_projects": [],
        "development_projects": ["KAFKA", "ZAHL"],
        "devops_task_types": ["Deployment"],
        "bug_types": ["Bug"],
        "production_environment_values": ["PROD", "Production"],
        "flow_end_statuses": ["Resolved", "Closed"],
        "flow_start_statuses": ["In Progress"],
        "active_statuses": jira.ACTIVE_STATUSES,
        "wip_statuses": jira.WIP_STATUSES,
    },
    "flow_type_mappings": {
        name: {"issue_types": issue_types, "effort_categories": []}
        for name, (_, issue_types) in FLOW_TYPES.items()
    },
}
"""The sections of a profile that say where the values for metrics are."""


def write_demo_workspace(
    folder: Path, *, issues: int = 150, now: datetime | None = None, seed: int = 0
) -> None:
    """Write a legacy workspace of two profiles.

    The same arguments give the same files. The issue cache of the query ``12w`` is still valid,
    all others have expired. Some files are of the sort that a migration skips.

    Args:
        folder: the root of the workspace, created if needed; the profiles are in ``profiles``
            below it.
        issues: the number of issues of the query ``12w`` of the profile ``kafka``.
        now: the time at which the workspace was last used; the current time by default.
        seed: the seed of the random numbers.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    rng = Random(seed)  # noqa: S311
    profiles_dir = folder / "profiles"
    profiles = [
        _write_server_profile(profiles_dir / "kafka", issues, now, rng),
        _write_cloud_profile(profiles_dir / "p_b5d960ef1471", now, rng),
    ]
    registry = {
        "version": "3.0",
        "active_profile_id": "kafka",
        "active_query_id": "12w",
        "profiles": {profile["id"]: profile | {"jira_config": {}} for profile in profiles},
    }
    _write(profiles_dir / "profiles.json", registry)
    _write_root_files(folder, now, rng)


def _write_server_profile(folder: Path, count: int, now: datetime, rng: Random) -> Json:
    site = Site("https://jira.example.com", "KAFKA", "Kafka")
    live, expired = now - timedelta(hours=2), now - timedelta(days=3)
    jql = "project = KAFKA AND updated >= -12w"
    recent = Query("12w", "Last 12 weeks", jql, live, now)
    bugs = Query("bugs", "Bugs", f"{jql} AND issuetype = Bug", expired, now)
    issues = random_issues(site, count, recent, expired, rng)
    _write_query(folder, recent, issues)
    _write_query(folder, bugs, [issue for issue in issues if issue.type == "Bug"])
    profile = _write_profile(folder, site, [recent, bugs], now)
    # What an interrupted write of the old dashboard leaves: a migration has to skip it.
    (folder / "profile.json.tmp").write_text(json.dumps(profile, indent=2)[:700], encoding="utf-8")
    _write(folder / "queries" / recent.id / "metrics_snapshots_ab12cd.json", {})
    return profile


def _write_cloud_profile(folder: Path, now: datetime, rng: Random) -> Json:
    """Write a profile whose query was last synced by an older version of the dashboard."""
    site = Site("https://cloud.example.com", "ZAHL", "Zürich: Zahlungsverkehr ✓", is_cloud=True)
    query_id, synced_at = "q_ac7ce01bbf50", now - timedelta(days=21)
    query = Query(query_id, "Offene Vorgänge", "project = ZAHL", synced_at, now, old_format=True)
    issues = random_issues(site, 40, query, synced_at, rng)
    _write_query(folder, query, issues)
    cache_key = "111e84c119e8b07fcdd7dead83d36eba"
    metadata = {
        "timestamp": synced_at.isoformat(),
        "cache_key": cache_key,
        "config_hash": "c0239cdd1bb825a593337c2b302299f1",
    }
    response = {"metadata": metadata, "data": [issue.document for issue in issues]}
    _write(folder.parents[1] / "cache" / f"{cache_key}.json", response)
    return _write_profile(folder, site, [query], now)


def _write_profile(folder: Path, site: Site, queries: list[Query], now: datetime) -> Json:
    profile = {
        "id": folder.name,
        "name": site.project_name,
        "description": f"Delivery of the project {site.project_key}",
        "created_at": (now - timedelta(days=200)).isoformat(),
        "last_used": jira.naive_timestamp(now - timedelta(hours=1)),
        "jira_config": {
            "base_url": site.base_url,
            "api_version": f"v{site.api_version}",
            "token": "demo-token-not-real",
            "cache_size_mb": 100,
            "max_results_per_call": 500,
            "points_field": jira.POINTS_FIELD,
            "configured": True,
        },
        "forecast_settings": {
            "pert_factor": 1.2,
            "deadline": (now + timedelta(days=120)).date().isoformat(),
            "milestone": (now + timedelta(days=45)).date().isoformat(),
            "data_points_count": 12,
        },
        **MAPPINGS,
        "queries": [],
        "active_query_id": None,
        "show_milestone": True,
        "show_points": ["show"] if site.is_cloud else True,
    }
    _write(folder / "profile.json", profile)
    return profile | {"queries": [query.id for query in queries]}


def _write_query(folder: Path, query: Query, issues: list[Issue]) -> None:
    target = folder / "queries" / query.id
    properties = {
        "name": query.name,
        "jql": query.jql,
        "description": f"Demo: {query.name}",
        "created_at": query.mondays[0].isoformat(),
    }
    _write(target / "query.json", properties)
    _write(target / "project_data.json", project_data(query, issues))
    _write(target / "jira_cache.json", issue_cache(query, issues))
    _write(target / "jira_changelog_cache.json", changelog_cache(query, issues))
    _write(target / "metrics_snapshots.json", metrics_snapshots(query, issues))


def project_data(query: Query, issues: list[Issue]) -> Json:
    """Return scope and statistics; the old format has four numbers of the scope at its root."""
    scope = project_scope(query, issues)
    if query.old_format:
        names = ("total_items", "total_points", "estimated_items", "estimated_points")
        return {**{name: scope[name] for name in names}, "metadata": {}}
    return {
        "project_scope": scope,
        "statistics": [weekly_statistics(issues, monday) for monday in query.mondays],
        "metadata": {
            "source": "jira_calculated",
            "last_updated": jira.naive_timestamp(query.synced_at),
            "version": "2.0",
            "jira_query": query.jql,
        },
    }


def _write_root_files(folder: Path, now: datetime, rng: Random) -> None:
    started_at = jira.naive_timestamp(now - timedelta(hours=2))
    task = {
        "task_id": "update_data",
        "task_name": "Updating data",
        "status": "complete",
        "start_time": started_at,
        "complete_time": jira.naive_timestamp(now - timedelta(minutes=119)),
        "percent": 100,
        "message": "Done",
    }
    saved_query = {
        # From the generator, since uuid4() would differ with each run.
        "id": str(UUID(int=rng.getrandbits(128), version=4)),
        "name": "Open",
        "jql": "resolution is EMPTY",
        "description": "",
        "created_at": started_at,
        "last_used": started_at,
        "is_default": True,
    }
    _write(folder / "task_progress.json", task)
    _write(folder / "jira_query_profiles.json", [saved_query])
    _write(folder / "forecast_settings.json", {"pert_factor": 3, "deadline": "", "total_items": 80})


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")

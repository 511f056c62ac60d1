"""The exchange file of the published dashboard, as it writes it from its rows.

Nothing here is of the code under test.
"""

import json
from pathlib import Path
from typing import Any

from burndown import PersistenceBackend
from burndown.models import (
    Budget,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    ProjectData,
)

Document = dict[str, Any]

COLUMNS = {
    "summary": "summary",
    "status": "status",
    "assignee": "assignee",
    "issuetype": "issue_type",
    "priority": "priority",
    "resolution": "resolution",
    "created": "created",
    "updated": "updated",
    "resolutiondate": "resolved",
    "fixVersions": "fix_versions",
    "labels": "labels",
    "components": "components",
}
"""The columns of the fields of an issue, except the custom ones and the project."""
CREATED_AT = "2026-02-03T04:05:06.789012+00:00"
REDACTED = "<REDACTED_FOR_EXPORT>"
CANARY = "canary-token-9d2e"


def exchange_file(profile: Document, queries: dict[str, Any] | None, **manifest: Any) -> Document:
    """Return the content of a file.

    Args:
        profile: the row of the profile.
        queries: the parts of each query by its id.
        manifest: keys of the manifest that differ.
    """
    jira = profile.get("jira_config")
    return {
        "manifest": {
            "version": "2.0",
            "created_at": CREATED_AT,
            "created_by": "burndown-chart-enhanced",
            "export_type": "sharing",
            "profiles": [profile.get("id")],
            "includes_cache": True,
            "includes_queries": True,
            "includes_setup_status": True,
            "export_mode": "FULL_DATA",
            "includes_token": isinstance(jira, dict) and "token" in jira,
            "includes_changelog": True,
            **manifest,
        },
        "profile_data": profile,
        "query_data": queries,
    }


def write_exchange(content: Any, path: Path) -> Path:
    """Write a file as the dashboard does, with the bare words ``NaN`` and ``Infinity``."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False), "utf-8")
    return path


def exchange_of(backend: PersistenceBackend, profile_id: str) -> Document:
    """Return the content of a file with a stored profile and its queries."""
    profile = dict(backend.get_profile(profile_id) or {})
    del profile["revision"]
    queries = {}
    for query in backend.list_queries(profile_id):
        metadata = {
            key: value for key, value in query.items() if key not in ("revision", "profile_id")
        }
        queries[query["id"]] = {
            "query_metadata": metadata,
            **data_of(backend, profile_id, query["id"]),
        }
    return exchange_file(profile, queries)


def data_of(backend: PersistenceBackend, profile_id: str, query_id: str) -> Document:
    """Return the parts of a stored query with its data, as far as there are rows."""
    caches, changelogs, project_data, snapshots, budgets = (
        list(backend.records(entity, profile_id, query_id))
        for entity in (JiraCache, JiraChangelog, ProjectData, MetricsSnapshot, Budget)
    )
    ids = {"id": 7, "profile_id": profile_id, "query_id": query_id}
    parts: Document = {
        "changelog_entries": [
            {**ids, **row} for changelog in changelogs for row in rows_of_changelog(changelog)
        ],
        "metrics": [{**ids, **row} for snapshot in snapshots for row in rows_of_snapshot(snapshot)],
    }
    for cache in caches:
        parts["jira_cache"] = {"issues": [{**ids, **row} for row in rows_of_response(cache)]}
    for found in project_data:
        data, updated_at = found["data"], found["updated_at"]
        parts["statistics"] = [
            {**ids, "recorded_at": updated_at, **row_of_week(week)}
            for week in data.get("statistics", [])
        ]
        if "project_scope" in data:
            parts["project_scope"] = {**data["project_scope"], "updated_at": updated_at}
    for budget in budgets:
        parts["budget_settings"] = row_of_budget(budget)
        parts["budget_revisions"] = [
            {"id": 8, **row_of_revision(revision)} for revision in budget["revisions"]
        ]
    return {part: value for part, value in parts.items() if value}


def rows_of_response(cache: Document) -> list[Document]:
    """Return the rows of ``jira_issues``."""
    return [
        {
            "cache_key": cache["cache_key"],
            "issue_key": issue["key"],
            **{column: _name_of(issue["fields"].get(field)) for field, column in COLUMNS.items()},
            "points": None,
            "project_key": (issue["fields"].get("project") or {}).get("key"),
            "project_name": (issue["fields"].get("project") or {}).get("name"),
            "custom_fields": {
                field: value
                for field, value in issue["fields"].items()
                if field.startswith("customfield_")
            },
            "fetched_at": cache["created_at"],
            "expires_at": cache["expires_at"],
            "fixVersions": issue["fields"].get("fixVersions"),
        }
        for issue in cache["response"].get("issues", [])
    ]


def _name_of(value: Any) -> Any:
    return value.get("name", value.get("displayName")) if isinstance(value, dict) else value


def rows_of_changelog(changelog: Document) -> list[Document]:
    """Return the rows of ``jira_changelog_entries``."""
    return [
        {
            "issue_key": changelog["issue_key"],
            "change_date": history["created"],
            "author": (history.get("author") or {}).get("displayName"),
            "field_name": item["field"],
            "field_type": item.get("fieldtype"),
            "old_value": item.get("fromString"),
            "new_value": item.get("toString"),
            "expires_at": changelog["expires_at"],
        }
        for history in changelog["changelog"]["changelog"]["histories"]
        for item in history["items"]
    ]


def row_of_week(week: Document) -> Document:
    """Return the row of ``project_statistics``."""
    return {("stat_date" if key == "date" else key): value for key, value in week.items()}


def rows_of_snapshot(snapshot: Document) -> list[Document]:
    """Return the rows of ``metrics_data_points``."""
    columns = ("excluded_issue_count", *FORECAST)
    is_other = snapshot["metric_type"] == "other"
    rows = []
    for name, metric in snapshot["metrics"].items():
        metric = metric if isinstance(metric, dict) else {"value": metric, "unit": ""}
        rest = {key: value for key, value in metric.items() if key not in columns}
        is_plain = rest.keys() == {"value", "unit"} and not isinstance(rest["value"], dict | list)
        rows.append(
            {
                "snapshot_date": snapshot["snapshot_date"],
                "metric_category": "custom" if is_other else snapshot["metric_type"],
                "metric_name": name,
                "metric_value": rest["value"] if is_plain else rest,
                "metric_unit": rest["unit"] if is_plain else "",
                "excluded_issue_count": metric.get("excluded_issue_count", 0),
                "calculation_metadata": None,
                **{column: metric.get(column) for column in FORECAST},
                "calculated_at": snapshot["created_at"],
            }
        )
    return rows


FORECAST = ("forecast_value", "forecast_confidence_low", "forecast_confidence_high")


def row_of_budget(budget: Document) -> Document:
    """Return the row of ``budget_settings``, which a file has without its ids."""
    return {
        "time_allocated_weeks": budget["time_allocated_weeks"],
        "team_cost_per_week_eur": budget["team_cost_per_week"],
        "budget_total_eur": budget["budget_total"],
        "cost_rate_type": budget["cost_rate_type"],
        "currency_symbol": budget["currency_symbol"],
        "baseline_velocity_items": budget["baseline_velocity_items"],
        "baseline_velocity_points": budget["baseline_velocity_points"],
        "created_at": budget["created_at"],
        "updated_at": budget["updated_at"],
    }


def row_of_revision(revision: Document) -> Document:
    """Return the row of ``budget_revisions``."""
    return {
        ("revision_reason" if key == "reason" else key): value for key, value in revision.items()
    }


# --- a sample ----------------------------------------------------------------------------------

URL = "https://jira.example.com"
_IDS = {"id": 1, "profile_id": "p_1", "query_id": "q_1"}


def sample_profile(**changes: Any) -> Document:
    """Return the row of a profile, without a token."""
    return {
        "id": "p_1",
        "name": "Team A",
        "description": "Größe",
        "created_at": "2026-01-05T10:00:00.000001+00:00",
        "last_used": "2026-01-06T10:00:00",
        "jira_config": {"base_url": URL, "api_version": "v2", "configured": True},
        "field_mappings": {"dora": {"severity_level": "priority"}, "general": {"estimate": "x"}},
        "forecast_settings": {"pert_factor": 1.5, "deadline": None, "data_points_count": 12},
        "project_classification": {"bug_types": ["Bug"]},
        "flow_type_mappings": {"Risk": {"issue_types": ["Risk"], "effort_categories": []}},
        "show_milestone": 1,
        "show_points": 0,
        **changes,
    }


def sample_query(**changes: Any) -> Document:
    """Return the parts of a query, with every part that a file can have."""
    return {
        "query_metadata": {
            "id": "q_1",
            "name": "Bugs",
            "jql": "project = A",
            "created_at": "2026-01-05T10:00:00+00:00",
            "last_used": "2026-01-05T10:00:00+00:00",
        },
        "jira_cache": {"issues": [sample_issue("A-1"), sample_issue("A-2")]},
        "statistics": [
            {**_IDS, "stat_date": day, "completed_items": 3, "recorded_at": "2026-01-13T10:00:00"}
            for day in ("2026-01-05", "2026-01-12")
        ],
        "project_scope": {"total_items": 25, "updated_at": "2026-01-14T10:00:00"},
        "metrics": [
            {
                **_IDS,
                "snapshot_date": "2026-01-05",
                "metric_category": "dora",
                "metric_name": name,
                "metric_value": {"median_hours": 2},
                "metric_unit": "",
                "excluded_issue_count": 0,
                "calculation_metadata": None,
                **dict.fromkeys(FORECAST),
                "calculated_at": "2026-01-13T10:00:00",
            }
            for name in ("dora_lead_time", "dora_mttr")
        ],
        "changelog_entries": [
            {
                **_IDS,
                "issue_key": "A-1",
                "change_date": "2026-01-06T10:00:00.000+0000",
                "author": "Ann",
                "field_name": "status",
                "field_type": "jira",
                "old_value": "Open",
                "new_value": value,
                "expires_at": "2026-02-06T10:00:00",
            }
            for value in ("Done", "Closed")
        ],
        "budget_settings": sample_budget(),
        "budget_revisions": [
            {
                "id": 5,
                "revision_date": "2026-01-12T00:00:00+00:00",
                "week_label": "2026-W03",
                "time_allocated_weeks_delta": 2,
                "team_cost_delta": 0.0,
                "budget_total_delta": 9000.0,
                "revision_reason": reason,
                "created_at": "2026-01-12T10:00:00+00:00",
                "metadata": None,
            }
            for reason in ("more", "and more")
        ],
        **changes,
    }


def sample_issue(key: str) -> Document:
    """Return a row of ``jira_issues``."""
    return {
        **_IDS,
        "cache_key": "c9e60857",
        "issue_key": key,
        **{column: f"the {column}" for column in COLUMNS.values()},
        "points": None,
        "project_key": "A",
        "project_name": "Project A",
        "fix_versions": [],
        "labels": ["x"],
        "components": None,
        "custom_fields": {"customfield_1": {"value": 3}},
        "expires_at": "2026-01-07T10:00:00+00:00",
        "fetched_at": "2026-01-06T10:00:00+00:00",
        "fixVersions": [],
    }


def sample_budget() -> Document:
    """Return a row of ``budget_settings``, without ids as it is in a file."""
    return {
        "time_allocated_weeks": 26,
        "budget_total_eur": 130000.0,
        "currency_symbol": "€",
        "team_cost_per_week_eur": 5000.0,
        "cost_rate_type": "weekly",
        "created_at": "2026-01-02T00:00:00+00:00",
        "updated_at": "2026-01-12T10:00:00+00:00",
        "baseline_velocity_items": 3.25,
        "baseline_velocity_points": None,
    }


def sample_file() -> Document:
    """Return a file with a token and two queries, one of them with every part."""
    profile = sample_profile()
    profile["jira_config"]["token"] = CANARY
    other = {"id": "q_2", "name": "Other", "jql": "project = B"}
    return exchange_file(profile, {"q_1": sample_query(), "q_2": {"query_metadata": other}})


OLD_PARTS: Document = {
    "jira_cache": {
        "timestamp": "2025-12-10T10:00:00+00:00",
        "jql_query": "project = A",
        "fields_requested": "key,status",
        "issues": [{"key": "A-1", "fields": {"status": {"name": "Open"}}}],
        "total_issues": 1,
    },
    "project_data": {
        "project_scope": {"total_items": 25},
        "statistics": [{"date": "2025-12-01", "completed_items": 3}],
        "metadata": {"source": "jira_calculated", "last_updated": "2025-12-10T10:00:00+00:00"},
    },
    "metrics_snapshots": {
        "2025-49": {
            "dora_mttr": {"median_hours": 2, "timestamp": "2025-12-10T10:00:00+00:00"},
            "trends": {"flow_time_trend": "up"},
        }
    },
}
"""Data files of the old dashboard, as files of December 2025 have them."""

"""Generated data with the format and the size of real data; no two records are equal."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

from benchmarks.issues import Json, random_changelogs, random_issues
from benchmarks.options import Options
from burndown import Week

__all__ = [
    "EARLIER",
    "LATER",
    "changelogs",
    "heap",
    "metrics",
    "profile",
    "query",
    "response",
    "small_response",
    "weeks",
]

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
EARLIER = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2120, 1, 1, tzinfo=UTC)

_HEAP_TEXT = 20_000_000
"""Characters of JSON whose objects take about 100 MB."""


def response(options: Options) -> Json:
    """Return a large response of Jira, as a client receives it: parsed anew for each call.

    It has generated issues of about 3.6 KB each, or those of the file that the option names.
    Objects that share memory, or are still in the cache of the processor, make a walk over 100,000
    values twice as fast.
    """
    return cast("Json", json.loads(_response_text(options.issues, options.material)))


@cache
def _response_text(issues: int, material: Path | None) -> str:
    found = (
        random_issues(issues) if material is None else json.loads(material.read_bytes())["issues"]
    )
    page = {"expand": "schema,names", "startAt": 0, "maxResults": issues, "total": issues}
    return json.dumps({**page, "issues": found})


def heap(options: Options) -> list[Json]:
    """Return about 100 MB of objects, as an application has them that keeps responses."""
    size = len(_response_text(options.issues, options.material))
    return [response(options) for _ in range(_HEAP_TEXT // size)]


def changelogs(response: Json) -> dict[str, Json]:
    """Return the changelogs of the issues in a response, by key."""
    return cast("dict[str, Json]", json.loads(json.dumps(random_changelogs(response["issues"]))))


def small_response(number: int) -> Json:
    """Return a response of about 1 KB: one issue, with few fields."""
    few = _issues_of_few_fields()
    return {"startAt": number, "maxResults": 1, "total": 1, "issues": [few[number % len(few)]]}


@cache
def _issues_of_few_fields() -> list[Json]:
    few = ("summary", "priority", "status", "created", "resolutiondate", "labels", "fixVersions")
    return [
        {**issue, "fields": {name: issue["fields"][name] for name in few}}
        for issue in random_issues(499, seed=1)
    ]


def profile(number: int = 0) -> Json:
    """Return a profile with 1.8 KB of configuration."""
    statuses = ["Open", "In Progress", "In Review", "Testing", "Resolved", "Closed", "Reopened"]
    return {
        "id": f"profile-{number}",
        "name": f"Team {number}",
        "description": "Delivery of the platform team",
        "jira_config": {
            "base_url": "https://jira.example.com",
            "api_version": "v3",
            "token": "no-real-token-0123456789",
            "cache_size_mb": 100,
            "max_results_per_call": 100,
            "points_field": "customfield_10016",
            "configured": True,
        },
        "field_mappings": {
            "dora": {
                "deployment_date": "fixVersions",
                "deployment_successful": "customfield_10120=Yes|Passed",
                "code_commit_date": "status:In Progress.DateTime",
                "incident_detected_at": "created",
                "incident_resolved_at": "resolutiondate",
                "change_failure": "customfield_10121=Yes",
                "affected_environment": "customfield_10122",
                "target_environment": "customfield_10123=PROD|Production",
                "severity_level": "priority",
            },
            "flow": {
                "flow_item_type": "issuetype",
                "status": "status",
                "effort_category": "customfield_10124",
                "completed_date": "resolutiondate",
                "estimate": "customfield_10016",
            },
        },
        "forecast_settings": {
            "pert_factor": 1.5,
            "deadline": "2026-06-30",
            "milestone": "2026-03-31",
            "data_points_count": 12,
        },
        "project_classification": {
            "devops_projects": ["OPS", "PLATFORM"],
            "development_projects": ["KAFKA", "STREAMS", "CONNECT"],
            "devops_task_types": ["Task", "Sub-task"],
            "bug_types": ["Bug", "Incident"],
            "production_environment_values": ["PROD", "Production"],
            "flow_end_statuses": statuses[4:6],
            "active_statuses": statuses[1:4],
            "waiting_statuses": ["Open", "Reopened", "Waiting for customer", "Blocked"],
            "flow_start_statuses": statuses[1:2],
            "wip_statuses": statuses[1:4],
        },
        "flow_type_mappings": {
            "Feature": {"issue_types": ["Story", "New Feature"], "effort_categories": []},
            "Defect": {
                "issue_types": ["Bug", "Incident"],
                "effort_categories": ["Production issue", "Regression"],
            },
            "Technical Debt": {"issue_types": ["Task"], "effort_categories": ["Maintenance"]},
            "Risk": {"issue_types": ["Spike"], "effort_categories": ["Security", "Compliance"]},
        },
    }


def query(number: int) -> Json:
    """Return a query."""
    return {
        "id": f"query-{number}",
        "name": f"Query {number}",
        "jql": f"project = KAFKA AND created >= -{number}w ORDER BY created DESC",
        "description": "What the team looks at on Mondays",
    }


def metrics(number: int) -> Json:
    """Return the Flow metrics of a week, in the format of the dashboard."""
    rest = number % 97
    found: Json = {
        "flow_time": {
            "median_days": 3.5 + number,
            "avg_days": 4.25 + rest / 8,
            "p85_days": 9.75 + rest / 4,
            "completed_count": 14,
        },
        "flow_efficiency": {
            "overall_pct": 41.5 + rest / 4,
            "median_pct": 38.0 + rest / 2,
            "avg_active_days": 1.75,
            "avg_waiting_days": 2.5 + rest / 8,
            "completed_count": 14,
        },
        "flow_load": {
            "wip_count": 12 + rest,
            "by_status": {"In Progress": 7 + rest, "In Review": 3, "Testing": 2},
            "by_issue_type": {"Story": 6 + rest, "Bug": 4, "Task": 2},
        },
        "flow_velocity": {
            "completed_count": 14,
            "week": "2026-W01",
            "distribution": {"feature": 7, "defect": 4, "tech_debt": 2, "risk": 1},
        },
    }
    for metric in found.values():
        metric["timestamp"] = "2026-01-05T09:00:00+00:00"
    return found


def weeks(count: int) -> list[str]:
    """Return ISO weeks, newest first."""
    return [str(Week.of(NOW) - number) for number in range(count)]

"""Data like real ones, made here: no two issues are alike, and all compress as those of Jira do."""

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from burndown.demo import write_demo_workspace

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=36_500)
EARLIER = NOW - timedelta(days=1)

Document = dict[str, Any]


def response(issues: int) -> Document:
    """An answer of Jira with as many issues of some 3.6 KB each."""
    with tempfile.TemporaryDirectory() as folder:
        write_demo_workspace(Path(folder), issues=issues)
        paths = (Path(folder) / "profiles").rglob("jira_cache.json")
        found: list[Document] = [json.loads(path.read_text("utf-8")) for path in paths]
    largest = max(found, key=lambda each: len(each["issues"]))
    return {"issues": largest["issues"][:issues], "total": issues, "startAt": 0}


def profile(number: int = 0) -> Document:
    """A profile with 1.8 KB of configuration."""
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
            "flow_start_statuses": statuses[1:2],
            "wip_statuses": statuses[1:4],
        },
        "flow_type_mappings": {
            "Feature": {"issue_types": ["Story", "New Feature"], "effort_categories": []},
            "Defect": {"issue_types": ["Bug"], "effort_categories": []},
            "Technical Debt": {"issue_types": ["Task"], "effort_categories": ["Maintenance"]},
            "Risk": {"issue_types": ["Spike"], "effort_categories": ["Security"]},
        },
    }


def query(number: int) -> Document:
    """A query."""
    return {
        "id": f"query-{number}",
        "name": f"Query {number}",
        "jql": f"project = KAFKA AND created >= -{number}w ORDER BY created DESC",
        "description": "What the team looks at on Mondays",
    }


def metrics(number: int) -> Document:
    """The Flow metrics of a week."""
    return {
        "flow_time": {
            "median_days": 3.5 + number,
            "avg_days": 4.25,
            "p85_days": 9.75,
            "completed_count": 14,
            "timestamp": "2026-01-05T09:00:00+00:00",
        },
        "flow_load": {
            "wip_count": 12,
            "by_status": {"In Progress": 7, "In Review": 5},
            "by_issue_type": {"Story": 8, "Bug": 4},
        },
        "flow_velocity": {"completed_count": 14, "distribution": {"feature": 9, "defect": 5}},
    }


def weeks(count: int) -> list[str]:
    """ISO weeks, the latest first."""
    days = (NOW - timedelta(weeks=number) for number in range(count))
    return ["{}-W{:02d}".format(*day.isocalendar()[:2]) for day in days]

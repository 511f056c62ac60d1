"""Generate the database of the package's current schema version, with its values.

Run it once, when a version is about to be released: ``python -m tests.data.schemas.generate``. It
uses nothing but the public interface, so that it runs on every version.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from burndown import SQLiteBackend, ValidationError, models

FOLDER = Path(__file__).parent
NOW = datetime(2025, 12, 23, 10, 30, 15, 123456, tzinfo=UTC)
MODELS = (
    models.Profile,
    models.Query,
    models.JiraCache,
    models.JiraChangelog,
    models.ProjectData,
    models.MetricsSnapshot,
    models.Budget,
    models.AppState,
    models.TaskProgress,
)


def issue(number: int) -> dict[str, Any]:
    return {
        "id": str(10_000 + number),
        "key": f"KAFKA-{number}",
        "fields": {
            "summary": f"Größe 🚀 {number}",
            "status": {"name": ("Open", "In Progress", "Done")[number % 3]},
            "customfield_10016": (None, 1, 2.5, 10**25)[number % 4],
            "labels": [f"label-{number % 7}"] * (number % 3),
        },
    }


PROFILES: list[dict[str, Any]] = [
    {
        "id": "kafka",
        "name": "Kafka",
        "description": "Zürich ✓",
        "created_at": "2025-11-01T08:00:00+00:00",
        "last_used": "2025-12-20T09:15:00.000001+00:00",
        "jira_config": {
            "base_url": "https://jira.example.com",
            "api_version": "v3",
            "token": "no-real-token",
            "points_field": "customfield_10016",
            "unknown": {"b": [1, 2.0, None], "a": {}},
        },
        "field_mappings": {"dora": {"deployment_date": "fixVersions"}, "flow": {}},
        "forecast_settings": {"pert_factor": 1.5, "deadline": "2026-03-31"},
        "project_classification": {"bug_types": ["Bug"], "wip_statuses": []},
        "flow_type_mappings": {"Technical Debt": {"issue_types": ["Task"]}},
        "show_milestone": True,
        "show_points": ["show"],
        "setup_status": {"complete": True},
        "legacy_name": "kafka ",
    },
    {"id": "plain", "created_at": NOW - timedelta(days=400)},
    {"id": "ärger 🚀", "name": "Ärger", "extra": 1},
]
QUERIES: dict[str, list[dict[str, Any]]] = {
    "kafka": [
        {"id": "12w", "name": "Last 12 weeks", "jql": "created >= -12w"},
        {"id": "edited", "updated_at": "2025-12-01T10:00:00+00:00", "tags": ["a"]},
        {"id": "edited-local", "updated_at": "2025-12-01T10:00:00.5+05:30"},
        {"id": "edited-once", "updated_at": "yesterday"},
        {"id": "never-edited", "updated_at": None},
        {"id": "counted", "updated_at": 3, "legacy_updated_at": "taken"},
    ],
    "plain": [{"id": "q", "description": "without anything"}],
}
RESPONSES: dict[str, dict[str, Any]] = {
    "whole": {"issues": [issue(n) for n in range(40)], "total": 40, "startAt": 0},
    "first-page": {"issues": [issue(n) for n in range(10)], "total": 40, "startAt": 0},
    "cloud": {"issues": [issue(n) for n in range(3)], "isLast": True},
    "cloud-page": {"issues": [issue(n) for n in range(3)], "nextPageToken": "x", "isLast": False},
    "legacy": {"issues": [issue(1), issue(1)], "total_issues": 2, "timestamp": "2025-12-22T10:00"},
    "empty": {"issues": [], "total": 0},
    "odd": {"issues": {"no": "list"}, "total": "many"},
    "many": {"total": 150, "issues": [issue(n) for n in range(150)], "expand": "names"},
    "nothing": {},
}


def fill(backend: SQLiteBackend) -> None:
    """Save every entity in every shape."""
    for profile in PROFILES:
        backend.save_profile({"created_at": NOW, "last_used": NOW, **profile})
    for profile_id, queries in QUERIES.items():
        for query in queries:
            with suppress(ValidationError):  # accepted by earlier versions only
                backend.save_query(profile_id, {"created_at": NOW, "last_used": NOW, **query})
    backend.save_profile({"id": "plain", "description": "changed"})
    backend.save_query("plain", {"id": "q", "description": "changed"})
    timestamps = (NOW - timedelta(days=1), NOW + timedelta(days=36_500))
    for number, (key, response) in enumerate(RESPONSES.items()):
        backend.save_jira_cache("kafka", "12w", key, response, timestamps[number % 2])
    backend.save_jira_cache("plain", "q", "key", RESPONSES["whole"], timestamps[1])
    histories = {f"KAFKA-{n}": {"histories": [{"created": str(NOW)}]} for n in range(20)}
    backend.save_jira_changelogs("kafka", "12w", histories)
    backend.save_jira_changelogs("kafka", "edited", {"KAFKA-1": {}}, timestamps[1])
    pages: dict[str, dict[str, Any]] = {
        f"KAFKA-{total}": {"changelog": {"histories": [{}, {}], "total": total, "startAt": 0}}
        for total in (2, 152)
    }
    backend.save_jira_changelogs("plain", "q", pages)
    backend.save_project_data("kafka", "12w", {"statistics": [{"date": "NaT"}], "1": 1e-300})
    weeks = [f"2025-W{week:02d}" for week in range(1, 53)]
    forecasts = {"flow_time": {"forecast_value": 1, "weights": [0.25, 1e-300]}}
    for metric_type, forecast in (("dora", None), ("flow", {"forecast_value": 1.0})):
        backend.save_metrics_snapshots(
            "kafka",
            "12w",
            [
                {
                    "snapshot_date": week,
                    "metric_type": metric_type,
                    "metrics": {"flow_time": {"median_days": None, "weeks": [week]}},
                    "forecast": forecast,
                    "forecasts": forecast and forecasts,
                }
                for week in weeks
            ],
        )
    budget = {
        "time_allocated_weeks": 26,
        "team_cost_per_week": 5000.5,
        "budget_total": 0.1,
        "cost_rate_type": "daily",
        "currency_symbol": "CHF",
        "baseline_velocity_items": 3.25,
        "effective_from": "2026-01-05",
        "created_at": NOW - timedelta(days=30),
        "revisions": [{"team_cost_delta": -250, "unknown": [1.0]}],
        "legacy_values": {"baseline_velocity_points": "many"},
    }
    backend.save_budget("kafka", "12w", budget)
    revision = {"reason": "größer", "week_label": "2025-W52", "metadata": {"by": "pm"}}
    backend.add_budget_revision("kafka", "12w", revision)
    backend.save_budget("plain", "q", {})
    backend.set_app_state("active_profile_id", "kafka")
    backend.set_app_state("migration_complete", "true")
    backend.save_task_progress("fetch", 33.3, "running", "75 %")
    task = {"task_name": "leased", "progress_percent": 50.0, "status": "running"}
    lease = {"owner": "größer:1:ab", "lease_until": NOW, "cancel_requested": True}
    backend.save_records(models.TaskProgress, [{**task, **lease, "started_at": NOW}])


def records(backend: SQLiteBackend) -> dict[str, list[Any]]:
    """Return all that is stored, by the name of its model."""
    return {model.__name__: list(backend.records(model)) for model in MODELS}


def main() -> None:
    unfinished = FOLDER / "unfinished.db"
    with SQLiteBackend(unfinished, clock=lambda: NOW) as backend:
        fill(backend)
        version = backend.get_app_state("schema_version")
        found = records(backend)
    unfinished.rename(FOLDER / f"{version}.db")
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (FOLDER / f"{version}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""Fetching the issues of a query, with what is calculated from them."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from burndown import (
    PersistenceBackend,
    Profile,
    TaskCancelledError,
    TaskRunningError,
    Week,
    jira_cache_key,
)
from burndown.jira import Issue, issues_of, points_fields
from burndown.models import ProjectClassification
from examples.dashboard.delivery import ACTIVE
from examples.dashboard.jira_client import search

__all__ = ["TASK", "fetch"]

FIELDS = ("summary", "status", "issuetype", "created", "updated", "resolutiondate")
TASK = "fetch-issues"
"""One fetch runs at a time, whatever its query: Jira limits what a team may ask."""
LEASE, LIFETIME = timedelta(seconds=3), timedelta(hours=1)


def fetch(backend: PersistenceBackend, profile_id: str, query_id: str) -> None:
    """Fetch all issues of a query, and store them with its statistics and metrics of this week."""
    ends = suppress(TaskRunningError, TaskCancelledError)  # other errors are for the log
    with ends, backend.task(TASK, lease=LEASE, message="Asking Jira") as task:
        found, query = backend.get_profile(profile_id), backend.get_query(profile_id, query_id)
        if found is None or query is None:
            raise LookupError(f"There is no query {query_id!r} in a profile {profile_id!r}")
        profile = Profile.model_validate(found)
        issues: dict[str, Any] = {}  # an issue is in two pages if others change during the search
        fields = ",".join((*FIELDS, *points_fields(profile)))
        for page in search(profile.jira_config, query["jql"], fields):
            issues |= {each["key"]: each for each in page["issues"]}
            percent = min(100 * len(issues) / max(page["total"], 1), 100)
            task.progress(percent, f"{query['name']}: {len(issues)} of {page['total']} issues")
            task.renew()  # so that the report is stored now: the next page may take a while
        key = jira_cache_key(query["jql"], fields, profile.jira_config.base_url)
        store(backend, profile, query_id, key, list(issues.values()))


def store(
    backend: PersistenceBackend, profile: Profile, query_id: str, key: str, issues: list[Any]
) -> None:
    """Store the issues, their changelogs and what follows from them: everything or nothing."""
    ids = (profile.id, query_id)
    views, now = issues_of(issues, profile), backend.now()
    flow = flow_metrics(views, profile.project_classification, now)
    changelogs = {
        each["key"]: {"changelog": each.pop("changelog")} for each in issues if "changelog" in each
    }
    with backend.transaction():
        backend.save_jira_cache(*ids, key, {"issues": issues, "total": len(issues)}, LIFETIME)
        backend.save_jira_changelogs(*ids, changelogs)
        backend.save_project_data(
            *ids, {**(backend.get_project_data(*ids) or {}), **project_data(views, Week.of(now))}
        )
        backend.patch_metrics(*ids, Week.of(now), "flow", flow)


def project_data(issues: Sequence[Issue], now: Week) -> dict[str, Any]:
    """Return the scope, and what was created and completed in each week up to the current one."""
    weeks: defaultdict[Week, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    weeks[now]  # an idle week counts, too: the forecast draws from it
    for issue in issues:
        for what, at in (("created", issue.created), ("completed", issue.resolved)):
            if at:
                weeks[Week.of(at)][f"{what}_items"] += 1
                weeks[Week.of(at)][f"{what}_points"] += issue.points or 0
    open_issues = [issue for issue in issues if not issue.resolved]
    return {
        "statistics": [{"date": str(week.monday), **weeks[week]} for week in sorted(weeks)],
        "project_scope": {
            "total_items": len(issues),
            "remaining_items": len(open_issues),
            "remaining_points": sum(issue.points or 0 for issue in open_issues),
        },
    }


def flow_metrics(
    issues: Sequence[Issue], statuses: ProjectClassification, now: datetime
) -> dict[str, float | None]:
    """Return the Flow metrics of the current week: issues, days and percent."""
    in_progress = statuses.wip_statuses or ACTIVE
    done = [each for each in issues if each.resolved and Week.of(each.resolved) == Week.of(now)]
    active = sum(
        (each.history.time_in(statuses.active_statuses or ACTIVE, now) for each in done),
        timedelta(),
    )
    days = [each.history.time_in(in_progress, now) / timedelta(days=1) for each in done]
    return {
        "flow_velocity": len(done),
        "flow_load": sum(each.status in in_progress for each in issues),
        "flow_time": median(days) if days else None,
        "flow_efficiency": 100 * active / timedelta(days=sum(days)) if any(days) else None,
    }

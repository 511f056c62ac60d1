"""Issues of a query, and the cache files for them and their changelogs."""

from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from random import Random
from typing import NamedTuple

from burndown.demo import jira
from burndown.demo.jira import Json, Site, StatusHistory

__all__ = [
    "Issue",
    "Query",
    "changelog_cache",
    "issue_cache",
    "random_issues",
]

_HOUR = timedelta(hours=1)
_SPRINT = timedelta(weeks=2)
_ISSUE_TYPES = {"Story": 25, "Improvement": 20, "Bug": 28, "Task": 13, "Deployment": 10, "Risk": 4}
_BUG_HOURS, _BACKLOG_HOURS = 100, 1800
"""The mean time until work on a bug begins, and on any other issue."""
_PRIORITIES = ["Highest", "High", "Medium", "Medium", "Low", None]


class Query(NamedTuple):
    """A query, the time at which it was last synced, and the current time."""

    id: str
    name: str
    jql: str
    synced_at: datetime
    now: datetime
    old_format: bool = False

    @property
    def mondays(self) -> list[datetime]:
        """Return the starts of the last 26 weeks, without those after the sync."""
        today = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        mondays = [today - timedelta(weeks=n, days=today.weekday()) for n in reversed(range(26))]
        return [monday for monday in mondays if monday <= self.synced_at]


class Issue(NamedTuple):
    """An issue as Jira returns it, with the values from which metrics are calculated."""

    document: Json
    type: str
    points: float
    history: StatusHistory
    resolved_at: datetime | None
    released_at: datetime
    fix_version: str
    failed: bool

    @property
    def created_at(self) -> datetime:
        """Return the time at which the issue was created."""
        return self.history[0][0]

    @property
    def status(self) -> str:
        """Return the status at the time of the sync."""
        return self.history[-1][1]

    def hours_since(self, first_status: str, end: datetime) -> float:
        """Return the hours from when the issue first had the status until ``end``."""
        return (end - next(at for at, status in self.history if status == first_status)) / _HOUR

    def hours_in(self, statuses: list[str]) -> float:
        """Return the hours that the issue spent in the statuses, without its current one."""
        return sum(
            (left - entered) / _HOUR
            for (entered, status), (left, _) in pairwise(self.history)
            if status in statuses
        )

    def status_at(self, time: datetime) -> str:
        """Return the status just before a time; empty if the issue did not exist."""
        return next((status for at, status in reversed(self.history) if at < time), "")


def random_issues(
    site: Site, count: int, query: Query, bugs_until: datetime, rng: Random
) -> list[Issue]:
    """Return random results of the query, newest first.

    Args:
        site: the Jira site.
        count: the number of issues.
        query: the query.
        bugs_until: the time after which no bug was changed, so that a query for bugs, which was
            last synced then, finds the same ones.
        rng: the source of random numbers.
    """
    start = query.mondays[0]
    created = []
    for issue_type in rng.choices(list(_ISSUE_TYPES), list(_ISSUE_TYPES.values()), k=count):
        until = bugs_until if issue_type == "Bug" else query.synced_at
        created.append((start + rng.random() ** 2.5 * (until - start), issue_type, until))
    issues = []
    for number, (created_at, issue_type, until) in enumerate(sorted(created), start=1001):
        open_hours = _BUG_HOURS if issue_type == "Bug" else _BACKLOG_HOURS
        history = jira.random_history(created_at, until, open_hours, rng)
        issues.append(_random_issue(site, number, issue_type, history, start, until, rng))
    return issues[::-1]


def _random_issue(
    site: Site,
    number: int,
    issue_type: str,
    history: StatusHistory,
    start: datetime,
    until: datetime,
    rng: Random,
) -> Issue:
    changed_at, status = history[-1]
    is_done = jira.STATUSES[status].category == "done"
    resolved_at = max(at for at, name in history if name == "Resolved") if is_done else None
    sprint = ((resolved_at or until) - start) // _SPRINT + 1
    released_at = start + sprint * _SPRINT
    points = rng.choice([0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
    is_deployment = issue_type == "Deployment"
    failed = is_deployment and rng.random() < 0.15
    commented_at = until - rng.random() * timedelta(weeks=11)
    priority = rng.choice(_PRIORITIES)
    fix_version = f"1.{sprint}.0"
    version = {
        "id": str(12000 + sprint),
        "name": fix_version,
        "archived": False,
        "released": released_at <= until,
        "releaseDate": released_at.date().isoformat(),
    }
    fields = {
        # Jira returns unset custom fields as null; real issues have dozens of them.
        **{f"customfield_{n}": None for n in range(10200, 10224)},
        jira.POINTS_FIELD: points or None,
        jira.CHANGE_FAILURE_FIELD: {"value": "Yes" if failed else "No"} if is_deployment else None,
        "summary": jira.summary(rng),
        "description": jira.description(site, rng),
        "issuetype": jira.named_value(site, "issuetype", issue_type) | {"subtask": False},
        "project": jira.named_value(site, "project", site.project_name) | {"key": site.project_key},
        "status": jira.status_value(site, status),
        "priority": jira.named_value(site, "priority", priority) if priority else None,
        "resolution": jira.named_value(site, "resolution", "Done") if resolved_at else None,
        "created": jira.timestamp(history[0][0]),
        "updated": jira.timestamp(max(changed_at, commented_at)),
        "resolutiondate": jira.timestamp(resolved_at) if resolved_at else None,
        "reporter": jira.user_value(site, rng.choice(jira.PEOPLE)),
        "assignee": jira.user_value(site, rng.choice(jira.PEOPLE)) if len(history) > 1 else None,
        "fixVersions": [version] if resolved_at else [],
        "components": [jira.named_value(site, "component", rng.choice(jira.COMPONENTS))],
        "labels": [],
        "environment": "Production" if issue_type == "Bug" and rng.random() < 0.5 else None,
    }
    document = {
        "expand": "editmeta,changelog",
        "id": str(100000 + number),
        "self": f"{site.api_url}/issue/{100000 + number}",
        "key": f"{site.project_key}-{number}",
        "fields": fields,
    }
    return Issue(
        document, issue_type, points, history, resolved_at, released_at, fix_version, failed
    )


def issue_cache(query: Query, issues: list[Issue]) -> Json:
    """Return the content of ``jira_cache.json``."""
    synced_at = query.synced_at.isoformat()
    cache = {
        "cache_version": "2.0",
        "timestamp": jira.naive_timestamp(query.synced_at) if query.old_format else synced_at,
        "jql_query": query.jql,
        "fields_requested": f"key,created,resolutiondate,status,issuetype,{jira.POINTS_FIELD}",
        "issues": [issue.document for issue in issues],
        "total_issues": len(issues),
    }
    if query.old_format:
        return cache
    return cache | {
        "last_updated": synced_at,
        "jql_hash": sha256(query.jql.encode()).hexdigest()[:16],
        "changed_keys": [issue.document["key"] for issue in issues],
    }


def changelog_cache(query: Query, issues: list[Issue]) -> Json:
    """Return the content of ``jira_changelog_cache.json``."""
    kept = ("project", "fixVersions", "status", "issuetype", "created", "resolutiondate")
    changelogs = {}
    for issue in issues:
        histories = [
            {
                "created": jira.timestamp(at),
                "items": [{"field": "status", "fromString": old, "toString": new}],
            }
            for (_, old), (at, new) in pairwise(issue.history)
        ]
        key = issue.document["key"]
        changelogs[key] = {
            "key": key,
            "fields": {name: issue.document["fields"][name] for name in kept},
            "changelog": {"histories": histories, "total": len(histories)},
            "last_updated": jira.naive_timestamp(query.synced_at),
        }
    return changelogs

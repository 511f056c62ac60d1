"""A legacy workspace of invented data, for demonstrations, tests and benchmarks.

Its files have the shapes that the old dashboard wrote. Statistics, scope and metrics are
calculated from the issues, so their numbers agree with each other.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Any, NamedTuple
from uuid import UUID

__all__ = ["write_demo_workspace"]

_Json = dict[str, Any]
_Steps = list[tuple[datetime, str]]

_HOUR, _WEEK = timedelta(hours=1), timedelta(weeks=1)

# fmt: off
_CATEGORIES = {
    "new": (2, "blue-gray", "To Do", "TODO"),
    "indeterminate": (4, "yellow", "In Progress", "IN_PROGRESS"),
    "done": (3, "green", "Done", "COMPLETED"),
}
_WORKFLOW: dict[str, tuple[str, str, float, list[str]]] = {  # id, category, hours, what follows
    "Open": ("1", "new", 160, ["In Progress"]),
    "In Progress": ("3", "indeterminate", 50, ["In Review"] * 3 + ["Blocked"]),
    "Blocked": ("10001", "indeterminate", 70, ["In Progress"]),
    "In Review": ("10002", "indeterminate", 30, ["Resolved"] * 4 + ["In Progress"]),
    "Resolved": ("5", "done", 300, ["Closed"] * 9 + ["Reopened"]),
    "Reopened": ("4", "new", 40, ["In Progress"]),
    "Closed": ("6", "done", 0, []),
}
_ISSUE_TYPES = {"Story": 25, "Improvement": 20, "Bug": 28, "Task": 13, "Deployment": 10, "Risk": 4}
_FLOW_TYPES = {
    "Feature": ["Story", "Improvement"], "Defect": ["Bug"],
    "Technical Debt": ["Task", "Deployment"], "Risk": ["Risk"],
}
_ACTIVE, _WIP = ["In Progress", "In Review"], ["In Progress", "Blocked", "In Review"]
_POINTS_FIELD, _FAILURE_FIELD, _EFFORT_FIELD = (f"customfield_{n}" for n in (10016, 10210, 10212))
_JIRA_SETTINGS: _Json = {
    "token": "demo-token-not-real", "cache_size_mb": 100, "max_results_per_call": 500,
    "points_field": _POINTS_FIELD, "configured": True,
}
_SETTINGS: _Json = {
    "field_mappings": {
        "dora": {
            "deployment_date": "fixVersions", "code_commit_date": "status:In Progress.DateTime",
            "incident_detected_at": "created", "incident_resolved_at": "resolutiondate",
            "change_failure": f"{_FAILURE_FIELD}=Yes", "severity_level": "priority",
            "affected_environment": "environment=PROD|Production",
        },
        "flow": {
            "flow_item_type": "issuetype", "status": "status", "completed_date": "resolutiondate",
            "effort_category": _EFFORT_FIELD, "estimate": _POINTS_FIELD,
        },
    },
    "project_classification": {
        "devops_projects": [], "development_projects": ["KAFKA", "ZAHL"],
        "devops_task_types": ["Deployment"], "bug_types": ["Bug"],
        "production_environment_values": ["PROD", "Production"],
        "flow_end_statuses": ["Resolved", "Closed"], "flow_start_statuses": ["In Progress"],
        "active_statuses": _ACTIVE, "wip_statuses": _WIP,
    },
    "flow_type_mappings": {
        name: {"issue_types": types, "effort_categories": []} for name, types in _FLOW_TYPES.items()
    },
}
_PEOPLE = ["Ada Quill", "Bo Lindqvist", "Chiara Söder", "Dmitri Vale", "Edda Núñez", "Femi Okoro"]
_PRIORITIES = ["Highest", "High", "Medium", "Medium", "Low", None]
_VERBS = ["Avoid", "Bound", "Cache", "Document", "Fix", "Measure", "Reject", "Retry", "Simplify"]
_NOUNS = ["batch", "consumer", "header", "lease", "offset", "quota", "record", "replica", "topic"]
_PLACES = ["after a restart", "on shutdown", "under load", "when the disk is full", "while reading"]
# fmt: on


class _Site(NamedTuple):
    """A Jira, and the project of interest in it."""

    base_url: str
    project_key: str
    project_name: str
    is_cloud: bool = False

    @property
    def api(self) -> str:
        return f"{self.base_url}/rest/api/{3 if self.is_cloud else 2}"


class _Query(NamedTuple):
    id: str
    name: str
    jql: str
    synced_at: datetime
    mondays: list[datetime]
    is_old: bool = False


class _Issue(NamedTuple):
    """An issue as Jira answers it, with what the metrics need to know of it."""

    document: _Json
    type: str
    points: float
    steps: _Steps
    resolved: datetime | None
    released: datetime
    release: str
    failed: bool

    def hours_from(self, first: str, end: datetime) -> float:
        return (end - next(at for at, status in self.steps if status == first)) / _HOUR

    def hours_in(self, statuses: list[str]) -> float:
        return sum((b[0] - a[0]) / _HOUR for a, b in pairwise(self.steps) if a[1] in statuses)

    def status_at(self, moment: datetime) -> str:
        return next((status for since, status in reversed(self.steps) if since < moment), "")


def write_demo_workspace(
    folder: Path, *, issues: int = 150, now: datetime | None = None, seed: int = 0
) -> None:
    """Write a legacy workspace of two profiles into the folder, which is made if need be.

    The same arguments give the same files. The issue cache of the query ``12w`` is still valid,
    all others have expired. There are also files that a migration leaves out.

    Args:
        folder: the root of the workspace; the profiles lie in ``profiles`` below it.
        issues: how many issues the query ``12w`` of the profile ``kafka`` has.
        now: when the workspace was last used; the present if not given.
        seed: another number gives other issues.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    rng = Random(seed)  # noqa: S311
    profiles_dir = folder / "profiles"
    profiles = [
        _write_server_profile(profiles_dir / "kafka", issues, now, rng),
        _write_cloud_profile(profiles_dir / f"p_{rng.getrandbits(48):012x}", now, rng),
    ]
    registry = {
        "version": "3.0",
        "active_profile_id": "kafka",
        "active_query_id": "12w",
        "profiles": {profile["id"]: profile | {"jira_config": {}} for profile in profiles},
    }
    _write(profiles_dir / "profiles.json", registry)
    _write_root_files(folder, now, rng)


def _write_server_profile(folder: Path, count: int, now: datetime, rng: Random) -> _Json:
    site = _Site("https://jira.example.com", "KAFKA", "Kafka")
    live, expired = now - timedelta(hours=2), now - timedelta(days=3)
    jql = "project = KAFKA AND updated >= -12w"
    recent = _Query("12w", "Last 12 weeks", jql, live, _mondays(now, live))
    bugs = _Query("bugs", "Bugs", f"{jql} AND issuetype = Bug", expired, _mondays(now, expired))
    issues = _issues(site, count, recent, expired, rng)
    _write_query(folder, recent, issues)
    _write_query(folder, bugs, [issue for issue in issues if issue.type == "Bug"])
    profile = _write_profile(folder, site, [recent, bugs], now)
    (folder / "profile.json.tmp").write_text(json.dumps(profile, indent=2)[:700], encoding="utf-8")
    _write(folder / "queries" / recent.id / "metrics_snapshots_ab12cd.json", {})
    return profile


def _write_cloud_profile(folder: Path, now: datetime, rng: Random) -> _Json:
    """A profile whose query was last synced by an older version of the dashboard."""
    site = _Site("https://cloud.example.com", "ZAHL", "Zürich: Zahlungsverkehr ✓", is_cloud=True)
    query_id, synced_at = f"q_{rng.getrandbits(48):012x}", now - timedelta(days=21)
    mondays = _mondays(now, synced_at)
    query = _Query(query_id, "Offene Vorgänge", "project = ZAHL", synced_at, mondays, is_old=True)
    issues = _issues(site, 40, query, synced_at, rng)
    _write_query(folder, query, issues)
    key, config_hash = (_md5({"jql": query.jql, "period": days}) for days in (30, 90))
    metadata = {"timestamp": synced_at.isoformat(), "cache_key": key, "config_hash": config_hash}
    data = [issue.document for issue in issues]
    _write(folder.parents[1] / "cache" / f"{key}.json", {"metadata": metadata, "data": data})
    return _write_profile(folder, site, [query], now)


def _write_profile(folder: Path, site: _Site, queries: list[_Query], now: datetime) -> _Json:
    deadline, milestone = ((now + timedelta(days=days)).date().isoformat() for days in (120, 45))
    forecast = {"pert_factor": 1.2, "deadline": deadline, "milestone": milestone}
    version = "v3" if site.is_cloud else "v2"
    profile = {
        "id": folder.name,
        "name": site.project_name,
        "description": f"Delivery of the project {site.project_key}",
        "created_at": (now - timedelta(days=200)).isoformat(),
        "last_used": _naive(now - _HOUR),
        "jira_config": {"base_url": site.base_url, "api_version": version, **_JIRA_SETTINGS},
        "forecast_settings": {**forecast, "data_points_count": 12},
        **_SETTINGS,
        "queries": [],
        "active_query_id": None,
        "show_milestone": True,
        "show_points": ["show"] if site.is_cloud else True,
    }
    _write(folder / "profile.json", profile)
    return profile | {"queries": [query.id for query in queries]}


def _write_root_files(folder: Path, now: datetime, rng: Random) -> None:
    started, ended = _naive(now - timedelta(hours=2)), _naive(now - timedelta(minutes=119))
    task: _Json = {"task_id": "update_data", "task_name": "Updating data", "status": "complete"}
    task |= {"start_time": started, "complete_time": ended, "percent": 100, "message": "Done"}
    saved_id = str(UUID(int=rng.getrandbits(128), version=4))
    saved: _Json = {"id": saved_id, "name": "Open", "jql": "resolution is EMPTY"}
    saved |= {"description": "", "created_at": started, "last_used": started, "is_default": True}
    _write(folder / "task_progress.json", task)
    _write(folder / "jira_query_profiles.json", [saved])
    _write(folder / "forecast_settings.json", {"pert_factor": 3, "deadline": "", "total_items": 80})


def _write_query(folder: Path, query: _Query, issues: list[_Issue]) -> None:
    target = folder / "queries" / query.id
    described = {"name": query.name, "jql": query.jql, "description": f"Demo: {query.name}"}
    described["created_at"] = query.mondays[0].isoformat()
    _write(target / "query.json", described)
    _write(target / "project_data.json", _project_data(query, issues))
    _write(target / "jira_cache.json", _jira_cache(query, issues))
    _write(target / "jira_changelog_cache.json", _changelogs(query, issues))
    _write(target / "metrics_snapshots.json", _snapshots(query, issues))


def _project_data(query: _Query, issues: list[_Issue]) -> _Json:
    """Scope and statistics; the old form has four numbers of the scope at its root."""
    scope = _scope(query, issues)
    if query.is_old:
        names = ("total_items", "total_points", "estimated_items", "estimated_points")
        return {**{name: scope[name] for name in names}, "metadata": {}}
    metadata = {"source": "jira_calculated", "last_updated": _naive(query.synced_at)}
    metadata |= {"version": "2.0", "jira_query": query.jql}
    statistics = [_statistics(issues, monday) for monday in query.mondays]
    return {"project_scope": scope, "statistics": statistics, "metadata": metadata}


def _statistics(issues: list[_Issue], monday: datetime) -> _Json:
    created = [issue for issue in issues if _in_week(issue.steps[0][0], monday)]
    completed = [issue for issue in issues if _in_week(issue.resolved, monday)]
    return {
        "date": monday.date().isoformat(),
        "completed_items": len(completed),
        "completed_points": _points(completed),
        "created_items": len(created),
        "created_points": _points(created),
    }


def _scope(query: _Query, issues: list[_Issue]) -> _Json:
    remaining = [issue for issue in issues if not issue.resolved]
    groups = {
        "total": issues,
        "completed": [issue for issue in issues if issue.resolved],
        "remaining": remaining,
        "estimated": [issue for issue in remaining if issue.points],
    }
    scope: _Json = {}
    for name, group in groups.items():
        scope |= {f"{name}_items": len(group), f"{name}_points": _points(group)}
    average = scope["remaining_points"] / max(scope["estimated_items"], 1)
    scope["remaining_total_points"] = round(average * len(remaining), 2)
    breakdown: _Json = {}
    for name, (_, category, *_) in _WORKFLOW.items():
        if there := [issue for issue in issues if issue.steps[-1][1] == name]:
            kind = {"category": category, "classification": _CATEGORIES[category][3]}
            breakdown[name] = {"items": len(there), "points": _points(there), **kind}
    metadata: _Json = {"method": "status_category", "calculated_at": _naive(query.synced_at)}
    metadata |= {"points_field": _POINTS_FIELD, "points_field_valid": True}
    metadata["total_issues_processed"] = len(issues)
    scope |= {"points_field_available": True, "status_breakdown": breakdown}
    return scope | {"calculation_metadata": metadata}


def _jira_cache(query: _Query, issues: list[_Issue]) -> _Json:
    synced_at = query.synced_at.isoformat()
    cache = {
        "cache_version": "2.0",
        "timestamp": _naive(query.synced_at) if query.is_old else synced_at,
        "jql_query": query.jql,
        "fields_requested": f"key,created,resolutiondate,status,issuetype,{_POINTS_FIELD}",
        "issues": [issue.document for issue in issues],
        "total_issues": len(issues),
    }
    if query.is_old:
        return cache
    jql_hash = hashlib.sha256(query.jql.encode()).hexdigest()[:16]
    changed_keys = [issue.document["key"] for issue in issues]
    return cache | {"last_updated": synced_at, "jql_hash": jql_hash, "changed_keys": changed_keys}


def _changelogs(query: _Query, issues: list[_Issue]) -> _Json:
    kept = ("project", "fixVersions", "status", "issuetype", "created", "resolutiondate")
    item, changelogs = {"field": "status"}, {}
    for issue in issues:
        histories = [
            {"created": _jira_time(at), "items": [{**item, "fromString": old, "toString": new}]}
            for (_, old), (at, new) in pairwise(issue.steps)
        ]
        key, fields = issue.document["key"], issue.document["fields"]
        changelogs[key] = {
            "key": key,
            "fields": {name: fields[name] for name in kept},
            "changelog": {"histories": histories, "total": len(histories)},
            "last_updated": _naive(query.synced_at),
        }
    return changelogs


def _snapshots(query: _Query, issues: list[_Issue]) -> _Json:
    snapshots: _Json = {}
    before = None
    for monday in query.mondays:
        week = monday.strftime("%G-%V" if query.is_old else "%G-W%V")
        end = min(monday + _WEEK, query.synced_at)
        done = [issue for issue in issues if _in_week(issue.resolved, monday)]
        released = [i for i in issues if i.resolved and monday <= i.released < end]
        metrics = _flow_metrics(done, week) | _dora_metrics(done, released, week)
        metrics["flow_load"] = _flow_load(issues, end)
        metrics["trends"] = _trends(before or metrics, metrics)
        for metric in metrics.values():
            metric["timestamp"] = query.synced_at.isoformat()
        snapshots[week] = before = metrics
    return snapshots


def _flow_metrics(done: list[_Issue], week: str) -> _Json:
    total = [i.hours_from("In Progress", i.resolved) / 24 for i in done if i.resolved]
    active = [issue.hours_in(_ACTIVE) / 24 for issue in done]
    waiting = [whole - part for whole, part in zip(total, active, strict=True)]
    shares = [100 * part / whole for part, whole in zip(active, total, strict=True)]
    flow_time = _spread(total, ("median_days", "avg_days", "p85_days"), 0.85)
    efficiency = {
        "overall_pct": round(100 * sum(active) / sum(total), 1) if done else 0,
        "median_pct": round(median(shares), 1) if done else 0,
        "avg_active_days": round(fmean(active), 1) if done else 0,
        "avg_waiting_days": round(fmean(waiting), 1) if done else 0,
    }
    count = {"completed_count": len(done)}
    types = zip(("feature", "defect", "tech_debt", "risk"), _FLOW_TYPES.values(), strict=True)
    distribution = {name: sum(i.type in members for i in done) for name, members in types}
    return {
        "flow_time": flow_time | count,
        "flow_efficiency": efficiency | count,
        "flow_velocity": {**count, "week": week, "distribution": distribution},
    }


def _flow_load(issues: list[_Issue], moment: datetime) -> _Json:
    wip = [issue for issue in issues if issue.status_at(moment) in _WIP]
    by_status = Counter(issue.status_at(moment) for issue in wip)
    by_type = Counter(issue.type for issue in wip)
    return {"wip_count": len(wip), "by_status": by_status, "by_issue_type": by_type}


def _dora_metrics(done: list[_Issue], released: list[_Issue], week: str) -> _Json:
    deployments = [issue for issue in done if issue.type == "Deployment"]
    failed = [issue for issue in deployments if issue.failed]
    releases = sorted({issue.release for issue in deployments})
    failed_releases = sorted({issue.release for issue in failed})
    named = {"release_names": releases, "week": week}
    lead_times = [issue.hours_from("In Progress", issue.released) for issue in released]
    lead_time = _spread(lead_times, ("median_hours", "mean_hours", "p95_hours"), 0.95)
    repairs = [i.hours_from("Open", i.resolved) for i in done if i.resolved and i.type == "Bug"]
    mttr = round(median(repairs), 1) if repairs else None
    tier = None if mttr is None else "low" if mttr > 168 else "medium"
    return {
        "dora_lead_time": lead_time | {"issues_with_lead_time": len(released)},
        "dora_deployment_frequency": {
            "deployment_count": len(deployments),
            "release_count": len(releases),
            **named,
        },
        "dora_change_failure_rate": {
            "change_failure_rate_percent": _percent(failed, deployments),
            "total_deployments": len(deployments),
            "failed_deployments": len(failed),
            "total_releases": len(releases),
            "failed_releases": len(failed_releases),
            "release_failure_rate_percent": _percent(failed_releases, releases),
            "failed_release_names": failed_releases,
            **named,
        },
        "dora_mttr": {
            "median_hours": mttr,
            "mean_hours": round(fmean(repairs), 1) if repairs else None,
            "value": mttr,
            "unit": "hours",
            "bugs_with_mttr": len(repairs),
            "performance_tier": tier,
            "week": week,
        },
    }


def _trends(before: _Json, now: _Json) -> _Json:
    def trend(metric: str, field: str, better: int) -> str:
        gain = better * (now[metric][field] - before[metric][field])
        return "stable" if abs(gain) < 1 else "improving" if gain > 0 else "declining"

    return {
        "flow_time_trend": trend("flow_time", "avg_days", -1),
        "flow_efficiency_trend": trend("flow_efficiency", "overall_pct", 1),
    }


def _issues(
    site: _Site, count: int, query: _Query, bugs_until: datetime, rng: Random
) -> list[_Issue]:
    """What the query finds, the newest first; nobody has touched a bug since ``bugs_until``."""
    first = query.mondays[0]
    born = []
    for kind in rng.choices(list(_ISSUE_TYPES), list(_ISSUE_TYPES.values()), k=count):
        until = bugs_until if kind == "Bug" else query.synced_at
        born.append((first + rng.random() * (until - first), kind, until))
    issues = []
    for number, (created, kind, until) in enumerate(sorted(born), start=1001):
        steps = _steps(created, until, rng)
        issues.append(_issue(site, number, kind, steps, first, until, rng))
    return issues[::-1]


def _steps(created: datetime, until: datetime, rng: Random) -> _Steps:
    """The statuses that an issue goes through, each with the moment at which it begins."""
    steps = [(created, "Open")]
    if rng.random() < 0.2:
        return steps
    while following := _WORKFLOW[steps[-1][1]][3]:
        moment, status = steps[-1]
        moment += rng.expovariate(1 / _WORKFLOW[status][2]) * _HOUR
        if moment >= until:
            break
        steps.append((moment, rng.choice(following)))
    return steps


def _issue(
    site: _Site,
    number: int,
    kind: str,
    steps: _Steps,
    first: datetime,
    until: datetime,
    rng: Random,
) -> _Issue:
    changed, status = steps[-1]
    is_done = _WORKFLOW[status][1] == "done"
    resolved = max(at for at, name in steps if name == "Resolved") if is_done else None
    sprint = ((resolved or until) - first) // (2 * _WEEK) + 1
    released, release = first + sprint * 2 * _WEEK, f"1.{sprint}.0"
    points = rng.choice([0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
    failed = kind == "Deployment" and rng.random() < 0.15
    touched = until - rng.random() * 11 * _WEEK
    version: _Json = {"id": str(12000 + sprint), "name": release, "archived": False}
    version |= {"released": released <= until, "releaseDate": released.date().isoformat()}
    priority = rng.choice(_PRIORITIES)
    fields: _Json = {
        **{f"customfield_{n}": None for n in range(10200, 10224)},
        _POINTS_FIELD: points or None,
        _FAILURE_FIELD: {"value": "Yes" if failed else "No"} if kind == "Deployment" else None,
        "summary": f"{_phrase(rng)} {rng.choice(_PLACES)}",
        "description": _description(site, rng),
        "issuetype": _named(site, "issuetype", kind) | {"subtask": False},
        "project": _named(site, "project", site.project_name) | {"key": site.project_key},
        "status": _status(site, status),
        "priority": _named(site, "priority", priority) if priority else None,
        "resolution": _named(site, "resolution", "Done") if resolved else None,
        "created": _jira_time(steps[0][0]),
        "updated": _jira_time(max(changed, touched)),
        "resolutiondate": _jira_time(resolved) if resolved else None,
        "reporter": _user(site, rng.choice(_PEOPLE)),
        "assignee": _user(site, rng.choice(_PEOPLE)) if len(steps) > 1 else None,
        "fixVersions": [version] if resolved else [],
        "components": [_named(site, "component", rng.choice(_NOUNS))],
        "labels": [],
        "environment": "Production" if kind == "Bug" and rng.random() < 0.5 else None,
    }
    issue_id = str(100000 + number)
    document: _Json = {"expand": "editmeta,changelog", "id": issue_id}
    document["self"] = f"{site.api}/issue/{issue_id}"
    document |= {"key": f"{site.project_key}-{number}", "fields": fields}
    return _Issue(document, kind, points, steps, resolved, released, release, failed)


@cache
def _named(site: _Site, kind: str, name: str) -> _Json:
    number = str(10000 + sum(name.encode()))
    icon = f"{site.base_url}/images/icons/{kind}/{number}.svg"
    return {"self": f"{site.api}/{kind}/{number}", "id": number, "name": name, "iconUrl": icon}


@cache
def _status(site: _Site, name: str) -> _Json:
    status_id, key, *_ = _WORKFLOW[name]
    number, color, label, _ = _CATEGORIES[key]
    category = {"id": number, "key": key, "colorName": color, "name": label}
    return _named(site, "status", name) | {"id": status_id, "statusCategory": category}


@cache
def _user(site: _Site, name: str) -> _Json:
    login, number = name.split()[0].lower(), 10100 + _PEOPLE.index(name)
    identity = {"accountId": f"712020:{number}"} if site.is_cloud else {"name": login, "key": login}
    avatar = f"{site.base_url}/secure/useravatar?ownerId={login}"
    sizes = {f"{size}x{size}": f"{avatar}&size={size}" for size in (48, 24, 16, 32)}
    return {**identity, "displayName": name, "active": True, "avatarUrls": sizes}


def _phrase(rng: Random) -> str:
    return f"{rng.choice(_VERBS)} the {rng.choice(_NOUNS)} of a {rng.choice(_NOUNS)}"


def _description(site: _Site, rng: Random) -> str | _Json:
    """Paragraphs, as text or in the Atlassian Document Format of the cloud."""
    paragraphs = [
        " ".join(f"{_phrase(rng)} {rng.choice(_PLACES)}." for _ in range(rng.randint(1, 3)))
        for _ in range(rng.randint(1, 3))
    ]
    if not site.is_cloud:
        return "\r\n\r\n".join(paragraphs)
    content = [{"type": "paragraph", "content": [{"type": "text", "text": p}]} for p in paragraphs]
    return {"type": "doc", "version": 1, "content": content}


def _mondays(now: datetime, until: datetime) -> list[datetime]:
    """When the last 26 weeks began, without those that began after ``until``."""
    this = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    mondays = [this - timedelta(weeks=weeks) for weeks in reversed(range(26))]
    return [monday for monday in mondays if monday <= until]


def _in_week(moment: datetime | None, monday: datetime) -> bool:
    return moment is not None and monday <= moment < monday + _WEEK


def _points(issues: list[_Issue]) -> float:
    return sum((issue.points for issue in issues), 0.0)


def _percent(part: Sequence[object], whole: Sequence[object]) -> float:
    return round(100 * len(part) / len(whole), 1) if whole else 0


def _spread(values: list[float], names: tuple[str, str, str], quantile: float) -> _Json:
    """Median, mean and a quantile under these names, 0 if there are no values."""
    if not values:
        return dict.fromkeys(names, 0)
    high = sorted(values)[math.ceil(quantile * len(values)) - 1]
    numbers = (median(values), fmean(values), high)
    return {name: round(number, 1) for name, number in zip(names, numbers, strict=True)}


def _naive(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()


def _jira_time(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='milliseconds')[:23]}+0000"


def _md5(value: _Json) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=2, ensure_ascii=False, check_circular=False)
    path.write_text(text, encoding="utf-8")

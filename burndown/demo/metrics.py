"""Scope, weekly statistics and weekly metrics, calculated from issues."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import fmean, median

from burndown.demo import jira
from burndown.demo.issues import Issue, Query
from burndown.demo.jira import Json
from burndown.models import Week
from burndown.models.metric_series import MEASURES

__all__ = ["FLOW_TYPES", "metrics_snapshots", "project_scope", "weekly_statistics"]

FLOW_TYPES = {
    "Feature": ("feature", ["Story", "Improvement"]),
    "Defect": ("defect", ["Bug"]),
    "Technical Debt": ("tech_debt", ["Task", "Deployment"]),
    "Risk": ("risk", ["Risk"]),
}

_WEEK = timedelta(weeks=1)
_WEIGHTS = [0.1, 0.2, 0.3, 0.4]
"""The weight of each of the four weeks before a forecast, the last one last."""


def project_scope(query: Query, issues: list[Issue]) -> Json:
    """Return the items and points of the project, in total and for each status."""
    remaining = [issue for issue in issues if not issue.resolved_at]
    groups = {
        "total": issues,
        "completed": [issue for issue in issues if issue.resolved_at],
        "remaining": remaining,
        "estimated": [issue for issue in remaining if issue.points],
    }
    scope: Json = {}
    for name, group in groups.items():
        scope |= {f"{name}_items": len(group), f"{name}_points": _points(group)}
    average = scope["remaining_points"] / max(scope["estimated_items"], 1)
    breakdown = {}
    for name, status in jira.STATUSES.items():
        if in_status := [issue for issue in issues if issue.status == name]:
            breakdown[name] = {
                "items": len(in_status),
                "points": _points(in_status),
                "category": status.category,
                "classification": jira.STATUS_CATEGORIES[status.category].classification,
            }
    return scope | {
        "remaining_total_points": round(average * len(remaining), 2),
        "points_field_available": True,
        "status_breakdown": breakdown,
        "calculation_metadata": {
            "method": "status_category",
            "calculated_at": jira.naive_timestamp(query.synced_at),
            "points_field": jira.POINTS_FIELD,
            "points_field_valid": True,
            "total_issues_processed": len(issues),
        },
    }


def weekly_statistics(issues: list[Issue], monday: datetime) -> Json:
    """Return the counts of issues created and completed in the week that begins at ``monday``."""
    created = [issue for issue in issues if _in_week(issue.created_at, monday)]
    completed = [issue for issue in issues if _in_week(issue.resolved_at, monday)]
    return {
        "date": monday.date().isoformat(),
        "completed_items": len(completed),
        "completed_points": _points(completed),
        "created_items": len(created),
        "created_points": _points(created),
    }


def metrics_snapshots(query: Query, issues: list[Issue]) -> Json:
    """Return the Flow and DORA metrics of each week, with forecasts from the weeks before."""
    snapshots: Json = {}
    numbers: defaultdict[str, list[float]] = defaultdict(list)
    previous = None
    for monday in query.mondays:
        week = str(Week.of(monday))
        if query.old_format:
            week = week.replace("W", "")
        end = min(monday + _WEEK, query.synced_at)
        completed = [issue for issue in issues if _in_week(issue.resolved_at, monday)]
        released = [i for i in issues if i.resolved_at and monday <= i.released_at < end]
        metrics = _flow_metrics(completed, week) | _dora_metrics(completed, released, week)
        metrics["flow_load"] = _flow_load(issues, end)
        for measure in MEASURES:
            metric, before = metrics[measure.object], numbers[measure.object]
            if len(before) > 1:
                metric["forecast"] = _forecast(before[-len(_WEIGHTS) :])
            if measure.value_in(metric) is not None:
                before.append(metric[measure.key])
        metrics["trends"] = _trends(previous or metrics, metrics)
        for metric in metrics.values():
            metric["timestamp"] = query.synced_at.isoformat()
        snapshots[week] = previous = metrics
    return snapshots


def _flow_metrics(completed: list[Issue], week: str) -> Json:
    times = [i.hours_since("In Progress", i.resolved_at) / 24 for i in completed if i.resolved_at]
    active = [issue.hours_in(jira.ACTIVE_STATUSES) / 24 for issue in completed]
    waiting = [total - part for total, part in zip(times, active, strict=True)]
    shares = [100 * part / total for part, total in zip(active, times, strict=True)]
    count = {"completed_count": len(completed)}
    efficiency = {
        "overall_pct": round(100 * sum(active) / sum(times), 1) if completed else 0,
        "median_pct": round(median(shares), 1) if completed else 0,
        "avg_active_days": round(fmean(active), 1) if completed else 0,
        "avg_waiting_days": round(fmean(waiting), 1) if completed else 0,
    }
    distribution = {
        key: sum(issue.type in types for issue in completed) for key, types in FLOW_TYPES.values()
    }
    return {
        "flow_time": _averages(times, ("median_days", "avg_days", "p85_days"), 0.85) | count,
        "flow_efficiency": efficiency | count,
        "flow_velocity": {**count, "week": week, "distribution": distribution},
    }


def _flow_load(issues: list[Issue], time: datetime) -> Json:
    wip = [issue for issue in issues if issue.status_at(time) in jira.WIP_STATUSES]
    return {
        "wip_count": len(wip),
        "by_status": Counter(issue.status_at(time) for issue in wip),
        "by_issue_type": Counter(issue.type for issue in wip),
    }


def _dora_metrics(completed: list[Issue], released: list[Issue], week: str) -> Json:
    deployments = [issue for issue in completed if issue.type == "Deployment"]
    failures = [issue for issue in deployments if issue.failed]
    releases = sorted({issue.fix_version for issue in deployments})
    failed_releases = sorted({issue.fix_version for issue in failures})
    lead_times = [issue.hours_since("In Progress", issue.released_at) for issue in released]
    lead_time = _averages(lead_times, ("median_hours", "mean_hours", "p95_hours"), 0.95)
    bugs = [issue for issue in completed if issue.type == "Bug"]
    repairs = [bug.hours_since("Open", bug.resolved_at) for bug in bugs if bug.resolved_at]
    mttr = round(median(repairs), 1) if repairs else None
    tier = None if mttr is None else "low" if mttr > 168 else "medium"
    return {
        "dora_lead_time": lead_time | {"issues_with_lead_time": len(released)},
        "dora_deployment_frequency": {
            "deployment_count": len(deployments),
            "release_count": len(releases),
            "release_names": releases,
            "week": week,
        },
        "dora_change_failure_rate": {
            "change_failure_rate_percent": _percent(failures, deployments),
            "total_deployments": len(deployments),
            "failed_deployments": len(failures),
            "total_releases": len(releases),
            "failed_releases": len(failed_releases),
            "release_failure_rate_percent": _percent(failed_releases, releases),
            "failed_release_names": failed_releases,
            "release_names": releases,
            "week": week,
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


def _forecast(numbers: list[float]) -> Json:
    """Return the weighted mean of the last weeks that have a number, and their range."""
    is_established = len(numbers) == len(_WEIGHTS)
    weights = _WEIGHTS if is_established else [1 / len(numbers)] * len(numbers)
    return {
        "forecast_value": round(fmean(numbers, weights), 1),
        "forecast_range": {"lower": min(numbers), "upper": max(numbers)},
        "historical_values": numbers,
        "weights_applied": weights,
        "weeks_available": len(numbers),
        "confidence": "established" if is_established else "building",
    }


def _trends(previous: Json, current: Json) -> Json:
    more_days = current["flow_time"]["avg_days"] - previous["flow_time"]["avg_days"]
    gain = current["flow_efficiency"]["overall_pct"] - previous["flow_efficiency"]["overall_pct"]
    return {"flow_time_trend": _trend(-more_days), "flow_efficiency_trend": _trend(gain)}


def _trend(gain: float) -> str:
    if abs(gain) < 1:
        return "stable"
    return "improving" if gain > 0 else "declining"


def _in_week(time: datetime | None, monday: datetime) -> bool:
    return time is not None and monday <= time < monday + _WEEK


def _points(issues: list[Issue]) -> float:
    return sum((issue.points for issue in issues), 0.0)


def _percent(part: Sequence[object], total: Sequence[object]) -> float:
    return round(100 * len(part) / len(total), 1) if total else 0


def _averages(values: list[float], names: tuple[str, str, str], quantile: float) -> Json:
    """Return median, mean and a quantile under the names; 0 if there are no values."""
    if not values:
        return dict.fromkeys(names, 0)
    high = sorted(values)[math.ceil(quantile * len(values)) - 1]
    numbers = (median(values), fmean(values), high)
    return {name: round(number, 1) for name, number in zip(names, numbers, strict=True)}

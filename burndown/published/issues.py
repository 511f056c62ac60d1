"""The issues of a query as one response of Jira, which is made of their rows.

Jira returned more than the rows hold. So the response is marked as made, in its key
:data:`REBUILT`, and has no ``total``: nobody knows whether it is complete.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from burndown.conversion import LEGACY_VALUES, Report
from burndown.jira import points_fields
from burndown.models import Document, jira_cache_key
from burndown.models.field_types import is_key
from burndown.published.reports import RowReport, summed_up
from burndown.published.rows import Row, json_object, json_value
from burndown.published.timestamps import column_times

__all__ = ["REBUILT", "response_document"]

REBUILT = "rebuilt"
"""The key of a response that is made of rows: what they are, and when they were fetched."""

_ORIGIN = "the rows of the published dashboard"
_DEPTH = 4
"""Containers around a field: the response, the list of issues, the issue and its fields."""
_JSON_FIELDS = {"fix_versions": "fixVersions", "labels": "labels", "components": "components"}


def response_document(
    rows: Sequence[Row],
    profile: Document,
    jql: str,
    fetched_at: datetime | None,
    written_at: datetime,
    report: Report,
) -> Document | None:
    """Return the response that rows of ``jira_issues`` make, as a document of ``JiraCache``.

    Args:
        rows: the issues of a query.
        profile: the document of its profile, which names the field of story points.
        jql: its JQL, for the cache key of rows without one.
        fetched_at: when Jira was last asked, if that is known from elsewhere.
        written_at: the time of the file, used where the rows have none.
        report: takes a sentence on each value that is converted or kept aside.

    Returns:
        The document without the ids of profile and query; ``None`` without rows.
    """
    if not rows:
        return None
    fields = points_fields(profile)
    with summed_up(report) as report_row:
        issues = [_issue(row, fields, report_row) for row in rows]
        fetched = column_times(rows, "fetched_at", "issue_key", report_row)
        expiries = column_times(rows, "expires_at", "issue_key", report_row).values()
    known = [row for row in rows if row.get("fetched_at") in fetched]
    newest = max(known, key=lambda row: fetched[row["fetched_at"]], default=rows[-1])
    cache_key = newest.get("cache_key")
    times = sorted(fetched.values())
    created_at = max(filter(None, (times[-1] if times else None, fetched_at)), default=written_at)
    return {
        "cache_key": cache_key if is_key(cache_key) else jira_cache_key(jql),
        "created_at": created_at,
        "expires_at": min(expiries, default=created_at),
        "response": {"issues": issues, REBUILT: _mark(times)},
    }


def _mark(times: Sequence[datetime]) -> Document:
    """Return the mark of a response whose rows were fetched at these times, in order."""
    oldest, newest = (times[0].isoformat(), times[-1].isoformat()) if times else (None, None)
    return {"from": _ORIGIN, "fetched_at": {"oldest": oldest, "newest": newest}}


def _issue(row: Row, points_fields: Sequence[str], report: RowReport) -> Document:
    """Return the issue of a row, as the dashboard itself makes it of one."""
    key = row.get("issue_key")
    project = {"key": row.get("project_key"), "name": row.get("project_name")}
    fields: Document = {
        "summary": row.get("summary"),
        "status": _named(row.get("status")),
        "assignee": _named(row.get("assignee"), "displayName"),
        "issuetype": _named(row.get("issue_type")),
        "priority": _named(row.get("priority")),
        "resolution": _named(row.get("resolution")),
        "created": row.get("created"),
        "updated": row.get("updated"),
        "resolutiondate": row.get("resolved"),
        "project": None if project == {"key": None, "name": None} else project,
    }
    kept: Document = {}

    def report_issue(what: str) -> None:
        report(str(key), what)

    for column, field in _JSON_FIELDS.items():
        fields[field] = json_value(row, column, _DEPTH, kept, report_issue)
    custom = json_object(row, "custom_fields", _DEPTH, kept, report_issue)
    if custom:
        _add_custom_fields(custom, fields, kept, report_issue)
    points = row.get("points")
    if points is not None:
        _add_points(points, points_fields, fields, kept, report_issue)
    issue = {"key": key, "fields": fields}
    return {**issue, LEGACY_VALUES: kept} if kept else issue


def _named(name: Any, key: str = "name") -> Document | None:
    return None if name is None else {key: name}


def _add_custom_fields(custom: Document, fields: Document, kept: Document, report: Report) -> None:
    """Add the custom fields; none of them takes the place of another field."""
    for field in custom.keys() & fields.keys():
        kept[f"custom_fields.{field}"] = custom[field]
        report(f"custom_fields.{field}: not a custom field; kept under {LEGACY_VALUES}")
    fields.update({**custom, **fields})


def _add_points(
    points: Any, points_fields: Sequence[str], fields: Document, kept: Document, report: Report
) -> None:
    """Add the story points, unless the field that they were taken from has them."""
    for field in points_fields:
        if _is_number(fields.get(field), points):
            return
    is_number = isinstance(points, int | float)
    free = next((field for field in points_fields if field not in fields), None)
    if free is not None and is_number:
        fields[free] = points
    else:
        kept["points"] = points
        why = "no field has them" if is_number else "input should be a number"
        report(f"points: {why}; kept under {LEGACY_VALUES}")


def _is_number(value: Any, number: Any) -> bool:
    """Return whether the value of a field is the number, as the dashboard reads it."""
    if isinstance(value, dict):
        value = value.get("value")
    try:
        return value is not None and float(value) == number
    except (TypeError, ValueError, OverflowError):
        return False

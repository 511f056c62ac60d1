"""What must be found again of the rows of a query, computed from the rows alone."""

import json
import math
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

Row = dict[str, Any]

IDS = {"id", "profile_id", "query_id"}
STANDARD_FIELDS = (
    *("summary", "status", "assignee", "issuetype", "priority", "resolution", "created", "updated"),
    *("resolutiondate", "project", "fixVersions", "labels", "components"),
)


class NotJsonError(Exception):
    """The text of a JSON column is none."""


def raw_rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    """Return all rows, with other values in place of those that JSON does not have."""
    connection.text_factory = lambda text: text.decode(errors="backslashreplace")
    try:
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY rowid")
        names = [each[0] for each in cursor.description]
        return [dict(zip(names, map(as_json, row), strict=True)) for row in cursor]
    finally:
        connection.text_factory = str


def as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return None if value in (math.inf, -math.inf) else value


def same(one: Any, other: Any) -> bool:
    """Return whether both are the same JSON: 1, 1.0 and true are not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def parsed(text: Any) -> Any:
    """Return the value of a JSON column, with null for NaN."""
    if not isinstance(text, str):
        return text
    try:
        return without_nan(json.loads(text))
    except (ValueError, RecursionError):
        raise NotJsonError from None


def without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {without_nan(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def require_issues(rows: list[Row], issues: list[Any]) -> None:
    assert [issue["key"] for issue in issues] == [row["issue_key"] for row in rows]
    for row, issue in zip(rows, issues, strict=True):
        require_issue(row, issue["fields"], issue.get("legacy_values", {}))


def require_issue(row: Row, fields: Row, kept: Row) -> None:
    plain = {"summary": "summary", "created": "created", "updated": "updated"}
    for column, field in {**plain, "resolved": "resolutiondate"}.items():
        assert same(fields[field], row[column])
    named = {"status": "status", "issue_type": "issuetype", "priority": "priority"}
    for column, field in {**named, "resolution": "resolution"}.items():
        assert fields[field] == (None if row[column] is None else {"name": row[column]})
    who = row["assignee"]
    assert fields["assignee"] == (None if who is None else {"displayName": who})
    project = {"key": row["project_key"], "name": row["project_name"]}
    assert fields["project"] == (project if any(v is not None for v in project.values()) else None)
    lists = {"fix_versions": "fixVersions", "labels": "labels", "components": "components"}
    for column, field in lists.items():
        try:
            assert same(fields[field], parsed(row[column]))
        except NotJsonError:
            assert (fields[field], kept[column]) == (None, row[column])
    points = row["points"]
    require_custom_fields(row["custom_fields"], fields, kept)
    if points is not None:
        in_fields = [value for key, value in fields.items() if key not in STANDARD_FIELDS]
        assert points == kept.get("points") or any(has_number(v, points) for v in in_fields)


def require_custom_fields(written: Any, fields: Row, kept: Row) -> None:
    try:
        custom = parsed(written)
    except NotJsonError:
        custom = NotJsonError
    if custom is not None and not isinstance(custom, dict):
        assert kept["custom_fields"] == written
        return
    for key, value in (custom or {}).items():
        place = kept[f"custom_fields.{key}"] if key in STANDARD_FIELDS else fields[key]
        assert same(place, value)


def has_number(value: Any, number: Any) -> bool:
    value = value.get("value") if isinstance(value, dict) else value
    try:
        return float(value) == float(number)
    except (TypeError, ValueError, OverflowError):
        return False


def changes_in(changelogs: Iterable[Any]) -> Counter[tuple[Any, ...]]:
    """Return the changes of single fields in documents of changelogs."""
    return Counter(
        (
            *(document["issue_key"], history["created"]),
            history["author"] and history["author"]["displayName"],
            *(item["field"], item["fieldtype"], item["fromString"], item["toString"]),
        )
        for document in changelogs
        for history in document["changelog"]["changelog"]["histories"]
        for item in history["items"]
    )


def expected_changes(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    columns = ("issue_key", "change_date", "author", "field_name", "field_type", "old_value")
    return Counter(
        tuple(row[column] for column in (*columns, "new_value"))
        for row in rows
        if 0 < len(row["issue_key"]) <= 200
    )


def week_of(text: Any) -> str | None:
    """Return the ISO week of ``snapshot_date``, or ``None``."""
    day = re.fullmatch(r"(\d{4}-\d\d-\d\d)(T00:00:00)?", text)
    if day:
        year, week, weekday = date.fromisoformat(day[1]).isocalendar()
        return f"{year}-W{week:02}" if weekday == 1 else None
    found = re.fullmatch(r"(\d{4})-(?:W?(\d\d)|W(\d))", text)
    return f"{found[1]}-W{int(found[2] or found[3]):02}" if found else None


def expected_metric(row: Row) -> Row:
    """Return a metric as the dashboard itself reads its row."""
    metric: Row = {}
    for column in ("calculation_metadata", "metric_value"):
        value = row[column]
        try:
            if column == "calculation_metadata" or str(value)[:1] in ("{", "["):
                value = parsed(value)
        except NotJsonError:
            pass
        if isinstance(value, dict):
            metric.update(value)
        elif column == "metric_value":
            metric.update(value=value, unit=row["metric_unit"] or "")
    metric["excluded_issue_count"] = row["excluded_issue_count"] or 0
    forecast = {key: row[key] for key in row if key.startswith("forecast_")}
    if any(value is not None for value in forecast.values()):
        metric.update(forecast)
    return metric


def require_metrics(rows: list[Row], snapshots: list[Any], unplaced: list[Row]) -> None:
    """Check that each metric is in its week, under its name or that name with "(double)"."""
    weeks: dict[str, Row] = {}
    for snapshot in snapshots:
        weeks.setdefault(snapshot["snapshot_date"], {}).update(snapshot["metrics"])
    without_week = []
    for row in rows:
        week = week_of(row["snapshot_date"])
        if week is None:
            without_week.append({key: value for key, value in row.items() if key not in IDS})
            continue
        expected = without_kept(expected_metric(row))
        candidates = [
            metric
            for name, metric in weeks[week].items()
            if re.fullmatch(re.escape(row["metric_name"]) + r"( \(double( \d+)?\))*", name)
        ]
        assert any(expected == without_kept(metric) for metric in candidates)
    assert same(unplaced, without_week)


def without_kept(metric: Row) -> Row:
    return {key: value for key, value in metric.items() if key != "legacy_values"}

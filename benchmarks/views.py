"""Time of views of issues and histories in memory, compared with loops over their dicts."""

from datetime import UTC, date, datetime
from typing import Any

from benchmarks import sample, tables
from benchmarks.issues import Json
from benchmarks.measuring import Call, Row, interleaved, medians, ratio
from benchmarks.options import Options
from burndown.jira import history_of, issues_of

__all__ = ["measure", "operations", "table"]

_TARGETS = {"issues_of": (1.3, 1), "history_of": (4, 2)}
"""The largest acceptable and the desired ratio to the loop."""

_FIELD = "customfield_10016"


def _utc(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _issues_in_a_loop(response: Json) -> list[tuple[Any, ...]]:
    """Pick the fields without classes and functions, for responses in which nothing is odd."""
    picked = []
    for issue in response["issues"]:
        fields = issue["fields"]
        status = fields.get("status") or {}
        due = fields.get("duedate")
        picked.append(
            (
                issue["key"],
                fields.get("summary"),
                (fields.get("issuetype") or {}).get("name"),
                status.get("name"),
                (status.get("statusCategory") or {}).get("key"),
                (fields.get("priority") or {}).get("name"),
                (fields.get("resolution") or {}).get("name"),
                (fields.get("assignee") or {}).get("displayName"),
                (fields.get("project") or {}).get("key"),
                (fields.get("parent") or {}).get("key"),
                tuple(fields.get("labels") or ()),
                tuple([each["name"] for each in fields.get("components") or ()]),
                tuple([each["name"] for each in fields.get("fixVersions") or ()]),
                _utc(fields.get("created")),
                _utc(fields.get("updated")),
                _utc(fields.get("resolutiondate")),
                date.fromisoformat(due) if due else None,
                fields.get(_FIELD),
            )
        )
    return picked


def _issues_in_views(response: Json, profile: Json) -> list[tuple[Any, ...]]:
    return [
        (
            issue.key,
            issue.summary,
            issue.type,
            issue.status,
            issue.status_category,
            issue.priority,
            issue.resolution,
            issue.assignee,
            issue.project,
            issue.parent,
            issue.labels,
            issue.components,
            issue.fix_versions,
            issue.created,
            issue.updated,
            issue.resolved,
            issue.due,
            issue.points,
        )
        for issue in issues_of(response, profile)
    ]


def _stays_in_loops(changelogs: Json) -> list[list[tuple[Any, ...]]]:
    """Find the statuses without classes and functions, for changelogs in which nothing is odd."""
    found = []
    for changelog in changelogs.values():
        changes = [
            (_utc(history["created"]), int(history["id"]), item["fromString"], item["toString"])
            for history in changelog["changelog"]["histories"]
            for item in history["items"]
            if item["field"] == "status"
        ]
        changes.sort()
        stays: list[tuple[Any, ...]] = []
        entered: datetime | None = None
        for time, _, old, _ in changes:
            stays.append((old, entered, time))
            entered = time
        if changes:
            stays.append((changes[-1][3], entered, None))
        found.append(stays)
    return found


def _stays(changelogs: Json) -> list[list[tuple[Any, ...]]]:
    return [list(history_of(changelog).stays) for changelog in changelogs.values()]


def operations(options: Options) -> dict[str, dict[str, Call]]:
    """Return the calls of both sides for each operation."""
    response = sample.response(options)
    changelogs = sample.changelogs(response)
    profile = {"jira_config": {"points_field": _FIELD}}
    return {
        f"issues_of, {options.issues:,} issues": {
            "floor": lambda _: _issues_in_a_loop(response),
            "burndown": lambda _: _issues_in_views(response, profile),
        },
        f"history_of, {options.issues:,} changelogs": {
            "floor": lambda _: _stays_in_loops(changelogs),
            "burndown": lambda _: _stays(changelogs),
        },
    }


def measure(options: Options) -> list[Row]:
    """Measure all views."""
    rows = []
    for name, calls in operations(options).items():
        times = interleaved(calls, options.rounds)
        must, aim = _TARGETS[name.partition(",")[0]]
        rows.append(
            {
                "operation": name,
                "must": must,
                "aim": aim,
                "floor_us": medians(times)["floor"] * 1e6,
                "burndown": ratio(times, "burndown", "floor"),
            }
        )
    return rows


def table(rows: list[Row]) -> str:
    """Return a table of the ratios, and the targets that they meet."""
    headings = ["view", "floor", "burndown", "must", "aim", "meets"]
    lines = [
        [
            row["operation"],
            f"{row['floor_us']:,.0f} µs",
            tables.spread(row["burndown"]),
            row["must"],
            row["aim"],
            tables.verdict(row["burndown"]["ratio"], row["must"], row["aim"]),
        ]
        for row in rows
    ]
    return tables.markdown("Views, as a multiple of a loop over dicts", headings, lines)

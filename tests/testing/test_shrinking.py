"""A failing example of a fault shrinks to what a person would write."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import find, settings
from hypothesis import strategies as st

from burndown.models import AppState, Document, JiraConfig
from burndown.testing.strategies import (
    budgets,
    changelogs,
    days,
    documents,
    identifiers,
    issue_keys,
    jira_issues,
    jira_responses,
    json_objects,
    json_values,
    keys,
    legacy_workspaces,
    lines,
    metrics_snapshots,
    names,
    profiles,
    queries,
    strings,
    tasks,
    timestamps,
    weeks,
    words,
)

SMALLEST = settings(max_examples=2000, database=None)

EXAMPLES: list[Any] = [
    (
        profiles(),
        lambda profile: profile.get("jira_config", {}).get("token"),
        {"id": "kafka", "jira_config": {"token": "a-token"}},
    ),
    (
        profiles(),
        lambda profile: profile.get("name", "kafka") != "kafka",
        {"id": "kafka", "name": "Team A"},
    ),
    (queries(), lambda query: query.get("jql"), {"id": "12w", "jql": "project = KAFKA"}),
    (
        metrics_snapshots(),
        lambda snapshot: snapshot["metrics"].get("lead_time_days", 0) > 9,
        {"snapshot_date": "2026-W01", "metric_type": "dora", "metrics": {"lead_time_days": 10.0}},
    ),
    (budgets(), lambda budget: budget.get("revisions"), {"revisions": [{}]}),
    (budgets(), lambda budget: (budget.get("budget_total") or 0) > 99, {"budget_total": 100.0}),
    (
        tasks(),
        lambda task: task["progress_percent"] > 50,
        {"task_name": "fetch", "progress_percent": 51, "status": "running"},
    ),
    (documents(AppState), lambda state: state["value"], {"key": "KAFKA-1", "value": "0"}),
    (documents(JiraConfig), lambda config: config.get("token"), {"token": "a-token"}),
    (names(), lambda name: not name.isascii(), "Größe 🚀"),
    (identifiers(), lambda identifier: identifier != "kafka", "team-a"),
    (issue_keys(), lambda key: not key.startswith("KAFKA"), "OPS-1"),
    (keys(), lambda key: key != "KAFKA-1", "KAFKA-2"),
    (words(), lambda word: word != "dora", "flow"),
    (lines(), lambda line: line, "0"),
    (strings(), lambda string: len(string) > 2, "000"),
    (timestamps(), lambda time: time.year > 2026, datetime(2027, 1, 1, tzinfo=UTC)),
    (days(), lambda day: day > "2026-01-05", "2026-01-06"),
    (weeks(), lambda week: week > "2026-W01", "2026-W02"),
    (json_values(), lambda value: isinstance(value, list) and value, [None]),
    (json_objects(), lambda value: value, {"": None}),
    pytest.param(
        legacy_workspaces(),
        lambda files: any(path.endswith("jira_cache.json") for path in files),
        {
            "profiles/default/queries/main/jira_cache.json": {
                "issues": [],
                "timestamp": "2026-01-05T09:00:00+00:00",
            }
        },
        marks=pytest.mark.soak,  # half a minute
    ),
]
"""A strategy, a fault, and the smallest example that has it."""


@pytest.mark.parametrize(("strategy", "has_fault", "smallest"), EXAMPLES)
def test_documents_shrink(strategy: st.SearchStrategy[Any], has_fault: Any, smallest: Any) -> None:
    """The example has only what makes it fail."""
    assert find(strategy, has_fault, settings=SMALLEST) == smallest


def test_keys_between_others_are_omitted() -> None:
    """A fault in two sections shows no third one."""
    found = find(
        profiles(),
        lambda profile: profile.get("flow_type_mappings") and profile.get("show_points") is True,
        settings=SMALLEST,
        random=Random(2),
    )
    assert found.keys() == {"id", "show_points", "flow_type_mappings"}


def test_issues_shrink() -> None:
    """An issue of a server has a key, and fields that are easy to read."""
    found = find(jira_issues(), lambda issue: issue["fields"].get("assignee"), settings=SMALLEST)
    assert found["key"] == "KAFKA-1"
    fields = found["fields"]
    person = {"name": "ada", "key": "ada", "displayName": "Ada Quill", "active": True}
    assert fields["assignee"] == person
    assert names_of(fields) == {"summary": "Fix the login", "issuetype": "Story", "status": "Open"}
    assert fields["created"] == fields["updated"] == "2026-01-05T09:00:00.000+0000"


def names_of(fields: Document) -> Document:
    """Return the fields that every issue has."""
    return {
        "summary": fields["summary"],
        "issuetype": fields["issuetype"]["name"],
        "status": fields["status"]["name"],
    }


def test_times_shrink_to_utc() -> None:
    """The day after the creation is shown without another time zone."""
    found = find(
        jira_issues(),
        lambda issue: issue["fields"]["updated"][:10] > issue["fields"]["created"][:10],
        settings=SMALLEST,
    )
    times = found["fields"]["created"], found["fields"]["updated"]
    assert times == ("2026-01-05T09:00:00.000+0000", "2026-01-06T00:00:00.000+0000")


def test_a_change_shrinks_to_one_item() -> None:
    found = find(
        changelogs(),
        lambda issue: any(
            item["field"] == "assignee"
            for history in issue["changelog"]["histories"]
            for item in history["items"]
        ),
        settings=SMALLEST,
    )
    [history] = found["changelog"]["histories"]
    assert [item["field"] for item in history["items"]] == ["assignee"]


@pytest.mark.soak  # some seconds, and the next test shrinks a list of objects as well
def test_responses_shrink() -> None:
    """A fault of two issues is shown by two of a server."""
    found = find(jira_responses(), lambda page: len(page["issues"]) > 1, settings=SMALLEST)
    assert [issue["key"] for issue in found["issues"]] == ["KAFKA-1", "KAFKA-2"]
    assert (found["startAt"], found["total"]) == (0, 2)


def test_changelogs_shrink() -> None:
    """A fault of two changes is shown by two changes of the status."""
    found = find(
        changelogs(), lambda issue: len(issue["changelog"]["histories"]) > 1, settings=SMALLEST
    )
    changes = [
        (item["field"], item["fromString"], item["toString"])
        for history in found["changelog"]["histories"]
        for item in history["items"]
    ]
    assert changes == [("status", "Open", "In Progress"), ("status", "In Progress", "Open")]

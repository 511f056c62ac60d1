"""Field mappings are read in all forms that the dashboard has stored."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown.jira import Issue, issues_of
from tests.jira.material import Json, issues, rich_text

CHANGES = [
    {
        "created": f"2025-12-0{day}T10:00:00.000+0100",
        "items": [{"field": "status", "fromString": old, "toString": new}],
    }
    for day, old, new in [(4, "Review", "Done"), (2, "Open", "In Progress"), (1, "Done", "Open")]
]
FIELDS: Json = {
    "project": {"key": "OPS", "name": "Operations"},
    "summary": "Restart",
    "status": {"name": "Done", "statusCategory": {"key": "done"}},
    "issuetype": {"name": "Bug"},
    "priority": None,
    "assignee": {"name": "ann", "displayName": "Ann"},
    "created": "2025-12-01T09:00:00.000+0100",
    "duedate": "2025-12-31",
    "labels": ["a", "b"],
    "fixVersions": [
        {"name": "1.0"},
        {"name": "1.1", "releaseDate": "2025-12-20"},
        {"name": "1.2", "releaseDate": "2025-12-24"},
    ],
    "parent": {"id": "7", "key": "OPS-1"},
    "votes": {"votes": 3},
    "environment": rich_text("Prod"),
    "customfield_1": {"value": "Yes", "id": "1"},
    "customfield_2": [{"value": "PROD"}, {"value": "Staging"}],
    "customfield_3": 5.0,
    "customfield_4": "1.10",
    "customfield_5": True,
    "customfield_6": "2025-12-05T10:00:00.000+0000",
    "customfield_7": "",
}


def issue(**changes: Any) -> Issue:
    document = {"key": "OPS-7", "fields": FIELDS, "changelog": {"histories": CHANGES}, **changes}
    return issues_of([document])[0]


def at(day: int, hour: int) -> datetime:
    return datetime(2025, 12, day, hour, tzinfo=UTC)


def rule(kind: str, filters: Any = None, **source: Any) -> Json:
    """A rule, as builds of late November 2025 stored it."""
    return {"priority": 1, "source": {"type": kind, **source}, "filters": filters}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        # fields
        ("summary", "Restart"),
        ("status", "Done"),
        ("assignee", "Ann"),
        ("project", "Operations"),
        ("parent", "OPS-1"),
        ("priority", None),
        ("absent", None),
        ("customfield_1", "Yes"),
        ("customfield_2", ("PROD", "Staging")),
        ("customfield_3", 5.0),
        ("customfield_5", True),
        ("customfield_7", None),
        ("labels", ("a", "b")),
        ("fixVersions", ("1.0", "1.1", "1.2")),
        ("votes", None),
        ("environment", "Prod"),
        ("created", at(1, 8)),
        ("customfield_6", at(5, 10)),
        ("duedate", date(2025, 12, 31)),
        (" summary ", "Restart"),
        # paths
        ("status.statusCategory.key", "done"),
        ("votes.votes", 3),
        ("fixVersions.releaseDate", date(2025, 12, 20)),
        ("summary.name", None),
        ("labels.name", None),
        # values
        ("customfield_1=Yes", True),
        ("customfield_1=yes", True),
        ("customfield_1=No", False),
        ("customfield_1 = No | Yes", True),
        ("customfield_1=", "Yes"),
        ("customfield_2=staging", True),
        ("customfield_3=5", True),
        ("customfield_4=1.1", False),
        ("customfield_4=1.10", True),
        ("customfield_5=true", True),
        ("customfield_6=x:y", False),
        ("environment=PROD|Production", True),
        ("fixVersions=1.2", True),
        ("priority=Major", False),
        ("status.statusCategory.key=done", True),
        # changes
        ("status:In Progress.DateTime", at(2, 9)),
        ("status:in progress.DateTime", at(2, 9)),
        ("status:Done.DateTime", at(4, 9)),
        ("status:Blocked.DateTime", None),
        ("status:Done.Occurred", True),
        ("status:Blocked.Occurred", False),
        ("status:Done", True),
        ("status:Done.Duration", True),
        ("labels:a.DateTime", None),
        # projects
        ("OPS.summary", "Restart"),
        ("Ops.summary", "Restart"),
        ("WEB.summary", None),
        ("WEB|OPS.summary", "Restart"),
        ("*.summary", "Restart"),
        ("OPS.fixVersions.releaseDate", date(2025, 12, 20)),
        ("WEB.fixVersions.releaseDate", None),
        ("*.status:In Progress.DateTime", at(2, 9)),
        ("WEB.status:In Progress.DateTime", None),
        ("OPS.customfield_1=Yes", True),
        ("WEB.customfield_1=Yes", None),
        # nothing to read
        ("", None),
        (":", None),
        ("=", None),
        (None, None),
        (7, None),
        (["summary"], None),
        ({}, None),
    ],
)
def test_values_of_sources(source: Any, value: Any) -> None:
    found = issue().value_of(source)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (rule("field_value", field="status.name"), "Done"),
        (rule("field_value", field="fixVersions.releaseDate"), date(2025, 12, 20)),
        (rule("field_value", {"project": ["OPS", "WEB"]}, field="summary"), "Restart"),
        (rule("field_value", {"project": ["WEB"]}, field="summary"), None),
        (rule("field_value", {"issuetype": ["bug"]}, field="summary"), "Restart"),
        (rule("field_value", {"issuetype": ["Task"]}, field="summary"), None),
        (
            rule(
                "field_value",
                {"environment_field": "customfield_2", "environment_value": "PROD"},
                field="summary",
            ),
            "Restart",
        ),
        (
            rule(
                "field_value",
                {"environment_field": "customfield_2", "environment_value": "Test"},
                field="summary",
            ),
            None,
        ),
        (rule("field_value_match", field="status.name", operator="equals", value="Done"), True),
        (rule("field_value_match", field="customfield_3", operator="equals", value=5), True),
        (rule("field_value_match", field="customfield_5", operator="equals", value=True), True),
        (rule("field_value_match", field="status", operator="not_equals", value="Done"), False),
        (rule("field_value_match", field="status", operator="in", value=["Open", "Done"]), True),
        (rule("field_value_match", field="status", operator="not_in", value=["Open"]), True),
        (rule("field_value_match", field="summary", operator="contains", value="start"), True),
        (rule("field_value_match", field="summary", operator="contains", value="stop"), False),
        (rule("field_value_match", field="summary", operator="like", value="stop"), None),
        (
            rule("changelog_timestamp", field="status", condition={"transition_to": "Done"}),
            at(4, 9),
        ),
        (
            rule(
                "changelog_timestamp",
                field="status",
                condition={"transition_to": ["In Progress", "Done"]},
            ),
            at(2, 9),
        ),
        (
            rule(
                "changelog_timestamp",
                field="status",
                condition={"transition_to": "Done", "transition_from": "Open"},
            ),
            None,
        ),
        (rule("changelog_event", field="status", condition={"transition_to": "Done"}), True),
        (rule("changelog_event", field="status", condition={"transition_to": "Lost"}), False),
        (rule("fixversion_releasedate", field="fixVersions"), date(2025, 12, 20)),
        (rule("fixversion_releasedate", selector="last"), date(2025, 12, 24)),
        (
            rule("fixversion_releasedate", selector="all"),
            (date(2025, 12, 20), date(2025, 12, 24)),
        ),
        (rule("calculated", calculation="count_transitions"), None),
        (rule("unknown"), None),
    ],
)
def test_values_of_rules(source: Json, value: Any) -> None:
    assert issue().value_of(source) == value


def test_without_a_changelog_nothing_is_known_of_changes() -> None:
    bare = issue(changelog=None)
    assert bare.value_of("status:Done.Occurred") is None
    assert bare.value_of("status:Done.DateTime") is None


@pytest.mark.parametrize(
    ("source", "time"),
    [
        ("created", at(1, 8)),
        ("status:In Progress.DateTime", at(2, 9)),
        ("duedate", at(31, 0)),
        ("fixVersions", at(20, 0)),
        ("OPS.fixVersions.releaseDate", at(20, 0)),
        ("WEB.fixVersions.releaseDate", None),
        ("summary", None),
        ("status", None),
        ("customfield_1=Yes", None),
        ("customfield_3", None),
        ("absent", None),
        (None, None),
    ],
)
def test_times_of_sources(source: Any, time: datetime | None) -> None:
    assert issue().time_of(source) == time


@given(issues, st.sampled_from(["WEB", "OPS", "core"]), st.sampled_from([*FIELDS, "created"]))
def test_a_project_limits_a_source(document: Json, project: str, field: str) -> None:
    [found] = issues_of([document])
    belongs = (found.project or "").lower() == project.lower()
    limited = found.value_of(f"{project.capitalize()}.{field}")
    assert limited == (found.value_of(field) if belongs else None)

"""Views of issues agree with a plain reading, and odd values spoil nothing."""

import copy
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import JiraCache, Profile
from burndown.demo.jira import POINTS_FIELD
from burndown.jira import Issue, issues_of, points_fields
from burndown.models.completeness import response_counts
from burndown.testing.contract.drawn import json_values
from tests.jira.material import (
    FIELDS,
    PROFILE,
    Json,
    either,
    issues,
    objects,
    odd_issues,
    odd_sources,
    odd_values,
    rich_text,
)

STRINGS = (
    "key",
    "summary",
    "description",
    "type",
    "status",
    "status_category",
    "priority",
    "resolution",
    "assignee",
    "project",
    "parent",
)
TUPLES = ("labels", "components", "fix_versions")
TIMES = ("created", "updated", "resolved")
ALL = (*STRINGS, *TUPLES, *TIMES, "due", "points")


def issue_of(document: Json, profile: Any = None) -> Issue:
    [issue] = issues_of([document], profile)
    return issue


def values(issue: Issue) -> Json:
    """All values of a view."""
    return {name: getattr(issue, name) for name in ALL}


def read_plainly(document: Json) -> Json:
    """The same values, read as one reads an issue in which all is as expected."""
    found = document.get("fields") or {}

    def name_in(field: str, key: str = "name") -> Any:
        return (found.get(field) or {}).get(key)

    def time_in(field: str) -> datetime | None:
        text = found.get(field)
        return datetime.fromisoformat(text).astimezone(UTC) if text else None

    description = found.get("description")
    if isinstance(description, dict):
        [paragraph] = description["content"]
        lines = paragraph["content"][0]["text"].strip()
        description = re.sub(r"\n\s*\n", "\n", lines)  # rich text has no empty lines
    return {
        "key": document.get("key"),
        "summary": found.get("summary") or None,
        "description": description or None,
        "type": name_in("issuetype"),
        "status": name_in("status"),
        "status_category": (name_in("status", "statusCategory") or {}).get("key"),
        "priority": name_in("priority"),
        "resolution": name_in("resolution"),
        "assignee": name_in("assignee", "displayName"),
        "project": name_in("project", "key") or document.get("key", "-").split("-")[0] or None,
        "parent": name_in("parent", "key"),
        "labels": tuple(found.get("labels", ())),
        "components": tuple(each["name"] for each in found.get("components", ())),
        "fix_versions": tuple(each["name"] for each in found.get("fixVersions", ())),
        "created": time_in("created"),
        "updated": time_in("updated"),
        "resolved": time_in("resolutiondate"),
        "due": date.fromisoformat(found["duedate"]) if found.get("duedate") else None,
        "points": found.get(POINTS_FIELD),
    }


@given(issues)
def test_views_agree_with_a_plain_reading(document: Json) -> None:
    assert values(issue_of(document, PROFILE)) == read_plainly(document)


@given(issues)
def test_timestamps_are_in_utc(document: Json) -> None:
    issue = issue_of(document)
    assert {getattr(issue, name).tzinfo for name in TIMES if getattr(issue, name)} <= {UTC}


@given(issues)
def test_reading_changes_nothing(document: Json) -> None:
    before = copy.deepcopy(document)
    issue = issue_of(document, PROFILE)
    values(issue)
    assert issue.history.stays is not None
    assert issue.document is document
    assert document == before


def is_as_promised(issue: Issue) -> bool:
    """Whether all values have their types."""
    return (
        all(isinstance(getattr(issue, name), str | None) for name in STRINGS)
        and all(type(getattr(issue, name)) is tuple for name in TUPLES)
        and all(isinstance(each, str) for name in TUPLES for each in getattr(issue, name))
        and all(
            getattr(issue, name) is None or getattr(issue, name).tzinfo is UTC for name in TIMES
        )
        and type(issue.due) in (date, type(None))
        and type(issue.points) in (float, type(None))
    )


@given(odd_issues, either(st.just(PROFILE), odd_values), odd_sources)
def test_odd_values_have_the_promised_types(document: Any, profile: Any, source: Any) -> None:
    for issue in issues_of([document], profile):
        assert is_as_promised(issue)
        value = issue.value_of(source)
        for each in value if isinstance(value, tuple) else (value,):
            assert isinstance(each, str | int | float | date | None)
        time = issue.time_of(source)
        assert time is None or time.tzinfo is UTC
        assert all(stay.status is not None for stay in issue.history.stays)
        assert repr(issue)


@pytest.mark.parametrize(
    ("name", "field", "value", "expected"),
    [
        ("type", "issuetype", {"name": 5}, None),
        ("type", "issuetype", {"name": ""}, None),
        ("status", "status", "Done", None),
        ("status", "status", ["Done"], None),
        ("status_category", "status", {"statusCategory": {"key": 3}}, None),
        ("status_category", "status", {"statusCategory": "done"}, None),
        ("components", "components", [{"name": 5}, 7, {}, {"name": "a"}], ("a",)),
        ("labels", "labels", ["a", None, 5], ("a",)),
        ("labels", "labels", "a", ()),
        ("created", "created", 0, None),
        ("created", "created", "0000-01-01T00:00:00+0000", None),
        ("due", "duedate", "2025-02-30", None),
        ("due", "duedate", "2025-W48-1", None),
        ("summary", "summary", ["a"], None),
    ],
)
def test_an_odd_value_is_none(name: str, field: str, value: Any, expected: Any) -> None:
    assert getattr(issue_of({"fields": {field: value}}), name) == expected


@given(either(odd_values, objects(issues=odd_values, response=odd_values)))
def test_odd_responses_have_no_or_some_issues(response: Any) -> None:
    assert all(is_as_promised(issue) for issue in issues_of(response))


@given(issues, st.sampled_from(FIELDS), odd_values)
def test_an_odd_value_spoils_no_other_one(document: Json, field: str, value: Any) -> None:
    spoiled = {**document, "fields": {**document.get("fields", {}), field: value}}
    without = {**document, "fields": {**document.get("fields", {})}}
    without["fields"].pop(field, None)
    changed = {
        name
        for name, found in values(issue_of(spoiled, PROFILE)).items()
        if found != values(issue_of(without, PROFILE))[name]
    }
    assert len(changed) <= (2 if field == "status" else 1)


@given(st.lists(issues, max_size=6))
def test_each_issue_is_there_once(documents: list[Json]) -> None:
    """The last one of those that have the same key, where the first one was."""
    response = {"issues": documents}
    found = issues_of(response)
    assert len(found) == response_counts(response)["issue_count"]
    identities = [each.get("key") or each["id"] for each in documents]
    expected = dict(zip(identities, documents, strict=True))
    assert [issue.document for issue in found] == list(expected.values())


@pytest.mark.parametrize("value", [None, 1, "KAFKA-1", [], {"key": "KAFKA-1"}])
def test_only_objects_are_issues(value: Any) -> None:
    assert [each.key for each in issues_of([value, {"key": "A-1"}])][-1] == "A-1"
    assert len(issues_of([value, {"key": "A-1"}])) == 1 + isinstance(value, dict)


@pytest.mark.parametrize("nothing", [None, {}, [], {"issues": None}, {"errorMessages": ["gone"]}])
def test_a_response_without_issues_has_none(nothing: Any) -> None:
    assert issues_of(nothing) == []


def test_a_cached_response_may_be_in_its_document() -> None:
    """As ``records`` and calls that return more than the response have it."""
    response = {"issues": [{"key": "A-1"}]}
    document = JiraCache(
        profile_id="a", query_id="q", cache_key="k", expires_at=datetime.now(UTC), response=response
    ).to_document()
    assert [issue.key for issue in issues_of(document)] == ["A-1"]


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (3, 3.0),
        (2.5, 2.5),
        ("3.0", 3.0),
        (-1.0, -1.0),
        ({"value": "5"}, 5.0),
        ([8.0], 8.0),
        ([{"value": 8}], 8.0),
        ("9223372036854775807", 9223372036854775807.0),
        (10**400, None),
        ("nan", None),
        ("unknown", None),
        ("", None),
        (True, None),
        ([], None),
        ({"name": "5"}, None),
        ([[5.0]], None),
        (None, None),
    ],
)
def test_points_are_read_from_all_types_of_fields(value: Any, points: float | None) -> None:
    assert issue_of({"fields": {POINTS_FIELD: value}}, PROFILE).points == points


def test_points_of_the_general_mappings_are_preferred() -> None:
    """As in newer releases of the dashboard; the other field serves where that one is empty."""
    profile = {**PROFILE, "field_mappings": {"general": {"estimate": "customfield_7"}}}
    assert points_fields(profile) == ("customfield_7", POINTS_FIELD)
    assert issue_of({"fields": {"customfield_7": 1, POINTS_FIELD: 2}}, profile).points == 1
    assert issue_of({"fields": {"customfield_7": None, POINTS_FIELD: 2}}, profile).points == 2


def test_a_profile_may_be_an_entity() -> None:
    assert points_fields(Profile(**PROFILE)) == (POINTS_FIELD,)
    assert points_fields(Profile(name="A")) == ()


@given(json_values)
def test_other_profiles_name_no_field(profile: Any) -> None:
    assert points_fields(profile) == ()


def test_the_key_tells_the_project_where_it_was_not_requested() -> None:
    assert issue_of({"key": "MY-OPS-12"}).project == "MY-OPS"
    assert issue_of({"key": "12"}).project is None
    assert issue_of({"key": "A-1", "fields": {"project": {"key": "B"}}}).project == "B"


def test_rich_text_is_returned_as_lines() -> None:
    item = {"type": "listItem", "content": rich_text("first")["content"]}
    document = rich_text("Hello")
    document["content"] += [
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "by "},
                {"type": "mention", "attrs": {"id": "5b10", "text": "@Ann"}},
                {"type": "hardBreak"},
                {"type": "emoji", "attrs": {"shortName": ":tada:"}},
            ],
        },
        {"type": "bulletList", "content": [item, item]},
        {"type": "blockCard", "attrs": {"url": "http://y"}},
        {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "1"}}]},
        {"type": "paragraph", "content": [{"type": "inlineCard", "attrs": {"url": "http://x"}}]},
    ]
    text = "Hello\nby @Ann\n:tada:\nfirst\nfirst\nhttp://y\nhttp://x"
    assert issue_of({"fields": {"description": document}}).description == text


def test_rich_text_may_be_deeper_than_calls() -> None:
    document = rich_text("core")
    for _ in range(10_000):
        document = {"type": "doc", "content": [document]}
    assert issue_of({"fields": {"description": document}}).description == "core"
    while document.get("content"):  # or its deletion recurses
        document = document["content"].pop()


def test_a_view_is_read_only() -> None:
    with pytest.raises(AttributeError):
        setattr(issue_of({"key": "A-1"}), "status", "Done")  # noqa: B010 - as in a typed program

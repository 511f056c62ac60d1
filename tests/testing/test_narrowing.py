"""Arguments narrow what a strategy draws, and wrong ones are refused."""

from collections.abc import Callable
from typing import Any

import pydantic
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from burndown import Week
from burndown.models import Budget, JiraConfig, Profile, Query
from burndown.testing import strategies
from burndown.testing.strategies import (
    budgets,
    changelogs,
    documents,
    identifiers,
    jira_issues,
    jira_responses,
    legacy_workspaces,
    metrics_snapshots,
    profiles,
    queries,
    tasks,
    weeks,
)


@given(st.data(), identifiers(), st.booleans())
def test_an_argument_is_a_strategy_or_a_value(
    data: st.DataObject, profile_id: str, flag: bool
) -> None:
    """Every example has it, as a copy."""
    config = {"base_url": "https://jira.example.com"}
    document = data.draw(profiles(id=st.just(profile_id), jira_config=config, show_points=flag))
    assert document["id"] == profile_id
    assert document["jira_config"] == config
    assert document["jira_config"] is not config
    assert document["show_points"] is flag
    issue = data.draw(jira_issues(key="A-1", priority=None, customfield_1=st.just(flag)))
    assert issue["key"] == "A-1"
    assert issue["fields"]["priority"] is None
    assert issue["fields"]["customfield_1"] is flag
    assert data.draw(changelogs(issue=issue))["fields"] == issue["fields"]
    [only] = data.draw(jira_responses(issues=st.just(issue), max_size=1))["issues"] or [issue]
    assert only == issue


@given(st.data(), weeks(), weeks())
def test_weeks_are_within_their_bounds(data: st.DataObject, one: str, other: str) -> None:
    """Both bounds are included."""
    first, last = sorted([one, other])
    assert first <= data.draw(weeks(first, last)) <= last
    assert data.draw(weeks(Week.of(one), one)) == one


WRONG: list[tuple[Callable[[], st.SearchStrategy[Any]], str]] = [
    (lambda: documents(int), "model should be an entity or a section such as Profile, got <class"),
    (lambda: weeks("2026-W10", "2026-W01"), "first should not be after last, got 2026-W10 and"),
    (lambda: weeks("soon"), "input should be an ISO week such as 2025-W12, or a date, got 'soon'"),
    (lambda: jira_issues(key=3), "key should be a str or a strategy, got 3"),
    (lambda: jira_responses(cloud="no"), "cloud should be a bool or a strategy, got 'no'"),
    (lambda: jira_responses(complete=2), "complete should be a bool or a strategy, got 2"),
    (lambda: jira_responses(issues=[]), r"issues should be a dict or a strategy, got \[\]"),
    (lambda: changelogs(issue="A-1"), "issue should be a dict or a strategy, got 'A-1'"),
    (lambda: legacy_workspaces(query_ids=3), "query_ids should be a str or a strategy, got 3"),
]
"""Calls with a wrong argument, and the error."""


@pytest.mark.parametrize(("call", "error"), WRONG)
def test_a_wrong_argument_is_refused(
    call: Callable[[], st.SearchStrategy[Any]], error: str
) -> None:
    """The call itself fails, with the argument and what it should be."""
    with pytest.raises((TypeError, ValueError), match=error):
        call()


@pytest.mark.parametrize(
    ("strategy", "error"),
    [
        (profiles(name=3), "name\n  input should be a name of 1 to 200 characters"),
        (
            profiles(jira_config={"api_version": "v9"}),
            "api_version\n  Input should be 'v2' or 'v3'",
        ),
        (queries(jql=st.none()), "jql\n  input should be a string"),
        (metrics_snapshots(snapshot_date="soon"), "snapshot_date\n  input should be an ISO week"),
        (budgets(budget_total=-1), "budget_total\n  input should be a number from 0"),
        (tasks(progress_percent=st.just(101)), "progress_percent\n  input should be a percentage"),
        (
            documents(JiraConfig, cache_size_mb="x"),
            "cache_size_mb\n  Input should be a valid integer",
        ),
    ],
)
def test_a_value_that_is_not_valid_is_refused(strategy: st.SearchStrategy[Any], error: str) -> None:
    """No document is drawn that the model refuses, be it by an argument."""
    with pytest.raises(pydantic.ValidationError, match=error):
        find(strategy, lambda _: True, settings=settings(database=None))


@pytest.mark.parametrize("name", strategies.__all__)
def test_a_strategy_is_short_to_read(name: str) -> None:
    """Hypothesis shows it in messages."""
    assert len(repr(getattr(strategies, name)(*[Profile] * (name == "documents")))) < 600


@pytest.mark.parametrize(
    ("model", "key"), [(Profile, "nmae"), (Query, "profile"), (Budget, "id"), (JiraConfig, "url")]
)
def test_an_argument_that_is_no_key_is_refused(model: Any, key: str) -> None:
    """A typing error would narrow nothing."""
    with pytest.raises(TypeError, match=f"got '{key}'"):
        documents(model, **{key: "x"})

"""What the dashboard of the examples calculates, without a page."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import Profile, Week, open_backend
from burndown.jira import issues_of
from burndown.remaining_work import remaining_work
from burndown.testing.strategies import changelogs, jira_responses
from examples.dashboard.delivery import ACTIVE, read_delivery
from examples.dashboard.fetching import project_data, store
from examples.dashboard.forecast import HORIZON, LIKELIHOODS, forecast

NOW = Week(2026, 10)
WORK = st.integers(0, 200)
THROUGHPUT = st.lists(st.integers(0, 20), max_size=12)


@given(WORK, THROUGHPUT)
def test_a_forecast_goes_down_to_zero_or_to_the_horizon(remaining: int, past: list[int]) -> None:
    """The likelier a value, the higher it is; a week is done if it is so in that many runs."""
    found = forecast(remaining, past, NOW)
    if not any(past):
        assert found.weeks == []
        assert {found.done(each) for each in LIKELIHOODS} == {None}
        return
    assert found.weeks == [NOW + n for n in range(len(found.weeks))]
    for each in LIKELIHOODS:
        work = found.remaining[each]
        assert work[0] == remaining
        assert work == sorted(work, reverse=True)
        assert work[-1] == 0 or len(work) == HORIZON + 1 or each < max(LIKELIHOODS)
    assert found.remaining[15] <= found.remaining[50] <= found.remaining[85]
    if found.done(85):
        assert found.done(15) <= found.done(50) <= found.done(85)  # type: ignore[operator]


@given(st.integers(1, 60), st.integers(1, 20))
def test_a_steady_throughput_has_one_forecast(remaining: int, done: int) -> None:
    """Everything is done after the quotient of both, rounded up."""
    weeks = -(-remaining // done)
    expected = None if weeks > HORIZON else NOW + weeks
    assert {forecast(remaining, [done] * 3, NOW).done(each) for each in LIKELIHOODS} == {expected}


@given(jira_responses())
def test_statistics_agree_with_the_issues(response: dict[str, Any]) -> None:
    """The issues that remain are those that are not resolved, and the others were completed."""
    issues = issues_of(response)
    data = project_data(issues)
    left = [issue for issue in issues if not issue.resolved]
    assert data["project_scope"]["remaining_items"] == len(left)
    assert sum(row.get("created_items", 0) for row in data["statistics"]) == len(issues)
    completed = sum(row.get("completed_items", 0) for row in data["statistics"])
    assert completed == len(issues) - len(left)
    work = remaining_work(data)["items"]
    assert all(0 <= each <= len(issues) for each in work)
    assert work[-1:] == ([len(left)] if issues else [])


@given(st.lists(changelogs(), max_size=5, unique_by=lambda issue: issue["key"]))
def test_what_was_fetched_is_read(fetched: list[dict[str, Any]]) -> None:
    """Every issue is a dot of the cycle times, a row of those in progress, or not begun."""
    issues = issues_of(deepcopy(fetched))
    with open_backend("memory:") as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        store(backend, Profile(id="p", name="p"), "q", "key", fetched)
        found = read_delivery(backend, "p", "q")
        assert found is not None
        assert [issue.key for issue, _ in found.cycle_times] == [
            issue.key for issue in issues if issue.resolved
        ]
        assert {issue.key for issue, _ in found.in_progress} == {
            issue.key for issue in issues if issue.status_category == "indeterminate"
        }
        now = backend.now()
        days = {issue.key: each for issue, each in (*found.cycle_times, *found.in_progress)}
        assert days == {
            issue.key: pytest.approx(
                issue.history.time_in(ACTIVE, now) / timedelta(days=1), abs=0.1
            )
            for issue in issues
            if issue.key in days
        }
        assert read_delivery(backend, "p", "other") is None

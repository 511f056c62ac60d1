"""Calculations: single examples, and properties of all values."""

from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from burndown import Week
from burndown.jira import issues_of
from burndown.testing import make_response
from burndown.testing.strategies import jira_issues, jira_responses
from delivery_forecast.throughput import Forecast, forecast_from, open_issues, throughput

remaining = st.integers(0, 1000)
weekly = st.lists(st.integers(0, 50), min_size=1, max_size=52)


def test_a_forecast_divides_by_the_throughput() -> None:
    assert forecast_from(24, [2, 6, 4, 4]) == Forecast(open_issues=24, likely=6, late=8)


def test_nothing_resolved_is_never_done() -> None:
    assert forecast_from(3, [0, 0]) == Forecast(open_issues=3, likely=None, late=None)


def test_the_throughput_of_a_sample() -> None:
    """It is the same in every run."""
    issues = issues_of(make_response(issues=40, seed=1))
    assert throughput(issues, Week(2026, 2), weeks=12) == [2, 1, 2, 0, 3, 1, 0, 2, 0, 5, 0, 0]
    assert open_issues(issues) == 6


@given(remaining, weekly)
def test_late_is_not_before_likely(remaining: int, weekly: list[int]) -> None:
    forecast = forecast_from(remaining, weekly)
    if forecast.late is not None:
        assert forecast.likely is not None
        assert forecast.late >= forecast.likely


@given(remaining, weekly, st.randoms(use_true_random=False))
def test_the_order_of_weeks_does_not_matter(
    remaining: int, weekly: list[int], random: Random
) -> None:
    shuffled = random.sample(weekly, len(weekly))
    assert forecast_from(remaining, shuffled) == forecast_from(remaining, weekly)


@given(jira_responses())
def test_each_resolved_issue_is_in_one_week(response: dict[str, Any]) -> None:
    """Whatever Jira sends: from the first to the last week, none is missed."""
    issues = issues_of(response)
    weeks = [Week.of(issue.resolved) for issue in issues if issue.resolved]
    if weeks:
        first, last = min(weeks), max(weeks)
        assert sum(throughput(issues, last + 1, last - first + 1)) == len(weeks)


@given(jira_responses(issues=jira_issues(resolutiondate=None)))
def test_what_is_not_resolved_is_not_counted(response: dict[str, Any]) -> None:
    assert not any(throughput(issues_of(response), Week(2026, 2), weeks=520))

"""The remaining work follows from the scope and from what each week changed."""

from datetime import timedelta
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import Week
from burndown.remaining_work import remaining_work
from burndown.testing import make_project_data
from burndown.testing.strategies import json_values

COUNTS = st.integers(0, 20)
FIRST = Week(2025, 50)


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=60), st.integers(0, 6))
def test_each_week_changes_the_remaining_work(weeks: list[tuple[int, int]], day: int) -> None:
    """Created issues are added and completed ones removed, on whichever day a week is dated."""
    remaining, expected = 10_000, []
    for created, completed in weeks:
        remaining += created - completed
        expected.append(remaining)
    data = {
        "project_scope": {"remaining_items": remaining, "remaining_points": remaining / 2},
        "statistics": [
            {
                "date": ((FIRST + number).monday + timedelta(days=day)).isoformat(),
                "created_items": created,
                "completed_items": completed,
                "created_points": created / 2,
                "completed_points": completed / 2,
            }
            for number, (created, completed) in enumerate(weeks)
        ],
    }
    assert remaining_work(data) == {
        "weeks": [str(FIRST + number) for number in range(len(weeks))],
        "items": expected,
        "points": [each / 2 for each in expected],
    }


def test_a_week_without_statistics_changes_nothing() -> None:
    data = {
        "project_scope": {"remaining_items": 5},
        "statistics": [
            {"date": "2025-12-08", "completed_items": 2},
            {"date": "2025-12-22", "completed_items": 3},
        ],
    }
    found = remaining_work(data)
    assert found["weeks"] == ["2025-W50", "2025-W51", "2025-W52"]
    assert found["items"] == [8, 8, 5]


odd_rows = st.fixed_dictionaries(
    {},
    optional={
        "date": st.just("2025-12-08") | json_values(),
        "completed_items": json_values(),
        "created_points": json_values(),
    },
)


@given(json_values(), st.lists(odd_rows | json_values(), max_size=3) | json_values())
def test_odd_values_raise_nothing(scope: Any, statistics: Any) -> None:
    """All lists have the same length, and no number is negative."""
    found = remaining_work({"project_scope": scope, "statistics": statistics})
    assert len(found["weeks"]) == len(found["items"]) == len(found["points"])
    assert all(number >= 0 for number in [*found["items"], *found["points"]])


@pytest.mark.parametrize("number", [10**400, -(10**400), 1e308, inf, nan])
def test_numbers_that_are_no_count_are_ignored(number: float) -> None:
    """Their sums would not be finite, and some of them are too large for a float."""
    row = {"date": "2025-12-08", "completed_items": number}
    scope = {"remaining_items": 5, "remaining_points": number}
    found = remaining_work({"project_scope": scope, "statistics": [row, row]})
    assert (found["items"], found["points"]) == ([5], [0])


def test_the_sample_ends_with_its_scope() -> None:
    data = make_project_data()
    assert remaining_work(data)["items"][-1] == data["project_scope"]["remaining_items"]
    assert remaining_work(None) == {"weeks": [], "items": [], "points": []}

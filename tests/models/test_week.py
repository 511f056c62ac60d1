"""``Week`` agrees with the calendar of Python."""

import copy
import pickle
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import SQLiteBackend, ValidationError, Week
from burndown.testing.contract.drawn import long_years

DAYS = st.dates(date(2, 1, 1), date(9998, 1, 1))
WEEKS = DAYS.map(Week.of)


class Plan(pydantic.BaseModel):
    """A model of a user."""

    week: Week


@given(DAYS)
def test_a_day_is_in_its_week(day: date) -> None:
    week = Week.of(day)
    assert week.monday <= day <= week.sunday
    assert (week.monday.isoweekday(), week.sunday.isoweekday()) == (1, 7)
    assert (week.year, week.number) == day.isocalendar()[:2]
    assert str(week) == f"{day:%G-W%V}".zfill(8)


@given(DAYS)
def test_every_form_of_a_week_is_read(day: date) -> None:
    """A datetime counts in its own time zone."""
    week = Week.of(day)
    late = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
    forms = [week, late, day.isoformat(), f"{day}T00:00:00", str(week), str(week).replace("W", "")]
    assert {Week.of(each) for each in forms} == {week}


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(Week.of), st.integers(-5000, 5000))
def test_weeks_are_counted(week: Week, number: int) -> None:
    other = week + number
    assert other - week == number
    assert other - number == week
    assert other.monday - week.monday == timedelta(weeks=number)
    assert (other > week) is (number > 0)
    assert (str(other) > str(week)) is (number > 0)


@given(WEEKS, st.integers(-3, 60))
def test_a_span_has_each_week_from_the_first_to_the_last(first: Week, count: int) -> None:
    last = first + count
    weeks = Week.span(first, last)
    assert len(weeks) == max(count + 1, 0)
    assert weeks == sorted(set(weeks))
    assert all(first <= each <= last for each in weeks)
    assert Week.span(str(first), last.monday) == weeks


@pytest.mark.parametrize("year", range(2004, 2055))
def test_only_long_years_have_a_week_53(year: int) -> None:
    last = Week(year + 1, 1) - 1
    assert last.number == (53 if year in long_years else 52)
    assert len(Week.span(Week(year, 1), last)) == last.number
    if year not in long_years:
        with pytest.raises(ValidationError, match=f"the calendar has, got '{year}-W53'"):
            Week(year, 53)


@pytest.mark.parametrize(
    "value",
    [
        *("2025-W60", "2025-W53", "2025-W00", "25-W01", "2025-W12\n", "2025-02-30", "", "soon"),
        *("2025-W12-1", "20250317", "2025-03-17 10:00", None, 202512, ["2025-W12"]),
    ],
)
def test_what_is_no_week_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="an ISO week such as 2025-W12, or a date"):
        Week.of(value)
    with pytest.raises(pydantic.ValidationError, match="an ISO week such as 2025-W12, or a date"):
        Plan(week=value)


@pytest.mark.parametrize("other", ["2025-W12", 1.5, None, date(2025, 3, 17)])
def test_only_weeks_and_whole_numbers_are_added(other: Any) -> None:
    for calculate in (lambda: Week(2025, 12) + other, lambda: Week(2025, 12) - other):
        with pytest.raises(TypeError):
            calculate()


@given(WEEKS)
def test_a_week_is_a_value(week: Week) -> None:
    """It is equal to its copies, also as a key."""
    for other in (copy.copy(week), pickle.loads(pickle.dumps(week)), Week(week.year, week.number)):
        assert {week: 1}[other] == 1
    with pytest.raises(AttributeError):
        week.number = 1  # type: ignore[misc]


@given(WEEKS)
def test_a_model_of_a_user_has_weeks(week: Week) -> None:
    plan = Plan(week=week)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.model_dump() == {"week": str(week)}


def test_the_schema_of_a_week_is_a_pattern() -> None:
    given, dumped = (
        Plan.model_json_schema(mode=mode)["properties"]["week"]["pattern"]
        for mode in ("validation", "serialization")
    )
    for text, is_given, is_dumped in [
        ("2025-W12", True, True),
        ("2025-12", True, False),
        ("2025-03-19", True, False),
        ("2025-W60", False, False),
    ]:
        assert bool(re.search(given, text)) is is_given
        assert bool(re.search(dumped, text)) is is_dumped


def test_a_snapshot_takes_a_week(backend: SQLiteBackend) -> None:
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    backend.save_metrics_snapshot("p", "q", Week(2025, 12), "dora", {})
    [found] = backend.get_metrics_snapshots("p", "q")
    assert found["snapshot_date"] == "2025-W12"

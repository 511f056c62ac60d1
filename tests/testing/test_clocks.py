"""A clock for tests, and that it decides every time that is stored."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from burndown.testing import Clock
from burndown.testing.clocks import START
from burndown.testing.contract.drawn import aware_timestamps

seconds = st.integers(-(10**9), 10**9)


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = Clock()
    assert clock() == clock() == clock.now == START
    assert clock.tick(hours=2) == clock() == START + timedelta(hours=2)
    assert clock.tick(hours=-2) == START
    clock.now = datetime(2030, 1, 1, tzinfo=UTC)
    assert clock() == datetime(2030, 1, 1, tzinfo=UTC)


@given(seconds, seconds)
def test_two_ticks_are_one_of_their_sum(one: int, other: int) -> None:
    clock, same = Clock(), Clock()
    clock.tick(seconds=one)
    assert clock.tick(seconds=other) == same.tick(seconds=one + other)


def test_the_parts_of_a_tick_are_added() -> None:
    parts = {"weeks": 1, "days": 2, "hours": 3, "minutes": 4, "seconds": 5.5}
    assert Clock().tick(**parts) == START + timedelta(**parts)


@given(aware_timestamps)
def test_the_time_is_in_utc(start: datetime) -> None:
    """Whatever the offset of the start is, or of a time that is set."""
    clock = Clock(start)
    assert clock.now == start
    assert clock.now.tzinfo is UTC
    clock.tick(hours=1)
    clock.now = start
    assert clock() == start
    assert clock().tzinfo is UTC


def test_a_time_without_an_offset_is_local_time() -> None:
    local = datetime(2026, 1, 5, 9)
    clock = Clock()
    clock.now = local
    assert clock() == Clock(local)() == local.astimezone(timezone(timedelta()))

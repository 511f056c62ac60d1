"""Strategies for timestamps, days and weeks."""

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.models import Week

__all__ = ["LONG_YEARS", "START", "days", "naive_timestamps", "offsets", "timestamps", "weeks"]

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""The timestamp to which others shrink."""
_FIRST, _LAST = Week(1, 1), Week(9999, 52)
LONG_YEARS = [2026, 2004, 2009, 2015, 2020, 2032, 2037, 2043, 2048, 2054]
"""Years with 53 weeks."""


def offsets() -> SearchStrategy[timezone]:
    """Return time zones with an offset of whole minutes, up to 14 hours, UTC first."""
    minutes = st.integers(-14 * 60, 14 * 60)
    return minutes.map(lambda count: timezone(timedelta(minutes=count)) if count else UTC)


def timestamps() -> SearchStrategy[datetime]:
    """Return aware ``datetime`` in UTC and other time zones, 2026-01-05 09:00 UTC first."""
    return (
        st.just(START)
        | st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=offsets())
        | st.datetimes(timezones=st.just(UTC))
    )


def naive_timestamps() -> SearchStrategy[datetime]:
    """Return ``datetime`` without a time zone, which documents have in local time."""
    return st.just(START.replace(tzinfo=None)) | st.datetimes(
        datetime(1971, 1, 1), datetime(2200, 1, 1)
    )


def days() -> SearchStrategy[str]:
    """Return days as documents have them, ``2026-01-05`` first."""
    first, start, last = (day.toordinal() for day in (date.min, START.date(), date.max))
    return st.integers(first - start, last - start).map(
        lambda count: date.fromordinal(start + count).isoformat()
    )


def weeks(
    first: Week | date | str = _FIRST, last: Week | date | str = _LAST
) -> SearchStrategy[str]:
    """Return ISO weeks as documents have them, ``2026-W01`` first if it is among them.

    Args:
        first: the first week, as :meth:`Week.of` reads it.
        last: the last one, likewise.

    Raises:
        ValidationError: one of them is no week.
        ValueError: the first is after the last.
    """
    begin, end = Week.of(first), Week.of(last)
    if begin > end:
        raise ValueError(f"first should not be after last, got {begin} and {end}")
    start = min(max(begin, Week(2026, 1)), end)

    @st.composite
    def within(draw: st.DrawFn) -> str:
        week = start + draw(st.integers(begin - start, end - start))
        if draw(st.booleans()):  # a 53rd week nearby, of which there are few
            year = min(LONG_YEARS, key=lambda year: abs(year - week.year))
            week = min(max(begin, Week(year, 53)), end)
        return str(week)

    return within()

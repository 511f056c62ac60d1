"""Timestamps in UTC, and ISO weeks."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

__all__ = ["EARLIEST", "LATEST", "after", "to_iso_week", "to_utc", "utc_now"]

LATEST = datetime.max.replace(tzinfo=UTC)
"""The last timestamp that can be stored: an expiry that never comes."""
EARLIEST = datetime.min.replace(tzinfo=UTC)
"""The first timestamp that can be stored."""


def utc_now() -> datetime:
    """Return the time of the clock that is used where no other is given."""
    return datetime.now(UTC)


def to_utc(value: datetime | str) -> datetime:
    """Return a timestamp in UTC; without an offset it is local time.

    ``datetime.max`` is :data:`LATEST` in every time zone.

    Raises:
        ValueError: the string is not ISO 8601, or the timestamp is outside the years 1 to 9999.
    """
    timestamp = datetime.fromisoformat(value) if isinstance(value, str) else value
    if timestamp.tzinfo is UTC:
        return timestamp
    if timestamp.replace(tzinfo=UTC) == LATEST:
        return LATEST
    try:
        return timestamp.astimezone(UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError("input should be a timestamp within the years 1 to 9999 in UTC") from None


def after(now: datetime, lifetime: timedelta) -> datetime:
    """Return the timestamp that is a lifetime from now, or the end of time that it would pass."""
    try:
        return now + lifetime
    except OverflowError:
        return LATEST if lifetime > timedelta() else EARLIEST


_WEEK = re.compile(r"(\d{4})-W?(\d\d)", re.ASCII).fullmatch
_DAY = re.compile(r"\d{4}-\d\d-\d\d(T00:00:00)?", re.ASCII).fullmatch


@lru_cache(1024)  # some 20 years of weeks, which are read and saved again and again
def to_iso_week(text: str) -> str | None:
    """Return a week as ``2025-W12``; ``None`` if it is not a week.

    It is given so, as ``2025-12``, or as its Monday, ``2025-03-17``.
    """
    try:
        if _DAY(text):
            year, week, weekday = date.fromisoformat(text[:10]).isocalendar()
            return f"{year:04}-W{week:02}" if weekday == 1 else None
        match = _WEEK(text)
        if match is None:
            return None
        date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError:
        return None
    return f"{match[1]}-W{match[2]}"

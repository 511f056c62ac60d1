"""Timestamps in UTC."""

from datetime import UTC, datetime, timedelta

__all__ = ["EARLIEST", "LATEST", "after", "to_utc", "utc_now"]

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

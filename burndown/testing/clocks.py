"""A clock that tests control."""

from datetime import UTC, datetime, timedelta

from burndown.models.timestamps import to_utc

__all__ = ["START", "Clock"]

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""The first time of a clock: a Monday, in the week 2026-W02."""


class Clock:
    """A clock that stands still until it is moved, for the argument ``clock`` of a backend.

    Args:
        start: the first time. A ``datetime`` without an offset is local time.
    """

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    @property
    def now(self) -> datetime:
        """The current time, in UTC; it can be set, as ``start`` is given."""
        return self._now

    @now.setter
    def now(self, time: datetime) -> None:
        self._now = to_utc(time)

    def __call__(self) -> datetime:
        """Return the current time, in UTC."""
        return self.now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.now.isoformat()})"

    def tick(
        self,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Move the clock, back if the sum is negative, and return the new time."""
        self.now += timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self.now

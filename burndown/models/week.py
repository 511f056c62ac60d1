"""Weeks of ISO 8601."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Union, overload

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from burndown.errors import ValidationError
from burndown.models.field_types import invalid

__all__ = ["FIRST_WEEK", "GIVEN_WEEK_PATTERN", "LAST_WEEK", "WEEK_PATTERN", "Week"]

_NUMBER = "(0[1-9]|[1-4][0-9]|5[0-3])"
_DAY = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T00:00:00)?"
# What JSON schemas tell about weeks. They do not know the calendar: a year may have 53 weeks.
WEEK_PATTERN: Final = f"^[0-9]{{4}}-W{_NUMBER}$"
"""The form of a week."""
GIVEN_WEEK_PATTERN: Final = f"^[0-9]{{4}}-(W?{_NUMBER}|{_DAY})$"
"""The forms in which a week is read."""

_is_day = re.compile(r"\d{4}-\d\d-\d\d(T00:00:00)?", re.ASCII).fullmatch
_week = re.compile(r"(\d{4})-W?(\d\d)", re.ASCII).fullmatch
_EXPECTED = "input should be an ISO week such as 2025-W12, or a date"


@dataclass(frozen=True, order=True, slots=True)
class Week:
    """A week of ISO 8601, from Monday to Sunday. Weeks are ordered by time.

    It can be the type of a field of a pydantic model, which reads what :meth:`of` reads and dumps
    the string.

    Args:
        year: the year that the week belongs to, 1 to 9999. It has most of the days of the week, so
            2025-12-29 is in the first week of 2026.
        number: 1 to 52, or to 53 in some years.

    Raises:
        ValidationError: the year has no such week.
    """

    year: int
    number: int

    def __post_init__(self) -> None:
        try:
            date.fromisocalendar(self.year, self.number, 1)
        except ValueError:
            expected = "input should be a week that the calendar has"
            raise ValidationError.of("Week", "", expected, str(self)) from None

    @classmethod
    def of(cls, value: Union["Week", date, str]) -> "Week":
        """Return the week that a value is or is in.

        Args:
            value: a week; a date or datetime, in its own time zone; or one of these as a string:
                ``2025-W12``, the older ``2025-12``, or ``2025-03-17``.

        Raises:
            ValidationError: it is none of these, or the calendar does not have it.
        """
        if isinstance(value, Week):
            return value
        try:
            if isinstance(value, str) and (found := _week(value)):
                return cls(int(found[1]), int(found[2]))
            if isinstance(value, str) and _is_day(value):
                value = date.fromisoformat(value[:10])
            if isinstance(value, date):
                return cls(*value.isocalendar()[:2])
        except ValueError:  # the calendar does not have it, or it is the NaT of pandas
            pass
        raise ValidationError.of("Week", "", _EXPECTED, value)

    @staticmethod
    def span(first: Union["Week", date, str], last: Union["Week", date, str]) -> list["Week"]:
        """Return the weeks from the first to the last, both included, in their order.

        Args:
            first: the first week, as :meth:`of` reads it.
            last: the last one, likewise.

        Raises:
            ValidationError: one of them is no week.
        """
        begin, end = (Week.of(each).monday.toordinal() for each in (first, last))
        days = range(begin, end + 1, 7)
        return [Week.of(date.fromordinal(day)) for day in days]

    @property
    def monday(self) -> date:
        """The first day of the week."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        """The last day of the week."""
        return date.fromisocalendar(self.year, self.number, 7)

    def __add__(self, weeks: int) -> "Week":
        if not isinstance(weeks, int):
            return NotImplemented
        return Week.of(date.fromordinal(self.monday.toordinal() + 7 * weeks))

    @overload
    def __sub__(self, other: int) -> "Week": ...

    @overload
    def __sub__(self, other: "Week") -> int: ...

    def __sub__(self, other: Union["Week", int]) -> Union["Week", int]:
        if isinstance(other, Week):
            return (self.monday - other.monday).days // 7
        return self + -other if isinstance(other, int) else NotImplemented

    def isoformat(self) -> str:
        """Return the week as documents have it, such as ``2025-W12``."""
        return f"{self.year:04}-W{self.number:02}"

    __str__ = isoformat

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _validated,
            json_schema_input_schema=core_schema.str_schema(pattern=GIVEN_WEEK_PATTERN),
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema(pattern=WEEK_PATTERN)
            ),
        )


FIRST_WEEK: Final = str(Week.of(date.min))
"""The first week of the calendar, as documents have it."""
LAST_WEEK: Final = str(Week.of(date.max))
"""The last one."""


def _validated(value: Any) -> Week:
    try:
        return Week.of(value)
    except ValidationError:
        raise invalid(_EXPECTED) from None

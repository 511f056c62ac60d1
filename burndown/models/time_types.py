"""The types of fields that are a point in time, a day or a week."""

from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    Strict,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from burndown.errors import ValidationError
from burndown.models.field_types import Expecting, Text, invalid
from burndown.models.json_values import is_pandas_timestamp
from burndown.models.timestamps import to_utc
from burndown.models.week import GIVEN_WEEK_PATTERN, WEEK_PATTERN, Week

__all__ = [
    "AN_ISO_WEEK",
    "Day",
    "IsoWeek",
    "OptionalDate",
    "TimestampText",
    "UtcDatetime",
    "to_iso_week",
]

# What JSON schemas tell about dates. They do not know the calendar: a month may have 31 days.
_MONTH, _DAY_OF_MONTH = "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"
_WEEK = "(0[1-9]|[1-4][0-9]|5[0-3])"
_TO_SECONDS = "(:?[0-5][0-9](:?[0-5][0-9]([.,][0-9]+)?)?)?"
_TIMESTAMP = Field(
    json_schema_extra={
        "format": "date-time",
        "pattern": (
            f"^[0-9]{{4}}(-?{_MONTH}-?{_DAY_OF_MONTH}|-?W{_WEEK}(-?[1-7])?)"
            rf"([\s\S]([01][0-9]|2[0-4]){_TO_SECONDS}"
            f"(Z|[+-]([01][0-9]|2[0-3]){_TO_SECONDS})?)?$"
        ),
    }
)
"""All forms of ISO 8601 that Python reads."""


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _utc_datetime(value: Any) -> datetime:
    timestamp = _parsed(value) if isinstance(value, str) else value
    if not isinstance(timestamp, datetime) or is_pandas_timestamp(timestamp):
        raise invalid(
            "input should be a datetime or an ISO 8601 string, such as 2025-12-23T10:00:00+00:00"
        )
    try:
        return to_utc(timestamp)
    except ValueError as error:
        given = value if isinstance(value, str) else value.isoformat()
        raise invalid(str(error), value=given) from None


def _timestamp_text(text: str) -> str:
    _utc_datetime(text)
    return text


UtcDatetime = Annotated[
    datetime,
    BeforeValidator(_utc_datetime, json_schema_input_type=Annotated[str, _TIMESTAMP]),
]
"""A timestamp in UTC; given as ``datetime`` or ISO 8601 string, local time if without an offset."""

TimestampText = Annotated[Text, AfterValidator(_timestamp_text), _TIMESTAMP]
"""An ISO 8601 string, stored unchanged."""


def _day_schema(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Return the schema of a date, given as it is or as a string of one format.

    pydantic's own takes times and numbers as well.
    """
    text = core_schema.str_schema(strict=True, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    parsed = core_schema.chain_schema([text, core_schema.date_schema()])
    return core_schema.union_schema([parsed, handler(source)], mode="left_to_right")


_Day = Annotated[
    date,
    Strict(),
    GetPydanticSchema(_day_schema),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date",
            "pattern": f"^[0-9]{{4}}-{_MONTH}-{_DAY_OF_MONTH}(T00:00:00)?$",
        }
    ),
]


def _day_of_midnight(value: Any) -> Any:
    """Return the day of a timestamp at midnight, as which pandas has a date; else the value."""
    is_midnight = type(value) is str and value[10:] == "T00:00:00"
    return value[:10] if is_midnight else value


Day = Annotated[
    _Day, Expecting("input should be a date such as 2025-12-31", check=_day_of_midnight)
]
"""A day."""

OptionalDate = Annotated[
    _Day | Literal[""] | None,
    Field(union_mode="left_to_right"),
    Expecting(
        "input should be a date such as 2025-12-31, an empty string or null",
        check=_day_of_midnight,
    ),
]
"""A day; the dashboard writes both ``""`` and ``null`` for none."""


AN_ISO_WEEK = "input should be an ISO week such as 2025-W12, or its Monday"


@lru_cache(1024)  # some 20 years of weeks, which are read and saved again and again
def to_iso_week(text: str) -> str | None:
    """Return a week as ``2025-W12``; ``None`` if it is not a week.

    It is given in a form that :meth:`Week.of` reads. A day has to be the Monday of its week.
    """
    try:
        week = Week.of(text)
    except ValidationError:
        return None
    is_day = text.count("-") == 2
    return None if is_day and text[:10] != week.monday.isoformat() else str(week)


def _iso_week(value: Any) -> str:
    week = to_iso_week(value) if isinstance(value, str) else None
    if week is None:
        raise invalid(AN_ISO_WEEK)
    return week


IsoWeek = Annotated[
    str,
    Field(pattern=WEEK_PATTERN),
    BeforeValidator(
        _iso_week, json_schema_input_type=Annotated[str, Field(pattern=GIVEN_WEEK_PATTERN)]
    ),
]
"""A week of ISO 8601, ``2025-W12``; the older ``2025-12``, and its Monday, are read as well."""

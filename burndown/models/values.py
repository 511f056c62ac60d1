"""The kinds of value that fields are made of, each with its rule and its message."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictInt, StrictStr
from pydantic_core import PydanticCustomError, core_schema

from burndown.models import quick_values
from burndown.models.json_codec import check_storable, check_text
from burndown.models.quick import SECTION_DEPTH, Expecting, Quick
from burndown.models.quick_values import MAX_ID_LENGTH, MAX_NAME_LENGTH

__all__ = [
    "EARLIEST",
    "LATEST",
    "MAX_NAME_LENGTH",
    "Expecting",
    "FieldSource",
    "Identifier",
    "IsoWeek",
    "JsonObject",
    "Key",
    "LenientNumber",
    "LenientText",
    "Line",
    "Name",
    "Number",
    "OptionalDate",
    "Text",
    "TimestampText",
    "UtcDatetime",
    "Word",
    "after",
    "invalid",
    "is_identifier",
    "is_line",
    "lenient",
    "slug",
    "to_iso_week",
    "to_utc",
    "utc_now",
]

_NOT_IN_IDS = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]")


def invalid(expected: str, **context: Any) -> PydanticCustomError:
    """The error of a value that is not what was expected; ``value`` shows another in its place."""
    return PydanticCustomError("unexpected", "{expected}", {"expected": expected, **context})


# --- text ------------------------------------------------------------------------------------


def _check_column_text(text: str) -> str:
    if "\0" in text:
        raise invalid("text without NUL characters was expected")
    return check_text(text)


def _check_name(name: str) -> str:
    if not name.strip() or len(name) > MAX_NAME_LENGTH:
        raise invalid(f"a name of 1 to {MAX_NAME_LENGTH} characters was expected")
    return name


def _check_key(key: str) -> str:
    if not 1 <= len(key) <= MAX_ID_LENGTH:
        raise invalid(f"a key of 1 to {MAX_ID_LENGTH} characters was expected")
    return key


def _check_id(text: str) -> str:
    if (
        not 1 <= len(text.encode()) <= MAX_ID_LENGTH
        or text != text.strip()
        or text.startswith(".")
        or _NOT_IN_IDS.search(text)
    ):
        raise invalid(
            f"an id of 1 to {MAX_ID_LENGTH} bytes was expected, without slashes or control "
            "characters, with no dot in front and no blanks around it"
        )
    return text


Text = Annotated[StrictStr, AfterValidator(check_text), Quick(quick_values.TEXT)]
"""Text inside a JSON value."""

Line = Annotated[StrictStr, AfterValidator(_check_column_text), Quick(quick_values.LINE)]
"""Text in a column of its own; PostgreSQL takes no NUL there, so no database does."""

Name = Annotated[Line, AfterValidator(_check_name), Quick(quick_values.NAME)]
"""What people call a profile or query."""

Identifier = Annotated[Line, AfterValidator(_check_id), Quick(quick_values.IDENTIFIER)]
"""An id that is safe as a file name and in a URL."""

Key = Annotated[Line, AfterValidator(_check_key), Quick(quick_values.KEY)]
"""A key of other people's making, such as an issue key."""

Word = Annotated[
    StrictStr,
    Field(pattern=r"^[a-z][a-z0-9_]{0,39}$"),
    Expecting("a lower-case word of at most 40 letters, digits and underscores was expected"),
]
"""A lower-case word, such as a metric type or a task's status."""


def is_identifier(text: str) -> bool:
    """Whether the text can be an id."""
    try:
        _check_id(_check_column_text(text))
    except PydanticCustomError:
        return False
    return True


def is_line(text: str) -> bool:
    """Whether a column can hold the text; what it cannot hold need not be looked for."""
    try:
        _check_column_text(text)
    except PydanticCustomError:
        return False
    return True


def slug(name: str, fallback: str) -> str:
    """The name as an id: lower-case ASCII words joined by hyphens, at most 60 characters."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-") or fallback


# --- numbers ---------------------------------------------------------------------------------

Number = Annotated[
    StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)],
    Expecting("a number was expected"),
    Quick(quick_values.number()),
]
"""An integer or a finite float, kept as the one it is."""


def _number_or_none(value: Any) -> Any:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


LenientNumber = Annotated[int | float | None, BeforeValidator(_number_or_none)]
"""A number as old files hold it, ``"70.5"`` included; ``None`` for what is none."""


def lenient(*kinds: type) -> BeforeValidator:
    """Reads a value that is of none of these kinds as ``None``."""
    return BeforeValidator(lambda value: value if isinstance(value, kinds) else None)


LenientText = Annotated[str | None, lenient(str)]
"""A text as old files hold it; ``None`` for what is none."""


# --- time ------------------------------------------------------------------------------------


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


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _utc_datetime(value: Any) -> datetime:
    if type(value) is datetime and value.tzinfo is UTC:
        return value
    timestamp = _parsed(value) if isinstance(value, str) else value
    if not isinstance(timestamp, datetime):
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
    datetime, BeforeValidator(_utc_datetime), Quick(quick_values.checked(_utc_datetime))
]
"""A timestamp in UTC; given as ``datetime`` or ISO 8601 string, local time if without an offset."""

TimestampText = Annotated[Text, AfterValidator(_timestamp_text)]
"""An ISO 8601 string, kept as it was written."""


def _optional_date(value: Any) -> Any:
    if value is None or value == "":
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise invalid("a date such as 2025-12-31, an empty text or null was expected")


OptionalDate = Annotated[
    date | Literal[""] | None, BeforeValidator(_optional_date), Quick(quick_values.DAY_OR_NONE)
]
"""A day; the dashboard writes both ``""`` and ``null`` for none."""


_WEEK = re.compile(r"(\d{4})-W?(\d\d)", re.ASCII).fullmatch


def to_iso_week(text: str) -> str | None:
    """The week as ``2025-W12``, read from that or from ``2025-12``; ``None`` if it is no week."""
    match = _WEEK(text)
    if match is None:
        return None
    try:
        date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError:
        return None
    return f"{match[1]}-W{match[2]}"


def _iso_week(value: Any) -> str:
    week = to_iso_week(value) if isinstance(value, str) else None
    if week is None:
        raise invalid("an ISO week such as 2025-W12 was expected")
    return week


IsoWeek = Annotated[
    str,
    BeforeValidator(_iso_week),
    Field(pattern=r"^\d{4}-W\d\d$"),
    Quick(quick_values.either(quick_values.WEEK_OF_ANY_YEAR, quick_values.checked(_iso_week))),
]
"""A week of ISO 8601, ``2025-W12``; the older ``2025-12`` is read as well."""


# --- JSON ------------------------------------------------------------------------------------


def _json_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise invalid("a JSON object was expected")
    return check_storable(value)


JsonObject = Annotated[
    dict[str, Any], BeforeValidator(_json_object), Quick(quick_values.checked(_json_object))
]
"""A JSON object, kept exactly as it is given."""


def _check_source(value: Any) -> Any:
    return check_storable(value, SECTION_DEPTH)


_RULE = core_schema.chain_schema([core_schema.dict_schema(), quick_values.checked(_check_source)])

FieldSource = Annotated[
    Text | dict[str, Any],
    Expecting("a field id such as customfield_10001, or a source rule as an object, was expected"),
    BeforeValidator(_check_source),
    Quick(quick_values.either(quick_values.TEXT, _RULE)),
]
"""Where a value comes from in a Jira issue.

A field id (``fixVersions``), with a value filter (``customfield_1=Yes``), a changelog event
(``status:In Progress.DateTime``) or a namespace (``OPS.fixVersions.releaseDate``); builds of late
November 2025 stored the parsed rule as an object.
"""

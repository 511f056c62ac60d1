"""Values of fields as Python values; one that is missing or has another type is ``None``."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from math import isfinite
from typing import Any

from burndown.jira.rich_text import is_rich_text, plain_text
from burndown.models.timestamps import to_utc

__all__ = [
    "Scalar",
    "Value",
    "follow",
    "read",
    "scalars",
    "to_day",
    "to_number",
    "to_time",
    "to_timestamp",
]

Scalar = str | int | float | date
"""A single value; a ``bool`` is an ``int``, a ``datetime`` a ``date``."""

Value = Scalar | tuple[Scalar, ...] | None
"""The value of a field: a single one, those of a list, or ``None``."""

_NAMES = ("displayName", "value", "name", "key")
"""The keys under which users, options, most other objects, and issues have their name."""

_MILLISECONDS = 100_000_000_000
"""Unix times from here on are in milliseconds: in seconds, it is the year 5138."""


def to_timestamp(value: Any) -> datetime | None:
    """Return the timestamp, in UTC, of an ISO 8601 string or a Unix time.

    A string without an offset means local time. Jira has Unix times in bulk fetches of changelogs,
    in seconds or milliseconds.
    """
    try:
        if isinstance(value, str):
            return to_utc(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / (1000 if value >= _MILLISECONDS else 1), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def to_day(value: Any) -> date | None:
    """Return the day of a string such as ``2025-12-31``."""
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    return None


def to_number(value: Any) -> float | None:
    """Return the finite number in a field: a number, a string, an option, or first in a list."""
    if isinstance(value, (list, dict)):
        first = next(iter(value), None) if isinstance(value, list) else value
        value = first.get("value") if isinstance(first, dict) else first
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def to_time(value: Any) -> datetime | None:
    """Return the first timestamp in a field: a day begins at midnight UTC, a version is a day."""
    for element in value if isinstance(value, list) else [value]:
        found = element.get("releaseDate") if isinstance(element, dict) else element
        found = _parsed(found) if isinstance(found, str) else found
        if isinstance(found, datetime):
            return found
        if isinstance(found, date):
            return datetime.combine(found, time(), UTC)
    return None


def follow(value: Any, path: Iterable[str]) -> Any:
    """Return what a path of keys leads to; in a list, the first object that has the key counts."""
    for name in path:
        if isinstance(value, list):
            value = next((each for each in value if _has(each, name)), None)
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _has(value: Any, name: str) -> bool:
    return isinstance(value, dict) and value.get(name) is not None


def read(value: Any) -> Value:
    """Return a field as people see it: names of objects, plain text, timestamps and days."""
    found = tuple(_parsed(each) if isinstance(each, str) else each for each in scalars(value))
    if isinstance(value, list):
        return found
    return found[0] if found else None


def scalars(value: Any) -> list[Scalar]:
    """Return the single values in a field, without those that have no name."""
    named = [_scalar(element) for element in (value if isinstance(value, list) else [value])]
    return [each for each in named if each is not None and each != ""]


def _scalar(value: Any) -> Scalar | None:
    if isinstance(value, dict):
        if is_rich_text(value):
            return plain_text(value)
        names = (value.get(key) for key in _NAMES)
        value = next((name for name in names if isinstance(name, Scalar) and name != ""), None)
    return value if isinstance(value, Scalar) else None


def _parsed(text: str) -> str | date:
    """Return the timestamp or day that a string is, or the string."""
    found = to_timestamp(text) if text[10:11] == "T" else to_day(text)
    return text if found is None else found

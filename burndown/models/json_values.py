"""Values of other libraries as JSON values, where they are exactly that.

numpy and pandas are recognized by what their values can do, and are not imported: a number that has
the value of a Python number, a boolean, a timestamp without nanoseconds. What is not exact remains
as it is, and is refused when it is stored. So do Python's own types, such as ``datetime`` or
``Decimal``: they are not JSON, and whoever makes them can choose the string or number to store.
"""

from collections.abc import Callable
from datetime import datetime
from numbers import Integral, Real
from operator import index
from typing import Any

from burndown.models.json_codec import MAX_DEPTH
from burndown.quoting import is_secret

__all__ = ["copy_containers", "is_pandas_timestamp", "is_unknown", "to_json_value"]

_Convert = Callable[[Any], Any]


def copy_containers(value: Any, convert: _Convert, convert_secret: _Convert | None = None) -> Any:
    """Return a copy of dicts and lists, with the values in them converted.

    A container that holds itself does so in the copy. What nests deeper than can be stored is not
    copied; it is refused when it is stored.

    Args:
        value: the container, or a single value.
        convert: returns a value that is no container for each one.
        convert_secret: the same for those of secrets; by default ``convert``.
    """
    return _copy(value, convert, convert_secret, {}, 0)


def to_json_value(value: Any) -> Any:
    """Return the JSON value that is exactly the given one, or that one itself if there is none.

    A timestamp of pandas becomes its ISO 8601 string.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Real):
        return _to_number(value)
    if is_pandas_timestamp(value):
        return _to_iso_string(value)
    if getattr(value, "ndim", None) == 0 and type(value.item()) is bool:
        return value.item()  # numpy's
    return value


def is_pandas_timestamp(value: Any) -> bool:
    """Return whether a value is a ``pandas.Timestamp``, a ``datetime`` that has nanoseconds."""
    return (
        type(value) is not datetime
        and isinstance(value, datetime)
        and hasattr(value, "to_pydatetime")
    )


def is_unknown(value: Any) -> bool:
    """Return whether a value stands for one that is not known: NaN, ``NaT`` or ``NA`` of pandas."""
    unequal = value != value
    try:
        return bool(unequal)
    except (TypeError, ValueError):
        return unequal is value  # NA, which is neither equal nor unequal to itself


def _copy(
    value: Any,
    convert: _Convert,
    convert_secret: _Convert | None,
    copies: dict[int, Any],
    depth: int,
) -> Any:
    """Return a copy of a value within as many containers, which are copied already by their id."""
    if not isinstance(value, dict | list):
        return convert(value)
    if depth > MAX_DEPTH:
        return value
    if id(value) in copies:
        return copies[id(value)]
    if isinstance(value, list):
        items: list[Any] = []
        copies[id(value)] = items
        items += [_copy(item, convert, convert_secret, copies, depth + 1) for item in value]
        return items
    by_key: dict[Any, Any] = {}
    copies[id(value)] = by_key
    for key, item in value.items():
        below = convert_secret if convert_secret and is_secret(str(key)) else convert
        by_key[key] = _copy(item, below, convert_secret, copies, depth + 1)
    return by_key


def _to_number(value: Real) -> Any:
    try:
        if isinstance(value, Integral):
            return index(value)
        number = float(value)
    except (TypeError, OverflowError):  # a duration of numpy, which counts as a number; too large
        return value
    return number if number == value else value


def _to_iso_string(timestamp: datetime) -> Any:
    text = timestamp.isoformat()
    try:
        return text if datetime.fromisoformat(text) == timestamp else timestamp
    except ValueError:  # NaT
        return timestamp

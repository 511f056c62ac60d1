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

__all__ = ["copy_containers", "is_pandas_timestamp", "is_unknown", "to_json_value"]


def copy_containers(
    value: Any,
    convert: Callable[[Any], Any],
    copies: dict[int, Any] | None = None,
    depth: int = 0,
) -> Any:
    """Return a copy of dicts and lists, with the values in them converted.

    A container that holds itself does so in the copy. What nests deeper than can be stored is not
    copied; it is refused when it is stored.

    Args:
        value: the container, or a single value.
        convert: returns a value that is no container for each one.
        copies: the copies so far, by the ``id`` of the original.
        depth: the number of containers around the value.
    """
    if not isinstance(value, dict | list):
        return convert(value)
    copies = {} if copies is None else copies
    if depth > MAX_DEPTH:
        return value
    if id(value) in copies:
        return copies[id(value)]
    if isinstance(value, list):
        items: list[Any] = []
        copies[id(value)] = items
        items += [copy_containers(item, convert, copies, depth + 1) for item in value]
        return items
    by_key: dict[Any, Any] = {}
    copies[id(value)] = by_key
    by_key.update(
        {key: copy_containers(item, convert, copies, depth + 1) for key, item in value.items()}
    )
    return by_key


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

"""JSON text in whatever encoding and dialect it was written."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from burndown.conversion.findings import Report
from burndown.models.json_codec import FILE_LAYERS, check_storable, decode

__all__ = [
    "FormatError",
    "UnreadableError",
    "escape_surrogates",
    "json_type",
    "parse_json",
    "replace_non_finite",
]


_ENCODINGS = {"utf-8-sig": "UTF-8 with a byte order mark"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_PATHS = 5
"""The number of paths that a report names; a file of metrics can have thousands of NaN."""
_MAX_PATH_LENGTH = 80
"""Keys are from others, and of any length."""
_TYPES = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


class UnreadableError(Exception):
    """The text is not JSON, or its file cannot be read; the message says why."""


class FormatError(Exception):
    """The value has none of the formats of the old dashboard."""


def parse_json(data: bytes, report: Report) -> Any:
    r"""Return the value of JSON text.

    UTF-8, UTF-16 and UTF-32 are recognized by the first bytes, with a byte order mark or without.
    Python writes two things that JSON does not have: NaN and infinities become ``null``, and lone
    surrogates become their escape ``\udXXX``.

    Args:
        data: the text.
        report: takes a sentence on what was converted.

    Raises:
        UnreadableError: it cannot be decoded or parsed.
    """
    if not data.strip():
        raise UnreadableError("it is empty")
    if not data.strip(b"\0"):
        raise UnreadableError("it holds nothing but zeros, as after a power failure")
    encoding = json.detect_encoding(data)
    if encoding != "utf-8":
        try:
            data = data.decode(encoding).encode()
        except UnicodeError as error:
            raise UnreadableError(f"not valid {encoding.upper()}: {error}") from None
    repair = _Repair()
    try:
        value = decode(data)  # nearly all files pass, and the repair walks over every value
    except ValueError as strict:
        try:
            value = _parse_leniently(data, repair)
        except (ValueError, RecursionError):
            raise UnreadableError(f"not valid JSON: {strict}") from None
    if encoding != "utf-8":
        report(f"read as {_ENCODINGS.get(encoding, encoding.upper())}")
    repair.report(report)
    return value


def _parse_leniently(data: bytes, repair: "_Repair") -> Any:
    """Parse JSON with NaN, lone surrogates, or the layers of a file around the deepest value."""
    try:
        return repair.apply(from_json(data, allow_inf_nan=True))
    except ValueError:
        # Only Python's own parser takes lone surrogates and more than 200 levels.
        return check_storable(repair.apply(json.loads(data)), -FILE_LAYERS)


def replace_non_finite(value: Any, report: Report) -> Any:
    """Return the value with ``null`` for numbers beyond any float, such as 1e400.

    Args:
        value: a parsed value, changed in place.
        report: takes a sentence on what was converted.
    """
    repair = _Repair()
    value = repair.apply(value)
    repair.report(report)
    return value


def json_type(value: Any) -> str:
    """Return the JSON type of a value, for messages."""
    return _TYPES[type(value)]


@dataclass
class _Paths:
    """The number of paths in a value, and the first ones."""

    count: int = 0
    _first: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        paths = ", ".join(self._first)
        more = self.count - len(self._first)
        return f"{paths} and {more} more places" if more else paths

    def add(self, steps: Iterable[str | int]) -> None:
        """Add the path of these keys and positions."""
        self.count += 1
        if self.count <= _MAX_PATHS:
            path = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")
            short = path[: _MAX_PATH_LENGTH - 3] + "..."
            self._first.append(path if len(path) <= _MAX_PATH_LENGTH else short)


@dataclass
class _Repair:
    """The replacement of what Python writes and JSON does not have, in place."""

    nulls: _Paths = field(default_factory=_Paths)
    escapes: _Paths = field(default_factory=_Paths)
    _steps: list[str | int] = field(default_factory=list)
    """The path to the current container."""

    def apply(self, value: Any) -> Any:
        """Return the value, repaired."""
        holder = [value]
        if isinstance(value, dict | list):
            self._walk(value)
        else:
            self._walk(holder)
        return holder[0]

    def report(self, report: Report) -> None:
        """Report what was repaired."""
        if self.nulls.count:
            report(f"null in place of NaN or infinity at {self.nulls}")
        if self.escapes.count:
            report(f"lone surrogates escaped at {self.escapes}")

    def _walk(self, container: Any) -> None:
        is_object = isinstance(container, dict)
        for step, item in list(container.items() if is_object else enumerate(container)):
            if isinstance(item, dict | list):
                self._steps.append(step)
                self._walk(item)
                self._steps.pop()
            elif isinstance(item, float) and not math.isfinite(item):
                container[step] = None
                self.nulls.add((*self._steps, step))
            elif isinstance(item, str) and _has_surrogate(item):
                container[step] = escape_surrogates(item)
                self.escapes.add((*self._steps, step))
        if is_object and any(map(_has_surrogate, container)):
            self._rename_keys(container)

    def _rename_keys(self, container: dict[str, Any]) -> None:
        items = list(container.items())
        container.clear()  # and filled again, which keeps the order of the keys
        for key, item in items:
            if _has_surrogate(key):
                key = escape_surrogates(key)
                # The file may hold the escape as a key too.
                while key in dict(items):
                    key += "_"
                self.escapes.add((*self._steps, key))
            container[key] = item


def _has_surrogate(string: str) -> bool:
    """Return whether the string holds half of a surrogate pair, which no encoding has."""
    return not string.isascii() and _SURROGATE.search(string) is not None


def escape_surrogates(string: str) -> str:
    """Return the string with each lone surrogate as its escape."""
    return string.encode(errors="backslashreplace").decode()

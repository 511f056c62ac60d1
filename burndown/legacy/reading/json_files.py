"""JSON files in whatever encoding and dialect they were written."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from burndown.files.paths import is_file, lexists
from burndown.files.reading import read_below
from burndown.legacy.findings import Findings
from burndown.models.json_codec import FILE_LAYERS, check_storable, decode

__all__ = [
    "FormatError",
    "UnreadableFileError",
    "escape_surrogates",
    "json_type",
    "modified_at",
    "parse_json",
    "read_bytes",
    "read_json",
    "read_object",
    "replace_non_finite",
]


_ENCODINGS = {"utf-8-sig": "UTF-8 with a byte order mark"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_PATHS = 5
"""How many paths a report names; a file of metrics can have thousands of NaN."""
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


class UnreadableFileError(Exception):
    """The file is missing, not a regular file, truncated or not JSON; the message says which."""


class FormatError(Exception):
    """The value in the file has none of the formats of the old dashboard."""


def read_json(path: Path, findings: Findings) -> Any:
    """Return the value in the file, as :func:`parse_json` does.

    Raises:
        UnreadableFileError: it cannot be read, decoded or parsed.
    """
    return parse_json(read_bytes(path, findings.root), path, findings)


def read_object(path: Path, findings: Findings) -> dict[str, Any] | None:
    """Return the object in an irreplaceable file; ``None`` if there is none.

    A file that cannot be read, or holds another value, is reported as a problem.
    """
    if not lexists(path):
        return None
    try:
        value = replace_non_finite(read_json(path, findings), path, findings)
    except UnreadableFileError as error:
        findings.add_problem(path, str(error))
        return None
    if not isinstance(value, dict):
        findings.add_problem(path, f"input should be an object, got {json_type(value)}")
        return None
    return value


def read_bytes(path: Path, root: Path | None = None) -> bytes:
    """Return the content of the file.

    Args:
        path: the file.
        root: the folder below which no link is followed; the file's own if it is not below it.

    Raises:
        UnreadableFileError: it cannot be read.
    """
    # Opening refuses these as well; only here the message can name what it is.
    if path.is_symlink():
        raise UnreadableFileError(f"a link to {path.readlink()}, and links are not followed")
    if path.exists() and not is_file(path):
        raise UnreadableFileError(f"a {'folder' if path.is_dir() else 'device'}, not a file")
    is_below = root is not None and path.is_relative_to(root)
    try:
        return read_below(root if root is not None and is_below else path.parent, path)
    except OSError as error:
        raise UnreadableFileError(error.strerror or str(error)) from None


def parse_json(data: bytes, path: Path, findings: Findings) -> Any:
    r"""Return the value of the JSON text in a file.

    UTF-8, UTF-16 and UTF-32 are recognized by the first bytes, with a byte order mark or without.
    Python writes two things that JSON does not have: NaN and infinities become ``null``, and lone
    surrogates become their escape ``\udXXX``.

    Args:
        data: the content of the file.
        path: the file, for reports.
        findings: takes reports of what was converted.

    Raises:
        UnreadableFileError: it cannot be decoded or parsed.
    """
    if not data.strip():
        raise UnreadableFileError("the file is empty")
    if not data.strip(b"\0"):
        raise UnreadableFileError("the file holds nothing but zeros, as after a power failure")
    encoding = json.detect_encoding(data)
    if encoding != "utf-8":
        try:
            data = data.decode(encoding).encode()
        except UnicodeError as error:
            raise UnreadableFileError(f"not valid {encoding.upper()}: {error}") from None
    repair = _Repair()
    try:
        value = decode(data)  # nearly all files pass, and the repair walks over every value
    except ValueError as strict:
        try:
            value = _parse_leniently(data, repair)
        except (ValueError, RecursionError):
            raise UnreadableFileError(f"not valid JSON: {strict}") from None
    if encoding != "utf-8":
        findings.add_converted(path, f"read as {_ENCODINGS.get(encoding, encoding.upper())}")
    repair.report(path, findings)
    return value


def _parse_leniently(data: bytes, repair: "_Repair") -> Any:
    """Parse JSON with NaN, lone surrogates, or the layers of a file around the deepest value."""
    try:
        return repair.apply(from_json(data, allow_inf_nan=True))
    except ValueError:
        # Only Python's own parser takes lone surrogates and more than 200 levels.
        return check_storable(repair.apply(json.loads(data)), -FILE_LAYERS)


def replace_non_finite(value: Any, path: Path, findings: Findings) -> Any:
    """Return the value with ``null`` for numbers beyond any float, such as 1e400.

    Args:
        value: a parsed value, changed in place.
        path: the file, for reports.
        findings: takes reports of what was converted.
    """
    repair = _Repair()
    value = repair.apply(value)
    repair.report(path, findings)
    return value


def modified_at(path: Path) -> datetime:
    """Return when the file was last written, in UTC; 1970 if its time is out of range."""
    try:  # a clock that was wrong, or an archive, can give a file any time
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


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

    def report(self, path: Path, findings: Findings) -> None:
        """Report what was repaired."""
        if self.nulls.count:
            findings.add_converted(path, f"null in place of NaN or infinity at {self.nulls}")
        if self.escapes.count:
            findings.add_converted(path, f"lone surrogates escaped at {self.escapes}")

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

"""One legacy JSON file, read whatever wrote it."""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from burndown.disk import is_file
from burndown.legacy.findings import Findings
from burndown.models.json_codec import FILE_LAYERS, check_storable, decode, encode

__all__ = [
    "UnreadableFileError",
    "json_file",
    "kind_of",
    "modified_at",
    "parse_json",
    "read_bytes",
    "read_json",
]


_ENCODINGS = {"utf-8-sig": "UTF-8 with a byte order mark"}
_PLACES = 5
"""How many places a message names."""
_PLACE_LENGTH = 80
_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


class UnreadableFileError(Exception):
    """The file is missing, no regular one, truncated or no JSON; the message says where."""


def read_json(path: Path, findings: Findings) -> Any:
    """The value in the file, as :func:`parse_json` gives it.

    Raises:
        UnreadableFileError: it cannot be read, decoded or parsed.
    """
    return parse_json(read_bytes(path), path, findings)


def read_bytes(path: Path) -> bytes:
    """What is in the file.

    Raises:
        UnreadableFileError: it cannot be read.
    """
    if path.is_symlink():
        raise UnreadableFileError(f"a link to {path.readlink()}, and links are not followed")
    if path.exists() and not is_file(path):
        raise UnreadableFileError(f"a {'folder' if path.is_dir() else 'device'}, not a file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(error.strerror or str(error)) from None


def parse_json(data: bytes, path: Path, findings: Findings) -> Any:
    """The value of the JSON text that the file holds.

    UTF-8, UTF-16 and UTF-32 are told apart by their first bytes, with a byte order mark or
    without. NaN and infinities, which Python writes and JSON has not, become ``null``.

    Raises:
        UnreadableFileError: it cannot be decoded or parsed.
    """
    if not data.strip():
        raise UnreadableFileError("the file is empty")
    if not data.strip(b"\0"):
        raise UnreadableFileError("the file holds nothing but zeros, as after a power cut")
    encoding = json.detect_encoding(data)
    if encoding != "utf-8":
        try:
            data = data.decode(encoding).encode()
        except UnicodeError as error:
            raise UnreadableFileError(f"not {encoding.upper()} text: {error}") from None
    nulls = _Nulls()
    try:
        value = decode(data)
    except ValueError as strict:
        try:
            value = _parse_leniently(data, nulls)
        except (ValueError, RecursionError):
            raise UnreadableFileError(f"not valid JSON: {strict}") from None
    if encoding != "utf-8":
        findings.puts_right(path, f"read as {_ENCODINGS.get(encoding, encoding.upper())}")
    if nulls.count:
        findings.puts_right(path, f"null in place of NaN or infinity at {nulls}")
    return value


def _parse_leniently(data: bytes, nulls: "_Nulls") -> Any:
    """Takes NaN, and what nests as deep as can be stored with the layers of a file around it."""
    try:
        return nulls.put_into(from_json(data, allow_inf_nan=True))
    except ValueError:
        return check_storable(nulls.put_into(json.loads(data)), -FILE_LAYERS)


def json_file(value: Any) -> bytes:
    """What a file holds that says this value; :func:`read_json` gives it back exactly."""
    return encode(value, indent=2)


def modified_at(path: Path) -> datetime:
    """When the file was last written, UTC; 1970 if that is no time at all."""
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


def kind_of(value: Any) -> str:
    """What kind of JSON value it is, for people."""
    return _KINDS[type(value)]


@dataclass
class _Nulls:
    """Puts null in the place of numbers that JSON has not, and knows the first of the places."""

    count: int = 0
    _places: list[str] = field(default_factory=list)
    _steps: list[str | int] = field(default_factory=list)
    """What leads to the container that is looked through."""

    def __str__(self) -> str:
        places = ", ".join(self._places)
        more = self.count - len(self._places)
        return f"{places} and {more} more places" if more else places

    def put_into(self, value: Any) -> Any:
        """The value, changed in place."""
        if isinstance(value, dict | list):
            self._look_through(value)
            return value
        holder = [value]
        self._look_through(holder)
        return holder[0]

    def _look_through(self, container: Any) -> None:
        items = container.items() if isinstance(container, dict) else enumerate(container)
        for step, item in items:
            if isinstance(item, dict | list):
                self._steps.append(step)
                self._look_through(item)
                self._steps.pop()
            elif isinstance(item, float) and not math.isfinite(item):
                container[step] = None
                self._note(step)

    def _note(self, last: str | int) -> None:
        self.count += 1
        if self.count <= _PLACES:
            steps = (f"[{s}]" if isinstance(s, int) else f".{s}" for s in (*self._steps, last))
            place = "".join(steps).lstrip(".")
            short = place[: _PLACE_LENGTH - 3] + "..."
            self._places.append(place if len(place) <= _PLACE_LENGTH else short)

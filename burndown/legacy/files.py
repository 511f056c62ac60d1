"""One legacy JSON file, read whatever wrote it."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from burndown.files.paths import is_file
from burndown.files.reading import open_below
from burndown.legacy.findings import Findings
from burndown.models.json_codec import FILE_LAYERS, check_storable, decode, encode

__all__ = [
    "UnreadableFileError",
    "escaped",
    "finite",
    "json_file",
    "kind_of",
    "modified_at",
    "parse_json",
    "read_bytes",
    "read_json",
]


_ENCODINGS = {"utf-8-sig": "UTF-8 with a byte order mark"}
_SURROGATE = re.compile("[\ud800-\udfff]")
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
    return parse_json(read_bytes(path, findings.root), path, findings)


def read_bytes(path: Path, root: Path | None = None) -> bytes:
    """What is in the file.

    Args:
        path: the file.
        root: the folder below which no link is followed; that of the file if it is not below it.

    Raises:
        UnreadableFileError: it cannot be read.
    """
    if path.is_symlink():
        raise UnreadableFileError(f"a link to {path.readlink()}, and links are not followed")
    if path.exists() and not is_file(path):
        raise UnreadableFileError(f"a {'folder' if path.is_dir() else 'device'}, not a file")
    is_below = root is not None and path.is_relative_to(root)
    try:
        with open_below(root if root is not None and is_below else path.parent, path) as file:
            return file.read()
    except OSError as error:
        raise UnreadableFileError(error.strerror or str(error)) from None


def parse_json(data: bytes, path: Path, findings: Findings) -> Any:
    """The value of the JSON text that the file holds.

    UTF-8, UTF-16 and UTF-32 are told apart by their first bytes, with a byte order mark or
    without. NaN and infinities, which Python writes and JSON has not, become ``null``; lone
    surrogates, which Python writes and no encoding has, their escape ``\\udXXX``.

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
    repairs = _Repairs()
    try:
        value = decode(data)
    except ValueError as strict:
        try:
            value = _parse_leniently(data, repairs)
        except (ValueError, RecursionError):
            raise UnreadableFileError(f"not valid JSON: {strict}") from None
    if encoding != "utf-8":
        findings.add_converted(path, f"read as {_ENCODINGS.get(encoding, encoding.upper())}")
    repairs.tell(path, findings)
    return value


def _parse_leniently(data: bytes, repairs: "_Repairs") -> Any:
    """Takes NaN, lone surrogates, and as deep a value as the layers of a file around it allow."""
    try:
        return repairs.make(from_json(data, allow_inf_nan=True))
    except ValueError:
        return check_storable(repairs.make(json.loads(data)), -FILE_LAYERS)


def finite(value: Any, path: Path, findings: Findings) -> Any:
    """Return the value with ``null`` for numbers beyond any float, such as 1e400."""
    repairs = _Repairs()
    value = repairs.make(value)
    repairs.tell(path, findings)
    return value


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
class _Places:
    """How many places there are, and the names of the first ones."""

    count: int = 0
    _names: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        places = ", ".join(self._names)
        more = self.count - len(self._names)
        return f"{places} and {more} more places" if more else places

    def add(self, steps: Iterable[str | int]) -> None:
        """Note the place to which these keys and positions lead."""
        self.count += 1
        if self.count <= _PLACES:
            place = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")
            short = place[: _PLACE_LENGTH - 3] + "..."
            self._names.append(place if len(place) <= _PLACE_LENGTH else short)


@dataclass
class _Repairs:
    """Replaces what Python writes and JSON has not, in place, and notes where."""

    nulls: _Places = field(default_factory=_Places)
    escapes: _Places = field(default_factory=_Places)
    _steps: list[str | int] = field(default_factory=list)
    """What leads to the container that is looked through."""

    def make(self, value: Any) -> Any:
        """Return the value, repaired."""
        holder = [value]
        if isinstance(value, dict | list):
            self._look_through(value)
        else:
            self._look_through(holder)
        return holder[0]

    def tell(self, path: Path, findings: Findings) -> None:
        """Report what was repaired."""
        if self.nulls.count:
            findings.add_converted(path, f"null in place of NaN or infinity at {self.nulls}")
        if self.escapes.count:
            findings.add_converted(path, f"lone surrogates escaped at {self.escapes}")

    def _look_through(self, container: Any) -> None:
        is_object = isinstance(container, dict)
        for step, item in list(container.items() if is_object else enumerate(container)):
            if isinstance(item, dict | list):
                self._steps.append(step)
                self._look_through(item)
                self._steps.pop()
            elif isinstance(item, float) and not math.isfinite(item):
                container[step] = None
                self.nulls.add((*self._steps, step))
            elif isinstance(item, str) and _is_broken(item):
                container[step] = escaped(item)
                self.escapes.add((*self._steps, step))
        if is_object and any(map(_is_broken, container)):
            self._rename_keys(container)

    def _rename_keys(self, container: dict[str, Any]) -> None:
        items = list(container.items())
        container.clear()
        for key, item in items:
            if _is_broken(key):
                key = escaped(key)
                while key in dict(items):
                    key += "_"
                self.escapes.add((*self._steps, key))
            container[key] = item


def _is_broken(text: str) -> bool:
    """Whether the text holds half of a surrogate pair, which no encoding has."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def escaped(text: str) -> str:
    """The text with each lone surrogate as its escape."""
    return text.encode(errors="backslashreplace").decode()

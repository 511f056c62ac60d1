"""One legacy JSON file, read whatever wrote it."""

import hashlib
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from burndown.legacy.findings import Findings
from burndown.legacy.layout import is_file
from burndown.models.json_codec import check_storable, decode, encode

__all__ = [
    "UnreadableFileError",
    "digest",
    "json_file",
    "modified_at",
    "parse_json",
    "read_bytes",
    "read_json",
]


_LAYERS = 8
"""How many containers a file can put around a value."""

_ENCODINGS = {"utf-8-sig": "UTF-8 with a byte order mark"}


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
    encoding = json.detect_encoding(data)
    if encoding != "utf-8":
        try:
            data = data.decode(encoding).encode()
        except UnicodeError as error:
            raise UnreadableFileError(f"not {encoding.upper()} text: {error}") from None
    paths: list[str] = []
    try:
        value = decode(data)
    except ValueError as strict:
        try:
            value = _parse_leniently(data, paths)
        except (ValueError, RecursionError):
            raise UnreadableFileError(f"not valid JSON: {strict}") from None
    if encoding != "utf-8":
        findings.puts_right(path, f"read as {_ENCODINGS.get(encoding, encoding.upper())}")
    if paths:
        findings.puts_right(path, f"null in place of NaN or infinity at {_some(paths)}")
    return value


def _parse_leniently(data: bytes, paths: list[str]) -> Any:
    """Takes NaN, and what nests as deep as can be stored with the layers of a file around it."""
    try:
        return _null_for_non_finite(from_json(data, allow_inf_nan=True), "", paths)
    except ValueError:
        value = _null_for_non_finite(json.loads(data), "", paths)
        return check_storable(value, -_LAYERS)


def json_file(value: Any) -> bytes:
    """What a file holds that says this value; :func:`read_json` gives it back exactly."""
    return encode(value, indent=2)


def digest(data: bytes) -> str:
    """By which a later reader sees whether a file is still as it was written."""
    return hashlib.sha256(data).hexdigest()


def modified_at(path: Path) -> datetime:
    """When the file was last written, UTC."""
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)


def _null_for_non_finite(value: Any, path: str, found: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _null_for_non_finite(item, f"{path}.{key}", found) for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _null_for_non_finite(item, f"{path}[{index}]", found)
            for index, item in enumerate(value)
        ]
    if isinstance(value, float) and not math.isfinite(value):
        found.append(path.lstrip("."))
        return None
    return value


def _some(paths: list[str]) -> str:
    shown = ", ".join(paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more places"

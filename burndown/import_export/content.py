"""The content of the files of an export as JSON text."""

import json
from typing import Any

from burndown.errors import ImportExportError
from burndown.models.json_codec import FILE_LAYERS, check_storable, decode, encode

__all__ = ["decode_content", "encode_content"]


def encode_content(content: Any) -> bytes:
    """Return the bytes of a file: UTF-8 with sorted keys, indented by two spaces.

    Keys are sorted so that equal data make equal files, which version control can compare.
    """
    return encode(_with_sorted_keys(content), indent=2) + b"\n"


def decode_content(data: bytes) -> Any:
    """Return the content of a file, which may have been edited.

    Raises:
        ImportExportError: it is not JSON, or holds what cannot be stored.
    """
    try:
        return decode(data)
    except ValueError as strict:
        # The standard parser also reads a byte order mark, which editors on Windows add, and
        # content that nests as deep as the store allows.
        try:
            return check_storable(json.loads(data), -FILE_LAYERS)
        except (ValueError, RecursionError):
            raise ImportExportError(f"not valid JSON: {strict}") from None


def _with_sorted_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_with_sorted_keys(item) for item in value]
    return value

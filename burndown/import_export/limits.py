"""Limits of what is read from files of unknown origin.

The caps are on memory. They are checked when an archive is written too, so that every archive that
is written can be read again.
"""

import json
import re

from burndown.errors import ImportExportError

__all__ = ["MAX_FILE_BYTES", "check_content", "check_size"]

_MB = 1024**2
MAX_FILE_BYTES = 100 * _MB
"""The largest file in ASCII, unpacked.

Python stores all characters of a string as wide as its widest one, so a file with wider characters
may only have a half or a quarter of this.
"""
MAX_VALUES = 3_000_000
"""The largest number of values in one file; some 20,000 issues have as many.

The smallest values, such as ``[]``, take a hundred times the memory of their JSON text.
"""
_WIDTHS = {
    4: re.compile(rb"[\xf0-\xff]|\\u[dD][89abAB]"),
    2: re.compile(rb"[\xc4-\xef]|\\u(?!00)"),
}
"""How UTF-8 and JSON write a character that takes 4 or 2 bytes in memory."""


def check_size(name: str, size: int) -> None:
    """Check the size of a file before it is read.

    Args:
        name: the file, for messages.
        size: its size in bytes, unpacked.

    Raises:
        ImportExportError: it is too large.
    """
    if size > MAX_FILE_BYTES:
        raise ImportExportError(f"{name!r} has more than {MAX_FILE_BYTES // _MB} MB")


def check_content(name: str, data: bytes) -> None:
    """Check the content of a file before it is parsed.

    Args:
        name: the file, for messages.
        data: its content.

    Raises:
        ImportExportError: parsing it would take too much memory.
    """
    width = _width(data)
    limit = MAX_FILE_BYTES // width
    if width > 1 and len(data) > limit:
        raise ImportExportError(
            f"{name!r} has more than {limit // _MB} MB, and characters that take {width} bytes each"
        )
    if sum(map(data.count, (b"[", b"{", b","))) > MAX_VALUES:
        raise ImportExportError(f"{name!r} holds more than {MAX_VALUES:,} values")


def _width(data: bytes) -> int:
    """Return how many bytes of memory each character of its strings can take."""
    if len(data) <= MAX_FILE_BYTES // max(_WIDTHS):
        return 1
    if json.detect_encoding(data) not in ("utf-8", "utf-8-sig"):
        return max(_WIDTHS)
    return next((width for width, wide in _WIDTHS.items() if wide.search(data)), 1)

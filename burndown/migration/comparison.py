"""Compare what was stored with what was read."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from burndown.errors import MigrationError
from burndown.models.json_codec import encode
from burndown.models.timestamps import to_utc

__all__ = ["difference", "require_equal"]


def require_equal(
    expected: Mapping[str, Any], stored: Mapping[str, Any] | None, path: Path, where: str = ""
) -> None:
    """Compare the values that were read with those that were stored.

    Timestamps are equal if they mean the same time. All other values are compared as JSON text,
    which distinguishes ``1``, ``1.0`` and ``true``.

    Args:
        expected: the values read from the file; the stored row may have further ones.
        stored: the stored row, with JSON as a value or as the bytes in the database; ``None`` if
            there is none.
        path: the file, for the error.
        where: the place in the file.

    Raises:
        MigrationError: a value differs, or there is no row.
    """
    for name, value in expected.items():
        if stored is None or name not in stored or not _are_equal(value, stored[name]):
            raise difference(path, f"{where}{name}")


def difference(path: Path, what: str) -> MigrationError:
    """Return the error for a file that differs from what was stored of it."""
    return MigrationError(
        "The stored data differ from the files, so nothing was moved", [(path, f"{what} differs")]
    )


def _are_equal(value: Any, stored: Any) -> bool:
    if isinstance(stored, bytes):
        return encode(value) == stored
    if isinstance(stored, str | datetime):
        return value == stored or _are_same_time(value, stored)
    return encode(value) == encode(stored)


def _are_same_time(value: Any, stored: str | datetime) -> bool:
    """Return whether both are timestamps, in whatever format, of the same time."""
    try:
        return isinstance(value, str | datetime) and to_utc(value) == to_utc(stored)
    except ValueError:
        return False

"""JSON files as the old dashboard writes them."""

from typing import Any

from burndown.models.json_codec import encode

__all__ = ["encode_file"]


def encode_file(value: Any) -> bytes:
    """Return the content of a file with this value, indented for people."""
    return encode(value, indent=2)

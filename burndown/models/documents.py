"""Stored entities as plain dicts of JSON values."""

from typing import Any

__all__ = ["Document"]

Document = dict[str, Any]
"""A JSON object as a plain dict: what is saved is returned equal, timestamps as ISO 8601 in UTC."""

"""Stored entities as plain dicts of JSON values."""

from typing import Any

__all__ = ["QUERY_IDS", "REVISION", "Document"]

Document = dict[str, Any]
"""A JSON object as a plain dict: what is saved is returned equal, timestamps as ISO 8601 in UTC."""

QUERY_IDS = ("profile_id", "query_id")
"""The keys that identify the query that data belong to."""

REVISION = "revision"
"""The key of the number that counts the changes of a profile or query."""

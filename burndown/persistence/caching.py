"""Cached responses and changelogs: their expiry, and what listings contain of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from burndown.models import JiraCacheEntry, JiraChangelogEntry
from burndown.models.timestamps import after, to_utc

__all__ = ["cache_record", "expiry_at", "is_expired", "listed_cache", "listed_changelog"]


def cache_record(
    profile_id: str, query_id: str, cache_key: str, expires_at: Any, now: datetime
) -> dict[str, Any]:
    """Return the record of a response that is saved now, without the response."""
    return {
        "profile_id": profile_id,
        "query_id": query_id,
        "cache_key": cache_key,
        "expires_at": expiry_at(expires_at, now),
        "created_at": now,
    }


def expiry_at(expires_at: Any, now: datetime) -> Any:
    """Return the expiry as a document has it; a ``timedelta`` counts from now."""
    return after(now, expires_at) if isinstance(expires_at, timedelta) else expires_at


def is_expired(record: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a record has expired; one without an expiry never does."""
    expires_at = record.get("expires_at")
    return expires_at is not None and to_utc(expires_at) <= now


def listed_cache(record: Mapping[str, Any], now: datetime) -> JiraCacheEntry:
    """Return what a listing contains of a cached response."""
    return {
        "cache_key": record["cache_key"],
        "created_at": record["created_at"],
        "expires_at": record["expires_at"],
        "issue_count": record["issue_count"],
        "is_complete": record["is_complete"],
        "expired": is_expired(record, now),
    }


def listed_changelog(record: Mapping[str, Any], now: datetime) -> JiraChangelogEntry:
    """Return what a listing contains of a cached changelog."""
    return {
        "issue_key": record["issue_key"],
        "expires_at": record["expires_at"],
        "is_complete": record["is_complete"],
        "expired": is_expired(record, now),
    }

"""Cached responses and changelogs: their expiry, and what look-ups and listings contain of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from burndown import models
from burndown.errors import ValidationError
from burndown.models.completeness import response_counts
from burndown.models.json_values import to_json_value
from burndown.models.timestamps import EARLIEST, after, to_utc
from burndown.persistence.record_store import RecordStore

__all__ = [
    "cache_limits",
    "cache_record",
    "expiry_at",
    "found_changelog",
    "found_response",
    "is_expired",
    "keeping_order",
    "listed_cache",
    "listed_changelog",
    "log_cleanup",
    "query_status",
    "stale_limit",
]

_logger = logging.getLogger(__name__)

_MEGABYTE = 2**20
"""The bytes of a megabyte in ``cache_size_mb``, as in the old dashboard."""


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


def is_expired(record: Mapping[str, Any], now: datetime | None) -> bool:
    """Return whether a record has expired at ``now``; one without an expiry never does.

    Nor does any record for ``None``, as :func:`stale_limit` returns it.
    """
    expires_at = record.get("expires_at")
    return expires_at is not None and now is not None and to_utc(expires_at) <= now


def stale_limit(
    now: datetime, max_stale: timedelta | None, argument: str = "max_stale"
) -> datetime | None:
    """Return the expiry up to which an entry is too stale, or ``None`` if no entry is.

    Args:
        now: the current time.
        max_stale: the time since its expiry; ``None`` for any.
        argument: what the caller calls it, for errors.

    Raises:
        ValidationError: it is neither ``None`` nor a ``timedelta`` of 0 or more.
    """
    if max_stale is None:
        return None
    if not isinstance(max_stale, timedelta) or max_stale < timedelta():
        expected = "input should be a timedelta of 0 or more, or None"
        raise ValidationError.of("Staleness", argument, expected, max_stale)
    try:
        return now - max_stale
    except OverflowError:
        return None


def cache_limits(
    store: RecordStore, max_bytes: int | None, profile_id: str | None
) -> list[tuple[str | None, int]]:
    """Return the bytes that cached data may take, with the profile that each limit is for.

    Args:
        store: the store of the profiles.
        max_bytes: the only limit; ``None`` for that of each profile.
        profile_id: the only profile; ``None`` for the store, or for all profiles.

    Raises:
        ValidationError: the limit is neither ``None`` nor an integer of 0 or more.
    """
    number = to_json_value(max_bytes)
    if number is None:
        return [
            (each["id"], _cache_size(each["jira_config"]))
            for each in store.records(models.Profile, profile_id)
        ]
    if not isinstance(number, int) or number < 0:
        expected = "input should be an integer of 0 or more, or None"
        raise ValidationError.of("Limit", "max_bytes", expected, max_bytes)
    return [(profile_id, number)]


def log_cleanup(deleted: int) -> int:
    """Log how many cached responses and changelogs were deleted, if any, and return the number."""
    if deleted:
        _logger.info("Deleted %d cached responses and changelogs", deleted)
    return deleted


def _cache_size(jira_config: Mapping[str, Any]) -> int:
    size = jira_config.get("cache_size_mb")
    if type(size) is not int:  # others can edit what is stored
        size = models.JiraConfig.model_fields["cache_size_mb"].default
    return int(size * _MEGABYTE)


def keeping_order(record: Mapping[str, Any], now: datetime) -> tuple[bool, datetime]:
    """Return the sort key by which what is to be deleted first comes first.

    These are expired records, by their expiry, and then the others, by the time of their saving.
    """
    if is_expired(record, now):
        return False, to_utc(record["expires_at"])
    created_at = record["created_at"]
    return True, EARLIEST if created_at is None else to_utc(created_at)


def found_response(record: Mapping[str, Any], now: datetime) -> models.FoundResponse:
    """Return what a look-up contains of a cached response."""
    # A release before 1.1 saved no count.
    counted = response_counts(record["response"]) if record["issue_count"] is None else record
    return {
        "response": record["response"],
        "created_at": record["created_at"],
        "expires_at": record["expires_at"],
        "age": _age(record["created_at"], now),
        "state": _state(record, now),
        "issue_count": counted["issue_count"],
        "is_complete": counted["is_complete"],
    }


def found_changelog(record: Mapping[str, Any], now: datetime) -> models.FoundChangelog:
    """Return what a look-up contains of a cached changelog."""
    created_at = record["created_at"]
    return {
        "changelog": record["changelog"],
        "created_at": created_at,
        "expires_at": record["expires_at"],
        "age": None if created_at is None else _age(created_at, now),
        "state": _state(record, now),
        "is_complete": record["is_complete"],
    }


def query_status(
    query_id: str, name: str, newest: Mapping[str, Any] | None, now: datetime
) -> models.QueryStatus:
    """Return the status of a query with its newest cached response, if it has one."""
    found = newest or {}
    return {
        "query_id": query_id,
        "name": name,
        "has_data": newest is not None,
        "created_at": found.get("created_at"),
        "expires_at": found.get("expires_at"),
        "state": None if newest is None else _state(newest, now),
        "issue_count": found.get("issue_count"),
        "is_complete": found.get("is_complete"),
    }


def _age(created_at: datetime | str, now: datetime) -> float:
    return max(0.0, (now - to_utc(created_at)).total_seconds())


def _state(record: Mapping[str, Any], now: datetime) -> Literal["fresh", "stale"]:
    return "stale" if is_expired(record, now) else "fresh"


def listed_cache(record: Mapping[str, Any], now: datetime) -> models.JiraCacheEntry:
    """Return what a listing contains of a cached response."""
    return {
        "cache_key": record["cache_key"],
        "created_at": record["created_at"],
        "expires_at": record["expires_at"],
        "issue_count": record["issue_count"],
        "is_complete": record["is_complete"],
        "expired": is_expired(record, now),
    }


def listed_changelog(record: Mapping[str, Any], now: datetime) -> models.JiraChangelogEntry:
    """Return what a listing contains of a cached changelog."""
    return {
        "issue_key": record["issue_key"],
        "expires_at": record["expires_at"],
        "is_complete": record["is_complete"],
        "expired": is_expired(record, now),
    }

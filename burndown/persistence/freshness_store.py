"""The part of a backend that finds cached data with its age, and limits its size."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from burndown import models
from burndown.models import Document
from burndown.models.codec import codec_of
from burndown.models.json_codec import encode
from burndown.persistence.arguments import checked_issue_keys
from burndown.persistence.caching import (
    cache_limits,
    found_changelog,
    found_response,
    is_expired,
    keeping_order,
    log_cleanup,
    stale_limit,
)
from burndown.persistence.query_data_store import QueryDataStore

__all__ = ["FreshnessStore"]


class FreshnessStore(QueryDataStore):
    """A store of cached responses and changelogs that can be read after their expiry."""

    def find_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        max_stale: timedelta | None = None,
    ) -> models.FoundResponse | None:
        """Return a cached response with its age, also after its expiry, or ``None``.

        It has ``response``, ``created_at``, ``expires_at``, ``age`` (seconds since ``created_at``,
        0 or more), ``state`` (``fresh`` until its expiry, then ``stale``), and ``issue_count`` and
        ``is_complete`` as in :meth:`list_jira_caches`.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            cache_key: the key under which the response was saved.
            max_stale: the time since its expiry has to be less than this; ``None`` for any,
                ``timedelta(0)`` for fresh ones only.

        Raises:
            ValidationError: ``max_stale`` is neither ``None`` nor a ``timedelta`` of 0 or more.
        """
        now = self.now()
        limit = stale_limit(now, max_stale)
        for found in self.records(models.JiraCache, profile_id, query_id):
            if found["cache_key"] == cache_key and not is_expired(found, limit):
                return found_response(found, now)
        return None

    def find_jira_changelog(
        self,
        profile_id: str,
        query_id: str,
        issue_key: str,
        max_stale: timedelta | None = None,
    ) -> models.FoundChangelog | None:
        """Return the changelog of an issue with its age, also after its expiry, or ``None``.

        It is as of :meth:`find_jira_changelogs`, with the same ``max_stale``.
        """
        found = self.find_jira_changelogs(profile_id, query_id, [issue_key], max_stale)
        return found.get(issue_key)

    def find_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        issue_keys: Iterable[str] | None = None,
        max_stale: timedelta | None = None,
    ) -> dict[str, models.FoundChangelog]:
        """Return changelogs with their age by issue key, ordered by it, also after their expiry.

        Each has ``changelog``, ``created_at``, ``expires_at`` (``None`` for never), ``age`` and
        ``state`` as in :meth:`find_jira_cache`, and ``is_complete`` as in
        :meth:`list_jira_changelogs`. A changelog that was saved before schema version 1.5 has
        ``None`` for ``created_at`` and ``age``.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            issue_keys: the issues; those without a changelog are absent from the result. ``None``
                for all.
            max_stale: as for :meth:`find_jira_cache`.

        Raises:
            ValidationError: ``max_stale`` is neither ``None`` nor a ``timedelta`` of 0 or more; or
                ``issue_keys`` is a single key, or not of strings.
        """
        now = self.now()
        limit = stale_limit(now, max_stale)
        wanted = checked_issue_keys(issue_keys)
        return {
            each["issue_key"]: found_changelog(each, now)
            for each in self.records(models.JiraChangelog, profile_id, query_id)
            if (wanted is None or each["issue_key"] in wanted) and not is_expired(each, limit)
        }

    def cleanup(self, max_bytes: int | None = None, profile_id: str | None = None) -> int:
        """Delete cached responses and changelogs above a limit; return how many were deleted.

        Expired ones are deleted first, those that expired longest ago before others; then those
        that were saved longest ago. As with
        :meth:`~burndown.PersistenceBackend.cleanup_expired_cache`, others can write meanwhile. What
        they save stays, so that the limit can be exceeded again.

        Args:
            max_bytes: the bytes of them to keep at most, as stored: compressed in a database, JSON
                text in files. ``None`` for ``jira_config.cache_size_mb`` of each profile, where a
                megabyte is 1,048,576 bytes.
            profile_id: the profile that is limited; ``None`` for all. ``max_bytes`` is then the
                limit of the store, and not of each profile. 0 are deleted if it does not exist.

        Raises:
            ValidationError: ``max_bytes`` is neither ``None`` nor an integer of 0 or more.
        """
        limits, now = cache_limits(self, max_bytes, profile_id), self.now()
        with self.transaction():
            deleted = sum(self._delete_above(limit, now, owner) for owner, limit in limits)
        return log_cleanup(deleted)

    def _delete_above(self, max_bytes: int, now: datetime, profile_id: str | None) -> int:
        """Delete what is cached until the rest takes at most these bytes."""
        cached = sorted(
            (
                (
                    *keeping_order(each, now),
                    number,
                    codec_of(entity).key(each),
                    self._stored_size(each[entity.CONTENT_FIELD]),
                )
                for number, entity in enumerate(models.EXPIRING_ENTITIES)
                for each in self.records(entity, profile_id)
            ),
            reverse=True,
        )
        deleted: dict[int, list[tuple[str, ...]]] = {}
        size_so_far = 0
        for *_, number, key, size in cached:
            size_so_far += size
            if size_so_far > max_bytes:
                deleted.setdefault(number, []).append(key)
        return sum(
            self._delete_keys(models.EXPIRING_ENTITIES[number], keys)
            for number, keys in deleted.items()
        )

    def _stored_size(self, content: Document) -> int:
        """Return the bytes that a response or changelog takes in the store; by default as JSON."""
        return len(encode(content))

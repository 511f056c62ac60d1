"""The part of a backend that stores the data of a query, in terms of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from burndown import models
from burndown.jira.merging import check_changes, merge
from burndown.models import Document
from burndown.models.codec import codec_of
from burndown.models.timestamps import to_utc
from burndown.persistence.arguments import checked_issue_keys
from burndown.persistence.caching import (
    cache_record,
    expiry_at,
    is_expired,
    listed_cache,
    listed_changelog,
    log_cleanup,
    stale_limit,
)
from burndown.persistence.metrics_store import MetricsStore

__all__ = ["QueryDataStore"]


class QueryDataStore(MetricsStore):
    """A store of what belongs to a query: cached responses, changelogs, project data."""

    # --- cached responses --------------------------------------------------------------------

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        """Return the response as it was saved, or ``None`` if there is none or it has expired."""
        now = self.now()
        for found in self.records(models.JiraCache, profile_id, query_id):
            if found["cache_key"] == cache_key and not is_expired(found, now):
                response: Document = found["response"]
                return response
        return None

    def save_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        response: Mapping[str, Any],
        expires_at: datetime | timedelta,
    ) -> None:
        """Cache a response of Jira until its expiry, in place of an earlier one with this key.

        Args:
            profile_id: the profile of the query.
            query_id: the query that Jira responded to.
            cache_key: 1 to 200 characters, such as :func:`burndown.jira_cache_key` returns.
            response: the response, normally with ``issues`` and ``total``.
            expires_at: a lifetime from now, such as ``timedelta(hours=24)``; or a timestamp, local
                time if it has no offset. ``datetime.max``, in any time zone, and a lifetime beyond
                it mean never. A response whose expiry is not after now has expired already.
        """
        record = cache_record(profile_id, query_id, cache_key, expires_at, self.now())
        self.save_records(models.JiraCache, [{**record, "response": response}])

    def merge_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        changed: Iterable[Mapping[str, Any]],
        removed: Iterable[str],
        expires_at: datetime | timedelta,
    ) -> models.JiraCacheEntry | None:
        """Replace the issues of a cached response that have changed since, and keep the others.

        Equal to saving what :func:`burndown.jira.merge` returns for the response, expired or not,
        in one transaction; the response counts as saved now.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            cache_key: the key of the response.
            changed: issues as Jira gave them later, each with its ``key``. They replace those with
                the same key or id; new ones are added at the end.
            removed: keys or ids of the issues that the search no longer finds.
            expires_at: the new expiry, as for :meth:`save_jira_cache`.

        Returns:
            What :meth:`list_jira_caches` returns of the response, or ``None`` if there is none, and
            nothing was stored: then fetch all issues, and save them.

        Raises:
            ValidationError: a changed issue has no key or cannot be stored exactly, or the cached
                response has no list of issues.
        """
        issues, keys = check_changes(changed, removed)
        now = self.now()
        record = cache_record(profile_id, query_id, cache_key, expires_at, now)
        [merged] = codec_of(models.JiraCache).complete([{**record, "response": {}}])
        with self.transaction():
            for found in self.records(models.JiraCache, profile_id, query_id):
                if found["cache_key"] == cache_key:
                    merged["response"] = merge(found["response"], issues, keys)
                    self.save_records(models.JiraCache, [merged])
                    return listed_cache({**merged, **models.JiraCache.derived(merged)}, now)
        return None

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[models.JiraCacheEntry]:
        """Return what is cached for the query, newest first, expired responses included.

        Each has ``cache_key``, ``created_at``, ``expires_at``, ``expired``, ``issue_count`` (issues
        with the same key count once) and ``is_complete``: whether the response contains all issues
        of the search, according to its own total or page markers; ``None`` if it has none, or if
        they contradict each other.
        """
        now = self.now()
        found = [
            listed_cache(each, now) for each in self.records(models.JiraCache, profile_id, query_id)
        ]
        found.sort(key=lambda each: to_utc(each["created_at"]), reverse=True)
        return found

    def delete_jira_caches(
        self, profile_id: str, query_id: str | None = None, cache_key: str | None = None
    ) -> int:
        """Delete cached responses, also those that have not expired.

        Args:
            profile_id: the profile of the queries.
            query_id: the query; ``None`` for all of the profile.
            cache_key: the key of the response; ``None`` for all.

        Returns:
            The number of deleted responses; 0 also if there is no such profile or query.
        """
        one_of = {} if cache_key is None else {"cache_key": [cache_key]}
        return self.delete_records(models.JiraCache, profile_id, query_id, one_of=one_of)

    def cleanup_expired_cache(self, max_stale: timedelta | None = timedelta()) -> int:
        """Delete expired responses and changelogs; return how many were deleted.

        A database deletes them in short transactions, between which others can write; an error can
        leave some of them. Within :meth:`transaction`, all are deleted or none.

        Args:
            max_stale: keep those that expired less than this ago, which
                :meth:`~burndown.PersistenceBackend.find_jira_cache` finds with the same
                ``max_stale``; by default none, and all for ``None``.

        Raises:
            ValidationError: it is neither ``None`` nor a ``timedelta`` of 0 or more.
        """
        limit = stale_limit(self.now(), max_stale)
        with self.transaction():
            deleted = sum(
                self._delete_where(entity, lambda each: is_expired(each, limit))
                for entity in models.EXPIRING_ENTITIES
            )
        return log_cleanup(deleted)

    # --- changelogs --------------------------------------------------------------------------

    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        """Return the changelog of an issue, or ``None`` if there is none or it has expired."""
        return self.get_jira_changelogs(profile_id, query_id, [issue_key]).get(issue_key)

    def save_jira_changelog(
        self,
        profile_id: str,
        query_id: str,
        issue_key: str,
        changelog: Mapping[str, Any],
        expires_at: datetime | timedelta | None = None,
    ) -> None:
        """Cache the changelog of an issue until its expiry, in place of an earlier one.

        Args:
            profile_id: the profile of the query.
            query_id: the query that found the issue.
            issue_key: the key of the issue, such as ``KAFKA-19853``.
            changelog: the issue with its ``changelog``, a page of it, or a bulk fetch.
            expires_at: as for :meth:`save_jira_cache`; ``None`` means never.
        """
        self.save_jira_changelogs(profile_id, query_id, {issue_key: changelog}, expires_at)

    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        """Return changelogs by issue key, ordered by it, without expired ones.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            issue_keys: the issues; those without a changelog are absent from the result. ``None``
                for all.

        Raises:
            ValidationError: ``issue_keys`` is a single key, or not of strings.
        """
        now = self.now()
        wanted = checked_issue_keys(issue_keys)
        return {
            each["issue_key"]: each["changelog"]
            for each in self.records(models.JiraChangelog, profile_id, query_id)
            if (wanted is None or each["issue_key"] in wanted) and not is_expired(each, now)
        }

    def save_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        changelogs: Mapping[str, Mapping[str, Any]],
        expires_at: datetime | timedelta | None = None,
    ) -> None:
        """Cache the changelogs of many issues, all of them or none.

        Args:
            profile_id: the profile of the query.
            query_id: the query that found the issues.
            changelogs: by issue key, each as for :meth:`save_jira_changelog`.
            expires_at: as for :meth:`save_jira_cache`, for all of them; ``None`` means never.
        """
        now = self.now()
        shared = {
            "profile_id": profile_id,
            "query_id": query_id,
            "expires_at": expiry_at(expires_at, now),
            "created_at": now,
        }
        self.save_records(
            models.JiraChangelog,
            ({**shared, "issue_key": key, "changelog": each} for key, each in changelogs.items()),
        )

    def list_jira_changelogs(
        self, profile_id: str, query_id: str
    ) -> list[models.JiraChangelogEntry]:
        """Return what is cached of the query's issues, by issue key, expired changelogs included.

        Each has ``issue_key``, ``expires_at`` (``None`` for never), ``expired`` and
        ``is_complete``: whether the changelog contains all histories of the issue, according to its
        own total or page markers; ``None`` if it has none, or if they contradict each other.
        """
        now = self.now()
        found = self.records(models.JiraChangelog, profile_id, query_id)
        return [listed_changelog(each, now) for each in found]

    def delete_jira_changelogs(
        self,
        profile_id: str,
        query_id: str | None = None,
        issue_keys: Iterable[str] | None = None,
    ) -> int:
        """Delete cached changelogs, also those that have not expired.

        Args:
            profile_id: the profile of the queries.
            query_id: the query; ``None`` for all of the profile.
            issue_keys: the issues; ``None`` for all.

        Returns:
            The number of deleted changelogs; 0 also if there is no such profile or query.

        Raises:
            ValidationError: ``issue_keys`` is a single key, or not of strings.
        """
        keys = checked_issue_keys(issue_keys)
        one_of = {} if keys is None else {"issue_key": keys}
        return self.delete_records(models.JiraChangelog, profile_id, query_id, one_of=one_of)

    # --- project data ------------------------------------------------------------------------

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        """Return the project data as it was saved, or ``None``."""
        found = next(self.records(models.ProjectData, profile_id, query_id), None)
        return None if found is None else found["data"]

    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        """Save the project data of the query, in place of earlier data.

        A number in its ``statistics`` that is NaN, as pandas has it for one that is not known, is
        stored as ``null``.
        """
        ids = {"profile_id": profile_id, "query_id": query_id}
        self.save_records(models.ProjectData, [{**ids, "updated_at": self.now(), "data": data}])

    def delete_project_data(self, profile_id: str, query_id: str | None = None) -> int:
        """Delete the project data of a query, or of all queries of the profile.

        Returns:
            The number of queries whose data was deleted; 0 also if there is no such profile or
            query.
        """
        return self.delete_records(models.ProjectData, profile_id, query_id)

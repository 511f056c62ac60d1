"""The part of a backend that stores the data of a query, in terms of records."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, cast

from burndown.models import (
    Document,
    JiraCache,
    JiraCacheEntry,
    JiraChangelog,
    JiraChangelogEntry,
    MetricsSnapshot,
    MetricsSnapshotDocument,
    ProjectData,
    Week,
)
from burndown.models.timestamps import to_utc
from burndown.persistence.arguments import checked_limit, document_of
from burndown.persistence.budget_store import BudgetStore
from burndown.persistence.caching import expiry_at, is_expired, listed_cache, listed_changelog

__all__ = ["QueryDataStore"]


class QueryDataStore(BudgetStore):
    """A store of what belongs to a query: cached responses, changelogs, project data, metrics."""

    # --- cached responses --------------------------------------------------------------------

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        """Return the response as it was saved, or ``None`` if there is none or it has expired."""
        now = self.now()
        for found in self.records(JiraCache, profile_id, query_id):
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
        now = self.now()
        record = {
            "profile_id": profile_id,
            "query_id": query_id,
            "cache_key": cache_key,
            "expires_at": expiry_at(expires_at, now),
            "created_at": now,
            "response": response,
        }
        self.save_records(JiraCache, [record])

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[JiraCacheEntry]:
        """Return what is cached for the query, newest first, expired responses included.

        Each has ``cache_key``, ``created_at``, ``expires_at``, ``expired``, ``issue_count`` (issues
        with the same key count once) and ``is_complete``: whether the response contains all issues
        of the search, according to its own total or page markers; ``None`` if it has none, or if
        they contradict each other.
        """
        now = self.now()
        found = [listed_cache(each, now) for each in self.records(JiraCache, profile_id, query_id)]
        found.sort(key=lambda each: to_utc(each["created_at"]), reverse=True)
        return found

    @abstractmethod
    def cleanup_expired_cache(self) -> int:
        """Delete all expired responses and changelogs; return how many were deleted."""

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
        """
        now = self.now()
        wanted = None if issue_keys is None else set(issue_keys)
        return {
            each["issue_key"]: each["changelog"]
            for each in self.records(JiraChangelog, profile_id, query_id)
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
        shared = {
            "profile_id": profile_id,
            "query_id": query_id,
            "expires_at": expiry_at(expires_at, self.now()),
        }
        self.save_records(
            JiraChangelog,
            ({**shared, "issue_key": key, "changelog": each} for key, each in changelogs.items()),
        )

    def list_jira_changelogs(self, profile_id: str, query_id: str) -> list[JiraChangelogEntry]:
        """Return what is cached of the query's issues, by issue key, expired changelogs included.

        Each has ``issue_key``, ``expires_at`` (``None`` for never), ``expired`` and
        ``is_complete``: whether the changelog contains all histories of the issue, according to its
        own total or page markers; ``None`` if it has none, or if they contradict each other.
        """
        now = self.now()
        found = self.records(JiraChangelog, profile_id, query_id)
        return [listed_changelog(each, now) for each in found]

    # --- project data ------------------------------------------------------------------------

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        """Return the project data as it was saved, or ``None``."""
        found = next(self.records(ProjectData, profile_id, query_id), None)
        return None if found is None else found["data"]

    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        """Save the project data of the query, in place of earlier data.

        A number in its ``statistics`` that is NaN, as pandas has it for one that is not known, is
        stored as ``null``.
        """
        ids = {"profile_id": profile_id, "query_id": query_id}
        self.save_records(ProjectData, [{**ids, "updated_at": self.now(), "data": data}])

    # --- metrics -----------------------------------------------------------------------------

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
    ) -> list[MetricsSnapshotDocument]:
        """Return snapshots of one metric type or of all, newest week first.

        Each has ``profile_id``, ``query_id``, ``snapshot_date`` (``2025-W12``), ``metric_type``,
        ``created_at``, ``metrics`` and ``forecast`` (``None`` if there is none).

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            metric_type: such as ``dora`` or ``flow``; ``None`` for all.
            limit: the maximum number of snapshots, 1 or more; ``None`` for no limit.

        Raises:
            ValidationError: the limit is less than 1.
        """
        limit = checked_limit(limit)
        found = [
            each
            for each in self.records(MetricsSnapshot, profile_id, query_id)
            if metric_type in (None, each["metric_type"])
        ]
        found.sort(key=lambda each: str(each["snapshot_date"]), reverse=True)
        return cast("list[MetricsSnapshotDocument]", found[:limit])

    def save_metrics_snapshot(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: Week | date | str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecast: Mapping[str, Any] | None = None,
    ) -> None:
        """Save the metrics of one type in one week, in place of earlier ones.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            snapshot_date: the week: a ``Week``, ``2025-W12``, or its Monday as a date or string.
            metric_type: ``dora``, ``flow`` or another lower-case word.
            metrics: numbers, strings, objects or null, by name.
            forecast: the forecast made in that week, if any.
        """
        snapshot = {
            "snapshot_date": snapshot_date,
            "metric_type": metric_type,
            "metrics": metrics,
            "forecast": forecast,
        }
        self.save_metrics_snapshots(profile_id, query_id, [snapshot])

    def save_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        snapshots: Iterable[Mapping[str, Any] | MetricsSnapshot],
    ) -> None:
        """Save many snapshots, all of them or none.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            snapshots: entities, or documents, each with ``snapshot_date``, ``metric_type`` and
                ``metrics``, and optionally ``forecast`` and ``created_at`` (by default the current
                time).
        """
        now, ids = self.now(), {"profile_id": profile_id, "query_id": query_id}
        self.save_records(
            MetricsSnapshot,
            (
                {"created_at": now, **document_of(MetricsSnapshot, each), **ids}
                for each in snapshots
            ),
        )

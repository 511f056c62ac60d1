"""What the storages here do alike: make documents of what they are given."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from burndown.errors import ValidationError
from burndown.models import JiraCache, JiraChangelog, MetricsSnapshot, ProjectData, TaskProgress
from burndown.models.values import after, to_utc
from burndown.persistence.interface import Document, PersistenceBackend

__all__ = [
    "DocumentBackend",
    "checked_limit",
    "checked_mapping",
    "has_expired",
    "listed_caches",
    "query_document",
]


class DocumentBackend(PersistenceBackend):
    """A storage that keeps documents of the models.

    Args:
        clock: returns the current time, by which entries expire.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def _now(self) -> datetime:
        return to_utc(self._clock())

    def save_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        response: Mapping[str, Any],
        expires_at: datetime | timedelta,
    ) -> None:
        now = self._now()
        document = {
            "profile_id": profile_id,
            "query_id": query_id,
            "cache_key": cache_key,
            "expires_at": _expiry(expires_at, now),
            "created_at": now,
            "response": response,
        }
        self.save_records(JiraCache, [document])

    def save_jira_changelog(
        self,
        profile_id: str,
        query_id: str,
        issue_key: str,
        changelog: Mapping[str, Any],
        expires_at: datetime | timedelta | None = None,
    ) -> None:
        self.save_jira_changelogs(profile_id, query_id, {issue_key: changelog}, expires_at)

    def save_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        changelogs: Mapping[str, Mapping[str, Any]],
        expires_at: datetime | timedelta | None = None,
    ) -> None:
        expiry = _expiry(expires_at, self._now())
        documents = (
            {
                "profile_id": profile_id,
                "query_id": query_id,
                "issue_key": issue_key,
                "expires_at": expiry,
                "changelog": changelog,
            }
            for issue_key, changelog in changelogs.items()
        )
        self.save_records(JiraChangelog, documents)

    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        document = {
            "profile_id": profile_id,
            "query_id": query_id,
            "updated_at": self._now(),
            "data": data,
        }
        self.save_records(ProjectData, [document])

    def save_metrics_snapshot(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecast: Mapping[str, Any] | None = None,
    ) -> None:
        snapshot = {
            "snapshot_date": snapshot_date,
            "metric_type": metric_type,
            "metrics": metrics,
            "forecast": forecast,
        }
        self.save_metrics_snapshots(profile_id, query_id, [snapshot])

    def save_metrics_snapshots(
        self, profile_id: str, query_id: str, snapshots: Iterable[Mapping[str, Any]]
    ) -> None:
        ids = {"profile_id": profile_id, "query_id": query_id}
        documents = (
            {
                "created_at": self._now(),
                **checked_mapping("Metrics snapshot", snapshot),
                **ids,
            }
            for snapshot in snapshots
        )
        self.save_records(MetricsSnapshot, documents)

    def save_task_progress(
        self, task_name: str, progress_percent: float, status: str, message: str = ""
    ) -> None:
        document = {
            "task_name": task_name,
            "progress_percent": progress_percent,
            "status": status,
            "message": message,
            "updated_at": self._now(),
        }
        self.save_records(TaskProgress, [document])


def _expiry(expires_at: Any, now: datetime) -> Any:
    """The expiry as a document has it; a ``timedelta`` is from now."""
    return after(now, expires_at) if isinstance(expires_at, timedelta) else expires_at


def checked_mapping(subject: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document as it is.

    Raises:
        ValidationError: it is no object.
    """
    if not isinstance(document, Mapping):
        raise ValidationError.of(subject, "", "an object was expected", document)
    return document


def query_document(profile_id: str, query: Mapping[str, Any]) -> Document:
    """The document of a query of this profile.

    Raises:
        ValidationError: it is no object, or says that it belongs to another profile.
    """
    document = checked_mapping("Query", query)
    if document.get("profile_id", profile_id) != profile_id:
        raise ValidationError.of(
            f"Query {document.get('id')!r}",
            "profile_id",
            f"the profile {profile_id!r} was expected",
            document["profile_id"],
        )
    return {**document, "profile_id": profile_id}


def checked_limit(limit: int | None) -> int | None:
    """The limit as it is.

    Raises:
        ValidationError: it is neither ``None`` nor a number of 1 or more.
    """
    if limit is not None and not (isinstance(limit, int) and limit >= 1):
        raise ValidationError.of("Limit", "limit", "1 or more, or None, was expected", limit)
    return limit


def has_expired(entry: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a cached response or changelog has expired."""
    expires_at = entry["expires_at"]
    return expires_at is not None and to_utc(expires_at) <= now


def listed_caches(caches: Iterable[Mapping[str, Any]], now: datetime) -> list[Document]:
    """Return what a list says of each cached response."""
    kept = ("cache_key", "created_at", "expires_at", "issue_count", "is_complete")
    return [
        {**{name: each[name] for name in kept}, "expired": has_expired(each, now)}
        for each in caches
    ]

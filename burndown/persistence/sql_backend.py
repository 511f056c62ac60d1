"""A workspace in an SQL database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from burndown.database import Database
from burndown.errors import ValidationError
from burndown.models import Entity
from burndown.models.values import to_utc, utc_now
from burndown.persistence.interface import Document, PersistenceBackend
from burndown.repositories import (
    AppStateRepository,
    JiraCacheRepository,
    JiraChangelogRepository,
    MetricsSnapshotRepository,
    ProfileRepository,
    ProjectDataRepository,
    QueryRepository,
    TaskProgressRepository,
    repository_of,
)

__all__ = ["SQLBackend"]


class SQLBackend(PersistenceBackend):
    """The storage of a workspace in a database.

    Args:
        database: where it lies.
        clock: gives the present, by which entries expire.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self.database = database
        self._clock = clock

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.database!r})"

    def _now(self) -> datetime:
        return to_utc(self._clock())

    def get_profile(self, profile_id: str) -> Document | None:
        with self.database.read_session() as session:
            return ProfileRepository(session).get_document(profile_id)

    def save_profile(self, profile: Mapping[str, Any]) -> None:
        with self.database.session() as session:
            document = _mapping("Profile", profile)
            ProfileRepository(session).save_document(document, created_at=self._now())

    def list_profiles(self) -> list[Document]:
        with self.database.read_session() as session:
            return ProfileRepository(session).list_documents()

    def delete_profile(self, profile_id: str) -> None:
        with self.database.session() as session:
            ProfileRepository(session).delete(profile_id)

    def get_query(self, profile_id: str, query_id: str) -> Document | None:
        with self.database.read_session() as session:
            return QueryRepository(session).get_document(profile_id, query_id)

    def save_query(self, profile_id: str, query: Mapping[str, Any]) -> None:
        query = _mapping("Query", query)
        if query.get("profile_id", profile_id) != profile_id:
            raise ValidationError.of(
                f"Query {query.get('id')!r}",
                "profile_id",
                f"the profile {profile_id!r} was expected",
                query["profile_id"],
            )
        with self.database.session() as session:
            QueryRepository(session).save_document(
                {**query, "profile_id": profile_id}, created_at=self._now()
            )

    def list_queries(self, profile_id: str) -> list[Document]:
        with self.database.read_session() as session:
            return QueryRepository(session).list_documents(profile_id)

    def delete_query(self, profile_id: str, query_id: str) -> None:
        with self.database.session() as session:
            QueryRepository(session).delete(profile_id, query_id)

    def get_app_state(self, key: str) -> str | None:
        with self.database.read_session() as session:
            return AppStateRepository(session).get(key)

    def set_app_state(self, key: str, value: str | None) -> None:
        with self.database.session() as session:
            AppStateRepository(session).set(key, value)

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        with self.database.read_session() as session:
            found = JiraCacheRepository(session).get_document(
                profile_id, query_id, cache_key, self._now()
            )
        return None if found is None else found["response"]

    def save_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        response: Mapping[str, Any],
        expires_at: datetime,
    ) -> None:
        document = {
            "profile_id": profile_id,
            "query_id": query_id,
            "cache_key": cache_key,
            "expires_at": expires_at,
            "created_at": self._now(),
            "response": response,
        }
        with self.database.session() as session:
            JiraCacheRepository(session).save_document(document)

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[Document]:
        with self.database.read_session() as session:
            caches = JiraCacheRepository(session).list(profile_id, query_id)
        now = self._now()
        return [
            {
                "cache_key": cache.cache_key,
                "created_at": cache.created_at.isoformat(),
                "expires_at": cache.expires_at.isoformat(),
                "expired": cache.expires_at <= now,
                "issue_count": len(cache.issues),
            }
            for cache in caches
        ]

    def cleanup_expired_cache(self) -> int:
        now = self._now()
        with self.database.session() as session:
            answers = JiraCacheRepository(session).delete_expired(now)
            return answers + JiraChangelogRepository(session).delete_expired(now)

    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        with self.database.read_session() as session:
            found = JiraChangelogRepository(session).get_document(
                profile_id, query_id, issue_key, self._now()
            )
        return None if found is None else found["changelog"]

    def save_jira_changelog(
        self,
        profile_id: str,
        query_id: str,
        issue_key: str,
        changelog: Mapping[str, Any],
        expires_at: datetime | None = None,
    ) -> None:
        self.save_jira_changelogs(profile_id, query_id, {issue_key: changelog}, expires_at)

    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        with self.database.read_session() as session:
            found = JiraChangelogRepository(session).list_documents(
                profile_id, query_id, self._now(), issue_keys
            )
        return {document["issue_key"]: document["changelog"] for document in found}

    def save_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        changelogs: Mapping[str, Mapping[str, Any]],
        expires_at: datetime | None = None,
    ) -> None:
        with self.database.session() as session:
            JiraChangelogRepository(session).save_documents(
                {
                    "profile_id": profile_id,
                    "query_id": query_id,
                    "issue_key": issue_key,
                    "expires_at": expires_at,
                    "changelog": changelog,
                }
                for issue_key, changelog in changelogs.items()
            )

    def list_jira_changelogs(self, profile_id: str, query_id: str) -> list[Document]:
        with self.database.read_session() as session:
            found = JiraChangelogRepository(session).list_keys(profile_id, query_id)
        now = self._now()
        return [
            {**entry, "expired": bool(entry["expires_at"]) and to_utc(entry["expires_at"]) <= now}
            for entry in found
        ]

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        with self.database.read_session() as session:
            found = ProjectDataRepository(session).get_document(profile_id, query_id)
        return None if found is None else found["data"]

    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        document = {
            "profile_id": profile_id,
            "query_id": query_id,
            "updated_at": self._now(),
            "data": data,
        }
        with self.database.session() as session:
            ProjectDataRepository(session).save_document(document)

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
    ) -> list[Document]:
        if limit is not None and not (isinstance(limit, int) and limit >= 1):
            raise ValidationError.of("Limit", "limit", "1 or more, or None, was expected", limit)
        with self.database.read_session() as session:
            return MetricsSnapshotRepository(session).list_documents(
                profile_id, query_id, metric_type, limit
            )

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
        now = self._now()
        with self.database.session() as session:
            MetricsSnapshotRepository(session).save_documents(
                {
                    "created_at": now,
                    **_mapping("Metrics snapshot", snapshot),
                    "profile_id": profile_id,
                    "query_id": query_id,
                }
                for snapshot in snapshots
            )

    def get_task_progress(self, task_name: str) -> Document | None:
        with self.database.read_session() as session:
            return TaskProgressRepository(session).get_document(task_name)

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
        with self.database.session() as session:
            TaskProgressRepository(session).save_document(document)

    def list_task_progress(self) -> list[Document]:
        with self.database.read_session() as session:
            return TaskProgressRepository(session).list_documents()

    def clear_task_progress(self, task_name: str) -> None:
        with self.database.session() as session:
            TaskProgressRepository(session).delete(task_name)

    def describe(self) -> Document:
        return {
            "location": str(self.database.path),
            "size_bytes": self.database.size(),
            "schema_version": self.get_app_state("schema_version"),
        }

    def records(self, model: type[Entity]) -> Iterator[Document]:
        with self.database.read_session() as session:
            yield from repository_of(model)(session).records()

    def save_records(self, model: type[Entity], records: Iterable[Mapping[str, Any]]) -> None:
        with self.database.session() as session:
            repository_of(model)(session).save_documents(records)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.database.session():
            yield

    def close(self) -> None:
        self.database.close()


def _mapping(subject: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise ValidationError.of(subject, "", "an object was expected", document)
    return document

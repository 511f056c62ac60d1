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
        return self.database.read(
            lambda session: ProfileRepository(session).get_document(profile_id)
        )

    def save_profile(self, profile: Mapping[str, Any]) -> None:
        document, now = _mapping("Profile", profile), self._now()
        self.database.write(
            lambda session: ProfileRepository(session).save_document(document, created_at=now)
        )

    def list_profiles(self) -> list[Document]:
        return self.database.read(lambda session: ProfileRepository(session).list_documents())

    def delete_profile(self, profile_id: str) -> None:
        self.database.write(lambda session: ProfileRepository(session).delete(profile_id))

    def get_query(self, profile_id: str, query_id: str) -> Document | None:
        return self.database.read(
            lambda session: QueryRepository(session).get_document(profile_id, query_id)
        )

    def save_query(self, profile_id: str, query: Mapping[str, Any]) -> None:
        query = _mapping("Query", query)
        if query.get("profile_id", profile_id) != profile_id:
            raise ValidationError.of(
                f"Query {query.get('id')!r}",
                "profile_id",
                f"the profile {profile_id!r} was expected",
                query["profile_id"],
            )
        document, now = {**query, "profile_id": profile_id}, self._now()
        self.database.write(
            lambda session: QueryRepository(session).save_document(document, created_at=now)
        )

    def list_queries(self, profile_id: str) -> list[Document]:
        return self.database.read(
            lambda session: QueryRepository(session).list_documents(profile_id)
        )

    def delete_query(self, profile_id: str, query_id: str) -> None:
        self.database.write(lambda session: QueryRepository(session).delete(profile_id, query_id))

    def get_app_state(self, key: str) -> str | None:
        return self.database.read(lambda session: AppStateRepository(session).get(key))

    def set_app_state(self, key: str, value: str | None) -> None:
        self.database.write(lambda session: AppStateRepository(session).set(key, value))

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        now = self._now()
        found = self.database.read(
            lambda session: JiraCacheRepository(session).get_document(
                profile_id, query_id, cache_key, now
            )
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
        self.database.write(lambda session: JiraCacheRepository(session).save_document(document))

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[Document]:
        caches = self.database.read(
            lambda session: JiraCacheRepository(session).list(profile_id, query_id)
        )
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
        return self.database.write(
            lambda session: (
                JiraCacheRepository(session).delete_expired(now)
                + JiraChangelogRepository(session).delete_expired(now)
            )
        )

    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        now = self._now()
        found = self.database.read(
            lambda session: JiraChangelogRepository(session).get_document(
                profile_id, query_id, issue_key, now
            )
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
        now, wanted = self._now(), None if issue_keys is None else list(issue_keys)
        found = self.database.read(
            lambda session: JiraChangelogRepository(session).list_documents(
                profile_id, query_id, now, wanted
            )
        )
        return {document["issue_key"]: document["changelog"] for document in found}

    def save_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        changelogs: Mapping[str, Mapping[str, Any]],
        expires_at: datetime | None = None,
    ) -> None:
        documents = [
            {
                "profile_id": profile_id,
                "query_id": query_id,
                "issue_key": issue_key,
                "expires_at": expires_at,
                "changelog": changelog,
            }
            for issue_key, changelog in changelogs.items()
        ]
        self.database.write(
            lambda session: JiraChangelogRepository(session).save_documents(documents)
        )

    def list_jira_changelogs(self, profile_id: str, query_id: str) -> list[Document]:
        found = self.database.read(
            lambda session: JiraChangelogRepository(session).list_keys(profile_id, query_id)
        )
        now = self._now()
        return [
            {**entry, "expired": bool(entry["expires_at"]) and to_utc(entry["expires_at"]) <= now}
            for entry in found
        ]

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        found = self.database.read(
            lambda session: ProjectDataRepository(session).get_document(profile_id, query_id)
        )
        return None if found is None else found["data"]

    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        document = {
            "profile_id": profile_id,
            "query_id": query_id,
            "updated_at": self._now(),
            "data": data,
        }
        self.database.write(lambda session: ProjectDataRepository(session).save_document(document))

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
    ) -> list[Document]:
        if limit is not None and not (isinstance(limit, int) and limit >= 1):
            raise ValidationError.of("Limit", "limit", "1 or more, or None, was expected", limit)
        return self.database.read(
            lambda session: MetricsSnapshotRepository(session).list_documents(
                profile_id, query_id, metric_type, limit
            )
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
        documents = [
            {
                "created_at": now,
                **_mapping("Metrics snapshot", snapshot),
                "profile_id": profile_id,
                "query_id": query_id,
            }
            for snapshot in snapshots
        ]
        self.database.write(
            lambda session: MetricsSnapshotRepository(session).save_documents(documents)
        )

    def get_task_progress(self, task_name: str) -> Document | None:
        return self.database.read(
            lambda session: TaskProgressRepository(session).get_document(task_name)
        )

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
        self.database.write(lambda session: TaskProgressRepository(session).save_document(document))

    def list_task_progress(self) -> list[Document]:
        return self.database.read(lambda session: TaskProgressRepository(session).list_documents())

    def clear_task_progress(self, task_name: str) -> None:
        self.database.write(lambda session: TaskProgressRepository(session).delete(task_name))

    def describe(self) -> Document:
        return {
            "location": self.database.location,
            "size_bytes": self.database.size(),
            "schema_version": self.get_app_state("schema_version") if self.exists() else None,
        }

    def exists(self) -> bool:
        return self.database.exists()

    def check_integrity(self) -> tuple[bool, list[str]]:
        return self.database.check_integrity()

    def records(self, model: type[Entity]) -> Iterator[Document]:
        with self.database.read_session() as session:
            yield from repository_of(model)(session).records()

    def save_records(self, model: type[Entity], records: Iterable[Mapping[str, Any]]) -> None:
        documents = list(records)
        self.database.write(lambda session: repository_of(model)(session).save_documents(documents))

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

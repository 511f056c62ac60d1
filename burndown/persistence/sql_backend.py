"""A workspace in an SQL database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from burndown.database import Database
from burndown.database.foreign_objects import foreign_objects
from burndown.models import Entity
from burndown.models.values import utc_now
from burndown.persistence.document_backend import (
    DocumentBackend,
    checked_limit,
    checked_mapping,
    has_expired,
    listed_caches,
    query_document,
)
from burndown.persistence.interface import Document
from burndown.repositories import (
    AppStateRepository,
    JiraCacheRepository,
    JiraChangelogRepository,
    MetricsSnapshotRepository,
    ProfileRepository,
    ProjectDataRepository,
    QueryRepository,
    TaskProgressRepository,
    records,
    repository_of,
)
from burndown.schema import stored_version

__all__ = ["SQLBackend"]


class SQLBackend(DocumentBackend):
    """The storage of a workspace in a database.

    Args:
        database: where it lies.
        clock: gives the present, by which entries expire.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(clock)
        self.database = database

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.database!r})"

    def get_profile(self, profile_id: str) -> Document | None:
        return self.database.read(
            lambda connection: ProfileRepository(connection).get_document(profile_id)
        )

    def save_profile(self, profile: Mapping[str, Any]) -> None:
        document, now = checked_mapping("Profile", profile), self._now()
        self.database.write(
            lambda connection: ProfileRepository(connection).save_document(document, created_at=now)
        )

    def list_profiles(self) -> list[Document]:
        return self.database.read(lambda connection: ProfileRepository(connection).list_documents())

    def delete_profile(self, profile_id: str) -> None:
        self.database.write(lambda connection: ProfileRepository(connection).delete(profile_id))

    def get_query(self, profile_id: str, query_id: str) -> Document | None:
        return self.database.read(
            lambda connection: QueryRepository(connection).get_document(profile_id, query_id)
        )

    def save_query(self, profile_id: str, query: Mapping[str, Any]) -> None:
        document, now = query_document(profile_id, query), self._now()
        self.database.write(
            lambda connection: QueryRepository(connection).save_document(document, created_at=now)
        )

    def list_queries(self, profile_id: str) -> list[Document]:
        return self.database.read(
            lambda connection: QueryRepository(connection).list_documents(profile_id)
        )

    def delete_query(self, profile_id: str, query_id: str) -> None:
        self.database.write(
            lambda connection: QueryRepository(connection).delete(profile_id, query_id)
        )

    def get_app_state(self, key: str) -> str | None:
        return self.database.read(lambda connection: AppStateRepository(connection).get(key))

    def set_app_state(self, key: str, value: str | None) -> None:
        self.database.write(lambda connection: AppStateRepository(connection).set(key, value))

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        now = self._now()
        found = self.database.read(
            lambda connection: JiraCacheRepository(connection).get_document(
                profile_id, query_id, cache_key, now
            )
        )
        return None if found is None else found["response"]

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[Document]:
        found = self.database.read(
            lambda connection: JiraCacheRepository(connection).list_keys(profile_id, query_id)
        )
        return listed_caches(found, self._now())

    def cleanup_expired_cache(self) -> int:
        now = self._now()
        return self.database.write(
            lambda connection: (
                JiraCacheRepository(connection).delete_expired(now)
                + JiraChangelogRepository(connection).delete_expired(now)
            )
        )

    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        now = self._now()
        found = self.database.read(
            lambda connection: JiraChangelogRepository(connection).get_document(
                profile_id, query_id, issue_key, now
            )
        )
        return None if found is None else found["changelog"]

    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        now, wanted = self._now(), None if issue_keys is None else list(issue_keys)
        found = self.database.read(
            lambda connection: JiraChangelogRepository(connection).list_documents(
                profile_id, query_id, now, wanted
            )
        )
        return {document["issue_key"]: document["changelog"] for document in found}

    def list_jira_changelogs(self, profile_id: str, query_id: str) -> list[Document]:
        found = self.database.read(
            lambda connection: JiraChangelogRepository(connection).list_keys(profile_id, query_id)
        )
        now = self._now()
        return [{**entry, "expired": has_expired(entry, now)} for entry in found]

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        found = self.database.read(
            lambda connection: ProjectDataRepository(connection).get_document(profile_id, query_id)
        )
        return None if found is None else found["data"]

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
    ) -> list[Document]:
        checked_limit(limit)
        return self.database.read(
            lambda connection: MetricsSnapshotRepository(connection).list_documents(
                profile_id, query_id, metric_type, limit
            )
        )

    def get_task_progress(self, task_name: str) -> Document | None:
        return self.database.read(
            lambda connection: TaskProgressRepository(connection).get_document(task_name)
        )

    def list_task_progress(self) -> list[Document]:
        return self.database.read(
            lambda connection: TaskProgressRepository(connection).list_documents()
        )

    def clear_task_progress(self, task_name: str) -> None:
        self.database.write(lambda connection: TaskProgressRepository(connection).delete(task_name))

    def describe(self) -> Document:
        return {
            "location": self.database.location,
            "size_bytes": self.database.size(),
            "schema_version": self._schema_version() if self.exists() else None,
        }

    def _schema_version(self) -> str | None:
        with self.database.read_session() as session:
            return stored_version(session.connection())

    def exists(self) -> bool:
        return self.database.exists()

    def check_integrity(self) -> tuple[bool, list[str]]:
        return self.database.check_integrity()

    def backup(self, path: str | Path) -> Path:
        target = Path(path).absolute()
        self.database.backup(target)
        return target

    def records(self, model: type[Entity], profile_id: str | None = None) -> Iterator[Document]:
        return records(self.database.read, repository_of(model), profile_id)

    def save_records(self, model: type[Entity], records: Iterable[Mapping[str, Any]]) -> None:
        documents = list(records)
        self.database.write(
            lambda connection: repository_of(model)(connection).save_documents(documents)
        )

    def foreign_objects(self) -> list[str]:
        with self.database.read_session() as session:
            return foreign_objects(session.connection())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.database.session():
            yield

    def close(self) -> None:
        self.database.close()

"""A workspace in an SQL database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from burndown.database import Database
from burndown.database.foreign_objects import foreign_objects
from burndown.models import (
    EXPIRING_ENTITIES,
    AppState,
    BudgetDocument,
    Entity,
    JiraCacheEntry,
    JiraChangelogEntry,
    MetricsSnapshotDocument,
    Profile,
    ProfileDocument,
    Query,
    QueryData,
    QueryDocument,
    TaskProgressDocument,
    Week,
)
from burndown.models.codec import codec_of
from burndown.models.public_document import without_masked_token
from burndown.models.timestamps import utc_now
from burndown.persistence.arguments import checked_limit, checked_weeks, document_of, query_document
from burndown.persistence.caching import listed_cache, listed_changelog
from burndown.persistence.interface import Document, PersistenceBackend
from burndown.repositories.app_state import delete_app_state, get_app_state
from burndown.repositories.base import delete_expired, iterate_records, save_rows
from burndown.repositories.budget import get_budget
from burndown.repositories.deletion import delete_rows
from burndown.repositories.jira_cache import get_jira_cache, list_jira_caches
from burndown.repositories.jira_changelog import (
    get_jira_changelog,
    get_jira_changelogs,
    list_jira_changelogs,
)
from burndown.repositories.metrics_snapshot import list_metrics_snapshots, patch_metrics_snapshot
from burndown.repositories.profile import delete_profile, get_profile, list_profiles, save_profile
from burndown.repositories.project_data import get_project_data
from burndown.repositories.query import delete_query, get_query, list_queries
from burndown.repositories.revisions import save_revised
from burndown.repositories.task_progress import (
    delete_task_progress,
    get_task_progress,
    list_task_progress,
)
from burndown.schema import stored_version
from burndown.sql import Executor

__all__ = ["SQLBackend"]


class SQLBackend(PersistenceBackend):
    """The storage of a workspace in an SQL database.

    Args:
        database: the database.
        clock: returns the current time.
    """

    # Reads that `PersistenceBackend` writes in terms of records are single statements here: the
    # database finds a row by its key, compares expiries, and lists caches without their responses.

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(clock)
        self.database = database

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.database!r})"

    def get_profile(self, profile_id: str) -> ProfileDocument | None:
        return self.database.read(get_profile, profile_id)

    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        given = {**document_of(Profile, profile)}  # read again within the transaction
        [row] = codec_of(Profile).rows([{"created_at": self.now(), **without_masked_token(given)}])
        self.database.write(save_profile, given, row, profile)

    def list_profiles(self) -> list[ProfileDocument]:
        return self.database.read(list_profiles)

    def delete_profile(self, profile_id: str) -> None:
        self.database.write(delete_profile, profile_id)

    def get_query(self, profile_id: str, query_id: str) -> QueryDocument | None:
        return self.database.read(get_query, profile_id, query_id)

    def save_query(self, profile_id: str, query: Mapping[str, Any] | Query) -> None:
        given = query_document(profile_id, query)
        [row] = codec_of(Query).rows([{"created_at": self.now(), **given}])
        self.database.write(save_revised, Query, given, row, query)

    def list_queries(self, profile_id: str) -> list[QueryDocument]:
        return self.database.read(list_queries, profile_id)

    def delete_query(self, profile_id: str, query_id: str) -> None:
        self.database.write(delete_query, profile_id, query_id)

    def get_app_state(self, key: str) -> str | None:
        return self.database.read(get_app_state, key)

    def set_app_state(self, key: str, value: str | None) -> None:
        if value is None:
            self.database.write(delete_app_state, key)
        else:
            self.save_records(AppState, [{"key": key, "value": value}])

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        found = self.database.read(get_jira_cache, profile_id, query_id, cache_key, self.now())
        return None if found is None else found["response"]

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[JiraCacheEntry]:
        now = self.now()
        found = self.database.read(list_jira_caches, profile_id, query_id)
        return [listed_cache(each, now) for each in found]

    def cleanup_expired_cache(self) -> int:
        return self.database.write(_delete_expired, self.now())

    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        found = self.database.read(get_jira_changelog, profile_id, query_id, issue_key, self.now())
        return None if found is None else found["changelog"]

    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        # A list, as the statement can run again after a conflict on a server.
        wanted = None if issue_keys is None else list(issue_keys)
        found = self.database.read(get_jira_changelogs, profile_id, query_id, self.now(), wanted)
        return {document["issue_key"]: document["changelog"] for document in found}

    def list_jira_changelogs(self, profile_id: str, query_id: str) -> list[JiraChangelogEntry]:
        now = self.now()
        found = self.database.read(list_jira_changelogs, profile_id, query_id)
        return [listed_changelog(each, now) for each in found]

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        found = self.database.read(get_project_data, profile_id, query_id)
        return None if found is None else found["data"]

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
        since: Week | date | str | None = None,
        until: Week | date | str | None = None,
    ) -> list[MetricsSnapshotDocument]:
        return self.database.read(
            list_metrics_snapshots,
            profile_id,
            query_id,
            metric_type,
            checked_limit(limit),
            *checked_weeks(since, until),
        )

    def _patch_snapshot(self, patch: Document) -> None:
        self.database.write(patch_metrics_snapshot, patch)

    def get_budget(self, profile_id: str, query_id: str) -> BudgetDocument | None:
        return self.database.read(get_budget, profile_id, query_id)

    def get_task_progress(self, task_name: str) -> TaskProgressDocument | None:
        return self.database.read(get_task_progress, task_name)

    def list_task_progress(self) -> list[TaskProgressDocument]:
        return self.database.read(list_task_progress)

    def clear_task_progress(self, task_name: str) -> None:
        self.database.write(delete_task_progress, task_name)

    def describe(self) -> Document:
        return {
            "location": self.database.location,
            "size_bytes": self.database.size(),
            "free_bytes": self.database.free_bytes(),
            "schema_version": self._schema_version() if self.exists() else None,
        }

    def compact(self) -> int:
        return self.database.compact()

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

    def records(
        self, entity: type[Entity], profile_id: str | None = None, query_id: str | None = None
    ) -> Iterator[Document]:
        return iterate_records(self.database.read, entity, profile_id, query_id)

    def save_records(
        self, entity: type[Entity], records: Iterable[Mapping[str, Any] | Entity]
    ) -> None:
        # Validated and encoded before the transaction begins, so that others can write meanwhile.
        rows = codec_of(entity).rows(document_of(entity, each) for each in records)
        self.database.write(save_rows, entity, rows)

    def delete_records(
        self,
        entity: type[QueryData],
        profile_id: str,
        query_id: str | None = None,
        *,
        one_of: Mapping[str, Iterable[str]] = MappingProxyType({}),
        between: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    ) -> int:
        return self.database.write(delete_rows, entity, profile_id, query_id, one_of, between)

    def foreign_objects(self) -> list[str]:
        with self.database.read_session() as session:
            return foreign_objects(session.connection())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.database.session():
            yield

    def close(self) -> None:
        self.database.close()


def _delete_expired(executor: Executor, now: datetime) -> int:
    return sum(delete_expired(executor, entity, now) for entity in EXPIRING_ENTITIES)

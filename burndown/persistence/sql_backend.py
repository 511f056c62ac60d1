"""A workspace in an SQL database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from burndown import models, repositories
from burndown.database import Database
from burndown.database.foreign_objects import foreign_objects
from burndown.jira.merging import check_changes
from burndown.models.codec import codec_of
from burndown.models.public_documents import with_removed_token, without_masked_token
from burndown.models.timestamps import utc_now
from burndown.persistence.arguments import (
    checked_issue_keys,
    checked_limit,
    checked_weeks,
    document_of,
    query_document,
)
from burndown.persistence.budget_store import BudgetChange
from burndown.persistence.caching import (
    cache_limits,
    cache_record,
    found_changelog,
    found_response,
    listed_cache,
    listed_changelog,
    log_cleanup,
    query_status,
    stale_limit,
)
from burndown.persistence.interface import Document, PersistenceBackend
from burndown.persistence.patches import patched
from burndown.persistence.task import TaskChange, reported, task_report
from burndown.repositories.base import delete_expired, iterate_records, save_records
from burndown.repositories.deletion import delete_keys, delete_rows
from burndown.sql import Executor

__all__ = ["SQLBackend"]

T = TypeVar("T")

# Deleting 100,000 responses of 10 KB takes SQLite 20 seconds.
_DELETION_SECONDS = 0.05
"""How long one transaction deletes cached data: other writers wait for it."""

# Longer than the 2 ms after which a writer tries again.
_PAUSE_SECONDS = 0.005
"""The pause until the next one, in which others can write."""


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
        self._backup_suffix = ".dump" if database.path is None else ".db"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.database!r})"

    def get_profile(self, profile_id: str) -> models.ProfileDocument | None:
        return self.database.read(repositories.profile.get_profile, profile_id)

    def save_profile(self, profile: Mapping[str, Any] | models.Profile) -> None:
        given = {**document_of(models.Profile, profile)}  # read again within the transaction
        row = self._row(models.Profile, given)
        self.database.write_scoped(
            _profile(row["id"]), repositories.profile.save_profile, given, row, profile
        )

    def patch_profile(
        self, profile_id: str, changes: Mapping[str, Any], if_revision: int | None = None
    ) -> models.ProfileDocument:
        def change(stored: Document) -> tuple[Mapping[str, Any], dict[str, Any]]:
            document = patched(models.Profile, stored, changes, if_revision)
            given = with_removed_token(document, stored)
            return given, self._row(models.Profile, given)

        return self.database.write_scoped(
            _profile(profile_id), repositories.profile.change_profile, profile_id, change
        )

    def list_profiles(self) -> list[models.ProfileDocument]:
        return self.database.read(repositories.profile.list_profiles)

    def get_query(self, profile_id: str, query_id: str) -> models.QueryDocument | None:
        return self.database.read(repositories.query.get_query, profile_id, query_id)

    def save_query(self, profile_id: str, query: Mapping[str, Any] | models.Query) -> None:
        given = query_document(profile_id, query)
        row = self._row(models.Query, given)
        self.database.write_scoped(
            _profile(profile_id),
            repositories.revisions.save_revised,
            models.Query,
            given,
            row,
            query,
        )

    def patch_query(
        self,
        profile_id: str,
        query_id: str,
        changes: Mapping[str, Any],
        if_revision: int | None = None,
    ) -> models.QueryDocument:
        def change(stored: Document) -> tuple[Document, dict[str, Any]]:
            given = patched(models.Query, stored, changes, if_revision)
            return given, self._row(models.Query, given)

        return self.database.write_scoped(
            _profile(profile_id), repositories.query.change_query, profile_id, query_id, change
        )

    def _row(self, entity: type[models.NamedEntity], given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a document by column, with its creation if that was not given."""
        created = {"created_at": self.now()}
        [row] = codec_of(entity).rows([{**created, **without_masked_token(given)}])
        return row

    def list_queries(self, profile_id: str) -> list[models.QueryDocument]:
        return self.database.read(repositories.query.list_queries, profile_id)

    def query_status(self, profile_id: str) -> list[models.QueryStatus]:
        now = self.now()
        return [
            query_status(each["query_id"], each["name"], each if each["created_at"] else None, now)
            for each in self.database.read(
                repositories.jira_cache.list_newest_jira_caches, profile_id
            )
        ]

    def get_app_state(self, key: str) -> str | None:
        return self.database.read(repositories.app_state.get_app_state, key)

    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        found = self.database.read(
            repositories.jira_cache.get_jira_cache, profile_id, query_id, cache_key, self.now()
        )
        return None if found is None else found["response"]

    def merge_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        changed: Iterable[Mapping[str, Any]],
        removed: Iterable[str],
        expires_at: datetime | timedelta,
    ) -> models.JiraCacheEntry | None:
        issues, keys = check_changes(changed, removed)
        now = self.now()
        record = cache_record(profile_id, query_id, cache_key, expires_at, now)
        codec = codec_of(models.JiraCache)
        [document] = codec.complete([{**record, "response": {}}])
        [row] = codec.rows([document])
        scope = _profile(profile_id)
        counts = self.database.write_scoped(
            scope, repositories.jira_cache.merge_jira_cache, row, issues, keys
        )
        return None if counts is None else listed_cache({**document, **counts}, now)

    def find_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        max_stale: timedelta | None = None,
    ) -> models.FoundResponse | None:
        now = self.now()
        limit = stale_limit(now, max_stale)
        found = self.database.read(
            repositories.jira_cache.get_jira_cache, profile_id, query_id, cache_key, limit
        )
        return None if found is None else found_response(found, now)

    def list_jira_caches(self, profile_id: str, query_id: str) -> list[models.JiraCacheEntry]:
        now = self.now()
        found = self.database.read(repositories.jira_cache.list_jira_caches, profile_id, query_id)
        return [listed_cache(each, now) for each in found]

    def cleanup_expired_cache(self, max_stale: timedelta | None = timedelta()) -> int:
        limit = stale_limit(self.now(), max_stale)
        if limit is None:
            return 0
        delete = partial(delete_expired, now=limit)
        return log_cleanup(self._delete_in_parts(None, delete, models.EXPIRING_ENTITIES))

    def cleanup(self, max_bytes: int | None = None, profile_id: str | None = None) -> int:
        limits, now = cache_limits(self, max_bytes, profile_id), self.now()
        return log_cleanup(sum(self._delete_above(limit, now, owner) for owner, limit in limits))

    def _delete_above(self, max_bytes: int, now: datetime, profile_id: str | None) -> int:
        if self.database.read(repositories.cache_size.cached_bytes, profile_id) <= max_bytes:
            return 0
        rank = self.database.read(repositories.cache_size.rank_above, max_bytes, now, profile_id)
        if rank is None:  # others have deleted meanwhile
            return 0
        scope = None if profile_id is None else _profile(profile_id)
        delete = partial(repositories.cache_size.delete_up_to, rank=rank, now=now)
        queries = self.database.read(repositories.cache_size.list_query_ids, profile_id)
        return self._delete_in_parts(scope, delete, queries)

    def _delete_in_parts(
        self,
        scope: str | None,
        delete: Callable[[Executor, Sequence[T], float], tuple[int, Sequence[T]]],
        left: Sequence[T],
    ) -> int:
        """Delete cached data in short transactions, with pauses in which others can write.

        Args:
            scope: what is deleted, as for :meth:`Database.write_scoped`.
            delete: deletes a part within some seconds; returns the number of rows, and what is
                left.
            left: of what rows are deleted, such as entities.

        Returns:
            The number of deleted rows.
        """
        deleted = 0
        while left:
            count, left = self.database.write_scoped(scope, delete, left, _DELETION_SECONDS)
            deleted += count
            if left and not self.in_transaction():
                time.sleep(_PAUSE_SECONDS)
        return deleted

    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        found = self.database.read(
            repositories.jira_changelog.get_jira_changelog,
            profile_id,
            query_id,
            issue_key,
            self.now(),
        )
        return None if found is None else found["changelog"]

    def find_jira_changelog(
        self,
        profile_id: str,
        query_id: str,
        issue_key: str,
        max_stale: timedelta | None = None,
    ) -> models.FoundChangelog | None:
        now = self.now()
        limit = stale_limit(now, max_stale)
        found = self.database.read(
            repositories.jira_changelog.get_jira_changelog, profile_id, query_id, issue_key, limit
        )
        return None if found is None else found_changelog(found, now)

    def find_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        issue_keys: Iterable[str] | None = None,
        max_stale: timedelta | None = None,
    ) -> dict[str, models.FoundChangelog]:
        now = self.now()
        limit = stale_limit(now, max_stale)
        wanted = checked_issue_keys(issue_keys)
        found = self.database.read(
            repositories.jira_changelog.get_jira_changelogs, profile_id, query_id, limit, wanted
        )
        return {document["issue_key"]: found_changelog(document, now) for document in found}

    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        wanted = checked_issue_keys(issue_keys)
        found = self.database.read(
            repositories.jira_changelog.get_jira_changelogs,
            profile_id,
            query_id,
            self.now(),
            wanted,
        )
        return {document["issue_key"]: document["changelog"] for document in found}

    def list_jira_changelogs(
        self, profile_id: str, query_id: str
    ) -> list[models.JiraChangelogEntry]:
        now = self.now()
        found = self.database.read(
            repositories.jira_changelog.list_jira_changelogs, profile_id, query_id
        )
        return [listed_changelog(each, now) for each in found]

    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        found = self.database.read(repositories.project_data.get_project_data, profile_id, query_id)
        return None if found is None else found["data"]

    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
        since: models.Week | date | str | None = None,
        until: models.Week | date | str | None = None,
    ) -> list[models.MetricsSnapshotDocument]:
        return self.database.read(
            repositories.metrics_snapshot.list_metrics_snapshots,
            profile_id,
            query_id,
            metric_type,
            checked_limit(limit),
            *checked_weeks(since, until),
        )

    def _patch_snapshot(self, patch: Document) -> None:
        scope = _profile(patch["profile_id"])
        self.database.write_scoped(
            scope, repositories.metrics_snapshot.patch_metrics_snapshot, patch
        )

    def get_budget(self, profile_id: str, query_id: str) -> models.BudgetDocument | None:
        return self.database.read(repositories.budget.get_budget, profile_id, query_id)

    def _change_budget(self, profile_id: str, query_id: str, change: BudgetChange) -> None:
        scope = _profile(profile_id)
        self.database.write_scoped(
            scope, repositories.budget.change_budget, profile_id, query_id, change
        )

    def get_task_progress(self, task_name: str) -> models.TaskProgressDocument | None:
        found = self.database.read(repositories.task_progress.get_task_progress, task_name)
        return None if found is None else reported(found, self.now())

    def save_task_progress(
        self, task_name: str, progress_percent: float, status: str, message: str = ""
    ) -> None:
        report = task_report(task_name, progress_percent, status, message, self.now())
        [row] = codec_of(models.TaskProgress).rows([report])
        self.database.write_scoped(
            _scope(models.TaskProgress, [task_name]),
            repositories.task_progress.save_task_report,
            row,
        )

    def list_task_progress(self) -> list[models.TaskProgressDocument]:
        now = self.now()
        return [
            reported(each, now)
            for each in self.database.read(repositories.task_progress.list_task_progress)
        ]

    def _change_task(self, task_name: str, change: TaskChange) -> Mapping[str, Any] | None:
        scope = _scope(models.TaskProgress, [task_name])
        return self.database.write_scoped(
            scope, repositories.task_progress.change_task_progress, task_name, change
        )

    def describe(self) -> Document:
        return {
            "location": self.database.location,
            "size_bytes": self.database.size(),
            "free_bytes": self.database.free_bytes(),
            "schema_version": self.database.stored_version() if self.exists() else None,
        }

    def compact(self) -> int:
        return self.database.compact()

    def erase_deleted(self) -> None:
        self.database.erase_deleted()

    def exists(self) -> bool:
        return self.database.exists()

    def check_integrity(self) -> tuple[bool, list[str]]:
        return self.database.check_integrity()

    def integrity_notes(self) -> list[str]:
        return self.database.integrity_notes()

    def accept_edits(self) -> int:
        return self.database.accept_edits()

    def _back_up(self, target: Path) -> None:
        self.database.backup(target)

    def restore(self, path: str | Path) -> Path | None:
        return self.database.restore(Path(path).absolute())

    def records(
        self,
        entity: type[models.Entity],
        profile_id: str | None = None,
        query_id: str | None = None,
    ) -> Iterator[Document]:
        return iterate_records(self.database.read, entity, profile_id, query_id)

    def save_records(
        self, entity: type[models.Entity], records: Iterable[Mapping[str, Any] | models.Entity]
    ) -> None:
        # Validated and encoded before the transaction begins, so that others can write meanwhile.
        documents = [document_of(entity, each) for each in records]
        rows = codec_of(entity).rows(documents)
        owner = next(iter(entity.__table__.primary_key)).name
        scope = _scope(entity, [row[owner] for row in rows])
        self.database.write_scoped(scope, save_records, entity, documents, rows)

    def delete_records(
        self,
        entity: type[models.QueryData],
        profile_id: str,
        query_id: str | None = None,
        *,
        one_of: Mapping[str, Iterable[str]] = MappingProxyType({}),
        between: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    ) -> int:
        return self.database.write_scoped(
            _profile(profile_id), delete_rows, entity, profile_id, query_id, one_of, between
        )

    def _delete_keys(self, entity: type[models.Entity], keys: Iterable[tuple[str, ...]]) -> int:
        given = list(keys)
        scope = _scope(entity, [key[0] for key in given])
        return self.database.write_scoped(scope, delete_keys, entity, given)

    def foreign_objects(self) -> list[str]:
        with self.database.read_session() as session:
            return foreign_objects(session.connection())

    def in_transaction(self) -> bool:
        return self.database.in_session()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.database.session():
            yield

    def close(self) -> None:
        self.database.close()


def _profile(profile_id: str) -> str:
    """Return the scope of a call that reads and writes one profile, and what belongs to it."""
    return f"profile {profile_id}"


def _scope(entity: type[models.Entity], owners: Iterable[str]) -> str | None:
    """Return the scope of a call that reads and writes records of an entity.

    Args:
        entity: the entity.
        owners: the first column of the primary key of each record: its profile, if it has one.

    Returns:
        The scope; ``None`` for the whole store, if they have several owners.
    """
    found = set(map(str, owners))
    if len(found) != 1:
        return None
    [owner] = found
    return f"{entity.__tablename__} {owner}" if entity.PROFILE_COLUMN is None else _profile(owner)

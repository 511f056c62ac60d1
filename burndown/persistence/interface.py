"""What every storage can do, whatever it stores in."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from burndown.models import Document, Entity

__all__ = ["Document", "PersistenceBackend"]


class PersistenceBackend(ABC):
    """The storage of a workspace, safe to use from many threads.

    Every call is a transaction of its own, unless it is made within :meth:`transaction`. What a
    call has returned from survives a killed process; a call that raises has changed nothing. The
    one exception: when the very last flush of a commit to the disk (``fsync``) fails, the call
    raises although what it saved may be stored; read it before you try again.

    Every call can raise :class:`~burndown.errors.StorageError`. Every call that saves raises
    :class:`~burndown.errors.ValidationError` for what is not valid or cannot be stored exactly,
    and :class:`~burndown.errors.ProfileNotFoundError` or
    :class:`~burndown.errors.QueryNotFoundError` below a profile or query that does not exist.
    """

    # --- profiles ----------------------------------------------------------------------------

    @abstractmethod
    def get_profile(self, profile_id: str) -> Document | None:
        """The profile, with its Jira token in clear, or ``None``.

        Always with ``id``, ``name``, ``description``, ``created_at``, ``last_used``,
        ``jira_config``, ``field_mappings``, ``forecast_settings``, ``project_classification``,
        ``flow_type_mappings``, ``show_milestone`` and ``show_points``, beside whatever other keys
        were saved. Sections hold what was set; :class:`~burndown.models.Profile` knows defaults.
        """

    @abstractmethod
    def save_profile(self, profile: Mapping[str, Any]) -> None:
        """Add the profile, or replace the one of its id as a whole.

        Only ``id`` is required. Without ``created_at`` or ``last_used`` a new profile has the
        present, and an existing one keeps its own.
        """

    @abstractmethod
    def list_profiles(self) -> list[Document]:
        """All profiles, most recently used first."""

    @abstractmethod
    def delete_profile(self, profile_id: str) -> None:
        """Delete the profile with its queries and all their data.

        Raises:
            ProfileNotFoundError: there is none.
        """

    # --- queries -----------------------------------------------------------------------------

    @abstractmethod
    def get_query(self, profile_id: str, query_id: str) -> Document | None:
        """The query, or ``None``.

        Always with ``profile_id``, ``id``, ``name``, ``jql``, ``description``, ``created_at``,
        ``last_used`` and ``updated_at`` (when it was last edited, ``None`` if never), beside
        whatever other keys were saved.
        """

    @abstractmethod
    def save_query(self, profile_id: str, query: Mapping[str, Any]) -> None:
        """Add the query, or replace the one of its id as a whole.

        Only ``id`` is required. Without ``created_at`` or ``last_used`` a new query has the
        present, and an existing one keeps its own, as it does its ``updated_at``.
        """

    @abstractmethod
    def list_queries(self, profile_id: str) -> list[Document]:
        """The profile's queries, most recently used first; empty if there is no such profile."""

    @abstractmethod
    def delete_query(self, profile_id: str, query_id: str) -> None:
        """Delete the query with all its data.

        Raises:
            QueryNotFoundError: the profile has none of this id.
        """

    # --- app state ---------------------------------------------------------------------------

    @abstractmethod
    def get_app_state(self, key: str) -> str | None:
        """The remembered text, or ``None``."""

    @abstractmethod
    def set_app_state(self, key: str, value: str | None) -> None:
        """Remember the text, or forget the key for ``None``."""

    # --- cached Jira responses ---------------------------------------------------------------

    @abstractmethod
    def get_jira_cache(self, profile_id: str, query_id: str, cache_key: str) -> Document | None:
        """Return the response as it was saved, or ``None`` if there is none or it has expired."""

    @abstractmethod
    def save_jira_cache(
        self,
        profile_id: str,
        query_id: str,
        cache_key: str,
        response: Mapping[str, Any],
        expires_at: datetime | timedelta,
    ) -> None:
        """Cache a Jira response until it expires, in place of an earlier one of this key.

        Args:
            profile_id: the profile of the query.
            query_id: the query that Jira responded to.
            cache_key: the cache key, such as :func:`burndown.jira_cache_key` makes it.
            response: the response, normally with ``issues`` and ``total``.
            expires_at: how long from now, such as ``timedelta(hours=24)``; or a timestamp, in local
                time if it has no offset. ``datetime.max``, in any time zone, and a ``timedelta``
                that would pass it mean never; what is not after now has expired already.
        """

    @abstractmethod
    def list_jira_caches(self, profile_id: str, query_id: str) -> list[Document]:
        """Return what is cached for the query, expired responses included, newest first.

        Each has ``cache_key``, ``created_at``, ``expires_at``, ``expired``, ``issue_count`` (issues
        with the same key count once) and ``is_complete``: whether the response holds all issues
        that it says there are, ``None`` if it does not say so, or contradicts itself.
        """

    @abstractmethod
    def cleanup_expired_cache(self) -> int:
        """Delete expired responses and changelogs; return how many there were."""

    # --- changelogs --------------------------------------------------------------------------

    @abstractmethod
    def get_jira_changelog(self, profile_id: str, query_id: str, issue_key: str) -> Document | None:
        """Return the changelog of an issue, or ``None`` if there is none or it has expired."""

    @abstractmethod
    def save_jira_changelog(
        self,
        profile_id: str,
        query_id: str,
        issue_key: str,
        changelog: Mapping[str, Any],
        expires_at: datetime | timedelta | None = None,
    ) -> None:
        """Cache the changelog of an issue until it expires, in place of an earlier one.

        Args:
            profile_id: the profile of the query.
            query_id: the query that found the issue.
            issue_key: the key of the issue, such as ``KAFKA-19853``.
            changelog: the issue with its ``changelog``, a page of it, or a bulk fetch.
            expires_at: as for :meth:`save_jira_cache`; ``None`` means never.
        """

    @abstractmethod
    def get_jira_changelogs(
        self, profile_id: str, query_id: str, issue_keys: Iterable[str] | None = None
    ) -> dict[str, Document]:
        """Return the changelogs of these issues, or of all, by issue key; without expired ones."""

    @abstractmethod
    def save_jira_changelogs(
        self,
        profile_id: str,
        query_id: str,
        changelogs: Mapping[str, Mapping[str, Any]],
        expires_at: datetime | timedelta | None = None,
    ) -> None:
        """Cache the changelogs of many issues, by issue key; all of them or none.

        Args:
            profile_id: the profile of the query.
            query_id: the query that found the issues.
            changelogs: as for :meth:`save_jira_changelog`, by issue key.
            expires_at: as for :meth:`save_jira_cache`, for all of them; ``None`` means never.
        """

    @abstractmethod
    def list_jira_changelogs(self, profile_id: str, query_id: str) -> list[Document]:
        """Which histories are kept for the query, expired ones included, by issue key.

        Each with ``issue_key``, ``expires_at`` (``None`` for never), ``expired`` and
        ``is_complete``: ``None`` if the payload does not say.
        """

    # --- project data ------------------------------------------------------------------------

    @abstractmethod
    def get_project_data(self, profile_id: str, query_id: str) -> Document | None:
        """The project data as it was saved, or ``None``."""

    @abstractmethod
    def save_project_data(self, profile_id: str, query_id: str, data: Mapping[str, Any]) -> None:
        """Keep the project data of the query, in place of what there was."""

    # --- metrics -----------------------------------------------------------------------------

    @abstractmethod
    def get_metrics_snapshots(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = 52,
    ) -> list[Document]:
        """Snapshots of one metric type or of all, newest week first.

        Each with ``profile_id``, ``query_id``, ``snapshot_date`` (``2025-W12``), ``metric_type``,
        ``created_at``, ``metrics`` and ``forecast`` (``None`` if there is none).

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            metric_type: such as ``dora`` or ``flow``; ``None`` for all.
            limit: how many at most, 1 or more; ``None`` for all.
        """

    @abstractmethod
    def save_metrics_snapshot(
        self,
        profile_id: str,
        query_id: str,
        snapshot_date: str,
        metric_type: str,
        metrics: Mapping[str, Any],
        forecast: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep the metrics of one type in one week, in place of earlier ones.

        Args:
            profile_id: the profile of the query.
            query_id: the query.
            snapshot_date: an ISO week, ``2025-W12``.
            metric_type: ``dora``, ``flow`` or another lower-case word.
            metrics: numbers, texts, objects or null, by name.
            forecast: what was forecast.
        """

    @abstractmethod
    def save_metrics_snapshots(
        self, profile_id: str, query_id: str, snapshots: Iterable[Mapping[str, Any]]
    ) -> None:
        """Keep many snapshots, all of them or none.

        Each has ``snapshot_date``, ``metric_type`` and ``metrics``, and can have ``forecast`` and
        ``created_at``.
        """

    # --- tasks -------------------------------------------------------------------------------

    @abstractmethod
    def get_task_progress(self, task_name: str) -> Document | None:
        """How far the task is, or ``None`` if it is not known.

        With ``task_name``, ``progress_percent`` (0 to 100), ``status``, ``message`` and
        ``updated_at``.
        """

    @abstractmethod
    def save_task_progress(
        self, task_name: str, progress_percent: float, status: str, message: str = ""
    ) -> None:
        """Say how far a task is.

        Args:
            task_name: which task.
            progress_percent: 0 to 100.
            status: a lower-case word, such as ``running``.
            message: what it is doing, for people.
        """

    @abstractmethod
    def list_task_progress(self) -> list[Document]:
        """How far all known tasks are, by name."""

    @abstractmethod
    def clear_task_progress(self, task_name: str) -> None:
        """Forget the task, if it is known."""

    # --- the whole ---------------------------------------------------------------------------

    @abstractmethod
    def describe(self) -> Document:
        """Where the data lies: ``location``, ``size_bytes`` and ``schema_version``.

        A password in the location is not shown. The version is ``None`` if nothing has been made.
        """

    @abstractmethod
    def exists(self) -> bool:
        """Whether the storage has been made; makes nothing."""

    @abstractmethod
    def check_integrity(self) -> tuple[bool, list[str]]:
        """Whether all that is stored is whole: ``(True, [])``, or one text for each problem."""

    @abstractmethod
    def backup(self, path: str | Path) -> Path:
        """Copy all that is committed to a new path, while others read and write.

        The copy is a store of the same kind, which ``open_backend`` opens: one file for SQLite, a
        folder for JSON files, readable for its owner only. It holds one state of the data, without
        what a transaction that is still open has written, even if that is the caller's. It is
        checked as :meth:`check_integrity` does, and appears complete or not at all.

        Args:
            path: where nothing is yet; missing folders above it are made.

        Returns:
            The absolute path of the copy.

        Raises:
            StorageError: there is nothing to copy; there is something at the path; the disk is
                full or read-only; or the store makes backups with a program of its own, which
                the error names (``pg_dump`` for PostgreSQL).
            DatabaseCorruptionError: what is stored is damaged; there is no copy of it.
        """

    @abstractmethod
    def records(self, model: type[Entity], profile_id: str | None = None) -> Iterator[Document]:
        """All that is stored of one kind, by key, each as a document with all its fields.

        Args:
            model: what kind, such as :class:`~burndown.models.Query`. The fields of the documents
                are those of the model, moments that no other call gives included.
            profile_id: only what is of this profile; nothing if there is none, or if the kind
                belongs to no profile.
        """

    @abstractmethod
    def save_records(self, model: type[Entity], records: Iterable[Mapping[str, Any]]) -> None:
        """Keep what :meth:`records` gave, exactly as it was; all of it or none."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Make several calls one: all are kept at the end, or none after an error.

        It takes the lock with its first call, and belongs to the thread and the asyncio task that
        began it; it may end in another thread. Within another transaction of theirs, an error
        undoes just the inner part.

        Raises:
            TransactionAbortedError: the storage has ended the transaction after an error, such as
                a full disk, or this process was forked within it; nothing of it was stored. So
                does each call in it from then on.
        """

    def foreign_objects(self) -> list[str]:
        """Return what others have added to the store and a copy does not have.

        Returns:
            Such as ``table mine`` or ``column team of profiles``.
        """
        return []

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; the next call opens them again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

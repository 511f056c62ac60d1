"""The interface that every backend implements, wherever it stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from burndown import models
from burndown.errors import ProfileNotFoundError, QueryNotFoundError
from burndown.models import Document
from burndown.models.codec import codec_of
from burndown.models.public_documents import (
    with_removed_token,
    with_stored_secrets,
    without_masked_token,
)
from burndown.models.sealer import sealer_of
from burndown.models.sealing import secrets_as_stored
from burndown.models.submodel import to_documents
from burndown.models.timestamps import to_utc
from burndown.persistence.arguments import document_of, query_document
from burndown.persistence.backup_store import BackupStore
from burndown.persistence.caching import query_status
from burndown.persistence.fetching_store import FetchingStore
from burndown.persistence.patches import patched, replacing

__all__ = ["Document", "PersistenceBackend"]


class PersistenceBackend(FetchingStore, BackupStore):
    """The storage of a workspace: profiles, their queries, and the data of each query.

    Backends can be used from many threads. Every call is a transaction of its own, unless it is
    made within :meth:`transaction`. What a call stored before it returned survives a killed
    process; a call that raises has changed nothing. The one exception: if the last flush of a
    commit to the disk (``fsync``) fails, the call raises although its changes may be stored; read
    them before you try again.

    Modules of this package define the methods: ``query_data_store`` those for the data of a query,
    ``metrics_store`` those for its metrics, ``budget_store`` those for its budget,
    ``freshness_store`` those for the age and size of cached data, ``fetching_store`` those that
    fetch it, ``task_store`` those for tasks, ``backup_store`` those for backups, and
    ``record_store`` those for records, transactions and the store itself.

    Documents are plain dicts of JSON values. Timestamps in them are ISO 8601 strings in UTC.
    Values of numpy and pandas that are exactly JSON values, such as ``numpy.int64(3)``, are saved
    as those.

    Every call can raise :class:`~burndown.errors.StorageError`. Calls that save raise
    :class:`~burndown.errors.ValidationError` for values that are not valid or cannot be stored
    exactly, and :class:`~burndown.errors.ProfileNotFoundError` or
    :class:`~burndown.errors.QueryNotFoundError` if the profile or query they save into does not
    exist.

    A backend implements the abstract methods. The others are written in terms of them, and a
    backend overrides one only to be faster.

    Args:
        clock: returns the current time. A ``datetime`` without an offset is local time.
    """

    # --- profiles ----------------------------------------------------------------------------

    def get_profile(self, profile_id: str) -> models.ProfileDocument | None:
        """Return the profile, with its Jira token in plain text, or ``None``.

        It always has ``id``, ``name``, ``description``, ``created_at``, ``last_used``,
        ``revision`` (1 at first, raised by each change of anything but these times),
        ``jira_config``, ``field_mappings``, ``forecast_settings``, ``project_classification``,
        ``flow_type_mappings``, ``show_milestone`` and ``show_points``, and all other keys that were
        saved. Sections hold only what was set; :class:`~burndown.models.Profile` has the defaults.
        """
        found = self.records(models.Profile, profile_id)
        return cast("models.ProfileDocument | None", _with_key(found, id=profile_id))

    def save_profile(self, profile: Mapping[str, Any] | models.Profile) -> None:
        """Add the profile, or replace the one with the same ``id``.

        Args:
            profile: an entity, or a document, of which only ``id`` is required. Without
                ``created_at`` or ``last_used``, an existing profile keeps its own, and a new one
                gets the current time. Without ``jira_config.token``, or with a mask of it, as in a
                :func:`~burndown.public_document`, it keeps its token; ``None`` or an empty string
                removes that. With a ``revision``, that has to be the one of an existing profile.
                An entity has the stored revision afterwards.

        Raises:
            RevisionConflictError: the stored profile has another revision.
            ValidationError: a value is not valid, or another profile has the name.
        """
        self._save_revised(models.Profile, profile, document_of(models.Profile, profile))

    def patch_profile(
        self, profile_id: str, changes: Mapping[str, Any], if_revision: int | None = None
    ) -> models.ProfileDocument:
        """Change what is given in the profile, and keep the rest.

        Args:
            profile_id: the profile.
            changes: a JSON merge patch (RFC 7396): objects are merged key by key at every depth,
                ``None`` removes a key, lists are replaced. A ``revision`` in it is that of
                ``if_revision``. What a :func:`~burndown.public_document` masks is kept.
            if_revision: the revision that the profile has to have; ``None`` for any.

        Returns:
            The stored profile, as :meth:`get_profile` returns it.

        Raises:
            ProfileNotFoundError: it does not exist.
            RevisionConflictError: it has another revision.
            ValidationError: a value is not valid, another profile has the name, or ``id`` is
                another id.
        """
        with self.transaction():
            stored = self.get_profile(profile_id)
            if stored is None:
                raise ProfileNotFoundError(profile_id)
            document = patched(models.Profile, stored, changes, if_revision)
            self.save_profile(with_removed_token(document, stored))
            return cast("models.ProfileDocument", self.get_profile(profile_id))

    def list_profiles(self) -> list[models.ProfileDocument]:
        """Return all profiles as :meth:`get_profile` does, most recently used first."""
        return cast(
            "list[models.ProfileDocument]", _most_recently_used(self.records(models.Profile))
        )

    def delete_profile(self, profile_id: str) -> None:
        """Delete the profile with its queries and all their data.

        Raises:
            ProfileNotFoundError: it does not exist.
        """
        if not self._delete_keys(models.Profile, [(profile_id,)]):
            raise ProfileNotFoundError(profile_id)

    # --- queries -----------------------------------------------------------------------------

    def get_query(self, profile_id: str, query_id: str) -> models.QueryDocument | None:
        """Return the query, or ``None``.

        It always has ``profile_id``, ``id``, ``name``, ``jql``, ``description``, ``created_at``,
        ``last_used``, ``updated_at`` (when it was last edited, ``None`` for never) and
        ``revision`` (1 at first, raised by each change of anything but these times), and all other
        keys that were saved.
        """
        found = self.records(models.Query, profile_id, query_id)
        return cast(
            "models.QueryDocument | None", _with_key(found, profile_id=profile_id, id=query_id)
        )

    def save_query(self, profile_id: str, query: Mapping[str, Any] | models.Query) -> None:
        """Add the query to the profile, or replace the one with the same ``id``.

        Args:
            profile_id: the profile that it belongs to.
            query: an entity, or a document, of which only ``id`` is required. Without
                ``created_at``, ``last_used`` or ``updated_at``, an existing query keeps its own; a
                new one gets the current time, and ``None`` for ``updated_at``. With a
                ``revision``, that has to be the one of an existing query.

        Raises:
            ProfileNotFoundError: the profile does not exist.
            RevisionConflictError: the stored query has another revision.
            ValidationError: a value is not valid, or another query of the profile has the name.
        """
        self._save_revised(models.Query, query, query_document(profile_id, query))

    def patch_query(
        self,
        profile_id: str,
        query_id: str,
        changes: Mapping[str, Any],
        if_revision: int | None = None,
    ) -> models.QueryDocument:
        """Change what is given in the query, and keep the rest.

        Args:
            profile_id: the profile that it belongs to.
            query_id: the query.
            changes: as of :meth:`patch_profile`.
            if_revision: the revision that the query has to have; ``None`` for any.

        Returns:
            The stored query, as :meth:`get_query` returns it.

        Raises:
            QueryNotFoundError: the profile has no such query, or does not exist.
            RevisionConflictError: it has another revision.
            ValidationError: a value is not valid, another query of the profile has the name, or
                an id is another one.
        """
        with self.transaction():
            stored = self.get_query(profile_id, query_id)
            if stored is None:
                raise QueryNotFoundError(profile_id, query_id)
            self.save_query(profile_id, patched(models.Query, stored, changes, if_revision))
            return cast("models.QueryDocument", self.get_query(profile_id, query_id))

    def list_queries(self, profile_id: str) -> list[models.QueryDocument]:
        """Return the queries of the profile as :meth:`get_query` does, most recently used first.

        The list is empty if the profile does not exist.
        """
        return cast(
            "list[models.QueryDocument]",
            _most_recently_used(self.records(models.Query, profile_id)),
        )

    def query_status(self, profile_id: str) -> list[models.QueryStatus]:
        """Return for each query of the profile whether it has a cached response, and how fresh.

        They come as in :meth:`list_queries`. Each has ``query_id`` and ``name``; ``has_data``, and
        of the newest response ``created_at``, ``expires_at``, ``state`` (``fresh`` or ``stale``)
        and ``issue_count`` (all ``None`` without a response), and ``is_complete`` as in
        :meth:`list_jira_caches`. The list is empty if the profile does not exist.
        """
        now = self.now()
        found = []
        for query in self.list_queries(profile_id):
            newest = next(iter(self.list_jira_caches(profile_id, query["id"])), None)
            found.append(query_status(query["id"], query["name"], newest, now))
        return found

    def delete_query(self, profile_id: str, query_id: str) -> None:
        """Delete the query with all its data.

        Raises:
            QueryNotFoundError: the profile has no such query, or does not exist.
        """
        if not self._delete_keys(models.Query, [(profile_id, query_id)]):
            raise QueryNotFoundError(profile_id, query_id)

    def _save_revised(
        self,
        entity: type[models.NamedEntity],
        saved: Mapping[str, Any] | models.NamedEntity,
        given: Mapping[str, Any],
    ) -> None:
        """Save a profile or query, which keeps its times, secrets and revision as far as it should.

        Args:
            entity: the entity.
            saved: what the caller saves; an entity has the stored revision afterwards.
            given: its document.
        """
        created = {"created_at": self.now()}
        codec = codec_of(entity)
        [valid] = codec.complete([{**created, **without_masked_token(given)}])
        given = sealer_of(entity).sealed({**to_documents(given), "id": valid["id"]})
        with self.transaction(), secrets_as_stored():
            stored = next(self.records(entity, *codec.key(valid)), {})
            [document] = codec.complete([with_stored_secrets({**created, **given}, stored)])
            if stored:
                document = replacing(entity, document, given, stored)
            self.save_records(entity, [document])
        models.named_entity.set_revision(saved, document)

    # --- app state ---------------------------------------------------------------------------

    def get_app_state(self, key: str) -> str | None:
        """Return the value of a key such as ``active_profile_id``, or ``None``."""
        return next(
            (each["value"] for each in self.records(models.AppState) if each["key"] == key), None
        )

    def set_app_state(self, key: str, value: str | None) -> None:
        """Set the value of a key; ``None`` deletes the key."""
        if value is None:
            self._delete_keys(models.AppState, [(key,)])
        else:
            self.save_records(models.AppState, [{"key": key, "value": value}])


def _with_key(records: Iterable[Document], **key: str) -> Document | None:
    # Compared again, since ``None`` would select the records of all profiles or queries.
    return next((each for each in records if key.items() <= each.items()), None)


def _most_recently_used(records: Iterable[Document]) -> list[Document]:
    # They come ordered by id, and sorting is stable: that order decides between equal timestamps.
    return sorted(records, key=lambda each: to_utc(each["last_used"]), reverse=True)

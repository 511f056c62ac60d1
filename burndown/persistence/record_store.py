"""The part of a backend that is the same for all entities: records, transactions, the store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self

from burndown import models
from burndown.errors import PersistenceError
from burndown.models import Document
from burndown.models.codec import codec_of
from burndown.models.timestamps import to_utc, utc_now
from burndown.persistence.arguments import document_of
from burndown.persistence.stored_documents import (
    check_owners_and_names,
    keep_stored_secrets,
    to_store,
)

__all__ = ["RecordStore"]


class RecordStore(ABC):
    """A store of records: reads and saves documents of every entity in the same way.

    Args:
        clock: returns the current time. A ``datetime`` without an offset is local time.
    """

    # The default is an attribute of the class, so that a subclass need not call `__init__`.
    _clock: Callable[[], datetime] = staticmethod(utc_now)

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the current time of the backend's clock, in UTC.

        The backend compares expiries with it. Code that stores timestamps takes it, too, so that
        one clock decides, in tests as well.
        """
        return to_utc(self._clock())

    @abstractmethod
    def records(
        self,
        entity: type[models.Entity],
        profile_id: str | None = None,
        query_id: str | None = None,
    ) -> Iterator[Document]:
        """Yield all records of an entity, ordered by primary key.

        Expired records are included. Each record is a document with all fields of the entity, also
        those that no other method returns, such as the ``created_at`` of a cached response.

        Args:
            entity: the entity, such as :class:`~burndown.models.Query`.
            profile_id: yield only what belongs to this profile, the profile itself included;
                nothing if the entity belongs to no profile.
            query_id: yield only what belongs to this query, the query itself included; nothing if
                the entity belongs to no query.
        """

    @abstractmethod
    def save_records(
        self, entity: type[models.Entity], records: Iterable[Mapping[str, Any] | models.Entity]
    ) -> None:
        """Save records unchanged, all of them or none; each replaces the one with the same key.

        That of a profile or query replaces the revision, too, and the token. Only where it has the
        mask of a secret, such as of one that no key opens, the stored one is kept.

        Args:
            entity: the entity that the records are of.
            records: entities, or documents as :meth:`records` yields them. Fields with a default
                can be absent.
        """

    def _to_store(
        self, entity: type[models.Entity], records: Iterable[Mapping[str, Any] | models.Entity]
    ) -> list[Document]:
        """Return what :meth:`save_records` has to store, for a storage that checks nothing itself.

        The documents have all fields, and their secrets are sealed, which :meth:`records` opens
        (:func:`~burndown.models.sealer.sealer_of`). To be called within the transaction that stores
        them, since it reads what they belong to, and the names in use.

        Raises:
            ValidationError: a value is not valid, or a profile, or another query of the profile,
                has the name.
            ProfileNotFoundError, QueryNotFoundError: what a record belongs to does not exist.
        """
        documents = to_store(entity, (document_of(entity, each) for each in records))
        check_owners_and_names(entity, documents, self.records)
        return keep_stored_secrets(entity, documents, self.records)

    def delete_records(
        self,
        entity: type[models.QueryData],
        profile_id: str,
        query_id: str | None = None,
        *,
        one_of: Mapping[str, Iterable[str]] = MappingProxyType({}),
        between: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    ) -> int:
        """Delete data of queries that meets all conditions; return how many records were deleted.

        Args:
            entity: the entity that the records are of.
            profile_id: the profile of the queries. Nothing is deleted if it does not exist.
            query_id: the query; ``None`` for all of the profile.
            one_of: by field, strings of which a record has one.
            between: by field, the smallest and the largest string that a record has.
        """
        # Compared again, since ``None`` would select the records of all profiles.
        wanted = {"profile_id": {profile_id}, **{name: {*each} for name, each in one_of.items()}}

        def meets_all(record: Document) -> bool:
            return all(record[name] in strings for name, strings in wanted.items()) and all(
                first <= record[name] <= last for name, (first, last) in between.items()
            )

        return self._delete_where(entity, meets_all, profile_id, query_id)

    def _delete_where(
        self,
        entity: type[models.QueryData],
        is_deleted: Callable[[Document], bool],
        *ids: str | None,
    ) -> int:
        """Delete the records below these ids that meet a condition; return their number."""
        with self.transaction():
            found = filter(is_deleted, self.records(entity, *ids))
            keys = list(map(codec_of(entity).key, found))
            return self._delete_keys(entity, keys) if keys else 0

    @abstractmethod
    def _delete_keys(self, entity: type[models.Entity], keys: Iterable[tuple[str, ...]]) -> int:
        """Delete records, and what belongs to them; return how many of the entity there were.

        Args:
            entity: the entity that the records are of. To a profile belong its queries and their
                data (:class:`~burndown.models.QueryData`), to a query its data.
            keys: their primary keys, as :meth:`~burndown.models.codec.Codec.key` returns them;
                those of records that do not exist are ignored.
        """

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Begin a transaction: its calls are committed together at the end, or none on an error.

        It acquires the lock with its first call. It belongs to the thread and the asyncio task that
        began it; it may end in another thread. A transaction within another one is a part of it: an
        error undoes just this part.

        Raises:
            TransactionAbortedError: the storage ended the transaction after an error, such as a
                full disk, or this process was forked within it; nothing of it was stored. Every
                further call in it raises the same.
        """

    @abstractmethod
    def in_transaction(self) -> bool:
        """Return whether the caller is within a :meth:`transaction` of this backend."""

    @abstractmethod
    def describe(self) -> Document:
        """Return ``location``, ``size_bytes``, ``free_bytes`` and ``schema_version`` of the store.

        The location is a path, or a URL with its password masked. Free bytes are those of the size
        that hold nothing, since data was deleted: new data takes them, and :meth:`compact` gives
        them back. They are ``None`` on a server, which does not tell. The version is ``None`` if
        the store does not exist yet.
        """

    def compact(self) -> int:
        """Give the space of deleted data back to the file system, while others read and write.

        A SQLite file that an earlier release made is rewritten the first time; other writers wait
        for that.

        Returns:
            By how many bytes the store has become smaller; 0 for a store that keeps no free bytes,
            which is the default.

        Raises:
            StorageError: it is called within a transaction, or the disk is full.
        """
        return 0

    def erase_deleted(self) -> None:  # noqa: B027 - a store may have nothing to overwrite
        """Overwrite what was deleted or replaced, of which bytes can remain in free space.

        A SQLite file is rewritten, and its log emptied, for which other writers wait. A server
        rewrites the tables of profiles and queries. A store of JSON files replaces files whole, so
        that it has nothing to overwrite.

        Raises:
            StorageError: it is called within a transaction; the disk is full; or others read or
                write for so long that it has to be tried again.
        """

    @abstractmethod
    def exists(self) -> bool:
        """Return whether the store exists; create nothing."""

    def check_integrity(self) -> tuple[bool, list[str]]:
        """Check everything that is stored for damage.

        Returns:
            ``(True, [])`` if the store is intact, else ``False`` and a message for each problem; by
            default, for each entity of which not all records can be read and are valid.
        """
        problems = []
        for entity in models.ENTITIES:
            try:
                codec_of(entity).complete(self.records(entity))
            except PersistenceError as error:
                problems.append(str(error))
        return not problems, problems

    def integrity_notes(self) -> list[str]:
        """Return what :meth:`check_integrity` can not vouch for, although it is no damage.

        Returns:
            A message for each record that another program has edited, and for a server that has no
            checksums; by default none.
        """
        return []

    def accept_edits(self) -> int:
        """Take what other programs have edited for intact from now on.

        Returns:
            The number of records; by default 0.

        Raises:
            StorageError: the store is read-only.
        """
        return 0

    def foreign_objects(self) -> list[str]:
        """Return what others added to the store and a copy does not contain.

        Returns:
            Descriptions such as ``table mine`` or ``column team of profiles``; by default none.
        """
        return []

    def close(self) -> None:  # noqa: B027 - nothing may be open between two calls
        """Release files and connections; the next call opens them again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

"""Answers of Jira, each until it expires."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete

from burndown.models import JiraCache
from burndown.models.columns import UtcTimestamp
from burndown.repositories.base import columns_of, documents, key_of
from burndown.repositories.query_data import QueryDataRepository, of_query

__all__ = ["JiraCacheRepository"]

_C = columns_of(JiraCache)
_NOW = bindparam("now", type_=UtcTimestamp())
_GET = documents(JiraCache).where(*key_of(JiraCache), _C.expires_at > _NOW)
_LIST = documents(JiraCache).where(*of_query(JiraCache)).order_by(_C.cache_key)
_DELETE_EXPIRED = delete(_C.expires_at.table).where(_C.expires_at <= _NOW)


class JiraCacheRepository(QueryDataRepository[JiraCache]):
    """Cached answers."""

    model = JiraCache

    def get(
        self, profile_id: str, query_id: str, cache_key: str, now: datetime
    ) -> JiraCache | None:
        """The answer, or ``None`` if there is none or it has expired at ``now``."""
        return self._entity(self.get_document(profile_id, query_id, cache_key, now))

    def get_document(
        self, profile_id: str, query_id: str, cache_key: str, now: datetime
    ) -> dict[str, Any] | None:
        """The same as a dict."""
        return self._document(
            _GET, profile_id=profile_id, query_id=query_id, cache_key=cache_key, now=now
        )

    def list(self, profile_id: str, query_id: str) -> Sequence[JiraCache]:
        """All answers to the query, expired ones included, newest first."""
        found = self._documents(_LIST, profile_id=profile_id, query_id=query_id)
        caches = [JiraCache.from_document(document) for document in found]
        return sorted(caches, key=lambda cache: cache.created_at, reverse=True)

    def delete_expired(self, now: datetime) -> int:
        """Delete what has expired at ``now``; returns how many."""
        return self._delete(_DELETE_EXPIRED, now=now)

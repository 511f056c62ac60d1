"""Answers of Jira, each until it expires."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from burndown.models import JiraCache
from burndown.models.columns import UtcTimestamp
from burndown.models.jira_cache import response_counts
from burndown.repositories.query_data import QueryDataRepository, of_query
from burndown.repositories.statements import (
    Documents,
    Statement,
    columns_of,
    documents,
    key_of,
)

__all__ = ["JiraCacheRepository"]

_C = columns_of(JiraCache)
_NOW = bindparam("now", type_=UtcTimestamp())
_GET = Statement(documents(JiraCache).where(*key_of(JiraCache), _C.expires_at > _NOW))
_LIST = Statement(
    documents(JiraCache, "response")
    .where(*of_query(JiraCache))
    .order_by(_C.created_at.desc(), _C.cache_key)
)
_RESPONSE = Statement(select(_C.response).where(*key_of(JiraCache)))
_DELETE_EXPIRED = Statement(delete(_C.expires_at.table).where(_C.expires_at <= _NOW))


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

    def list_keys(self, profile_id: str, query_id: str) -> Documents:
        """All answers to the query without their content, expired ones included, newest first."""
        found = self._documents(_LIST, profile_id=profile_id, query_id=query_id)
        for entry in found:
            if entry["issue_count"] is None:  # saved by a release before 1.1
                for response in _RESPONSE.values(self._connection, **entry):
                    entry.update(response_counts(response))
        return found

    def delete_expired(self, now: datetime) -> int:
        """Delete what has expired at ``now``; returns how many."""
        with self._connection.leaving_traces():
            return _DELETE_EXPIRED.count(self._connection, now=now)

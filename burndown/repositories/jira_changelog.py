"""Histories of issues, each until it expires."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, or_

from burndown.models import JiraChangelog
from burndown.models.columns import UtcTimestamp
from burndown.models.values import is_line
from burndown.repositories.query_data import QueryDataRepository, of_query
from burndown.repositories.statements import (
    Documents,
    Statement,
    columns_of,
    documents,
    key_of,
    one_of,
)

__all__ = ["JiraChangelogRepository"]

_C = columns_of(JiraChangelog)
_NOW = bindparam("now", type_=UtcTimestamp())
_LIVE = or_(_C.expires_at.is_(None), _C.expires_at > _NOW)
_OF_QUERY = of_query(JiraChangelog)
_GET = Statement(documents(JiraChangelog).where(*key_of(JiraChangelog), _LIVE))
_ALL = documents(JiraChangelog).where(*_OF_QUERY, _LIVE).order_by(_C.issue_key)
_LIST = Statement(_ALL)
_SOME = Statement(_ALL.where(one_of(_C.issue_key, "issue_keys")))
_KEYS = Statement(
    documents(JiraChangelog, "profile_id", "query_id", "changelog")
    .where(*_OF_QUERY)
    .order_by(_C.issue_key)
)
_DELETE_EXPIRED = Statement(delete(_C.expires_at.table).where(_C.expires_at <= _NOW))


class JiraChangelogRepository(QueryDataRepository[JiraChangelog]):
    """Cached histories."""

    model = JiraChangelog

    def get(
        self, profile_id: str, query_id: str, issue_key: str, now: datetime
    ) -> JiraChangelog | None:
        """The history, or ``None`` if there is none or it has expired at ``now``."""
        return self._entity(self.get_document(profile_id, query_id, issue_key, now))

    def get_document(
        self, profile_id: str, query_id: str, issue_key: str, now: datetime
    ) -> dict[str, Any] | None:
        """The same as a dict."""
        return self._document(
            _GET, profile_id=profile_id, query_id=query_id, issue_key=issue_key, now=now
        )

    def list_documents(
        self,
        profile_id: str,
        query_id: str,
        now: datetime,
        issue_keys: Iterable[str] | None = None,
    ) -> Documents:
        """The histories of these issues, or of all, that have not expired at ``now``, by key."""
        key = {"profile_id": profile_id, "query_id": query_id, "now": now}
        if issue_keys is None:
            return self._documents(_LIST, **key)
        return self._documents(_SOME, **key, issue_keys=list(filter(is_line, set(issue_keys))))

    def list_keys(self, profile_id: str, query_id: str) -> Documents:
        """All histories of the query without their content, expired ones included, by key."""
        return self._documents(_KEYS, profile_id=profile_id, query_id=query_id)

    def delete_expired(self, now: datetime) -> int:
        """Delete what has expired at ``now``; returns how many."""
        with self._connection.leaving_traces():
            return _DELETE_EXPIRED.count(self._connection, now=now)

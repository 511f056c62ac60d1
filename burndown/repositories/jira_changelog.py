"""Histories of issues, each until it expires."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, or_, select

from burndown.models import JiraChangelog
from burndown.models.columns import UtcTimestamp
from burndown.models.values import is_line
from burndown.repositories.base import Documents, columns_of, documents, key_of
from burndown.repositories.query_data import QueryDataRepository, of_query

__all__ = ["JiraChangelogRepository"]

_C = columns_of(JiraChangelog)
_NOW = bindparam("now", type_=UtcTimestamp())
_LIVE = or_(_C.expires_at.is_(None), _C.expires_at > _NOW)
_GET = documents(JiraChangelog).where(*key_of(JiraChangelog), _LIVE)
_LIST = documents(JiraChangelog).where(*of_query(JiraChangelog), _LIVE).order_by(_C.issue_key)
_KEYS = select(_C.issue_key, _C.expires_at).where(*of_query(JiraChangelog)).order_by(_C.issue_key)
_SOME = _LIST.where(_C.issue_key.in_(bindparam("issue_keys", expanding=True)))
_MAX_PARAMETERS = 10_000
_DELETE_EXPIRED = delete(_C.expires_at.table).where(_C.expires_at <= _NOW)


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
        wanted = sorted(filter(is_line, set(issue_keys)))
        found: Documents = []
        for start in range(0, len(wanted), _MAX_PARAMETERS):
            some = wanted[start : start + _MAX_PARAMETERS]
            found += self._documents(_SOME, **key, issue_keys=some)
        return found

    def list_keys(self, profile_id: str, query_id: str) -> Documents:
        """Issue key and expiry of all histories of the query, expired ones included, by key."""
        return self._documents(_KEYS, profile_id=profile_id, query_id=query_id)

    def delete_expired(self, now: datetime) -> int:
        """Delete what has expired at ``now``; returns how many."""
        return self._delete(_DELETE_EXPIRED, now=now)

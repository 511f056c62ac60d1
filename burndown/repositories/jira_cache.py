"""Cached Jira responses, each until its expiry."""

from datetime import datetime

from sqlalchemy import case, select

from burndown.models import JiraCache
from burndown.models.documents import Document
from burndown.models.jira_cache import JiraCacheDocument, response_counts
from burndown.repositories.base import NOW, Repository, delete_expired, query_conditions
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = [
    "JiraCacheRepository",
    "get_jira_cache",
    "list_jira_caches",
]

_TABLE = JiraCache.__table__
_C = _TABLE.c
_GET: Statement[JiraCacheDocument] = Statement(
    select_documents(_TABLE).where(*key_conditions(_TABLE), _C.expires_at > NOW)
)

# A release before 1.1 saves no `issue_count`. Only such rows read their response, by a subquery, so
# that the index covers all others.
_same = _TABLE.alias("same")
_response = (
    select(_same.c.response)
    .where(*(_same.c[column.name] == column for column in _TABLE.primary_key))
    .scalar_subquery()
)
_LIST = Statement(
    select_documents(_TABLE, "response")
    .add_columns(case((_C.issue_count.is_(None), _response)).label("response"))
    .where(*query_conditions(JiraCache))
    .order_by(_C.created_at.desc(), _C.cache_key)
)


def get_jira_cache(
    executor: Executor, profile_id: str, query_id: str, cache_key: str, now: datetime
) -> JiraCacheDocument | None:
    """Return the cached response, or ``None`` if there is none or it has expired at ``now``."""
    return _GET.first(
        executor, profile_id=profile_id, query_id=query_id, cache_key=cache_key, now=now
    )


def list_jira_caches(executor: Executor, profile_id: str, query_id: str) -> list[Document]:
    """Return all cached responses of a query without their content, newest first.

    Expired ones are included.
    """
    found = _LIST.documents(executor, profile_id=profile_id, query_id=query_id)
    for document in found:
        response = document.pop("response")
        if response is not None:
            document.update(response_counts(response))
    return found


class JiraCacheRepository(Repository[JiraCache]):
    """Cached Jira responses."""

    entity = JiraCache

    def get(
        self, profile_id: str, query_id: str, cache_key: str, now: datetime
    ) -> JiraCache | None:
        """Return the cached response, or ``None`` if there is none or it has expired at ``now``."""
        return self._typed(get_jira_cache(self._executor, profile_id, query_id, cache_key, now))

    def delete_expired(self, now: datetime) -> int:
        """Delete what has expired at ``now``; return the number of deleted rows."""
        return delete_expired(self._executor, JiraCache, now)

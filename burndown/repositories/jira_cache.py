"""Cached Jira responses, each until its expiry."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, select, type_coerce

from burndown.jira.merging import merge_encoded
from burndown.models import JiraCache
from burndown.models.compression import compress_text
from burndown.models.documents import Document
from burndown.models.jira_cache import JiraCacheDocument, response_counts
from burndown.models.json_columns import CompressedJson
from burndown.repositories.base import (
    NOW,
    Repository,
    delete_expired,
    query_conditions,
    save_rows,
)
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = [
    "JiraCacheRepository",
    "get_jira_cache",
    "list_jira_caches",
    "merge_jira_cache",
]

_TABLE = JiraCache.__table__
_C = _TABLE.c
_GET: Statement[JiraCacheDocument] = Statement(
    select_documents(_TABLE).where(*key_conditions(_TABLE), _C.expires_at > NOW)
)

_GET_ENCODED = Statement(
    select(type_coerce(_C.response, CompressedJson(raw=True)).label("response")).where(
        *key_conditions(_TABLE)
    )
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


def merge_jira_cache(
    executor: Executor, row: dict[str, Any], changed: list[Document], removed: set[str]
) -> Document | None:
    """Replace the issues of a cached response that have changed.

    Args:
        executor: the connection to write on.
        row: the new values of the other columns, by column.
        changed: as :func:`~burndown.jira.merging.check_changes` returns them.
        removed: as :func:`~burndown.jira.merging.check_changes` returns them.

    Returns:
        ``issue_count`` and ``is_complete``; ``None`` if there is no such response.

    Raises:
        ValidationError: the response has no list of issues.
    """
    key = {column.name: row[column.name] for column in _TABLE.primary_key}
    for text in _GET_ENCODED.values(executor, **key):
        merged, counts = merge_encoded(text, changed, removed)
        save_rows(executor, JiraCache, [{**row, **counts, "response": compress_text(merged)}])
        return counts
    return None


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

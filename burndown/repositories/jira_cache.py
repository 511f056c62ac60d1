"""Cached Jira responses, each until its expiry."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, and_, bindparam, case, select, type_coerce

from burndown.errors import ValidationError
from burndown.jira.merging import merge_stored
from burndown.models import JiraCache, Query
from burndown.models.columns import DECODING_ERRORS, damaged
from burndown.models.completeness import response_counts
from burndown.models.documents import Document
from burndown.models.jira_cache import JiraCacheDocument
from burndown.repositories.base import (
    Repository,
    UntilExpiry,
    delete_expired,
    query_conditions,
    save_rows,
)
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = [
    "JiraCacheRepository",
    "get_jira_cache",
    "list_jira_caches",
    "list_newest_jira_caches",
    "merge_jira_cache",
]

_TABLE = JiraCache.__table__
_C = _TABLE.c
_GET: UntilExpiry[JiraCacheDocument] = UntilExpiry(
    JiraCache, select_documents(_TABLE).where(*key_conditions(_TABLE))
)

_GET_STORED = Statement(
    select(type_coerce(_C.response, LargeBinary).label("response")).where(*key_conditions(_TABLE))
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

# Both as in the list of the queries, and in that of the responses of each.
_QUERY = Query.__table__.c
_newest_key = (
    select(_same.c.cache_key)
    .where(_same.c.profile_id == _QUERY.profile_id, _same.c.query_id == _QUERY.id)
    .order_by(_same.c.created_at.desc(), _same.c.cache_key)
    .limit(1)
    .scalar_subquery()
)
_NEWEST = Statement(
    select_documents(_TABLE, "profile_id", "query_id", "response")
    .add_columns(
        _QUERY.id.label("query_id"),
        _QUERY.name,
        case((_C.issue_count.is_(None), _C.response)).label("response"),
    )
    .select_from(Query.__table__)
    .outerjoin(
        _TABLE,
        and_(
            _C.profile_id == _QUERY.profile_id,
            _C.query_id == _QUERY.id,
            _C.cache_key == _newest_key,
        ),
    )
    .where(_QUERY.profile_id == bindparam("profile_id"))
    .order_by(_QUERY.last_used.desc(), _QUERY.id)
)


def get_jira_cache(
    executor: Executor, profile_id: str, query_id: str, cache_key: str, now: datetime | None
) -> JiraCacheDocument | None:
    """Return the cached response, or ``None`` if there is none or it has expired at ``now``.

    ``None`` for ``now`` returns an expired one as well.
    """
    return _GET.at(now).first(
        executor, profile_id=profile_id, query_id=query_id, cache_key=cache_key, now=now
    )


def list_jira_caches(executor: Executor, profile_id: str, query_id: str) -> list[Document]:
    """Return all cached responses of a query without their content, newest first.

    Expired ones are included.
    """
    return _counted(_LIST.documents(executor, profile_id=profile_id, query_id=query_id))


def list_newest_jira_caches(executor: Executor, profile_id: str) -> list[Document]:
    """Return for each query of a profile its ``query_id``, ``name`` and newest cached response.

    They come most recently used first, without the content. A query without any has ``None`` for
    each field of it.
    """
    return _counted(_NEWEST.documents(executor, profile_id=profile_id))


def _counted(found: list[Document]) -> list[Document]:
    """Count the issues of responses that were saved without a count, and omit their content."""
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
        DatabaseCorruptionError: what was read of it is damaged.
    """
    key = {column.name: row[column.name] for column in _TABLE.primary_key}
    for stored in _GET_STORED.values(executor, **key):
        try:
            merged, counts = merge_stored(stored, changed, removed)
        except ValidationError:
            raise
        except DECODING_ERRORS as error:
            raise damaged(f"{_TABLE.name}.{_C.response.name}", error) from None
        save_rows(executor, JiraCache, [{**row, **counts, "response": merged}])
        return counts
    return None


class JiraCacheRepository(Repository[JiraCache]):
    """Cached Jira responses."""

    entity = JiraCache

    def get(
        self, profile_id: str, query_id: str, cache_key: str, now: datetime | None
    ) -> JiraCache | None:
        """Return the cached response, or ``None`` if there is none or it has expired at ``now``.

        ``None`` for ``now`` returns an expired one as well.
        """
        return self._typed(get_jira_cache(self._executor, profile_id, query_id, cache_key, now))

    def delete_expired(self, now: datetime) -> int:
        """Delete what has expired at ``now``; return the number of deleted rows."""
        deleted, _ = delete_expired(self._executor, [JiraCache], now=now)
        return deleted

"""Metrics by week, newest first."""

from collections.abc import Sequence

from sqlalchemy import bindparam

from burndown.models import MetricsSnapshot
from burndown.repositories.query_data import QueryDataRepository, of_query
from burndown.repositories.statements import Documents, Statement, columns_of, documents

__all__ = ["MetricsSnapshotRepository"]

_C = columns_of(MetricsSnapshot)
_OF_QUERY = documents(MetricsSnapshot).where(*of_query(MetricsSnapshot))
_LIST = Statement(
    _OF_QUERY.order_by(_C.snapshot_date.desc(), _C.metric_type).limit(bindparam("limit"))
)
_LIST_OF_TYPE = Statement(
    _OF_QUERY.where(_C.metric_type == bindparam("metric_type"))
    .order_by(_C.snapshot_date.desc())
    .limit(bindparam("limit"))
)
_NO_LIMIT = 2**31 - 1


class MetricsSnapshotRepository(QueryDataRepository[MetricsSnapshot]):
    """Metrics snapshots."""

    model = MetricsSnapshot

    def list(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = None,
    ) -> Sequence[MetricsSnapshot]:
        """Snapshots of one type or of all, newest week first, at most ``limit``."""
        found = self.list_documents(profile_id, query_id, metric_type, limit)
        return self._entities(found)

    def list_documents(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = None,
    ) -> Documents:
        """The same as dicts."""
        key = {
            "profile_id": profile_id,
            "query_id": query_id,
            "limit": min(limit or _NO_LIMIT, _NO_LIMIT),
        }
        if metric_type is None:
            return self._documents(_LIST, **key)
        return self._documents(_LIST_OF_TYPE, **key, metric_type=metric_type)

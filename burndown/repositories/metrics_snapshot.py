"""Metrics snapshots by week, newest first."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam

from burndown.models import MetricsSnapshot
from burndown.models.metrics_snapshot import MetricsSnapshotDocument
from burndown.repositories.base import Repository, query_conditions
from burndown.sql import Executor, Statement, select_documents

__all__ = ["MetricsSnapshotRepository", "list_metrics_snapshots"]

_C = MetricsSnapshot.__table__.c
_OF_QUERY = select_documents(MetricsSnapshot.__table__).where(*query_conditions(MetricsSnapshot))
_LIST: Statement[MetricsSnapshotDocument] = Statement(
    _OF_QUERY.order_by(_C.snapshot_date.desc(), _C.metric_type).limit(bindparam("limit"))
)
_LIST_OF_TYPE: Statement[MetricsSnapshotDocument] = Statement(
    _OF_QUERY.where(_C.metric_type == bindparam("metric_type"))
    .order_by(_C.snapshot_date.desc())
    .limit(bindparam("limit"))
)
_NO_LIMIT = 2**31 - 1
"""The largest limit of every database here, for the same statement with and without a limit."""


def list_metrics_snapshots(
    executor: Executor,
    profile_id: str,
    query_id: str,
    metric_type: str | None = None,
    limit: int | None = None,
) -> list[MetricsSnapshotDocument]:
    """Return snapshots of one type or of all, newest week first, at most ``limit``."""
    parameters: dict[str, Any] = {
        "profile_id": profile_id,
        "query_id": query_id,
        "limit": min(limit or _NO_LIMIT, _NO_LIMIT),
    }
    if metric_type is None:
        return _LIST.documents(executor, **parameters)
    return _LIST_OF_TYPE.documents(executor, **parameters, metric_type=metric_type)


class MetricsSnapshotRepository(Repository[MetricsSnapshot]):
    """Metrics snapshots."""

    entity = MetricsSnapshot

    def list(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = None,
    ) -> Sequence[MetricsSnapshot]:
        """Return snapshots of one type or of all, newest week first, at most ``limit``."""
        return self._all_typed(
            list_metrics_snapshots(self._executor, profile_id, query_id, metric_type, limit)
        )

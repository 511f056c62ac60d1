"""Metrics snapshots by week, newest first."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam

from burndown.models import MetricsSnapshot
from burndown.models.documents import Document
from burndown.models.metrics_snapshot import MetricsSnapshotDocument
from burndown.models.week import FIRST_WEEK, LAST_WEEK
from burndown.repositories.base import Repository, query_conditions, save_documents
from burndown.sql import Executor, Statement, select_documents, within

__all__ = ["MetricsSnapshotRepository", "list_metrics_snapshots", "patch_metrics_snapshot"]

_C = MetricsSnapshot.__table__.c
_OF_QUERY = select_documents(MetricsSnapshot.__table__).where(
    *query_conditions(MetricsSnapshot),
    *within(_C.snapshot_date, "since", "until"),
)
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
    since: str = FIRST_WEEK,
    until: str = LAST_WEEK,
) -> list[MetricsSnapshotDocument]:
    """Return snapshots of one type or of all, newest week first, at most ``limit``.

    Args:
        executor: the connection to read on.
        profile_id: the profile of the query.
        query_id: the query.
        metric_type: the type; ``None`` for all.
        limit: the maximum number of snapshots; ``None`` for no limit.
        since: the first week.
        until: the last week.
    """
    parameters: dict[str, Any] = {
        "profile_id": profile_id,
        "query_id": query_id,
        "since": since,
        "until": until,
        "limit": min(limit or _NO_LIMIT, _NO_LIMIT),
    }
    if metric_type is None:
        return _LIST.documents(executor, **parameters)
    return _LIST_OF_TYPE.documents(executor, **parameters, metric_type=metric_type)


def patch_metrics_snapshot(executor: Executor, patch: Document) -> None:
    """Save a snapshot that is merged into the stored one, as ``MetricsSnapshot.patched`` does."""
    week = patch["snapshot_date"]
    found = list_metrics_snapshots(
        executor, patch["profile_id"], patch["query_id"], patch["metric_type"], 1, week, week
    )
    save_documents(executor, MetricsSnapshot, [MetricsSnapshot.patched(found, patch)])


class MetricsSnapshotRepository(Repository[MetricsSnapshot]):
    """Metrics snapshots."""

    entity = MetricsSnapshot

    def list(
        self,
        profile_id: str,
        query_id: str,
        metric_type: str | None = None,
        limit: int | None = None,
        since: str = FIRST_WEEK,
        until: str = LAST_WEEK,
    ) -> Sequence[MetricsSnapshot]:
        """Return snapshots of one type or of all, newest week first, at most ``limit``.

        ``since`` and ``until`` are the first and the last week, such as ``2025-W12``.
        """
        return self._all_typed(
            list_metrics_snapshots(
                self._executor, profile_id, query_id, metric_type, limit, since, until
            )
        )

"""Tasks: the lease. Changelogs: when they were saved. Snapshots: a forecast by metric."""

import logging
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from burndown.errors import StorageError
from burndown.models.columns import UtcTimestamp
from burndown.models.json_columns import JsonText
from burndown.schema.operations import add_column

revision = "1.5"
down_revision = "1.4"

_logger = logging.getLogger("burndown.schema")
_snapshots = sa.table(
    "metrics_snapshots",
    *map(sa.column, ("profile_id", "query_id", "snapshot_date", "forecasts")),
)
_FORGOTTEN = {
    "leases of tasks": sa.table("task_progress", sa.column("owner")),
    "times at which changelogs were saved": sa.table(
        "jira_changelog_cache", sa.column("created_at")
    ),
}
"""What a downgrade forgets, since it is of use for a short time only: the column with it."""


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            add_column(table, column)


def downgrade() -> None:
    if not context.is_offline_mode():
        _refuse_forecasts(op.get_bind())
        _report_forgotten(op.get_bind())
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "task_progress": (
            sa.Column("owner", sa.Text()),
            sa.Column("started_at", UtcTimestamp()),
            sa.Column("heartbeat_at", UtcTimestamp()),
            sa.Column("lease_until", UtcTimestamp()),
            sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        ),
        "jira_changelog_cache": (sa.Column("created_at", UtcTimestamp()),),
        "metrics_snapshots": (sa.Column("forecasts", JsonText()),),
    }


def _refuse_forecasts(connection: sa.Connection) -> None:
    """Refuse to delete forecasts by metric, for which version 1.4 has no place.

    Raises:
        StorageError: there are some.
    """
    c = _snapshots.c
    found = sa.select(c.profile_id, c.query_id, c.snapshot_date).where(c.forecasts.is_not(None))
    first = connection.execute(found.order_by(*found.selected_columns).limit(1)).first()
    if first is not None:
        raise StorageError(
            f"Schema version {down_revision} has no place for forecasts by metric, such as those "
            f"of week {first.snapshot_date} of query {first.query_id!r} in profile "
            f"{first.profile_id!r}; export the profiles that have some, and save the snapshots "
            "without them"
        )


def _report_forgotten(connection: sa.Connection) -> None:
    for what, table in _FORGOTTEN.items():
        [column] = table.c
        count = connection.execute(sa.select(sa.func.count(column))).scalar_one()
        if count:
            _logger.warning("Schema version %s has no place for %s: %d", down_revision, what, count)

"""Digests of rows, by which damage is found."""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

from burndown.errors import DatabaseCorruptionError
from burndown.models.digests import no_digest
from burndown.schema.digests import drop_triggers
from burndown.schema.operations import add_column

revision = "1.7"
down_revision = "1.6"

_SUMS = "burndown_digest_sums"
_DIGESTS = {
    "profiles": ("digest",),
    "queries": ("digest",),
    "jira_cache": ("content_digest", "digest"),
    "jira_changelog_cache": ("content_digest", "digest"),
    "project_data": ("digest",),
    "metrics_snapshots": ("digest",),
    "budgets": ("digest",),
    "app_state": ("digest",),
    "task_progress": ("digest",),
}
_LIST = "ix_jira_cache_list"
_LISTED: tuple[Any, ...] = (
    "profile_id",
    "query_id",
    sa.text("created_at DESC"),
    "cache_key",
    "expires_at",
    "issue_count",
    "is_complete",
)


def upgrade() -> None:
    if not context.is_offline_mode() and sa.inspect(op.get_bind()).has_table(_SUMS):
        # Only damage of the recorded version leads here. The digests would be replaced.
        raise DatabaseCorruptionError(
            f"The database records an earlier schema version, but has the table {_SUMS} of "
            f"version {revision}; restore a backup, or run `burndown salvage`"
        )
    for table, names in _DIGESTS.items():
        for name in names:
            kind = sa.BigInteger() if name == "digest" else sa.LargeBinary()
            add_column(table, sa.Column(name, kind, server_default=no_digest()))
    op.drop_index(_LIST, "jira_cache")
    op.create_index(_LIST, "jira_cache", [*_LISTED, *_DIGESTS["jira_cache"]])


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for statement in drop_triggers(revision):
            op.execute(statement)
        op.execute(f"DROP TABLE IF EXISTS {_SUMS}")
    op.drop_index(_LIST, "jira_cache")
    op.create_index(_LIST, "jira_cache", [*_LISTED])
    for table, names in _DIGESTS.items():
        for name in names:
            op.drop_column(table, name)

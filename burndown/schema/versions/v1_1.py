"""Cached responses: issue count, completeness. Queries: time of the last edit."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from burndown.errors import DatabaseCorruptionError
from burndown.models.columns import UtcTimestamp
from burndown.models.completeness import response_counts
from burndown.models.json_columns import CompressedJson, JsonText
from burndown.models.timestamps import to_utc
from burndown.schema.operations import add_column, free_key, iterate_keys

revision = "1.1"
down_revision = "1.0"

_jira_cache = sa.table(
    "jira_cache",
    *map(sa.column, ("profile_id", "query_id", "cache_key", "issue_count", "is_complete")),
    sa.column("response", CompressedJson()),
)
_queries = sa.table(
    "queries",
    *map(sa.column, ("profile_id", "id")),
    sa.column("extra", JsonText()),
    sa.column("updated_at", UtcTimestamp()),
)


def upgrade() -> None:
    add_column("jira_cache", sa.Column("issue_count", sa.Integer()))
    add_column("jira_cache", sa.Column("is_complete", sa.Boolean()))
    add_column("queries", sa.Column("updated_at", UtcTimestamp()))
    if not context.is_offline_mode():
        _count_issues(op.get_bind())
        _move_timestamps_to_column(op.get_bind())
    op.create_index(
        "ix_jira_cache_list",
        "jira_cache",
        [
            "profile_id",
            "query_id",
            sa.text("created_at DESC"),
            "cache_key",
            "expires_at",
            "issue_count",
            "is_complete",
        ],
    )


def downgrade() -> None:
    if not context.is_offline_mode():
        _move_timestamps_to_extra(op.get_bind())
    op.drop_index("ix_jira_cache_list", "jira_cache")
    op.drop_column("queries", "updated_at")
    op.drop_column("jira_cache", "is_complete")
    op.drop_column("jira_cache", "issue_count")


def _count_issues(connection: sa.Connection) -> None:
    c = _jira_cache.c
    for row in iterate_keys([c.profile_id, c.query_id, c.cache_key]):
        of_row = (c.profile_id == row[0], c.query_id == row[1], c.cache_key == row[2])
        try:
            response = connection.execute(sa.select(c.response).where(*of_row)).scalar_one()
        except DatabaseCorruptionError:  # a damaged row stays unchanged
            continue
        connection.execute(sa.update(_jira_cache).where(*of_row).values(response_counts(response)))


def _move_timestamps_to_column(connection: sa.Connection) -> None:
    """Fill the new column with the timestamps that were kept among the unknown keys."""
    for of_row, extra in _extras(connection):
        if "updated_at" in extra:
            written = extra.pop("updated_at")
            timestamp = _timestamp(written)
            if timestamp is None and written is not None:
                extra[free_key(extra, "legacy_updated_at")] = written
            values = {"extra": extra, "updated_at": timestamp}
            connection.execute(sa.update(_queries).where(*of_row).values(values))


def _move_timestamps_to_extra(connection: sa.Connection) -> None:
    c = _queries.c
    for of_row, extra in _extras(connection):
        timestamp = connection.execute(sa.select(c.updated_at).where(*of_row)).scalar_one()
        if timestamp is not None:
            extra["updated_at"] = timestamp.isoformat()
            connection.execute(sa.update(_queries).where(*of_row).values(extra=extra))


def _extras(connection: sa.Connection) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    c = _queries.c
    for row in connection.execute(sa.select(c.profile_id, c.id, c.extra)).all():
        yield [c.profile_id == row.profile_id, c.id == row.id], row.extra


def _timestamp(written: Any) -> datetime | None:
    try:
        return to_utc(written) if isinstance(written, str) else None
    except ValueError:
        return None

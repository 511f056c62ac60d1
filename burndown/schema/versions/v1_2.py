"""A version table of its own. Changelogs: completeness."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from burndown.errors import DatabaseCorruptionError
from burndown.models.completeness import changelog_counts, response_counts
from burndown.models.json_columns import CompressedJson
from burndown.schema.operations import add_column, iterate_keys

revision = "1.2"
down_revision = "1.1"

_jira_cache = sa.table(
    "jira_cache",
    *map(sa.column, ("profile_id", "query_id", "cache_key", "issue_count", "is_complete")),
    sa.column("response", CompressedJson()),
)
_jira_changelog_cache = sa.table(
    "jira_changelog_cache",
    *map(sa.column, ("profile_id", "query_id", "issue_key", "is_complete")),
    sa.column("changelog", CompressedJson()),
)


def upgrade() -> None:
    add_column("jira_changelog_cache", sa.Column("is_complete", sa.Boolean()))
    if not context.is_offline_mode():
        _fill(_jira_cache, "cache_key", "response", response_counts)
        _fill(_jira_changelog_cache, "issue_key", "changelog", changelog_counts)


def downgrade() -> None:
    op.drop_column("jira_changelog_cache", "is_complete")


def _fill(
    table: sa.TableClause, key: str, payload: str, count: Callable[[Any], dict[str, Any]]
) -> None:
    """Fill the columns that are computed from the payload of each row."""
    connection = op.get_bind()
    keys = [table.c[name] for name in ("profile_id", "query_id", key)]
    for row in iterate_keys(keys):
        of_row = [column == value for column, value in zip(keys, row, strict=True)]
        try:
            stored = connection.execute(sa.select(table.c[payload]).where(*of_row)).scalar_one()
        except DatabaseCorruptionError:  # a damaged row stays unchanged
            continue
        connection.execute(sa.update(table).where(*of_row).values(count(stored)))

"""Profiles, queries, the data of each query, the app state, tasks."""

import sqlalchemy as sa
from alembic import op

from burndown.errors import StorageError
from burndown.models.columns import OrderedText, UtcTimestamp, random_text
from burndown.models.json_columns import CompressedJson, JsonText

revision = "1.0"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", OrderedText(), nullable=False),
        *_named(),
        *(_object(section) for section in _SECTIONS),
        sa.Column("show_milestone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("show_points", JsonText(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_profiles_last_used", "profiles", [sa.text("last_used DESC"), "id"])
    op.create_table(
        "queries",
        sa.Column("id", OrderedText(), nullable=False),
        *_named(),
        sa.Column("profile_id", OrderedText(), nullable=False),
        sa.Column("jql", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "id"),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("profile_id", "name"),
    )
    op.create_index(
        "ix_queries_last_used", "queries", ["profile_id", sa.text("last_used DESC"), "id"]
    )
    op.create_table(
        "jira_cache",
        *_of_query("cache_key"),
        sa.Column("expires_at", UtcTimestamp(), nullable=False),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("response", CompressedJson(), nullable=False),
    )
    op.create_index("ix_jira_cache_expires_at", "jira_cache", ["expires_at"])
    op.create_table(
        "jira_changelog_cache",
        *_of_query("issue_key"),
        sa.Column("expires_at", UtcTimestamp(), nullable=True),
        sa.Column("changelog", CompressedJson(), nullable=False),
    )
    op.create_index("ix_jira_changelog_cache_expires_at", "jira_changelog_cache", ["expires_at"])
    op.create_table(
        "project_data",
        *_of_query(),
        sa.Column("updated_at", UtcTimestamp(), nullable=False),
        sa.Column("data", JsonText(), nullable=False),
    )
    op.create_table(
        "metrics_snapshots",
        *_of_query("metric_type", "snapshot_date"),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("metrics", JsonText(), nullable=False),
        sa.Column("forecast", JsonText(), nullable=True),
    )
    op.create_index(
        "ix_metrics_snapshots_week",
        "metrics_snapshots",
        ["profile_id", "query_id", sa.text("snapshot_date DESC"), "metric_type"],
    )
    op.create_table(
        "app_state",
        sa.Column("key", OrderedText(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "task_progress",
        sa.Column("task_name", OrderedText(), nullable=False),
        sa.Column("progress_percent", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("updated_at", UtcTimestamp(), nullable=False),
        sa.PrimaryKeyConstraint("task_name"),
    )


def downgrade() -> None:
    raise StorageError("There is no version before 1.0; the downgrade would delete everything")


_SECTIONS = (
    "jira_config",
    "field_mappings",
    "forecast_settings",
    "project_classification",
    "flow_type_mappings",
)


def _named() -> list[sa.Column[object]]:
    now = sa.text("CURRENT_TIMESTAMP")
    return [
        sa.Column("name", sa.String(), server_default=random_text(), nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", UtcTimestamp(), server_default=now, nullable=False),
        sa.Column("last_used", UtcTimestamp(), server_default=now, nullable=False),
        _object("extra"),
    ]


def _object(name: str) -> sa.Column[object]:
    return sa.Column(name, JsonText(), server_default="{}", nullable=False)


def _of_query(*keys: str) -> list[sa.schema.SchemaItem]:
    key = ("profile_id", "query_id", *keys)
    return [
        *(sa.Column(name, OrderedText(), nullable=False) for name in key),
        sa.PrimaryKeyConstraint(*key),
        sa.ForeignKeyConstraint(
            ["profile_id", "query_id"], ["queries.profile_id", "queries.id"], ondelete="CASCADE"
        ),
    ]

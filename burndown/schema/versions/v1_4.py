"""Budgets of queries. SQLite: triggers against the published dashboard."""

import sqlalchemy as sa
from alembic import context, op

from burndown.errors import StorageError
from burndown.models.columns import CalendarDate, OrderedText, UtcTimestamp
from burndown.models.json_columns import JsonText
from burndown.schema.guard import create_guards, drop_guards

revision = "1.4"
down_revision = "1.3"

_budgets = sa.table("budgets", *map(sa.column, ("profile_id", "query_id")))


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("profile_id", OrderedText(), nullable=False),
        sa.Column("query_id", OrderedText(), nullable=False),
        sa.Column("time_allocated_weeks", sa.Float()),
        sa.Column("team_cost_per_week", sa.Float()),
        sa.Column("budget_total", sa.Float()),
        sa.Column("cost_rate_type", sa.String(), nullable=False),
        sa.Column("currency_symbol", sa.String(), nullable=False),
        sa.Column("baseline_velocity_items", sa.Float()),
        sa.Column("baseline_velocity_points", sa.Float()),
        sa.Column("effective_from", CalendarDate()),
        sa.Column("created_at", UtcTimestamp(), nullable=False),
        sa.Column("updated_at", UtcTimestamp(), nullable=False),
        sa.Column("revisions", JsonText(), nullable=False),
        sa.Column("extra", JsonText(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "query_id"),
        sa.ForeignKeyConstraint(
            ["profile_id", "query_id"], ["queries.profile_id", "queries.id"], ondelete="CASCADE"
        ),
    )
    for guard in create_guards(op.get_context().dialect.name):
        op.execute(guard)


def downgrade() -> None:
    if not context.is_offline_mode():
        _refuse_budgets(op.get_bind())
    op.drop_table("budgets")
    for guard in drop_guards(op.get_context().dialect.name):
        op.execute(guard)


def _refuse_budgets(connection: sa.Connection) -> None:
    """Refuse to delete budgets, for which version 1.3 has no place.

    Raises:
        StorageError: there is one.
    """
    first = connection.execute(sa.select(*_budgets.c).order_by(*_budgets.c).limit(1)).first()
    if first is not None:
        raise StorageError(
            f"Schema version {down_revision} has no place for budgets, such as that of query "
            f"{first.query_id!r} in profile {first.profile_id!r}; export the profiles that have "
            "some, and delete the budgets"
        )

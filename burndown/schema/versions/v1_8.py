"""Secrets: sealed, if there is a key."""

import sqlalchemy as sa
from alembic import context, op

from burndown.errors import StorageError

revision = "1.8"
down_revision = "1.7"

_JSON = {
    "profiles": (
        "jira_config",
        "field_mappings",
        "forecast_settings",
        "project_classification",
        "flow_type_mappings",
        "extra",
    ),
    "queries": ("extra",),
    "budgets": ("extra",),
}
"""The columns that can hold envelopes."""


def upgrade() -> None:
    """Change nothing: a secret in plain text is read as before."""


def downgrade() -> None:
    if not context.is_offline_mode():
        for name, columns in _JSON.items():
            _refuse_envelopes(op.get_bind(), sa.table(name, *map(sa.column, columns)))


def _refuse_envelopes(connection: sa.Connection, table: sa.TableClause) -> None:
    envelopes = sa.or_(*(column.like('%"burndown:sealed:%') for column in table.c))
    number = connection.execute(
        sa.select(sa.func.count()).select_from(table).where(envelopes)
    ).scalar_one()
    if number:
        raise StorageError(
            f"{number} of the {table.name} have sealed secrets, which version {down_revision} "
            "cannot open; run `burndown secrets unseal` first"
        )

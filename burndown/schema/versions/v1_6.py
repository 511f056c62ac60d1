"""Cached responses of many issues: compressed in frames."""

import sqlalchemy as sa
from alembic import context, op

from burndown.models.columns import DECODING_ERRORS
from burndown.models.compression import decompress
from burndown.models.issue_frames import is_framed
from burndown.models.zstd import compress_frame
from burndown.schema.operations import iterate_keys

revision = "1.6"
down_revision = "1.5"

_responses = sa.table(
    "jira_cache",
    *map(sa.column, ("profile_id", "query_id", "cache_key")),
    sa.column("response", sa.LargeBinary()),
)


def upgrade() -> None:
    """Change nothing: a response that is compressed as a whole is read as before."""


def downgrade() -> None:
    if not context.is_offline_mode():
        _compress_as_a_whole(op.get_bind())


def _compress_as_a_whole(connection: sa.Connection) -> None:
    c = _responses.c
    keys = (c.profile_id, c.query_id, c.cache_key)
    for row in iterate_keys(keys):
        of_row = [column == value for column, value in zip(keys, row, strict=True)]
        stored = connection.execute(sa.select(c.response).where(*of_row)).scalar_one()
        if is_framed(stored):
            try:
                response = compress_frame(decompress(stored))
            except DECODING_ERRORS:  # a damaged row stays unchanged
                continue
            connection.execute(sa.update(_responses).where(*of_row).values(response=response))

"""What Alembic runs around the versions; it works on the connection that it is given."""

from alembic import context
from sqlmodel import SQLModel

_attributes = context.config.attributes

if context.is_offline_mode():
    context.configure(dialect_name=_attributes["dialect"], literal_binds=True)
else:
    context.configure(
        connection=_attributes["connection"],
        target_metadata=SQLModel.metadata,
        transactional_ddl=True,
        render_as_batch=True,
    )

with context.begin_transaction():
    context.run_migrations()

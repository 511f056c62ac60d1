"""Running Alembic on a connection of the caller, or to render its SQL."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.sql.base import Executable

from burndown.models.version import VERSIONS

__all__ = ["config", "render", "run"]


def run(
    connection: Connection,
    current: str | None,
    version: str,
    *,
    before: Iterable[Executable] = (),
    after: Iterable[Executable] = (),
) -> None:
    """Change the tables from one version, or from none, to another, within a transaction.

    Args:
        connection: the database.
        current: the version of the tables; ``None`` if there are none.
        version: the version to change to.
        before: statements to execute first.
        after: statements to execute at the end.
    """
    _command(current, version)(config(connection=connection, before=before, after=after), version)


def render(
    dialect: str,
    current: str,
    version: str,
    *,
    before: Iterable[Executable] = (),
    after: Iterable[Executable] = (),
) -> str:
    """Return the SQL that changes one version to another."""
    settings = config(dialect=dialect, before=before, after=after)
    settings.output_buffer = output = io.StringIO()
    _command(current, version)(settings, f"{current}:{version}", sql=True)
    return output.getvalue()


def config(**attributes: object) -> Config:
    """Return the configuration of Alembic, with attributes for ``env.py``."""
    settings = Config()
    # Alembic interpolates options, so that a % in the path has to be escaped.
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")  # Alembic warns if there is none
    settings.attributes.update(attributes)
    return settings


def _command(current: str | None, version: str) -> Callable[..., None]:
    order = [None, *VERSIONS]
    return command.upgrade if order.index(current) < order.index(version) else command.downgrade

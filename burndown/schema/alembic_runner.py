"""Alembic, as this package runs it: on a connection of the caller, or to print what it would do."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.sql.base import Executable

from burndown.schema import VERSIONS

__all__ = ["config", "render", "run"]


def run(
    connection: Connection,
    present: str | None,
    version: str,
    *,
    before: Iterable[Executable] = (),
    after: Iterable[Executable] = (),
) -> None:
    """Go from the present version, or from no tables at all, to another, within a transaction.

    Args:
        connection: the database.
        present: the version of its tables; ``None`` if there are none.
        version: the version to go to.
        before: what to execute first.
        after: what to execute at the end.
    """
    _way(present, version)(config(connection=connection, before=before, after=after), version)


def render(
    dialect: str,
    present: str,
    version: str,
    *,
    before: Iterable[Executable] = (),
    after: Iterable[Executable] = (),
) -> str:
    """Return the SQL of the way."""
    settings = config(dialect=dialect, before=before, after=after)
    settings.output_buffer = output = io.StringIO()
    _way(present, version)(settings, f"{present}:{version}", sql=True)
    return output.getvalue()


def config(**attributes: object) -> Config:
    """Where Alembic finds the versions, with what ``env.py`` is to know."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes.update(attributes)
    return settings


def _way(present: str | None, version: str) -> Callable[..., None]:
    order = [None, *VERSIONS]
    return command.upgrade if order.index(present) < order.index(version) else command.downgrade

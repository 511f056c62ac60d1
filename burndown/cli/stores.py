"""The store of a command: finding it by options and settings, and opening it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from burndown.errors import StoreNotFoundError
from burndown.persistence import PersistenceBackend, backend_in_use, open_backend
from burndown.settings import Settings, get_settings

__all__ = ["open_existing", "open_store", "settings_for"]


def settings_for(
    profiles: Path | None, database: str | None, *, is_source: bool = False
) -> Settings:
    """Return the settings for the options of a command, which override the environment.

    Args:
        profiles: the folder of the workspace.
        database: the database, wherever it is.
        is_source: whether the command only reads the workspace, so that the folder does not
            determine the database.

    Raises:
        typer.BadParameter: both options name a database.
    """
    if profiles is not None and database is not None and not is_source:
        raise typer.BadParameter(
            "--profiles and --database both name a database; give only one of them"
        )
    settings = get_settings()
    if profiles is not None:
        settings = settings.model_copy(update={"profiles_dir": profiles})
        if not is_source:
            # The database in the folder, not one that the environment names.
            settings = settings.model_copy(update={"database_url": None})
    if database is not None:
        settings = settings.model_copy(update={"database_url": database})
    return settings


@contextmanager
def open_store(location: str | Path, *, read_only: bool = False) -> Iterator[PersistenceBackend]:
    """Open a store and make it the current backend until the command has run."""
    with open_backend(location, read_only=read_only) as backend, backend_in_use(backend):
        yield backend


@contextmanager
def open_existing(settings: Settings, *, read_only: bool = True) -> Iterator[PersistenceBackend]:
    """Open the store of the settings for a command that needs one.

    Args:
        settings: the settings.
        read_only: whether the command only reads.

    Raises:
        StoreNotFoundError: there is no database. The first write would create it.
    """
    with open_store(settings.database, read_only=True) as backend:
        if not backend.exists():
            # For a file or schema of another program, this raises an error that names its content.
            backend.list_profiles()
            location = backend.describe()["location"]
            raise StoreNotFoundError(
                f"There is no database at {location}; `burndown init` makes an empty one, and "
                "`burndown migrate` one of the data of an older dashboard"
            )
        if read_only:
            yield backend
            return
    with open_store(settings.database) as backend:
        yield backend

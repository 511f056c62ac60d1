"""Which store a command works on, and how it is opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from burndown.errors import StorageError
from burndown.persistence import PersistenceBackend, open_backend, set_backend
from burndown.settings import DATABASE_NAME, Settings, get_settings

__all__ = ["DatabaseURL", "ProfilesDir", "in_use", "settings_of", "to_read"]

ProfilesDir = Annotated[
    Path | None,
    typer.Option(
        "--profiles",
        metavar="DIR",
        help=f"Folder of the workspace, with its database {DATABASE_NAME} [default: profiles].",
    ),
]
DatabaseURL = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Store to work on: a path, a URL, or json:DIR, whatever the environment names.",
    ),
]


@contextmanager
def to_read(settings: Settings) -> Iterator[PersistenceBackend]:
    """Give the backend of the settings to a command that only reads, and so changes nothing."""
    with in_use(settings.database, read_only=True) as backend:
        if not backend.exists():
            backend.list_profiles()  # a database says what is in its place
            location = backend.describe()["location"]
            raise StorageError(f"There is no database at {location}; `burndown migrate` makes one")
        yield backend


def settings_of(
    profiles: Path | None, database: str | None, *, is_source: bool = False
) -> Settings:
    """Return the settings; what a command is given wins over the environment.

    Args:
        profiles: the folder of the workspace, with the database in it.
        database: a database elsewhere.
        is_source: whether the folder is only read, and the settings name the database.
    """
    if profiles is not None and database is not None and not is_source:
        raise typer.BadParameter(
            "--profiles names the database in a folder and --database another one; give one of them"
        )
    settings = get_settings()
    if profiles is not None:
        settings = settings.model_copy(update={"profiles_dir": profiles})
        if not is_source:
            settings = settings.model_copy(update={"database_url": None})
    if database is not None:
        settings = settings.model_copy(update={"database_url": database})
    return settings


@contextmanager
def in_use(where: str | Path, *, read_only: bool = False) -> Iterator[PersistenceBackend]:
    """Give the backend at a location, which is the current one until the command has run."""
    with open_backend(where, read_only=read_only) as backend:
        set_backend(backend)
        try:
            yield backend
        finally:
            set_backend(None)

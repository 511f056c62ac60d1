"""Settings: the location of the data and its durability. The only reader of the environment.

================================ ==============================================================
variable                         meaning
================================ ==============================================================
``BURNDOWN_PROFILES_DIR``        folder of the workspace, ``profiles`` under the current folder
``BURNDOWN_DATABASE_URL``        another store: a path, an SQLAlchemy URL, or ``json:DIR``
``BURNDOWN_SQLITE_SYNCHRONOUS``  ``FULL`` (default): a commit survives a power failure;
                                 ``NORMAL``: a commit survives a killed process, but a power
                                 failure may undo the last commits (each one completely)
================================ ==============================================================
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from burndown.errors import StorageError

__all__ = ["DATABASE_NAME", "PREFIX", "Settings", "get_settings"]

DATABASE_NAME = "burndown.db"
PREFIX = "BURNDOWN_"


class Settings(BaseModel):
    """The settings, with their defaults."""

    profiles_dir: Path = Path("profiles")
    database_url: str | None = Field(default=None, repr=False)
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"

    @property
    def database(self) -> str | Path:
        """Return the configured URL or path of the database, or the path of the workspace's own.

        Raises:
            StorageError: it is a folder. A store of JSON files has to be named ``json:DIR``, so
                that a mistyped path is not silently used as one.
        """
        found = self.database_url or self.profiles_dir.absolute() / DATABASE_NAME
        if Path(found).is_dir():
            raise StorageError(
                f"{found} is a folder, not a database; give the path of a file, or json:{found} "
                "for the JSON files of the old dashboard"
            )
        return found


def get_settings() -> Settings:
    """Return the current settings; they are read again with each call.

    Raises:
        ValidationError: a variable has an invalid value.
    """
    # Loading pydantic-settings took 12 of the 57 ms of a first call; most processes set nothing.
    if not any(name.upper().startswith(PREFIX) for name in os.environ):
        return Settings()
    from burndown.settings.environment import read_environment

    return read_environment()

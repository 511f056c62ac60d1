"""Where the data lies and how it is kept: the only reader of the environment.

================================ ==============================================================
variable                         meaning
================================ ==============================================================
``BURNDOWN_PROFILES_DIR``        folder of the workspace, ``profiles`` under the current folder
``BURNDOWN_DATABASE_URL``        another store: a path, an SQLAlchemy URL, or ``json:DIR``
``BURNDOWN_SQLITE_SYNCHRONOUS``  ``FULL`` (default): a commit survives a power cut;
                                 ``NORMAL``: it survives a killed process, but a power cut may
                                 take back the last commits (never tear one)
================================ ==============================================================
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from burndown.errors import StorageError

__all__ = ["DATABASE_NAME", "PREFIX", "Settings", "get_settings"]

DATABASE_NAME = "burndown.db"
PREFIX = "BURNDOWN_"


class Settings(BaseModel):
    """The settings, as they are unless the environment says otherwise."""

    profiles_dir: Path = Path("profiles")
    database_url: str | None = Field(default=None, repr=False)
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"

    @property
    def database(self) -> str | Path:
        """The database to open: the URL or path that was set, or the one of the workspace.

        Raises:
            StorageError: it is a folder, which is not taken for a store of JSON files unless the
                setting says so.
        """
        found = self.database_url or self.profiles_dir.absolute() / DATABASE_NAME
        if Path(found).is_dir():
            raise StorageError(
                f"{found} is a folder, not a database; name a file, or json:{found} for the JSON "
                "files of the old dashboard"
            )
        return found


def get_settings() -> Settings:
    """The settings of this moment.

    Raises:
        ValidationError: a variable holds a value that is not possible.
    """
    if not any(name.upper().startswith(PREFIX) for name in os.environ):
        return Settings()
    settings: Settings = import_module(f"{__name__}.environment").read_environment()
    return settings

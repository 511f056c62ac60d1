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

from pathlib import Path
from typing import Literal

import pydantic
from pydantic_settings import BaseSettings, SettingsConfigDict

from burndown.errors import ValidationError

__all__ = ["DATABASE_NAME", "Settings", "get_settings"]

DATABASE_NAME = "burndown.db"


class Settings(BaseSettings):
    """The settings, read from the environment when constructed."""

    model_config = SettingsConfigDict(env_prefix="BURNDOWN_", hide_input_in_errors=True)

    profiles_dir: Path = Path("profiles")
    database_url: str | None = None
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"

    @property
    def database(self) -> str | Path:
        """The database to open: the URL or path that was set, or the one of the workspace."""
        return self.database_url or self.profiles_dir.absolute() / DATABASE_NAME


def get_settings() -> Settings:
    """The settings of this moment.

    Raises:
        ValidationError: a variable holds a value that is not possible.
    """
    try:
        return Settings()
    except pydantic.ValidationError as error:
        raise ValidationError.from_pydantic("BURNDOWN_* environment", error) from None

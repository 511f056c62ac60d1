"""The settings and their defaults."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, PositiveInt

from burndown.errors import StorageError

__all__ = [
    "DATABASE_NAME",
    "MAX_NEW_NAME_LENGTH",
    "MAX_PROFILES",
    "MAX_QUERIES",
    "PREFIX",
    "Settings",
]

DATABASE_NAME = "burndown.db"
PREFIX = "BURNDOWN_"

MAX_PROFILES = 50
"""The maximum number of profiles in a store, by default."""
MAX_QUERIES = 100
"""The maximum number of queries in a profile, by default."""
MAX_NEW_NAME_LENGTH = 100
"""The maximum number of characters of the name of a new profile or query, by default."""


class Settings(BaseModel):
    """The settings, with their defaults."""

    profiles_dir: Path = Path("profiles")
    database_url: str | None = Field(default=None, repr=False)
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"
    max_profiles: PositiveInt = MAX_PROFILES
    max_queries: PositiveInt = MAX_QUERIES
    max_name_length: PositiveInt = MAX_NEW_NAME_LENGTH

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

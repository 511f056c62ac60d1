"""The settings and their defaults."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from burndown.errors import StoreLocationError

__all__ = [
    "BUSY_TIMEOUT_SECONDS",
    "DATABASE_NAME",
    "MAX_CONNECTIONS",
    "MAX_NEW_NAME_LENGTH",
    "MAX_PROFILES",
    "MAX_QUERIES",
    "PREFIX",
    "UPGRADE_TIMEOUT_SECONDS",
    "Settings",
]

DATABASE_NAME = "burndown.db"
PREFIX = "BURNDOWN_"

# The longest writes of the benchmark take some 30 ms (a response of 1,000 issues, the deletion of
# 10,000 expired ones), so a writer that waits for ten seconds waits for one that hangs.
BUSY_TIMEOUT_SECONDS = 10
"""How long a call waits for a lock of another transaction, by default."""
# An upgrade may decode every cached response, which takes minutes in a file of some gigabytes.
UPGRADE_TIMEOUT_SECONDS = 600
"""How long a process waits for another one that upgrades or downgrades the tables.

No call waits for longer.
"""
# A server allows 100 connections by default, which all processes of all its clients share.
MAX_CONNECTIONS = 20
"""The maximum number of connections of a process to a PostgreSQL server, by default."""
MAX_PROFILES = 50
"""The maximum number of profiles in a store, by default."""
MAX_QUERIES = 100
"""The maximum number of queries in a profile, by default."""
MAX_NEW_NAME_LENGTH = 100
"""The maximum number of characters of the name of a new profile or query, by default."""


class Settings(BaseModel):
    """The settings, with their defaults."""

    model_config = ConfigDict(defer_build=True)

    profiles_dir: Path = Path("profiles")
    database_url: str | None = Field(default=None, repr=False)
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"
    busy_timeout: Annotated[float, Field(ge=0, le=UPGRADE_TIMEOUT_SECONDS)] = BUSY_TIMEOUT_SECONDS
    max_connections: PositiveInt = MAX_CONNECTIONS
    max_profiles: PositiveInt = MAX_PROFILES
    max_queries: PositiveInt = MAX_QUERIES
    max_name_length: PositiveInt = MAX_NEW_NAME_LENGTH

    @property
    def database(self) -> str | Path:
        """Return the configured URL or path of the database, or the path of the workspace's own.

        Raises:
            StoreLocationError: it is a folder. A store of JSON files has to be named ``json:DIR``,
                so that a mistyped path is not silently used as one.
        """
        found = self.database_url or self.profiles_dir.absolute() / DATABASE_NAME
        if Path(found).is_dir():
            raise StoreLocationError(
                f"{found} is a folder, not a database; give the path of a file, or json:{found} "
                "for the JSON files of the old dashboard"
            )
        return found

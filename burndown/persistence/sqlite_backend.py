"""A workspace in a SQLite file: the default."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from burndown.database import SQLiteDatabase
from burndown.models.timestamps import utc_now
from burndown.persistence.sql_backend import SQLBackend

__all__ = ["SQLiteBackend"]


class SQLiteBackend(SQLBackend):
    """The storage of a workspace in a SQLite file.

    Args:
        path: the file; it is created on first use with its folder, readable only by its owner.
        clock: returns the current time.
    """

    database: SQLiteDatabase

    def __init__(self, path: str | Path, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(SQLiteDatabase(path), clock)

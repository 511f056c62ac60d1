"""The SQL dialect of calls on a SQLite file that need no session."""

import sqlite3
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

__all__ = ["SQLITE"]


class _SQLite(DefaultDialect):
    """The default dialect of SQLAlchemy, for statements that are the same in SQLite.

    SQLAlchemy's own for SQLite takes 10 ms to load, as long as a fifth of a first call. Sessions
    use that.
    """

    name = "sqlite"
    default_paramstyle = "qmark"


_driver: Any = sqlite3  # its errors are not those of SQLAlchemy's protocol, for type checkers
SQLITE = _SQLite(dbapi=_driver)

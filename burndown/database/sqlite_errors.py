"""What errors of SQLite mean."""

import sqlite3
from pathlib import Path

from burndown.database import base
from burndown.database.database_file import DatabaseFile
from burndown.errors import DatabaseCorruptionError, StorageError

__all__ = ["is_of_other_tables", "not_writable", "translate"]


def translate(error: BaseException, file: DatabaseFile, why_read_only: str | None) -> StorageError:
    """Return the error of this package for one of the driver, or of SQLAlchemy itself.

    Args:
        error: what was raised.
        file: the database.
        why_read_only: why it was opened to be read, if it was.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return StorageError(
            f"{file.journal} holds a transaction that was interrupted; it has to be taken back "
            "before the database can be read, which `burndown upgrade` does"
        )
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_NOTADB:
        return DatabaseCorruptionError(
            f"{file.path} is not a SQLite database: it is damaged, encrypted or a file of another "
            "program, and was not changed; restore a backup of it, or name another file"
        )
    if primary == sqlite3.SQLITE_CORRUPT:
        return DatabaseCorruptionError(
            f"The database is damaged ({error}); restore a backup of {file.path}"
        )
    if str(error).startswith("Could not decode to UTF-8"):  # and then comes the value
        column = str(error).partition(" with text ")[0].rpartition(" ")[2]
        return DatabaseCorruptionError(
            f"The database is damaged: a value of column {column} is not UTF-8; restore a backup "
            f"of {file.path}"
        )
    if primary == sqlite3.SQLITE_READONLY:
        return not_writable(file.path, why_read_only or file.why_read_only() or str(error))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(
            f"The database is locked: another transaction has been writing for more than "
            f"{base.BUSY_TIMEOUT_SECONDS} seconds"
        )
    return StorageError(f"The database {file.path} failed: {error}")


def not_writable(path: Path, reason: str) -> StorageError:
    """Return the error of a call that would write to a database that can only be read."""
    return StorageError(f"The database {path} cannot be written: {reason}")


def is_of_other_tables(error: BaseException) -> bool:
    """Return whether a table or column was not found, as after a downgrade by another process."""
    return isinstance(error, sqlite3.OperationalError) and any(
        each in str(error) for each in ("no such table", "no such column", "no column named")
    )

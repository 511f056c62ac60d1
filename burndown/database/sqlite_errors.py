"""Translation of SQLite's errors."""

import sqlite3
from pathlib import Path

from burndown.database import timeouts
from burndown.database.database_file import DatabaseFile
from burndown.errors import DatabaseCorruptionError, StorageError

__all__ = ["is_schema_mismatch", "not_writable", "translate"]


def translate(
    error: BaseException, file: DatabaseFile, read_only_reason: str | None
) -> StorageError:
    """Return the error of this package for one that the driver or SQLAlchemy raised.

    Args:
        error: the raised error.
        file: the database.
        read_only_reason: why it can only be read; ``None`` if it can be written.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return StorageError(
            f"{file.journal} holds an interrupted transaction, which has to be rolled back before "
            "the database can be read; run `burndown upgrade` to do that"
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
    # The rest of this message is the value, which may be a secret.
    if str(error).startswith("Could not decode to UTF-8"):
        column = str(error).partition(" with text ")[0].rpartition(" ")[2]
        return DatabaseCorruptionError(
            f"The database is damaged: a value of column {column} is not UTF-8; restore a backup "
            f"of {file.path}"
        )
    if primary == sqlite3.SQLITE_READONLY:
        return not_writable(file.path, read_only_reason or file.read_only_reason() or str(error))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(
            f"The database is locked: another transaction has been writing for more than "
            f"{timeouts.BUSY_TIMEOUT_SECONDS} seconds"
        )
    return StorageError(f"The database {file.path} failed: {error}")


def not_writable(path: Path, reason: str) -> StorageError:
    """Return the error of a call that would write to a database that can only be read."""
    return StorageError(f"The database {path} cannot be written: {reason}")


def is_schema_mismatch(error: BaseException) -> bool:
    """Return whether a table or column is missing, as after another process's downgrade."""
    return isinstance(error, sqlite3.OperationalError) and any(
        each in str(error) for each in ("no such table", "no such column", "no column named")
    )

"""Translation of SQLite's errors."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from burndown.database.error_translation import ErrorTranslator
from burndown.database.sqlite_connector import SQLiteConnector
from burndown.errors import DatabaseCorruptionError, StorageError

__all__ = ["SQLiteErrorTranslator", "not_writable"]


class SQLiteErrorTranslator(ErrorTranslator):
    """The translation of errors of SQLite.

    Args:
        connector: opens the connections to the file.
        on_schema_mismatch: called when a table or column is missing.
    """

    def __init__(self, connector: SQLiteConnector, on_schema_mismatch: Callable[[], None]) -> None:
        super().__init__(sqlite3.Error, on_schema_mismatch)
        self._connector = connector

    def _translate(self, error: BaseException) -> StorageError:
        file = self._connector.file
        code = getattr(error, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_READONLY_ROLLBACK:
            return StorageError(
                f"{file.journal} holds an interrupted transaction, which has to be rolled back "
                "before the database can be read; run `burndown upgrade` to do that"
            )
        primary = code & 0xFF
        if primary == sqlite3.SQLITE_NOTADB:
            return DatabaseCorruptionError(
                f"{file.path} is not a SQLite database: it is damaged, encrypted or a file of "
                "another program, and was not changed; restore a backup of it, or choose another "
                "file"
            )
        if primary == sqlite3.SQLITE_CORRUPT:
            return DatabaseCorruptionError(
                f"The database is damaged ({error}); restore a backup of {file.path}"
            )
        # The rest of this message is the value, which may be a secret.
        if str(error).startswith("Could not decode to UTF-8"):
            column = str(error).partition(" with text ")[0].rpartition(" ")[2]
            return DatabaseCorruptionError(
                f"The database is damaged: a value of column {column} is not UTF-8; restore a "
                f"backup of {file.path}"
            )
        if str(error) == "user-defined function raised exception":
            # Those of the digests take every value but a string that Python cannot read.
            return DatabaseCorruptionError(
                f"The database is damaged: a string is not UTF-8; restore a backup of {file.path}, "
                "or run `burndown salvage`"
            )
        # An older version is read through views, which refuse a write earlier.
        if primary == sqlite3.SQLITE_READONLY or str(error).endswith("because it is a view"):
            return not_writable(file.path, self._read_only_reason() or str(error))
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StorageError(
                f"The database is locked: another transaction has been writing for more than "
                f"{self._connector.busy_timeout:g} s"
            )
        return StorageError(f"The database {file.path} failed: {error}")

    def _read_only_reason(self) -> str | None:
        return self._connector.read_only_reason or self._connector.file.read_only_reason()

    def _is_schema_mismatch(self, error: BaseException) -> bool:
        # Not a database: a file that was one when it was opened was emptied or overwritten.
        return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB or (
            isinstance(error, sqlite3.OperationalError)
            and any(
                each in str(error)
                for each in ("no such table", "no such column", "no column named")
            )
        )


def not_writable(path: Path, reason: str) -> StorageError:
    """Return the error of a call that would write to a database that can only be read."""
    return StorageError(f"The database {path} cannot be written: {reason}")

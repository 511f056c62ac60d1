"""Replacing the content of a SQLite database by that of a backup, while others have it open.

The pages are written through SQLite's online backup, in one transaction of the database: whoever
reads meanwhile sees the earlier content to the end, writers wait, and a killed process leaves
either the earlier content or the new one. A file that was copied over a database in use would be
mixed with its log and with the pages that others have in memory.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from burndown.database.sqlite_backup import copy_database
from burndown.database.sqlite_connector import SQLiteConnector
from burndown.database.sqlite_errors import not_writable
from burndown.database.upgrade import SchemaUpgrader
from burndown.errors import DatabaseCorruptionError
from burndown.files.atomic import keep_copy
from burndown.files.working_folder import working_folder

__all__ = ["prepare_to_restore", "replace_content"]

# The current content is kept after the first step, which takes the lock. No database of this
# package has so few pages: each table and each index takes one.
_PAGES_OF_STEP = 8


def prepare_to_restore(connector: SQLiteConnector, upgrader: SchemaUpgrader) -> bool:
    """Make the file of a database in its folder, unless there is one; return whether there was one.

    Raises:
        StorageError: it cannot be written.
        ForeignDatabaseError: it belongs to another program.
        DatabaseCorruptionError: it is damaged so badly that SQLite cannot open it.
    """
    file = connector.file
    exists = file.exists()
    reason = connector.find_read_only_reason()
    if reason is not None:
        raise not_writable(file.path, reason)
    if not exists:
        # A new file also in place of an emptied one, which other processes may have open.
        file.path.resolve().unlink(missing_ok=True)
        file.clear_sidecars()
        file.make()
    connector.detect_access()
    try:
        upgrader.version()  # refuses a file of another program
        connector.use_write_ahead_log()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise DatabaseCorruptionError(
            f"{file.path} is damaged so badly that its content cannot be replaced ({error}); move "
            "it away, with the files next to it that have its name and end in -wal and -shm, and "
            "restore the backup again"
        ) from error
    return exists


def replace_content(connector: SQLiteConnector, content: Path, *, keeps: bool) -> Path | None:
    """Replace the content of a database in one transaction.

    Args:
        connector: opens connections to the database.
        content: the file of another database, which is not in use; it may be changed.
        keeps: copy the current content to ``<name>.before-restore`` first, damaged or not.

    Returns:
        The path of that copy; it has a number if there is an earlier one.

    Raises:
        sqlite3.Error: another process writes for longer than the busy timeout, or the database
            cannot be written; nothing has changed.
    """
    kept: Path | None = None
    is_new = False

    def after_step(status: int, *_: int) -> None:
        nonlocal kept, is_new
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):  # after the timeout
            locked = sqlite3.OperationalError("database is locked")
            locked.sqlite_errorcode = status
            raise locked
        if keeps and kept is None:
            kept, is_new = _keep(connector)

    try:
        with closing(connector.open()) as target, closing(sqlite3.connect(content)) as source:
            _match_page_size(source, target)
            source.backup(target, pages=_PAGES_OF_STEP, progress=after_step)
    except BaseException:
        if kept is not None and is_new:
            kept.unlink()
        raise
    return kept


def _keep(connector: SQLiteConnector) -> tuple[Path, bool]:
    path = connector.file.path
    with working_folder(path.parent) as folder, closing(connector.open_to_inspect()) as source:
        copy = folder / path.name
        copy_database(source, copy, lambda _: [])
        return keep_copy(copy, path, ".before-restore")


def _match_page_size(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Give a database the page size of another one, which SQLite cannot change in use."""
    [size] = target.execute("PRAGMA page_size").fetchone()
    if source.execute("PRAGMA page_size").fetchone() != (size,):
        source.execute("PRAGMA journal_mode=DELETE")
        source.execute(f"PRAGMA page_size={size}")
        source.execute("VACUUM")

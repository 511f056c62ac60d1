"""Giving free pages of a SQLite file back to the file system while the file is in use.

SQLite keeps the pages of deleted rows in the file, for new rows. In a file that is made with
``auto_vacuum=INCREMENTAL``, it can move pages from the end of the file into free ones, some at a
time. A file without it, as earlier releases made them, has to be rewritten once.
"""

import sqlite3
import time
from contextlib import closing, suppress

from burndown.database.sqlite_connections import TrackedConnection
from burndown.database.sqlite_connector import SQLiteConnector
from burndown.errors import StorageError
from burndown.sql import Executor

__all__ = [
    "can_free_pages",
    "checkpoint",
    "complete",
    "empty_log",
    "free_bytes",
    "free_pages",
    "rewrite",
]

_EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"

# Other writers wait some milliseconds for them.
PAGES = 256
"""The maximum number of pages that one transaction frees."""

# In a file of 10 GB, which is not in memory, all of the pages took up to 2.5 seconds.
_SECONDS = 0.05
"""The time after which it frees no more of them."""


def free_bytes(executor: Executor) -> int:
    """Return the bytes of the pages that hold nothing."""
    [size] = executor.execute("PRAGMA page_size").fetchone()
    return _free_count(executor) * int(size)


def can_free_pages(executor: Executor) -> bool:
    """Return whether pages can be freed without rewriting the file."""
    [mode] = executor.execute("PRAGMA auto_vacuum").fetchone()
    return bool(mode)


def free_pages(executor: Executor) -> bool:
    """Free some pages at the end of the file; return whether there are more."""
    end_at = time.monotonic() + _SECONDS
    for _ in range(PAGES):
        # One by one: the driver runs the statement for the first page only.
        executor.execute("PRAGMA incremental_vacuum(1)")
        if not _free_count(executor):
            return False
        if time.monotonic() >= end_at:
            break
    return True


def rewrite(connector: SQLiteConnector) -> None:
    """Rewrite the file without free pages, so that it can free pages from now on.

    Readers go on, writers wait. A killed process leaves the file as it was. The content takes its
    space again for a temporary file, and once more for the log.
    """
    with closing(connector.open()) as connection:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")


def checkpoint(connector: SQLiteConnector) -> None:
    """Put the log into the file and empty it, as far as that is possible without waiting.

    SQLite shortens the file in this step. What a reader or writer prevents is done by the next
    checkpoint, which SQLite makes by itself.
    """
    with closing(connector.open()) as connection:
        connection.execute("PRAGMA busy_timeout=0")
        connection.execute(_EMPTY_LOG).fetchone()


def complete(connection: TrackedConnection) -> None:
    """Put the log into the file that a connection has open, wherever that is now, and empty it.

    What a reader or writer prevents stays in the log.
    """
    with suppress(sqlite3.Error):
        connection.wait_for_locks()
        connection.execute(_EMPTY_LOG).fetchone()


def empty_log(connector: SQLiteConnector) -> None:
    """Put the log into the file and empty it, once others have finished with it.

    Raises:
        StorageError: others read or write for longer than the timeout.
    """
    with closing(connector.open()) as connection:
        [is_busy, *_] = connection.execute(_EMPTY_LOG).fetchone()
    if is_busy:
        raise StorageError(
            f"{connector.file.log} still holds what was replaced, since another process reads or "
            "writes; repeat this when it has ended"
        )


def _free_count(executor: Executor) -> int:
    [count] = executor.execute("PRAGMA freelist_count").fetchone()
    return int(count)

"""Copies of a SQLite database that may be in use.

They are made with SQLite's online backup. Copying the three files of a database in use one after
the other, 0.3 s apart, damaged 13 of 20 copies, since other programs wrote in between. Opening the
file other than through SQLite is wrong in any case in a process that uses the database: when any
descriptor of a file is closed, POSIX drops all locks that the process has on it, and another writer
can begin while this one still writes.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from burndown.database.database_file import DatabaseFile
from burndown.database.sqlite_verification import Execute, verify_rows
from burndown.errors import DatabaseCorruptionError, StorageError
from burndown.files.atomic import complete_or_absent
from burndown.files.checksums import changed_files, checksums_path
from burndown.files.errors import storage_errors
from burndown.files.paths import lexists, sync
from burndown.files.sqlite_files import SIDECARS

__all__ = [
    "back_up",
    "copy_database",
    "integrity_problems",
    "page_problems",
    "refuse_changed",
    "sidecars_of",
]

_PAGES_OF_STEP = 1000

FindProblems = Callable[[Execute], list[str]]
"""Returns a string for each problem of a database."""


def back_up(source: sqlite3.Connection, target: Path) -> None:
    """Copy what is committed to a new file, which appears complete and checked or not at all.

    Its checksum is in a file next to it.

    Args:
        source: a connection to the database, outside of a transaction.
        target: a path that does not exist.

    Raises:
        StorageError: the target exists, or a file next to it that SQLite would take for a part of
            it; the disk is full, or the folder cannot be written to.
        DatabaseCorruptionError: the database is damaged.
    """
    with storage_errors(), complete_or_absent(target, with_checksums=True) as built:
        _refuse_sidecars(target)
        try:
            copy_database(source, built)
        except sqlite3.OperationalError as error:
            raise StorageError(f"The backup to {target} failed: {error}") from error


def copy_database(
    source: sqlite3.Connection, target: Path, find_problems: FindProblems | None = None
) -> None:
    """Copy what is committed to a new private file, check the copy and flush it.

    The copy is a single file, without a log.

    Args:
        source: a connection to the database, outside of a transaction.
        target: the file to create.
        find_problems: the check of the copy; by default :func:`integrity_problems`.

    Raises:
        DatabaseCorruptionError: the database is damaged, as its copy shows.
        sqlite3.Error: the database cannot be read, or the copy cannot be written.
    """
    *_, path = source.execute("PRAGMA database_list").fetchone()
    target.touch(mode=0o600, exist_ok=False)
    # Takes the read lock with the busy timeout of the connection; `backup` would wait forever. It
    # reads nothing of the schema, which may be damaged.
    source.execute("BEGIN")
    source.execute("PRAGMA application_id").fetchone()
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=OFF")  # nothing to roll back to in a new file
        # In steps, so that a signal can end it.
        source.backup(copy, pages=_PAGES_OF_STEP, progress=lambda *_: None)
        copy.execute("PRAGMA journal_mode=DELETE")  # the copied header asks for a log
        problems = (find_problems or integrity_problems)(copy.execute)
    source.rollback()
    if problems:
        raise DatabaseCorruptionError(
            f"{path} is damaged, so no copy of it was made: {'; '.join(problems[:5])}"
        )
    sync(target)


def page_problems(execute: Execute) -> list[str]:
    """Return a string for each problem of pages and indexes.

    ``PRAGMA integrity_check`` found 19 % of flipped bits: most are within values.

    Args:
        execute: runs a statement on a connection to the database.
    """
    damages = [str(row[0]) for row in execute("PRAGMA integrity_check")]
    return [each for each in damages if each != "ok"]


def integrity_problems(execute: Execute) -> list[str]:
    """Return a string for each problem of pages, indexes, references and rows.

    Args:
        execute: runs a statement on a connection to the database.
    """
    return (
        page_problems(execute)
        + [
            f"row {rowid} of {table} belongs to a row of {parent} that does not exist"
            for table, rowid, parent, _ in execute("PRAGMA foreign_key_check")
        ]
        + verify_rows(execute).damaged
    )


def refuse_changed(backup: Path) -> None:
    """Check that a backup is not in use, and has its checksum.

    Raises:
        StorageError: a process uses it as a database, or was killed when it did.
        DatabaseCorruptionError: it has not the checksum that it had when it was made.
    """
    for sidecar in sidecars_of(backup):  # reading the file would release the locks on it
        raise StorageError(
            f"{backup} is in use, or was when its process was killed, as {sidecar.name} next to it "
            "shows; make a backup of it, and restore that one"
        )
    with storage_errors():
        if backup.is_file() and changed_files(backup):
            raise DatabaseCorruptionError(
                f"{backup} is damaged, or was changed: it has another checksum than in "
                f"{checksums_path(backup)}. Take another backup; if it was changed on purpose, "
                "delete that file"
            )


def sidecars_of(path: Path) -> list[Path]:
    """Return the files that SQLite keeps next to a database in use, or left when it was killed.

    By them, a database in use is recognized without opening its file.
    """
    return [sidecar for sidecar in DatabaseFile(path).sidecars if lexists(sidecar)]


def _refuse_sidecars(target: Path) -> None:
    if target.name.endswith(SIDECARS):
        raise StorageError(
            f"{target} has a name that SQLite gives to files of its own; choose another one"
        )
    for sidecar in sidecars_of(target):
        raise StorageError(
            f"{sidecar} belongs to another database, and SQLite would take it for a part of the "
            "backup; choose another file"
        )

"""Copies of a SQLite database that may be in use.

They are made with SQLite's online backup, on connections of SQLite. Other programs may write
between the copying of one file and the next, so that copies of the three files of a database do not
fit together. And to open the file of a database by other means is wrong in a process that uses the
database: when any descriptor of a file is closed, POSIX drops all locks that the process has on it,
and the next writer takes the file for its own.
"""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from burndown.database.database_file import DatabaseFile
from burndown.errors import DatabaseCorruptionError, StorageError
from burndown.files.atomic import complete_or_absent
from burndown.files.errors import storage_errors
from burndown.files.paths import lexists, sync
from burndown.files.sqlite_files import SIDECARS

__all__ = ["back_up", "copy_database", "integrity_problems", "sidecars_of"]


def back_up(source: sqlite3.Connection, target: Path) -> None:
    """Copy what is committed to a new file, which appears complete and checked or not at all.

    Args:
        source: a connection to the database, outside of a transaction.
        target: a path where nothing is.

    Raises:
        StorageError: there is something at the target, or beside it what SQLite would take for a
            part of it; the disk is full, or the folder cannot be written to.
        DatabaseCorruptionError: the database is damaged.
    """
    with storage_errors(), complete_or_absent(target) as built:
        _refuse_sidecars(target)
        try:
            copy_database(source, built)
        except sqlite3.OperationalError as error:
            raise StorageError(f"The backup to {target} failed: {error}") from error


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy what is committed to a new private file, check the copy and flush it.

    The copy is one file that needs no others beside it.

    Raises:
        DatabaseCorruptionError: the copy has what is wrong with the database.
        sqlite3.Error: the database cannot be read, or the copy not be written.
    """
    *_, path = source.execute("PRAGMA database_list").fetchone()
    target.touch(mode=0o600, exist_ok=False)
    # A lock is waited for here, for as long as the connection waits: `backup` would for ever.
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_master").fetchone()
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=OFF")
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        problems = integrity_problems(copy.execute)
    source.rollback()
    if problems:
        raise DatabaseCorruptionError(
            f"{path} is damaged, so no copy of it was made: {'; '.join(problems[:5])}"
        )
    sync(target)


def integrity_problems(execute: Callable[[str], Iterable[Any]]) -> list[str]:
    """Return what is wrong with pages, indexes and references, one string for each problem.

    Args:
        execute: runs a statement on a connection to the database.
    """
    damages = [str(row[0]) for row in execute("PRAGMA integrity_check")]
    return [each for each in damages if each != "ok"] + [
        f"row {rowid} of {table} belongs to a row of {parent} that is not there"
        for table, rowid, parent, _ in execute("PRAGMA foreign_key_check")
    ]


def sidecars_of(path: Path) -> list[Path]:
    """Return the files that are beside a database in use, or were left by one.

    They tell such a database without opening its file.
    """
    return [sidecar for sidecar in DatabaseFile(path).sidecars if lexists(sidecar)]


def _refuse_sidecars(target: Path) -> None:
    if target.name.endswith(SIDECARS):
        raise StorageError(
            f"{target} has a name that SQLite gives to files of its own; name another one"
        )
    for sidecar in sidecars_of(target):
        raise StorageError(
            f"{sidecar} is left of another database, and SQLite would take it for a part of the "
            "backup; name another file"
        )

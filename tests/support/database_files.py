"""Files at the path of a database: our database in every state, and files of other programs."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path


class Place:
    """A path, and the database that is put there.

    Args:
        path: where to put it; its folder is created.
        ours: a database of ours.
        stack: closes the connections that stay open.
    """

    def __init__(self, path: Path, ours: Path, stack: ExitStack) -> None:
        self.path = path
        self.ours = ours
        self.stack = stack
        self.path.parent.mkdir(parents=True)

    def copy(self) -> None:
        """Copy our database there, closed cleanly."""
        shutil.copy(self.ours, self.path)

    def connect(self, path: Path | None = None) -> sqlite3.Connection:
        """Open a connection that stays open until the command has run."""
        connection = sqlite3.connect(path or self.path, isolation_level=None)
        return self.stack.enter_context(closing(connection))

    def make(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def in_use(self, path: Path) -> sqlite3.Connection:
        """Keep a connection open that has just written."""
        connection = self.connect(path)
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("UPDATE profiles SET description = 'in the log'")
        return connection

    def copy_killed(self, *suffixes: str) -> None:
        """Copy there what a killed process leaves."""
        other = self.path.with_name("other.db")
        shutil.copy(self.ours, other)
        with closing(self.in_use(other)):
            for suffix in suffixes:
                shutil.copy(f"{other}{suffix}", f"{self.path}{suffix}")
        other.unlink()


def closed(place: Place) -> None:
    place.copy()


def in_use(place: Place) -> None:
    place.copy()
    place.in_use(place.path)


def being_written(place: Place) -> None:
    place.copy()
    place.in_use(place.path).execute("BEGIN IMMEDIATE")


def open_and_idle(place: Place) -> None:
    place.copy()
    place.connect().execute("SELECT * FROM profiles").fetchall()


def killed(place: Place) -> None:
    place.copy_killed("", "-wal", "-shm")


def killed_without_index(place: Place) -> None:
    place.copy_killed("", "-wal")


def log_alone(place: Place) -> None:
    place.copy_killed("-wal")


def without_log(place: Place) -> None:
    place.copy()
    place.make("PRAGMA journal_mode=DELETE")


def linked(place: Place) -> None:
    other = place.path.with_name("real.db")
    shutil.copy(place.ours, other)
    place.path.symlink_to(other)


def with_second_name(place: Place) -> None:
    place.copy()
    os.link(place.path, place.path.with_name("second.db"))


def foreign(place: Place) -> None:
    place.make("CREATE TABLE bookmarks (url TEXT)", "INSERT INTO bookmarks VALUES ('x')")


def foreign_with_log(place: Place) -> None:
    place.make("PRAGMA journal_mode=WAL", "CREATE TABLE app_state (name TEXT, blob TEXT)")


def foreign_in_use(place: Place) -> None:
    connection = place.connect()
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE profiles (uid INTEGER PRIMARY KEY, email TEXT)")


def foreign_killed(place: Place) -> None:
    """Copy a foreign database with its last changes in the log only."""
    other = place.path.with_name("other.db")
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(f"{other}{suffix}", f"{place.path}{suffix}")
    other.unlink()


def published(place: Place) -> None:
    place.make(
        "PRAGMA journal_mode=WAL",
        "CREATE TABLE app_state (key TEXT PRIMARY KEY, value TEXT)",
        "CREATE TABLE jira_issues (id INTEGER PRIMARY KEY, issue_key TEXT)",
        "CREATE TABLE profiles (id TEXT PRIMARY KEY)",
        "CREATE TABLE queries (id TEXT PRIMARY KEY)",
        "INSERT INTO app_state VALUES ('schema_version', '1.0')",
    )


def too_new(place: Place) -> None:
    place.copy()
    place.make("UPDATE burndown_version SET version_num = '7.3'")


def damaged(place: Place) -> None:
    place.copy()
    content = place.path.read_bytes()
    place.path.write_bytes(content[:8192] + b"\xa5" * 40960 + content[49152:])


def no_database(place: Place) -> None:
    place.path.write_bytes(b"no database at all" * 1000)


def single_byte(place: Place) -> None:
    """Write a file that SQLite treats as empty."""
    place.path.write_bytes(b"1")


def only_a_view(place: Place) -> None:
    place.make("CREATE VIEW profiles AS SELECT 1 AS id")


def empty(place: Place) -> None:
    place.path.touch()


def without_tables(place: Place) -> None:
    place.make("PRAGMA journal_mode=WAL", "VACUUM")


def not_there(place: Place) -> None:
    pass


def folder(place: Place) -> None:
    place.path.mkdir()


def hot_journal(place: Place) -> None:
    place.copy()
    foreign_journal(place.path)


def foreign_journal(path: Path) -> None:
    """Put the journal of another database next to this one."""
    other = path.with_name("other.db")
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size=1")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (randomblob(100000))")
        connection.execute("BEGIN")
        connection.execute("UPDATE t SET x = randomblob(100000)")
        shutil.copy(f"{other}-journal", f"{path}-journal")
    other.unlink()


KINDS: list[Callable[[Place], None]] = [
    *(closed, in_use, being_written, open_and_idle, killed, killed_without_index, log_alone),
    *(without_log, linked, with_second_name, foreign, foreign_with_log, foreign_in_use),
    *(foreign_killed, published),
    *(
        too_new,
        damaged,
        no_database,
        single_byte,
        empty,
        without_tables,
        not_there,
        folder,
        hot_journal,
    ),
]
FOREIGN = [foreign, foreign_with_log, foreign_in_use, foreign_killed, published]
FOREIGN += [no_database, single_byte, only_a_view]
READABLE = {closed, in_use, being_written, open_and_idle, killed, killed_without_index} | {
    without_log,
    linked,
}


def contents(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Return all files with their content, except the index of a log.

    SQLite keeps its locks in it, and rebuilds it after a process was killed.
    """
    return {
        str(path): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() and path.suffix != ".db-shm" else None,
        )
        for path in sorted(folder.rglob("*"))
    }

"""The rollback journal of a SQLite file, read before SQLite applies it."""

import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["RollbackJournal", "file_size"]

# The formats of https://www.sqlite.org/fileformat2.html, sections 1.3 and 3.
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_RECORD_OVERHEAD = 8
"""Bytes of a record of a journal besides its page: the page number and the checksum."""
_CHANGING_HEADER = (slice(18, 20), slice(24, 28), slice(92, 100))
"""Bytes of the first page that change with the journal mode: format versions and counters."""


class RollbackJournal:
    """The journal by which SQLite undoes an interrupted transaction of a file without a log.

    Args:
        database: the path of the database.
        path: the path of the journal, which need not exist.
    """

    def __init__(self, database: Path, path: Path) -> None:
        self._database = database
        self._path = path

    def is_hot(self) -> bool:
        """Return whether SQLite would apply the journal, if its writer is not running."""
        try:
            with self._path.open("rb") as file:
                return file.read(len(_JOURNAL_MAGIC)) == _JOURNAL_MAGIC
        except (FileNotFoundError, NotADirectoryError):
            return False

    def is_harmless(self) -> bool:
        """Return whether the journal undoes nothing but a change of the journal mode.

        That is all that burndown ever writes without a log, when it creates or first opens a
        database.
        """
        try:
            journal = self._path.read_bytes()
        except FileNotFoundError:
            return True
        # The header of a journal: pages of the database before the transaction, sizes.
        pages, sector, page_size = (
            int.from_bytes(journal[at : at + 4], "big") for at in (16, 20, 24)
        )
        if len(journal) > sector + page_size + _RECORD_OVERHEAD:
            return False
        found = self._content(at_most=max(pages, 1) * page_size)
        if found is None or (pages > 1 and len(found) != pages * page_size):
            return False
        record = journal[sector + 4 : sector + 4 + page_size]
        return pages == 0 or len(record) < page_size or _same_but_mode(record, found[:page_size])

    def _content(self, at_most: int) -> bytes | None:
        """Return the content of the database, or ``None`` if it is larger or cannot be read."""
        if file_size(self._database) > at_most:
            return None
        if file_size(self._database) == 0:
            return b""
        try:
            where = f"{self._database.as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(where, uri=True)) as connection:
                return connection.serialize()
        except sqlite3.Error:
            return None


def file_size(path: Path) -> int:
    """Return the size of a file in bytes; 0 if it does not exist."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _same_but_mode(page: bytes, other: bytes) -> bool:
    one, two = bytearray(page), bytearray(other)
    for part in _CHANGING_HEADER:
        one[part] = two[part] = bytes(part.stop - part.start)
    return one == two

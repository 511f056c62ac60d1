"""The content of a damaged SQLite file, as far as it can be read, without changing it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import literal_column
from sqlalchemy.dialects import sqlite

from burndown.database.database_file import DatabaseFile
from burndown.errors import DatabaseCorruptionError, StorageError
from burndown.models import METADATA, Document, Entity
from burndown.models.digests import DIGEST, record_name
from burndown.schema.digests import SUMS
from burndown.settings import get_settings
from burndown.sql import Statement, select_documents

__all__ = ["Damage", "DamagedFile"]

_ROWID = "rowid of the row"
_LAST_ROWID = 2**63 - 1


class Damage(NamedTuple):
    """A record that is damaged, or several that cannot be read at all."""

    key: tuple[Any, ...] | None
    """The primary key as it was read, which can be damaged; ``None`` for several records."""
    description: str
    """The name for people."""


class DamagedFile:
    """A damaged database of the current schema version.

    Args:
        path: the file, which is only read.
    """

    def __init__(self, path: Path) -> None:
        self._file = DatabaseFile(path)

    def is_current(self) -> bool:
        """Return whether the file has a table of the current version, as far as SQLite can say.

        Raises:
            StorageError: another program keeps the file from being read, damaged or not.
        """
        try:
            with closing(self._connect()) as connection:
                return any(
                    DIGEST in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
                    for table in METADATA.tables
                )
        except sqlite3.Error as error:
            self._refuse_unreachable(error)
            return False
        except UnicodeDecodeError:
            return False

    def owner_ids(self) -> list[tuple[str, ...]]:
        """Return the ids of each profile, and of each query with its profile, in any version."""
        found: list[tuple[str, ...]] = []
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(self._connect()) as connection:
            found += connection.execute("SELECT id FROM profiles")
            found += connection.execute("SELECT profile_id, id FROM queries")
        return found

    def has_row_counts(self) -> bool:
        """Return whether the number of rows of each table can be read, by which lost ones show."""
        with closing(self._connect()) as connection:
            return _row_counts(connection).keys() >= METADATA.tables.keys()

    def records(self, entity: type[Entity], damages: list[Damage]) -> Iterator[Document]:
        """Yield the intact records of an entity, also those that other programs have edited.

        Args:
            entity: the entity.
            damages: takes what is damaged.
        """
        table = entity.__table__
        statement: Statement[Document] = Statement(
            select_documents(table).add_columns(literal_column("rowid").label(_ROWID))
        )
        compiled = statement.compiled(sqlite.dialect())
        key = [column.name for column in table.primary_key]
        names = [column.name for column in select_documents(table).selected_columns]
        count, has_gap = 0, False
        with closing(self._connect()) as connection:
            for row in self._rows(connection, compiled.sql, table.name, len(names)):
                if row is None:
                    has_gap = True
                    continue
                count += 1
                read = dict(zip(names, row, strict=False))
                try:
                    document = compiled.document(row)
                except DatabaseCorruptionError:
                    values = {name: read[name] for name in key}
                    damages.append(Damage(tuple(values.values()), record_name(table, values)))
                    continue
                del document[_ROWID]
                if entity.UNKNOWN_KEYS:
                    document.update(document.pop(entity.UNKNOWN_KEYS))
                yield document
            if has_gap or _row_counts(connection).get(table.name) not in (None, count):
                damages.append(Damage(None, f"{entity.LABEL} that cannot be read"))

    def _refuse_unreachable(self, error: sqlite3.Error) -> None:
        code = getattr(error, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_READONLY_ROLLBACK:
            raise StorageError(
                f"{self._file.journal} would undo an interrupted transaction. If it belongs to the "
                "file, open a copy of both with the `sqlite3` shell, which undoes it, and salvage "
                "the copy; if it belongs to another file, move it away"
            ) from error
        if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN):
            raise StorageError(f"{self._file.path} cannot be read: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        uri, timeout = self._file.access(may_write=False).uri, get_settings().busy_timeout
        connection = sqlite3.connect(uri, timeout=timeout, uri=True, isolation_level=None)
        # With it, SQLite reads what it can of a damaged schema.
        connection.execute("PRAGMA writable_schema=ON")
        # A string that is not UTF-8 has no digest, and is damaged for that reason.
        connection.text_factory = lambda data: data.decode(errors="surrogateescape")
        connection.execute("BEGIN")  # others may still write
        return connection

    def _rows(
        self, connection: sqlite3.Connection, sql: str, table: str, rowid_at: int
    ) -> Iterator[tuple[Any, ...] | None]:
        """Yield the rows of a table, and ``None`` for each gap that cannot be read."""
        last = -_LAST_ROWID
        while True:
            step = f"{sql} NOT INDEXED WHERE rowid > {last} ORDER BY rowid"
            try:
                for row in connection.execute(step):
                    last = row[rowid_at]
                    yield row
                return
            except (sqlite3.Error, UnicodeDecodeError):
                yield None
                after = self._end_of_gap(connection, table, last)
                if after is None:
                    return
                last = after

    def _end_of_gap(self, connection: sqlite3.Connection, table: str, last: int) -> int | None:
        """Return the largest rowid after which rows can be read again; ``None`` if none can."""

        def can_read_after(rowid: int) -> bool:
            # All columns, since a damaged part may be in the overflow of a row.
            found = (
                f"SELECT * FROM {table} NOT INDEXED WHERE rowid > {rowid} ORDER BY rowid LIMIT 1"  # noqa: S608
            )
            try:
                return connection.execute(found).fetchone() is not None
            except (sqlite3.Error, UnicodeDecodeError):
                return False

        low, step = last, 1
        while not can_read_after(low + step):
            if low + step >= _LAST_ROWID // 4:
                return None
            step *= 2
        high, low = low + step, low + step // 2
        while high - low > 1:
            middle = (low + high) // 2
            if can_read_after(middle):
                high = middle
            else:
                low = middle
        return high


def _row_counts(connection: sqlite3.Connection) -> dict[str, int | None]:
    """Return the number of rows by table; ``None`` after another program has inserted some."""
    try:
        found = connection.execute(f"SELECT table_name, row_count FROM {SUMS}").fetchall()  # noqa: S608
    except sqlite3.Error:
        return {}
    return {table: count for table, count in found if isinstance(count, int | None)}

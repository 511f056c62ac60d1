"""Writing the tables of a store to a database, or to a folder of files."""

import csv
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from burndown.errors import StorageError, ValidationError
from burndown.files.atomic import complete_or_absent, write_file
from burndown.files.errors import storage_errors
from burndown.files.paths import lexists, make_folder, sync
from burndown.files.working_folder import working_folder
from burndown.persistence import PersistenceBackend, resolve_backend
from burndown.tables.columns import Table
from burndown.tables.database import (
    APPLICATION_ID,
    TableChanges,
    create_tables,
    insertion,
    replace_rows,
    stage_rows,
)
from burndown.tables.declared import TABLES
from burndown.tables.files import CsvFiles, ParquetFiles, TableFiles
from burndown.tables.metadata import metadata_of
from burndown.tables.rows import rows_of

__all__ = ["write_tables"]

_DATABASES = (".db", ".sqlite", ".sqlite3")
_FORMATS: dict[str, type[CsvFiles] | type[ParquetFiles]] = {
    ".csv": CsvFiles,
    ".parquet": ParquetFiles,
}
_EXPECTED = "input should end in .db or .sqlite, or for a folder of files in .csv or .parquet"
_METADATA = "metadata.json"


def write_tables(
    path: str | Path, *, backend: PersistenceBackend | None = None
) -> dict[str, TableChanges]:
    """Write what a store has as flat tables without secrets, or what has changed since.

    A database changes in one transaction, so that its readers see all of the old or of the new
    rows. Each file of a folder is replaced, atomically, if its table has changed. A new database or
    folder appears complete or not at all. Objects that others have added, such as views, are kept.

    Args:
        path: a file that ends in ``.db``, ``.sqlite`` or ``.sqlite3``; or a folder that ends in
            ``.csv`` or ``.parquet``, for a file of each table. It is made if it does not exist.
        backend: the store; the one in use by default. Within its ``transaction``, all rows are of
            the same state.

    Returns:
        For each table, the number of its rows, and of those that were added, changed and removed.

    Raises:
        ValidationError: the path has another ending, or is a file or folder of something else;
            nothing was changed.
        StorageError: it cannot be written, or another process writes to it.
        MissingExtraError: pyarrow is not installed.
    """
    store, target = resolve_backend(backend), Path(path)
    suffix = target.suffix.lower()
    if suffix in _DATABASES:
        changes = _written(target, partial(_write_database, store))
        metadata = target.with_suffix(f".{_METADATA}")
        _write_if_changed(metadata, metadata_of(target.stem))
        return changes
    if suffix in _FORMATS:
        return _written(target, partial(_write_folder, store, _FORMATS[suffix]()))
    raise ValidationError.of("Tables", "", _EXPECTED, str(path))


def _written(
    path: Path, write: Callable[[Path], dict[str, TableChanges]]
) -> dict[str, TableChanges]:
    """Write to a path; a new one appears when it is complete."""
    if not lexists(path):
        try:
            with storage_errors(), complete_or_absent(path) as built:
                return write(built)
        except StorageError:
            if not lexists(path):  # else another process has made it meanwhile
                raise
    with storage_errors():
        return write(path)


def _write_database(backend: PersistenceBackend, path: Path) -> dict[str, TableChanges]:
    if path.is_dir():
        raise _foreign(path, "it is a folder")
    with suppress(FileExistsError):
        path.touch(0o600, exist_ok=False)  # SQLite would let others read it
    with _connected(path) as connection:
        _is_ours(connection, path)
        stage_rows(connection, rows_of(backend))
        with _transaction(connection):
            if not _is_ours(connection, path):  # setting it again would change the file
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            create_tables(connection, "main")
            return replace_rows(connection)


def _write_folder(
    backend: PersistenceBackend, files: TableFiles, folder: Path
) -> dict[str, TableChanges]:
    metadata = folder / _METADATA
    if folder.exists() and not metadata.exists() and (folder.is_file() or any(folder.iterdir())):
        raise _foreign(folder, "it has no metadata of tables")
    make_folder(folder)
    _write_if_changed(metadata, metadata_of(folder.stem))
    paths = {table: folder / f"{table.name}{files.suffix}" for table in TABLES}
    with _connected("") as connection, working_folder(folder) as built:
        with _transaction(connection):
            create_tables(connection, "main")
            kept = [each for each in TABLES if _load(connection, paths[each], files, each)]
        stage_rows(connection, rows_of(backend))
        with _transaction(connection):
            changes = replace_rows(connection)
        for table, path in paths.items():
            _, *changed = changes[table.name].values()
            if table not in kept or any(changed):
                new = built / path.name
                new.touch(0o600)
                files.write(new, table, connection.execute(f"SELECT * FROM {table.name}"))
                sync(new)
                new.replace(path)
    sync(folder)
    return changes


def _load(connection: sqlite3.Connection, path: Path, files: TableFiles, table: Table) -> bool:
    """Load the rows that an earlier run has written; return whether the file is as it wrote it."""
    connection.execute("SAVEPOINT file")
    try:
        connection.executemany(insertion(table, "main"), files.read(path, table))
    except (ValueError, csv.Error, OSError, sqlite3.IntegrityError):
        connection.execute("ROLLBACK TO file")
        return False
    finally:
        connection.execute("RELEASE file")
    return True


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether a database is of an earlier run; false if it is empty.

    Raises:
        ValidationError: it is of something else.
    """
    [found] = connection.execute("PRAGMA application_id").fetchone()
    [objects] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if found != APPLICATION_ID and (found or objects):
        raise _foreign(path, "it is a store, or has tables of another program")
    return bool(found)


@contextmanager
def _connected(path: Path | str) -> Iterator[sqlite3.Connection]:
    """Open a database, a temporary one for an empty path, and raise its errors as our own."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield connection
    except sqlite3.OperationalError as error:  # busy, read-only, or the disk is full
        raise StorageError(f"{path} cannot be written: {error}") from error
    except sqlite3.DatabaseError as error:
        raise _foreign(path, f"it cannot be read as SQLite ({error})") from error


def _foreign(path: Path | str, reason: str) -> ValidationError:
    expected = f"input should be a new path, or that of an earlier run ({reason})"
    return ValidationError.of("Tables", "", expected, str(path))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def _write_if_changed(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        write_file(path, content)

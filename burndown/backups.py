"""Trying out a backup: restore it elsewhere, and compare the result.

from burndown import backups, get_backend

copy = get_backend().backup("backups", keep=7)
backups.drill(copy)
"""

from pathlib import Path

from burndown.copying import count_records, differing_records
from burndown.database.sqlite_backup import sidecars_of
from burndown.errors import DatabaseCorruptionError, StorageError
from burndown.files.working_folder import scratch_folder
from burndown.models.sealing import secrets_as_stored
from burndown.persistence import PersistenceBackend, open_backend, resolve_backend

__all__ = ["drill"]

_ARCHIVE = b"PGDMP"
"""The beginning of an archive of ``pg_dump``."""


def drill(
    path: str | Path | None = None, *, backend: PersistenceBackend | None = None
) -> dict[str, int]:
    """Restore a backup into a temporary store, and compare both value by value.

    Args:
        path: a backup of a SQLite database or of JSON files; ``None`` makes one of the backend, and
            deletes it again.
        backend: the store; the one in use by default.

    Returns:
        The number of profiles, queries, … that were compared.

    Raises:
        StorageError: there is no such backup, or it is one of PostgreSQL, which takes a server to
            restore; or there is no space for the temporary store.
        DatabaseCorruptionError: the backup is damaged, or has other values than were restored.
        SchemaTooNewError: a newer release made it.
    """
    with scratch_folder() as folder:
        if path is None:
            backup = resolve_backend(backend).backup(folder / "backup")
        else:
            backup = Path(path).absolute()
        if _is_archive(backup):
            raise StorageError(
                f"{backup} is an archive of pg_dump; to try it out, restore it into an empty "
                "database with pg_restore, and run `burndown check` there"
            )
        location = folder / "restored"
        where = f"json:{location}" if backup.is_dir() else location
        with open_backend(where) as restored, open_backend(backup, read_only=True) as expected:
            restored.restore(backup)
            with secrets_as_stored():
                differing = differing_records(expected, restored, lambda _, record: record)
            counts = count_records(restored)
    if differing:
        raise DatabaseCorruptionError(
            f"{backup} was restored with other {', '.join(differing)} than it has"
        )
    return counts


def _is_archive(backup: Path) -> bool:
    if not backup.is_file() or sidecars_of(backup):  # reading it would release the locks on it
        return False
    with backup.open("rb") as file:
        return file.read(len(_ARCHIVE)) == _ARCHIVE

"""The part of a backend that copies the store, and restores a copy."""

import logging
from abc import abstractmethod
from pathlib import Path

from burndown.persistence.record_store import RecordStore
from burndown.persistence.rotation import backup_name, remove_old_backups

__all__ = ["BackupStore"]

_logger = logging.getLogger(__name__)


class BackupStore(RecordStore):
    """A store that can be backed up."""

    _backup_suffix = ""

    def backup(self, path: str | Path, *, keep: int | None = None) -> Path:
        """Copy everything that is committed to a new path, while others read and write.

        The copy is a store of the same type, which ``open_backend`` opens: one file for SQLite, a
        folder for JSON files, readable only by its owner; on PostgreSQL, it is an archive of
        ``pg_dump``. It holds one state of the data, without the changes of open transactions, the
        caller's own included. It is checked as :meth:`check_integrity` does, and appears complete
        or not at all. Its checksums are in a file next to it (``….sha256``).

        Args:
            path: where nothing exists yet; missing parent folders are created.
            keep: take the path as a folder with the backups of this store, name the new one after
                the time, and delete all but this many of the newest. What was changed, or has no
                checksums, stays.

        Returns:
            The absolute path of the copy.

        Raises:
            ValueError: ``keep`` is less than 1.
            StorageError: there is nothing to copy; the path exists; the disk is full or read-only;
                or there is no ``pg_dump`` that knows the server, and the error has its command.
            DatabaseCorruptionError: the stored data is damaged; there is no copy of it.
        """
        folder = target = Path(path).absolute()
        if keep is not None:
            if keep < 1:
                raise ValueError(f"keep: input should be at least 1, got {keep}")
            target = folder / backup_name(self.now(), self._backup_suffix)
        self._back_up(target)
        _logger.info("Backed up to %s", target)
        if keep is not None:
            remove_old_backups(folder, target, keep)
        return target

    @abstractmethod
    def _back_up(self, target: Path) -> None:
        """Copy everything that is committed to a new path, as :meth:`backup` does."""

    @abstractmethod
    def restore(self, path: str | Path) -> Path | None:
        """Replace everything that is stored by the content of a backup, completely or not at all.

        Others may use the store: they see the earlier content to the end and then the new one, and
        wait to write. The current content is kept next to the store (``….before-restore``).

        Args:
            path: what :meth:`backup` made, in this or an earlier release.

        Returns:
            The path of the copy of the current content; ``None`` if there was none.

        Raises:
            StorageError: there is no such backup, or it is in use; the store is locked, read-only,
                or within a transaction; or it is on PostgreSQL, and the error has the command of
                ``pg_restore`` to run.
            DatabaseCorruptionError: the backup is damaged.
            SchemaTooNewError: a newer release made the backup.
            ForeignDatabaseError: it belongs to another program.
        """

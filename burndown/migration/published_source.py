"""The published dashboard's database as the source of a migration."""

import filecmp
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from burndown.conversion import Findings, SourceStore
from burndown.database import Database, PublishedFile
from burndown.errors import MigrationError
from burndown.files.atomic import complete_or_absent
from burndown.files.paths import is_file, is_folder, lexists, make_folder, remove
from burndown.legacy import REGISTRY, earlier_backups, new_backup
from burndown.migration.recovery import RecoveredStore
from burndown.migration.source import MigrationSource
from burndown.published import PublishedStore

__all__ = ["PublishedSource"]


class PublishedSource(MigrationSource):
    """A database file of the published dashboard.

    Args:
        path: the file.
        folder: the folder of profiles, next to which the backup is made.
        is_replaced: whether the new database takes the place of the file. Else the file is only
            read.
    """

    _connection: sqlite3.Connection
    """Open within the block of :meth:`held`."""

    def __init__(self, path: Path, folder: Path, *, is_replaced: bool) -> None:
        self._file = PublishedFile(path)
        self._folder = folder
        self._is_replaced = is_replaced
        self._is_locked = False
        self._version = 0

    @property
    def path(self) -> Path:
        """Return the file."""
        return self._file.path

    def exists(self) -> bool:
        """Return true: a source is made only for a file that is such a database."""
        return True

    @contextmanager
    def held(self, *, dry_run: bool) -> Iterator[None]:
        """Begin a transaction, in which others cannot write to a file that is to be replaced."""
        self._is_locked = self._is_replaced and not dry_run
        with self._file.open(lock=self._is_locked) as self._connection:
            self._version = self._file.version(self._connection)
            yield

    def back_up(self, now: datetime) -> Path:
        """Copy the database, unless the latest copy is equal."""
        # A migration that fails is tried again at each start, and would fill the disk with copies.
        earlier, backup = earlier_backups(self._folder), new_backup(self._folder, now)
        name = Path(self._folder.name, self.path.name)
        with complete_or_absent(backup) as built:
            make_folder((built / name).parent)
            self._file.back_up(built / name)
        latest = earlier[-1] if earlier else None
        if latest is None or not _have_equal_file(latest, backup, name):
            return backup
        remove(backup)
        return latest

    def open(self, findings: Findings) -> SourceStore[Any]:
        """Read the profiles and queries; their data is read on demand."""
        store = PublishedStore(self._connection, self.path, findings)
        folder = self.path.parent
        backups = (backup / folder.name for backup in reversed(earlier_backups(folder)))
        # Other folders, such as one of downloads, can have the workspaces of others below them.
        is_workspace = folder == self._folder or lexists(folder / REGISTRY)
        recovered = RecoveredStore(
            store, folder if is_workspace else None, filter(is_folder, backups), findings
        )
        self.restored = recovered.restored
        return recovered

    def refuse_changes(self) -> None:
        """Check that no other process has written to a file that is only read."""
        if self._is_locked:
            return  # it is checked when the file is replaced
        self._connection.rollback()
        if self._file.version(self._connection) != self._version:
            raise MigrationError(
                f"{self.path} changed while it was read, so nothing was moved; stop the published "
                "dashboard if it is running, and try again"
            )

    def install(self, built: Path, target: Database) -> bool:
        """Put the new database in the place of the file, or where no file is."""
        if not self._is_replaced:
            return target.install_prebuilt(built)
        target.close()
        self.kept = self._file.replace(self._connection, built)
        return True


def _have_equal_file(folder: Path, other: Path, name: Path) -> bool:
    return is_file(folder / name) and filecmp.cmp(folder / name, other / name, shallow=False)

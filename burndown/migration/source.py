"""The source of a migration: an old store that can be backed up, read and checked for changes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from burndown.conversion import Findings, SourceStore
from burndown.database import Database

__all__ = ["MigrationSource"]


class MigrationSource(ABC):
    """An old store. It stays unchanged, unless the new database takes its place.

    Attributes:
        restored: the number of issues, changelogs, … that were taken from copies of older files.
        kept: the path of the old store, if the new database has taken its place.
    """

    restored: Mapping[str, int] = MappingProxyType({})
    kept: Path | None = None

    @property
    @abstractmethod
    def path(self) -> Path:
        """Return the folder or file of the store."""

    @abstractmethod
    def exists(self) -> bool:
        """Return whether there is a store to move."""

    @abstractmethod
    def held(self, *, dry_run: bool) -> AbstractContextManager[None]:
        """Keep the store as it is in the block, as far as its format allows.

        Args:
            dry_run: change nothing, and keep nobody from using the store.

        Raises:
            MigrationError: another program uses the store.
        """

    @abstractmethod
    def back_up(self, now: datetime) -> Path:
        """Copy the store, and return the location of the copy.

        Raises:
            OSError: the disk is full, or a file cannot be read.
        """

    @abstractmethod
    def open(self, findings: Findings) -> SourceStore[Any]:
        """Read the store.

        Args:
            findings: takes reports of what was converted, skipped, or cannot be read.
        """

    @abstractmethod
    def refuse_changes(self) -> None:
        """Check that nothing has changed since the block of :meth:`held` began.

        Raises:
            MigrationError: another program has written to the store.
        """

    @abstractmethod
    def install(self, built: Path, target: Database) -> bool:
        """Put a new database in its place atomically.

        Args:
            built: the file of the new database.
            target: the database that it becomes.

        Returns:
            ``False`` if the target exists already, so that the data has to be copied into it.
        """

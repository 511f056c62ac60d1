"""Files of a database that may be in a workspace, and are no part of it."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DatabaseFiles"]

_BESIDE = re.compile(
    r"(\.\d[\d.]*)?(\.(lock|migrating|backup|unfinished|published))?(-(wal|shm|journal))?"
)
"""What stands behind the name of a database in the names of its logs, locks and copies."""


@dataclass(frozen=True)
class DatabaseFiles:
    """The files of databases, whatever they are called and wherever they are.

    ``path in files`` tells whether a path is one of them. Folders are none.
    """

    databases: tuple[Path, ...]
    """The databases themselves."""

    def __contains__(self, path: Path) -> bool:
        return any(
            path.name.startswith(database.name)
            and _BESIDE.fullmatch(path.name, len(database.name)) is not None
            and path.parent.resolve() == database.parent.resolve()
            and (path.is_symlink() or not path.is_dir())
            for database in self.databases
        )

    def are_in(self, folder: Path) -> bool:
        """Whether a database is directly in the folder, whose entries change as it is used."""
        return any(database.parent.resolve() == folder.resolve() for database in self.databases)

    def are_below(self, folder: Path) -> bool:
        """Whether a database is in the folder, or in one below it."""
        return any(
            database.resolve().is_relative_to(folder.resolve()) for database in self.databases
        )

"""Files that belong to a SQLite database, by their names."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BUILT_SUFFIX", "SIDECARS", "SQLiteFiles"]

SIDECARS = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps next to a database in use."""

BUILT_SUFFIX = ".migrating"
"""Suffix of a database that is built next to the one it then becomes."""

_SUFFIX = (
    r"(\.\d[\d.]*)?"  # the version before an upgrade, such as burndown.db.2.backup
    rf"(\.lock|{re.escape(BUILT_SUFFIX)}|\.backup|\.before-restore|\.unfinished|\.published)?"
    rf"({'|'.join(SIDECARS)})?"
)
"""Follows the name of a database in the names of its copies, locks and logs."""


@dataclass(frozen=True)
class SQLiteFiles:
    """The files of some SQLite databases, which others must not open, copy or move.

    Closing any descriptor of such a file releases all locks that this process holds on it.
    ``path in files`` is true if a path is one of them; a folder is never one.
    """

    databases: tuple[Path, ...]
    """The paths of the databases."""

    def __contains__(self, path: Path) -> bool:
        return any(
            path.name.startswith(database.name)
            and re.fullmatch(_SUFFIX, path.name[len(database.name) :]) is not None
            and path.parent.resolve() == database.parent.resolve()
            and (path.is_symlink() or not path.is_dir())
            for database in self.databases
        )

    def are_in(self, folder: Path) -> bool:
        """Return whether a database is directly in the folder, so that its entries change."""
        return any(database.parent.resolve() == folder.resolve() for database in self.databases)

    def are_below(self, folder: Path) -> bool:
        """Return whether a database is in the folder or below it."""
        return any(
            database.resolve().is_relative_to(folder.resolve()) for database in self.databases
        )

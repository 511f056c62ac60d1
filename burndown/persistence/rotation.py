"""The backups of one store in a folder: named after their time, and only the newest are kept."""

import re
from datetime import datetime
from pathlib import Path

from burndown.files.checksums import checksums_path
from burndown.files.errors import storage_errors
from burndown.files.paths import remove

__all__ = ["backup_name", "remove_old_backups"]

# Without colons, which Windows does not allow; in the order of time if sorted.
_NAME = re.compile(r"burndown-\d{8}T\d{6}\.\d{6}Z(\.db|\.dump)?")


def backup_name(now: datetime, suffix: str) -> str:
    """Return the name of a backup that is made now (UTC).

    Such as ``burndown-20251223T101500.000000Z.db``.
    """
    return f"burndown-{now:%Y%m%dT%H%M%S.%f}Z{suffix}"


def remove_old_backups(folder: Path, new: Path, keep: int) -> None:
    """Delete all but the newest backups in a folder; other files stay.

    None is deleted that is newer than the one that was just made: another process has made it
    meanwhile, and would delete this one, or the clock went back.

    Args:
        folder: the folder.
        new: the backup that was just made, which stays.
        keep: how many stay.

    Raises:
        StorageError: a file cannot be deleted.
    """
    with storage_errors():
        found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
        older = [path for path in found if path.name < new.name]
        for old in older[: max(len(found) - keep, 0)]:
            remove(old)
            remove(checksums_path(old))

"""The backups of one store in a folder: named after their time, and only the newest are kept."""

import logging
import re
from datetime import datetime
from pathlib import Path

from burndown.files.checksums import changed_files, checksums_path
from burndown.files.errors import storage_errors
from burndown.files.paths import is_file, lexists, remove
from burndown.files.sqlite_files import SIDECARS

__all__ = ["backup_name", "remove_old_backups"]

_logger = logging.getLogger(__name__)

# Without colons, which Windows does not allow; in the order of time if sorted.
_NAME = r"burndown-\d{8}T\d{6}\.\d{6}Z(?P<suffix>\.db|\.dump|)"


def backup_name(now: datetime, suffix: str) -> str:
    """Return the name of a backup that is made now (UTC).

    Such as ``burndown-20251223T101500.000000Z.db``.
    """
    return f"burndown-{now:%Y%m%dT%H%M%S.%f}Z{suffix}"


def remove_old_backups(folder: Path, new: Path, keep: int) -> None:
    """Delete all but the newest backups of one type of store in a folder; other files stay.

    None is deleted that is newer than the one that was just made: another process has made it
    meanwhile, and would delete this one, or the clock went back. What has the name of a backup, but
    not its checksums, may belong to somebody else: it stays, with a warning.

    Args:
        folder: the folder.
        new: the backup that was just made, which stays.
        keep: how many stay.

    Raises:
        StorageError: a file cannot be deleted.
    """
    with storage_errors():
        named = sorted(path for path in folder.iterdir() if _suffix(path) == _suffix(new))
        found = [path for path in named if is_file(checksums_path(path))]
        surplus = found[: max(len(found) - keep, 0)]
        for old in (path for path in named if path.name < new.name):
            if old not in found:
                _warn(old, "has no checksums")
            elif old in surplus and (doubt := _doubt(old)):
                _warn(old, doubt)
            elif old in surplus:
                remove(old)
                remove(checksums_path(old))


def _suffix(path: Path) -> str | None:
    """Return the suffix of a backup, by which types of stores differ; ``None`` for other names."""
    found = re.fullmatch(_NAME, path.name)
    return None if found is None else found["suffix"]


def _doubt(backup: Path) -> str | None:
    """Return why a path may be no backup, or one that is used as a store; ``None`` if it is one."""
    if any(lexists(backup.with_name(backup.name + sidecar)) for sidecar in SIDECARS):
        return "is in use"  # and reading it would release the locks on it
    try:
        return "has other checksums" if changed_files(backup) else None
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _warn(path: Path, doubt: str) -> None:
    _logger.warning("%s stays: it has the name of an old backup, but %s", path, doubt)

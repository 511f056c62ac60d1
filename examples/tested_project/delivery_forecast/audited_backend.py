"""A backend that logs who changes profiles."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Any

from burndown import Profile, ProfileDocument, SQLiteBackend

__all__ = ["AuditedBackend"]

log = logging.getLogger(__name__)


class AuditedBackend(SQLiteBackend):
    """A workspace in a SQLite file, whose changes of profiles are logged.

    Args:
        path: the file.
        clock: returns the current time.
        user: returns the name of who makes the call; by default, of who runs the process.
    """

    def __init__(
        self,
        path: str | Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        user: Callable[[], str] = getuser,
    ) -> None:
        super().__init__(path, clock)
        self._user = user

    def save_profile(self, profile: Mapping[str, Any] | Profile) -> None:
        """Save the profile, and log that."""
        super().save_profile(profile)
        saved = profile.id if isinstance(profile, Profile) else profile["id"]
        log.info("%s saved the profile %r", self._user(), saved)

    def patch_profile(
        self, profile_id: str, changes: Mapping[str, Any], if_revision: int | None = None
    ) -> ProfileDocument:
        """Change the profile, and log that."""
        found = super().patch_profile(profile_id, changes, if_revision)
        log.info("%s changed the profile %r", self._user(), profile_id)
        return found

    def delete_profile(self, profile_id: str) -> None:
        """Delete the profile, and log that."""
        super().delete_profile(profile_id)
        log.info("%s deleted the profile %r", self._user(), profile_id)

"""Profiles, most recently used first."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select

from burndown.errors import ProfileNotFoundError
from burndown.models import Profile
from burndown.repositories.base import Repository
from burndown.repositories.connections import DriverConnection
from burndown.repositories.statements import (
    Documents,
    Statement,
    columns_of,
    documents,
    key_of,
)

__all__ = ["ProfileRepository", "refuse_without_profile"]

_C = columns_of(Profile)
_KEY = key_of(Profile)
_GET = Statement(documents(Profile).where(*_KEY))
_LIST = Statement(documents(Profile).order_by(_C.last_used.desc(), _C.id))
_DELETE = Statement(delete(_C.id.table).where(*_KEY))
_HOLDERS = Statement(select(_C.id).where(_C.name == bindparam("name")))
_ID = Statement(select(_C.id).where(*_KEY))


def refuse_without_profile(connection: DriverConnection, profile_id: str) -> None:
    """Raise what explains a row of a profile that is not there.

    Raises:
        ProfileNotFoundError: there is none.
    """
    if not _ID.values(connection, id=profile_id):
        raise ProfileNotFoundError(profile_id) from None


class ProfileRepository(Repository[Profile]):
    """Profiles."""

    model = Profile
    of_profile = "id"
    kept_if_unset = frozenset({"created_at", "last_used"})

    def get(self, profile_id: str) -> Profile | None:
        """The profile, or ``None``."""
        return self._entity(self.get_document(profile_id))

    def get_document(self, profile_id: str) -> dict[str, Any] | None:
        """The profile as a dict, unknown keys beside the known ones, or ``None``."""
        return self._document(_GET, id=profile_id)

    def list(self) -> Sequence[Profile]:
        """All profiles, most recently used first."""
        return self._entities(self._documents(_LIST))

    def list_documents(self) -> Documents:
        """All profiles as dicts, most recently used first."""
        return self._documents(_LIST)

    def delete(self, profile_id: str) -> None:
        """Delete the profile with all that belongs to it.

        Raises:
            ProfileNotFoundError: there is none.
        """
        if not _DELETE.count(self._connection, id=profile_id):
            raise ProfileNotFoundError(profile_id)

    def _explain(self, row: dict[str, Any]) -> None:
        self._refuse_taken_name(row, _HOLDERS)

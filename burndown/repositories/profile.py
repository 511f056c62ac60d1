"""Profiles, most recently used first."""

from collections.abc import Sequence

from sqlalchemy import delete

from burndown.errors import ProfileNotFoundError
from burndown.models import Profile
from burndown.models.profile_document import ProfileDocument
from burndown.repositories.base import Repository
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = ["ProfileRepository", "delete_profile", "get_profile", "list_profiles"]

_TABLE = Profile.__table__
_KEY = key_conditions(_TABLE)
_ALL = select_documents(_TABLE)
_GET: Statement[ProfileDocument] = Statement(_ALL.where(*_KEY), spread=Profile.UNKNOWN_KEYS)
_LIST: Statement[ProfileDocument] = Statement(
    _ALL.order_by(_TABLE.c.last_used.desc(), _TABLE.c.id), spread=Profile.UNKNOWN_KEYS
)
_DELETE = Statement(delete(_TABLE).where(*_KEY))


def get_profile(executor: Executor, profile_id: str) -> ProfileDocument | None:
    """Return the profile, unknown keys next to the known ones, or ``None``."""
    return _GET.first(executor, id=profile_id)


def list_profiles(executor: Executor) -> list[ProfileDocument]:
    """Return all profiles, most recently used first."""
    return _LIST.documents(executor)


def delete_profile(executor: Executor, profile_id: str) -> None:
    """Delete the profile with everything that belongs to it.

    Raises:
        ProfileNotFoundError: there is none.
    """
    if not _DELETE.delete(executor, id=profile_id):
        raise ProfileNotFoundError(profile_id)


class ProfileRepository(Repository[Profile]):
    """Profiles."""

    entity = Profile

    def get(self, profile_id: str) -> Profile | None:
        """Return the profile, or ``None``."""
        return self._typed(get_profile(self._executor, profile_id))

    def list(self) -> Sequence[Profile]:
        """Return all profiles, most recently used first."""
        return self._all_typed(list_profiles(self._executor))

    def delete(self, profile_id: str) -> None:
        """Delete the profile with everything that belongs to it.

        Raises:
            ProfileNotFoundError: there is none.
        """
        delete_profile(self._executor, profile_id)

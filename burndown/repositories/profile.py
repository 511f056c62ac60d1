"""Profiles, most recently used first."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Text, bindparam, select, type_coerce

from burndown.errors import DatabaseCorruptionError, ProfileNotFoundError
from burndown.models import Profile
from burndown.models.json_codec import decode_object, encode_strict
from burndown.models.json_columns import JsonText
from burndown.models.profile_document import ProfileDocument
from burndown.models.public_documents import TOKEN, lacks_token
from burndown.models.redaction import NO_SECRETS
from burndown.models.sealer import sealer_of
from burndown.repositories.deletion import delete_keys
from burndown.repositories.revisions import (
    Change,
    RevisedRepository,
    change_revised,
    save_revised,
)
from burndown.secrets import is_envelope
from burndown.sql import ERASES, Executor, Statement, key_conditions, select_documents

__all__ = ["ProfileRepository", "change_profile", "get_profile", "list_profiles", "save_profile"]

_TABLE = Profile.__table__
_KEY = key_conditions(_TABLE)
_ALL = select_documents(_TABLE)
_OPEN = sealer_of(Profile).opened_value
_GET: Statement[ProfileDocument] = Statement(_ALL.where(*_KEY), Profile.UNKNOWN_KEYS, _OPEN)
_LIST: Statement[ProfileDocument] = Statement(
    _ALL.order_by(_TABLE.c.last_used.desc(), _TABLE.c.id), Profile.UNKNOWN_KEYS, _OPEN
)
_JIRA_CONFIG = Statement(
    select(type_coerce(_TABLE.c.jira_config, JsonText()).label("jira_config")).where(*_KEY)
)
_OTHER_JIRA_CONFIG = Statement(
    select(type_coerce(_TABLE.c.jira_config, JsonText(raw=True)).label("jira_config")).where(
        *_KEY, _TABLE.c.jira_config != bindparam("jira_config", type_=Text())
    )
)
"""The section if it differs from a given one, as it rarely does."""


def get_profile(executor: Executor, profile_id: str) -> ProfileDocument | None:
    """Return the profile, unknown keys next to the known ones, or ``None``."""
    return _GET.first(executor, id=profile_id)


def list_profiles(executor: Executor) -> list[ProfileDocument]:
    """Return all profiles, most recently used first."""
    return _LIST.documents(executor)


def save_profile(
    executor: Executor,
    given: Mapping[str, Any],
    row: dict[str, Any],
    saved: Profile | Mapping[str, Any] | None = None,
) -> None:
    """Add the profile, or replace the one with the same id, and keep its token.

    Args:
        executor: the connection to write on.
        given: the document that the caller gave. Without a token, the stored one is kept.
        row: its values by column.
        saved: as of :func:`save_revised`.

    Raises:
        RevisionConflictError: the stored profile has another revision than the given one.
        ValidationError: the name is taken.
    """
    if lacks_token(given):
        for stored in _JIRA_CONFIG.values(executor, id=row["id"]):
            if TOKEN in stored:
                jira = {**decode_object(row["jira_config"]), TOKEN: stored[TOKEN]}
                row = {**row, "jira_config": encode_strict(jira).decode()}
    elif executor.dialect.name == "sqlite" and _replaces_token(executor, row):
        executor.notes[ERASES] = True
    save_revised(executor, Profile, given, row, saved)


def change_profile(executor: Executor, profile_id: str, change: Change) -> ProfileDocument:
    """Save what a function makes of the stored profile; return that as it is stored then.

    Raises:
        ProfileNotFoundError: there is none.
        RevisionConflictError, ValidationError: as of :func:`save_profile`.
    """
    read = partial(get_profile, executor, profile_id)
    saved = change_revised(executor, Profile, read, change, save_profile)
    if saved is None:
        raise ProfileNotFoundError(profile_id)
    return saved


def _replaces_token(executor: Executor, row: Mapping[str, Any]) -> bool:
    """Return whether a row replaces a token that is stored in plain text."""
    new = row["jira_config"]
    try:
        for encoded in _OTHER_JIRA_CONFIG.values(executor, id=row["id"], jira_config=new):
            token = decode_object(encoded).get(TOKEN)
            is_plain = token not in NO_SECRETS and not is_envelope(token)
            return is_plain and token != decode_object(new).get(TOKEN)
    except (DatabaseCorruptionError, ValueError):
        return True  # what is damaged may hold anything
    return False


class ProfileRepository(RevisedRepository[Profile]):
    """Profiles."""

    entity = Profile

    def get(self, profile_id: str) -> Profile | None:
        """Return the profile, or ``None``."""
        return self._typed(get_profile(self._executor, profile_id))

    def list(self) -> Sequence[Profile]:
        """Return all profiles, most recently used first."""
        return self._all_typed(list_profiles(self._executor))

    def _save(self, document: Mapping[str, Any], row: dict[str, Any], saved: Profile) -> None:
        save_profile(self._executor, document, row, saved)

    def delete(self, profile_id: str) -> None:
        """Delete the profile with everything that belongs to it.

        Raises:
            ProfileNotFoundError: there is none.
        """
        if not delete_keys(self._executor, Profile, [(profile_id,)]):
            raise ProfileNotFoundError(profile_id)

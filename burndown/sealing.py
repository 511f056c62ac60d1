"""The secrets of a store: their state, and sealing those that are stored already.

    from burndown.sealing import Resealing, change_secrets

    change_secrets(Resealing.SEAL)

Whatever is saved is sealed by itself if there is a key; ``docs/secrets.md`` explains keys.
"""

from typing import TypedDict

from burndown.errors import SecretKeyError, StorageError
from burndown.models import OPEN_ENTITIES
from burndown.models.sealer import sealer_of
from burndown.models.sealing import (
    Resealing,
    SecretState,
    secrets_as_stored,
)
from burndown.persistence import PersistenceBackend, resolve_backend
from burndown.secrets import HOW_TO_SET_A_KEY, current_keys

__all__ = ["ChangedSecrets", "Resealing", "SecretsStatus", "change_secrets", "secrets_status"]


_SEALED = [SecretState.SEALED, SecretState.LOCKED]


class StoredSecret(TypedDict):
    """The place and state of a secret."""

    profile_id: str
    query_id: str | None
    path: str
    state: str
    """``in plain text``, ``sealed``, or ``locked``: sealed, and no key opens it."""


class SecretsStatus(TypedDict):
    """The keys in use, and the secrets of a store."""

    keys: list[str]
    """The ids of the keys; the first one seals."""
    problem: str | None
    """The reason why there are none, if they cannot be read."""
    secrets: list[StoredSecret]


class ChangedSecrets(TypedDict):
    """The result of a change of stored secrets."""

    changed: int
    """The number of profiles, queries and budgets that were changed."""
    locked: list[StoredSecret]
    """The secrets that could not be changed, since no key opens them, or that cannot be in plain
    text, since they look like sealed ones."""


def secrets_status(backend: PersistenceBackend | None = None) -> SecretsStatus:
    """Return the keys in use, and the state of each secret of a store.

    Args:
        backend: the store; by default the current one.
    """
    store, problem = resolve_backend(backend), None
    try:
        keys = current_keys()
    except StorageError as error:
        keys, problem = None, str(error)
    return {
        "keys": [] if keys is None else keys.ids,
        "problem": problem,
        "secrets": _stored_secrets(store),
    }


def change_secrets(change: Resealing, backend: PersistenceBackend | None = None) -> ChangedSecrets:
    """Seal or unseal the secrets of a store, all of them or none, and erase what they replace.

    Others can read meanwhile. The revisions of profiles and queries do not change.

    Args:
        change: the change.
        backend: the store; by default the current one.

    Raises:
        SecretKeyError: there is no key, or it cannot be read.
        StorageError: the store is read-only, or in use for too long.
    """
    store = resolve_backend(backend)
    if current_keys() is None:
        raise SecretKeyError(f"There is no secret key. {HOW_TO_SET_A_KEY}")
    changed = 0
    with secrets_as_stored(), store.transaction():
        for entity in OPEN_ENTITIES:
            for document in list(store.records(entity)):
                new = sealer_of(entity).resealed(document, change)
                if new is not document:
                    store.save_records(entity, [new])
                    changed += 1
    store.erase_deleted()
    unchanged = {Resealing.ROTATE: [SecretState.LOCKED], Resealing.UNSEAL: _SEALED}.get(change, [])
    states = {each.value for each in unchanged}
    locked = [each for each in _stored_secrets(store) if each["state"] in states] if states else []
    return {"changed": changed, "locked": locked}


def _stored_secrets(backend: PersistenceBackend) -> list[StoredSecret]:
    found: list[StoredSecret] = []
    with secrets_as_stored():
        for entity in OPEN_ENTITIES:
            for document in backend.records(entity):
                found += (
                    {
                        "profile_id": document[str(entity.PROFILE_COLUMN)],
                        "query_id": document.get(str(entity.QUERY_COLUMN)),
                        "path": path,
                        "state": state.value,
                    }
                    for path, state in sealer_of(entity).states(document).items()
                )
    return found

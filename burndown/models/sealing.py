"""Sealing secrets, between a document and what is stored of it.

Stored in the place of a secret is an envelope, which opens only in the record and under the keys
where it was sealed. A document that is read has the secret again. If no key opens the envelope, it
has a mask instead, with which saving it keeps the envelope, and no token.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from functools import lru_cache
from operator import is_not
from typing import TYPE_CHECKING, Any

from burndown.errors import StorageError, ValidationError, is_secret
from burndown.models.documents import Document
from burndown.models.json_codec import decode, encode, encode_strict
from burndown.models.public_documents import (
    JIRA,
    SEALED_TOKEN,
    TOKEN,
    is_mask,
    is_masked_text,
    mask,
    renamed,
)
from burndown.models.redaction import NO_SECRETS
from burndown.models.secret_text import SecretText, with_secret_texts
from burndown.secrets import current_keys, has_keys, is_envelope

if TYPE_CHECKING:
    from burndown.secrets.keys import Keys

__all__ = [
    "Resealing",
    "SecretState",
    "opened",
    "refuse_envelopes",
    "resealed",
    "sealed",
    "seals",
    "secret_states",
    "secrets_as_stored",
]

Path = tuple[str, ...]
_Change = Callable[[Any, Path], Any]

_logger = logging.getLogger(__name__)

_LOCKED_TOKEN = object()
_CONTAINERS = (dict, list)


class SecretState(Enum):
    """The state of a stored secret."""

    PLAIN = "in plain text"
    SEALED = "sealed"
    LOCKED = "locked"
    """Sealed, and none of the keys in use opens it."""


_are_as_stored: ContextVar[bool] = ContextVar("burndown_secrets_as_stored", default=False)


@contextmanager
def secrets_as_stored() -> Iterator[None]:
    """Read and save envelopes, and secrets in plain text, unchanged within a block."""
    token = _are_as_stored.set(True)
    try:
        yield
    finally:
        _are_as_stored.reset(token)


def seals() -> bool:
    """Return whether secrets are sealed that are saved now."""
    return not _are_as_stored.get() and has_keys()


def sealed(value: Any, owner: Path, path: Path = ()) -> Any:
    """Return a JSON value with its secrets sealed.

    Args:
        value: the value; it is not changed.
        owner: the table and key of its record.
        path: its path in the document. Positions in lists are no part of it, since items move.

    Raises:
        PydanticCustomError: a secret cannot be stored exactly.
        StorageError: the keys cannot be read.
    """
    return _changed(value, lambda secret, path: _seal(secret, owner, path), path)


def opened(value: Any, owner: Path, path: Path = ()) -> Any:
    """Return a stored JSON value with its envelopes opened, or masked if no key opens them.

    Args:
        value: the value; it is not changed.
        owner: the table and key of its record.
        path: its path in the document.
    """
    if _are_as_stored.get():
        return value

    def open_one(secret: Any, path: Path) -> Any:
        return _opened(secret, owner, path) if is_envelope(secret) else secret

    return _changed(value, open_one, path)


def refuse_envelopes(value: Any, subject: str, path: Path = ()) -> None:
    """Refuse a JSON value with an envelope where a secret should be.

    Args:
        value: the value.
        subject: what is saved, such as ``Profile 'kafka'``.
        path: its path in the document.

    Raises:
        ValidationError: it has one, which would be taken for what this package stored.
    """

    def refuse(secret: Any, path: Path) -> Any:
        if is_envelope(secret):
            expected = "input should be the secret itself, not what is stored when it is sealed"
            raise ValidationError.of(subject, ".".join(path), expected)
        return secret

    if not _are_as_stored.get():
        _changed(value, refuse, path)


class Resealing(Enum):
    """A change of the secrets that are stored already."""

    SEAL = "seal"
    """Seal those in plain text."""
    ROTATE = "rotate"
    """Seal all with the first key."""
    UNSEAL = "unseal"
    """Store all in plain text."""


def resealed(document: Document, owner: Path, change: Resealing) -> Document:
    """Return a document as stored with its secrets sealed or unsealed.

    What no key opens is unchanged, and stays sealed if it looks like an envelope itself; so is the
    document if nothing in it changes.

    Args:
        document: the document, with its envelopes.
        owner: the table and key of its record.
        change: the change.

    Raises:
        StorageError: the keys cannot be read.
    """

    def reseal(secret: Any, path: Path) -> Any:
        if is_envelope(secret):
            value = _unsealed(secret, owner, path)
            if value is None or change is Resealing.SEAL:
                return secret
            envelope, secret = secret, decode(value)
            if change is Resealing.UNSEAL and is_envelope(secret):
                return envelope  # in plain text, it would be taken for an envelope
        return secret if change is Resealing.UNSEAL else _seal(secret, owner, path)

    new: Document = _changed(document, reseal, ())
    return document if new == document else new


def secret_states(document: Mapping[str, Any], owner: Path) -> dict[str, SecretState]:
    """Return the state of each secret of a document as stored, by its path."""
    states: dict[str, SecretState] = {}

    def note(secret: Any, path: Path) -> Any:
        if is_envelope(secret):
            is_open = _unsealed(secret, owner, path) is not None
            states[".".join(path)] = SecretState.SEALED if is_open else SecretState.LOCKED
        elif not _is_no_secret(secret):
            states[".".join(path)] = SecretState.PLAIN
        return secret

    _changed(document, note, ())
    return states


def _is_no_secret(value: Any) -> bool:
    return (
        value in NO_SECRETS or is_mask(value) or (isinstance(value, str) and is_masked_text(value))
    )


def _seal(secret: Any, owner: Path, path: Path) -> Any:
    keys = None if _is_no_secret(secret) else current_keys()
    if keys is None:
        return secret
    # Only now, since the traceback of an error of the keys would show it.
    encoded = encode_strict(str(secret) if type(secret) is SecretText else secret)
    return keys.seal(encoded, _place(owner, path))


def _opened(secret: str, owner: Path, path: Path) -> Any:
    encoded = _unsealed(secret, owner, path)
    if encoded is not None:
        return with_secret_texts(decode(encoded), is_secret_itself=True)
    return _LOCKED_TOKEN if path == (JIRA, TOKEN) else mask()


def _unsealed(envelope: str, owner: Path, path: Path) -> bytes | None:
    try:
        keys = current_keys()
    except StorageError as error:  # the key may be lost; whoever seals a secret gets the error
        _warn(str(error))
        return None
    return None if keys is None else _open(keys, envelope, owner, path)


# A profile is read often, and whoever can read this memory finds the keys as well.
@lru_cache(maxsize=256)
def _open(keys: "Keys", envelope: str, owner: Path, path: Path) -> bytes | None:
    return keys.open(envelope, _place(owner, path))


@lru_cache(maxsize=16)
def _warn(problem: str) -> None:
    """Log a problem with the keys once."""
    _logger.warning("Secrets stay sealed: %s", problem)


def _place(owner: Path, path: Path) -> bytes:
    return encode([owner, path])


def _changed(value: Any, change: _Change, path: Path) -> Any:
    """Return a JSON value with its secrets changed; the value itself if none of them is."""
    if isinstance(value, dict):
        changes = {}
        for key, item in value.items():
            if is_secret(key):
                new = change(item, (*path, key))
            elif isinstance(item, _CONTAINERS):
                new = _changed(item, change, (*path, key))
            else:
                continue
            if new is not item:
                changes[key] = new
        return _with_changes(value, changes) if changes else value
    if isinstance(value, list):
        items = [_changed(item, change, path) for item in value]
        return items if any(map(is_not, items, value)) else value
    return value


def _with_changes(value: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    if changes.get(TOKEN) is _LOCKED_TOKEN:  # the field takes no mask
        del changes[TOKEN]
        return renamed({**value, TOKEN: mask(), **changes}, TOKEN, SEALED_TOKEN)
    return {**value, **changes}

"""Documents of profiles without their secrets, which keep those secrets when they are saved again.

The Jira token, and each other value under a key such as ``password``, is masked as
``{"is_set": true}``. Where a document to save has a mask, the stored value is kept, and so is the
token where the document has none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from burndown.errors import is_secret
from burndown.models.documents import Document
from burndown.models.entity import Entity
from burndown.models.redaction import NO_SECRETS
from burndown.models.submodel import Submodel

__all__ = [
    "JIRA",
    "SEALED_TOKEN",
    "TOKEN",
    "is_mask",
    "is_masked_text",
    "lacks_token",
    "mask",
    "may_have_masks",
    "public_document",
    "renamed",
    "with_removed_token",
    "with_stored_secrets",
    "without_masked_token",
    "without_masks",
]

JIRA = "jira_config"
TOKEN = "token"  # noqa: S105 - the key
"""The key of the token in that section."""
SEALED_TOKEN = "sealed_token"  # noqa: S105 - the key
"""The key of a mask in the place of a token that is sealed, and that no key opens."""
_IS_SET = "is_set"
_ENCODED_MASK = f'{{"{_IS_SET}":'
"""The beginning of a mask in compact JSON."""


def public_document(profile: Mapping[str, Any] | Entity) -> Document:
    """Return a copy of a profile's document that may be shown.

    ``jira_config.token`` is ``{"is_set": true}`` or ``{"is_set": false}``. Every other value under
    a key that names a secret, such as ``password``, is ``{"is_set": true}``, and so is
    ``jira_config.sealed_token`` if there is a sealed token that no key opens. Saved again, such a
    document keeps the stored secrets.

    Args:
        profile: the entity, or the document, as :meth:`~burndown.PersistenceBackend.get_profile`
            returns it.
    """
    if isinstance(profile, Entity):
        profile = profile.to_document()
    shown: Document = _masked(profile)
    token = _jira_config(profile).get(TOKEN)
    masked = token if is_mask(token) else {_IS_SET: token not in NO_SECRETS}
    shown[JIRA] = {**_jira_config(shown), TOKEN: masked}
    return shown


def is_masked_text(token: str) -> bool:
    """Return whether a token consists of asterisks, as forms show it."""
    return token != "" and not token.strip("*")


def is_mask(value: Any) -> bool:
    """Return whether a value is the mask of a secret."""
    return isinstance(value, Mapping) and value.keys() == {_IS_SET} and type(value[_IS_SET]) is bool


def mask() -> Document:
    """Return the mask of a secret that is set."""
    return {_IS_SET: True}


def lacks_token(document: Mapping[str, Any]) -> bool:
    """Return whether a document says nothing about the token."""
    return TOKEN not in _jira_config(document)


def without_masked_token(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the document without its token if that is a mask, which is no valid token."""
    jira = _jira_config(document)
    if not _is_masked_token(jira.get(TOKEN)):
        return document
    return {**document, JIRA: {key: item for key, item in jira.items() if key != TOKEN}}


def with_removed_token(document: Mapping[str, Any], stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a patched document, with an empty token if the patch removed the stored one."""
    jira = document.get(JIRA, {})
    if not isinstance(jira, Mapping) or TOKEN in jira or TOKEN not in _jira_config(stored):
        return document
    return {**document, JIRA: {**jira, TOKEN: ""}}


def without_masks(patch: Any) -> Any:
    """Return a patch without the masks in its objects, so that it keeps what they stand for."""
    if not isinstance(patch, Mapping):
        return patch
    return {
        key: without_masks(change)
        for key, change in patch.items()
        if not (isinstance(key, str) and is_secret(key) and is_mask(change))
    }


def may_have_masks(document: Mapping[str, Any], encoded: Iterable[str]) -> bool:
    """Return whether a document may have the mask of a secret.

    Args:
        document: the document.
        encoded: the JSON of all its parts, in which a search is fast.
    """
    return _ENCODED_MASK in "".join(encoded) or _is_masked_token(_jira_config(document).get(TOKEN))


def with_stored_secrets(document: Mapping[str, Any], stored: Mapping[str, Any]) -> Document:
    """Return a copy of a document with the stored secrets that it masks, and the token it lacks.

    Args:
        document: the document to save; a mask of what is not stored is omitted.
        stored: the stored document; empty if there is none.
    """
    given = _jira_config(document)
    # In its place, since the order of keys is stored.
    if TOKEN not in given or _is_masked_token(given[TOKEN]):
        document = {**document, JIRA: _with_token_mask(given)} if given else document
    complete: Document = _unmasked(document, stored)
    jira, earlier = _jira_config(complete), _jira_config(stored)
    if TOKEN in earlier and TOKEN not in jira:
        complete[JIRA] = {**jira, TOKEN: earlier[TOKEN]}
    return complete


def _jira_config(document: Mapping[str, Any]) -> Mapping[str, Any]:
    jira = document.get(JIRA)
    if isinstance(jira, Mapping):  # first, since nearly all are
        return jira
    return jira.to_document() if isinstance(jira, Submodel) else {}


def _with_token_mask(section: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the section with a plain mask of the token, if it has any mask of it."""
    if SEALED_TOKEN in section:
        others = {key: item for key, item in section.items() if key != TOKEN}
        return renamed(others, SEALED_TOKEN, TOKEN)
    return {**section, TOKEN: mask()} if TOKEN in section else section


def renamed(section: Mapping[str, Any], key: str, new: str) -> dict[str, Any]:
    """Return a section with another key in the place of one."""
    return {new if each == key else each: item for each, item in section.items()}


def _is_masked_token(token: Any) -> bool:
    return is_masked_text(token) if isinstance(token, str) else is_mask(token)


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: mask() if is_secret(key) and item not in NO_SECRETS else _masked(item)
        for key, item in value.items()
    }


def _unmasked(value: Any, stored: Any) -> Any:
    if isinstance(value, list):
        return _unmasked_items(value, stored if isinstance(stored, list) else [])
    if not isinstance(value, Mapping):
        return value
    known = stored if isinstance(stored, Mapping) else {}
    complete = {}
    for key, item in value.items():
        if not (is_secret(key) and is_mask(item)):
            complete[key] = _unmasked(item, known.get(key))
        elif key in known:
            complete[key] = known[key]
    return complete


def _unmasked_items(items: list[Any], stored: list[Any]) -> list[Any]:
    """Return the items with the secrets of the stored ones.

    A stored item is recognized by what it shows, since others may have been added or removed, or by
    its position in a list of the same length.
    """
    shown = [_masked(each) for each in stored]
    unmasked = []
    for index, item in enumerate(items):
        if index < len(shown) and shown[index] == item:
            earlier = stored[index]
        elif item in shown:
            earlier = stored[shown.index(item)]
        else:
            earlier = stored[index] if len(items) == len(stored) else None
        unmasked.append(_unmasked(item, earlier))
    return unmasked

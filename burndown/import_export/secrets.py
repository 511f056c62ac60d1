"""Secrets, which leave the store only if the caller asks for them."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from burndown.errors import ImportExportError, is_secret
from burndown.models import Entity
from burndown.models.json_codec import decode, encode
from burndown.models.public_documents import JIRA, SEALED_TOKEN, is_mask
from burndown.models.redaction import NO_SECRETS
from burndown.models.unknown_keys import OpenEntity
from burndown.secrets import is_envelope

if TYPE_CHECKING:
    from burndown.secrets.keys import Keys

__all__ = [
    "TOKEN",
    "has_token",
    "keep_token",
    "opened_secrets",
    "refuse_tokens",
    "sealed_secrets",
    "token_of",
    "without_locked_secrets",
    "without_secrets",
]

TOKEN = "jira_config.token"  # noqa: S105 - the path
"""The path to the Jira token in a profile."""
_SEALED_TOKEN = f"{JIRA}.{SEALED_TOKEN}"

_SECRET_IN_DATA = re.compile(r"(?:\w+_)?(?:token|password|secret)", re.IGNORECASE)
"""Keys of secrets in data of others, whole words: a metric may be called ``token_count``."""
_MASK = "*****"
_OMITTED = object()
_Change = Callable[[str, str, Any], Any]
"""Takes the key of a secret, the path to it and the secret; returns what takes its place."""
_SHORTEST_TOKEN = 8
"""Shorter tokens are those of examples, and would be found everywhere by chance."""


def without_secrets(entity: type[Entity], content: Any, path: str = "") -> tuple[Any, list[str]]:
    """Return a copy of the content without secrets.

    Args:
        entity: what the content is of.
        content: records, or parts of them.
        path: the path to the content, for the result.

    Returns:
        The copy, and the path to each omitted secret, such as ``jira_config.token``.
    """
    return _without(entity, content, path, lambda _: True)


def without_locked_secrets(
    entity: type[Entity], content: Any, path: str = ""
) -> tuple[Any, list[str]]:
    """Return the same for the secrets only that no key opens, which are masked."""
    if not issubclass(entity, OpenEntity):
        return content, []
    return _without(entity, content, path, is_mask)


def sealed_secrets(entity: type[Entity], content: Any, keys: "Keys") -> Any:
    """Return a copy of the content with its secrets sealed."""

    def seal(key: str, _: str, secret: Any) -> Any:
        return keys.seal(encode(secret), _place(entity, key))

    return _changed(content, "", _rule(entity), seal)


def opened_secrets(
    entity: type[Entity], content: Any, keys: "Keys | None"
) -> tuple[Any, list[str]]:
    """Return a copy of the content with its secrets opened; without keys, they are omitted.

    Returns:
        The copy, and the path to each omitted secret.

    Raises:
        ImportExportError: the keys do not open one.
    """
    omitted: list[str] = []

    def open_one(key: str, path: str, secret: Any) -> Any:
        if not is_envelope(secret):  # it was entered later
            return secret
        if keys is None:
            omitted.append(path)
            return _OMITTED
        value = keys.open(secret, _place(entity, key))
        if value is None:
            raise ImportExportError(f"{path}: the passphrase does not open it")
        return decode(value)

    return _changed(content, "", _rule(entity), open_one), omitted


def refuse_tokens(profiles: Iterable[Mapping[str, Any]], data: bytes, name: str) -> None:
    """Refuse a file that holds the Jira token of a profile, such as in a description.

    Raises:
        ImportExportError: it does; the error names the file and the profile, not the token.
    """
    owners = {profile["jira_config"].get("token", ""): profile["id"] for profile in profiles}
    for token, owner in owners.items():
        # Compared as JSON writes it, with escapes, and without the quotes around it.
        if len(token) >= _SHORTEST_TOKEN and encode(token)[1:-1] in data:
            owner, name = (string.replace(token, _MASK) for string in (owner, name))
            raise ImportExportError(
                f"Nothing was exported: the Jira token of profile {owner!r} would be in {name}; "
                "remove it there, or export with secrets"
            )


def keep_token(profile: dict[str, Any], replaced: Mapping[str, Any]) -> None:
    """Give the profile the token of the replaced one, if it has none and is for the same server.

    For another server the token would be sent to a stranger, who may have made the export.
    """
    jira, earlier = profile.get("jira_config"), replaced["jira_config"]
    if not isinstance(jira, dict) or token_of(profile) or not token_of(replaced):
        return
    if jira.get("base_url") == earlier.get("base_url"):
        profile["jira_config"] = {**jira, "token": earlier["token"]}


def has_token(profile: Mapping[str, Any]) -> bool:
    """Return whether a stored profile has a Jira token, which may be one that no key opens."""
    return bool(token_of(profile)) or SEALED_TOKEN in profile["jira_config"]


def token_of(profile: Mapping[str, Any]) -> Any:
    """Return the Jira token of a profile that may not be valid; ``None`` if it has none."""
    jira = profile.get("jira_config")
    return jira.get("token") if isinstance(jira, dict) else None


def _without(
    entity: type[Entity], content: Any, path: str, is_omitted: Callable[[Any], bool]
) -> tuple[Any, list[str]]:
    omitted: list[str] = []

    def omit(_: str, path: str, secret: Any) -> Any:
        if not is_omitted(secret):
            return secret
        omitted.append(TOKEN if path == _SEALED_TOKEN else path)
        return _OMITTED

    return _changed(content, path, _rule(entity), omit), omitted


def _rule(entity: type[Entity]) -> Callable[[str], bool]:
    return is_secret if issubclass(entity, OpenEntity) else _is_secret_in_data


def _place(entity: type[Entity], key: str) -> bytes:
    """Return the place of an envelope. Files may be edited, so it is not the position in them."""
    return encode([entity.LABEL, key])


def _changed(value: Any, path: str, rule: Callable[[str], bool], change: _Change) -> Any:
    """Return a copy of a value in which each secret is changed or omitted."""
    if isinstance(value, list):
        return [
            _changed(item, f"{path}[{index}]", rule, change) for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    changed = {}
    for key, item in value.items():
        below = f"{path}.{key}".removeprefix(".")
        if not rule(key) or item in NO_SECRETS:
            changed[key] = _changed(item, below, rule, change)
        elif (new := change(key, below, item)) is not _OMITTED:
            changed[key] = new
    return changed


def _is_secret_in_data(key: str) -> bool:
    return _SECRET_IN_DATA.fullmatch(key) is not None

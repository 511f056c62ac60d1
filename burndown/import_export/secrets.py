"""What of a profile must not leave the store unless it is asked for."""

import re
from collections.abc import Callable
from typing import Any

from burndown.errors import ImportExportError, is_secret
from burndown.import_export.layout import PROFILE, SNAPSHOTS
from burndown.models.json_codec import encode
from burndown.persistence import Document

__all__ = ["TOKEN", "refuse_tokens", "without_secrets"]

TOKEN = f"{PROFILE}: jira_config.token"
"""Where the Jira token is left out."""

_SECRET_IN_DATA = re.compile(r"(?:\w+_)?(?:token|password|secret)", re.IGNORECASE)
"""Keys of secrets beside settings, where a metric may be called ``token_count``."""
_NO_SECRETS = ("", None, True, False)
_MASK = "*****"
_SHORTEST_TOKEN = 8
"""Shorter ones, as examples have them, can stand anywhere by chance."""


def without_secrets(content: Any, name: str) -> tuple[Any, list[str]]:
    """What stands in the file of this name, less its secrets, and where those were.

    Returns:
        The rest, and such as ``profile.json: jira_config.token`` for each secret.
    """
    left_out: list[str] = []
    rule = is_secret if name == PROFILE else _is_secret_in_data
    if name == SNAPSHOTS:  # by id of the query, whatever that is
        rest = {key: _rest(item, key, rule, left_out) for key, item in content.items()}
    else:
        rest = _rest(content, "", rule, left_out)
    return rest, [f"{name}: {path}" for path in left_out]


def refuse_tokens(profiles: list[Document], data: bytes, name: str) -> None:
    """Check what is about to leave the store.

    Raises:
        ImportExportError: the Jira token of a profile stands in it, such as in a description.
    """
    owners = {profile["jira_config"].get("token", ""): profile["id"] for profile in profiles}
    for token, owner in owners.items():
        if len(token) >= _SHORTEST_TOKEN and encode(token)[1:-1] in data:
            owner, name = (text.replace(token, _MASK) for text in (owner, name))
            raise ImportExportError(
                f"Nothing was exported, since the Jira token of profile {owner!r} would stand "
                f"in {name}; take it out there, or export with secrets"
            )


def _rest(value: Any, path: str, rule: Callable[[str], bool], left_out: list[str]) -> Any:
    if isinstance(value, list):
        return [_rest(item, f"{path}[{index}]", rule, left_out) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        below = f"{path}.{key}".removeprefix(".")
        if rule(key) and item not in _NO_SECRETS:
            left_out.append(below)
        else:
            kept[key] = _rest(item, below, rule, left_out)
    return kept


def _is_secret_in_data(key: str) -> bool:
    return _SECRET_IN_DATA.fullmatch(key) is not None

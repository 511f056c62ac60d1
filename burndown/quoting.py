"""Invalid values in errors: shortened, or described if they may hold a secret."""

import re
from datetime import timedelta
from functools import lru_cache

from pydantic_core import ErrorDetails

__all__ = ["Description", "format_value", "is_secret", "path_of", "quotable"]

_SENSITIVE = (
    r"token|passw(or)?d|passphrase|pwd|secret|credential|cookie|authorization"
    r"|(api|access|private)[-_]?key"
    # Words of their own: a profile may have an `author` and a `path`.
    r"|(?<![a-z])(auth|bearer|pat)(?![a-z])"
)


@lru_cache(maxsize=1024)  # each save asks for all keys of a profile
def is_secret(key: str) -> bool:
    """Return whether a setting of this name must stay secret, such as ``jira_token``."""
    return re.search(_SENSITIVE, key, re.IGNORECASE) is not None


class Description(str):
    """The description of a value, in place of the value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


_OBJECT_EXPECTED = ("model_type", "model_attributes_type", "dict_type", "object_type")
"""Types of errors whose value may be a section as a string."""


def path_of(details: ErrorDetails) -> str:
    """Return the path to the value of an error of pydantic, such as ``metrics.weeks[2]``."""
    below: str = details.get("ctx", {}).get("path", "")
    return (_dotted(details["loc"]) + below).lstrip(".")


def quotable(details: ErrorDetails) -> object:
    """Return the value of an error of pydantic, or a description of it if it may hold a secret."""
    value: object = details.get("ctx", {}).get("value", details["input"])
    if isinstance(value, Description):
        return value
    if is_secret(path_of(details)):
        return Description("a secret")
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str) and details["type"] not in _OBJECT_EXPECTED:
        return value.encode(errors="backslashreplace").decode()  # pydantic dumps errors as JSON
    # A list or dict may contain a secret at any depth.
    return Description(f"a value of type {type(value).__name__}")


def format_value(value: object) -> str:
    """Return the value for a message: shortened, and only the type of a container."""
    # A list or dict may contain a secret at any depth, so nothing of it is quoted.
    if value is None or isinstance(value, str | int | float):
        # Python refuses to convert integers of more than 4,300 digits to a string.
        text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
        return text if len(text) <= 80 else text[:77] + "..."
    if isinstance(value, timedelta):
        return str(value)
    return f"a value of type {type(value).__name__}"


def _dotted(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)

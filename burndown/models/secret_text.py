"""Secrets in documents: strings whose ``repr`` is a mask, and that are pickled sealed."""

from typing import Any, Self, SupportsIndex

from pydantic import SecretStr

from burndown.errors import SecretKeyError
from burndown.models.json_values import copy_containers
from burndown.secrets import current_keys, is_envelope

__all__ = ["SecretText", "with_secret_texts"]

_PICKLED = b"pickle"
"""The place of a pickled secret."""


class SecretText(str):
    """A string that is not printed with what holds it: neither a document nor a local variable.

    It equals a plain string of the same characters, and ``str()`` and formatting return them.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'**********'" if self else "''"

    def __getitem__(self, index: SupportsIndex | slice) -> Self:
        """Return a part, which is as secret: tracebacks shorten long strings before ``repr``."""
        return type(self)(super().__getitem__(index))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a pickle holds: an envelope, if there is a key."""
        keys = current_keys()
        plain = str(self)
        return _restored, (plain if keys is None else keys.seal(plain.encode(), _PICKLED),)


def with_secret_texts(value: Any, *, is_secret_itself: bool = False) -> Any:
    """Return a copy of a value with each string of its secrets, at any depth, as such a string.

    Args:
        value: the value, which may hold a ``SecretStr``.
        is_secret_itself: whether all its strings are those of a secret.
    """
    convert = _as_secret if is_secret_itself else _revealed
    return copy_containers(value, convert, _as_secret)


def _as_secret(value: Any) -> Any:
    value = _revealed(value)
    return SecretText(value) if isinstance(value, str) else value


def _revealed(value: Any) -> Any:
    return SecretText(value.get_secret_value()) if isinstance(value, SecretStr) else value


def _restored(pickled: str) -> SecretText:
    """Return the secret of a pickle.

    Raises:
        SecretKeyError: it is sealed, and there is not its key.
    """
    if not is_envelope(pickled):
        return SecretText(pickled)
    keys = current_keys()
    opened = None if keys is None else keys.open(pickled, _PICKLED)
    if opened is None:
        raise SecretKeyError(
            "A pickled secret cannot be opened; set the secret key of the process that made it"
        )
    return SecretText(opened.decode())

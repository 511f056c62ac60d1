"""Envelopes: strings that hold a sealed value in the place of the value.

``burndown:sealed:1:KEY:DATA`` names the version of the format and the id of the key. The data are
the nonce and the ciphertext with its tag, as URL-safe Base64.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Envelope", "is_envelope", "may_have_envelopes"]

_MARK = "burndown:sealed:"
"""The beginning of envelopes of every version."""
_VERSION = "1"


def is_envelope(value: object) -> bool:
    """Return whether a stored value is an envelope, of any version."""
    return isinstance(value, str) and value.startswith(_MARK)


def may_have_envelopes(encoded: Iterable[object]) -> bool:
    """Return whether an encoded string may contain an envelope; other values cannot."""
    return any(type(each) is str and _MARK in each for each in encoded)


class Envelope(NamedTuple):
    """The parts of an envelope."""

    key_id: str
    data: bytes
    """Nonce, ciphertext and tag."""

    @classmethod
    def parse(cls, text: str) -> "Envelope | None":
        """Return the parts; ``None`` if it is damaged, or of a version of a newer release."""
        version, _, rest = text.removeprefix(_MARK).partition(":")
        key_id, _, data = rest.partition(":")
        try:
            return cls(key_id, urlsafe_b64decode(data)) if version == _VERSION else None
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{_MARK}{_VERSION}:{self.key_id}:{urlsafe_b64encode(self.data).decode()}"

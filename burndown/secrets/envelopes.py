"""Envelopes: strings that hold a sealed value in the place of the value.

``burndown:sealed:1:KEY:DATA`` names the version of the format and the id of the key. The data are
the nonce and the ciphertext with its tag, in Base64.
"""

from binascii import a2b_base64, b2a_base64

__all__ = ["MARK", "envelope", "is_envelope", "parse"]

MARK = "burndown:sealed:"
"""The beginning of envelopes of every version."""
_VERSION = "1"
_PARTS = 5


def is_envelope(value: object) -> bool:
    """Return whether a stored value is an envelope, of any version."""
    return isinstance(value, str) and value.startswith(MARK)


def envelope(key_id: str, data: bytes) -> str:
    """Return the envelope of data that a key has sealed."""
    return f"{MARK}{_VERSION}:{key_id}:{b2a_base64(data, newline=False).decode()}"


def parse(text: str) -> tuple[str, bytes]:
    """Return the id of the key and the data of an envelope.

    Raises:
        ValueError: it is damaged, or of a version of a newer release.
    """
    parts = text.split(":")
    if len(parts) != _PARTS or parts[2] != _VERSION:
        raise ValueError("input should be an envelope of version 1")
    return parts[3], a2b_base64(parts[4])

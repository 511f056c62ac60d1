"""Keys of AES-256-GCM, which seal and open values for one place."""

from collections.abc import Sequence
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from burndown.secrets.envelopes import envelope, parse

__all__ = ["KEY_BYTES", "Keys", "SecretKey"]

KEY_BYTES = 32
"""The length of a key."""
_NONCE_BYTES = 12


class SecretKey:
    """A key that seals and opens values.

    The nonce is a keyed digest of the value and its place. So a value has one envelope in one
    place, and saving it again is no change; no generator of random numbers is shared with forked
    processes; and two values never have the same nonce but by chance (1 in 2**96).

    Args:
        material: its 32 bytes.
    """

    __slots__ = ("_cipher", "_nonce_key", "id")

    def __init__(self, material: bytes) -> None:
        self.id = _derived(material, b"key id", 4).hex()
        self._nonce_key = _derived(material, b"nonce", KEY_BYTES)
        self._cipher = AESGCM(material)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    def seal(self, value: bytes, place: bytes) -> str:
        """Return the envelope of a value.

        Args:
            value: the value.
            place: the place, which the envelope has to be in to be opened.
        """
        keyed = blake2b(key=self._nonce_key, digest_size=_NONCE_BYTES)
        keyed.update(len(place).to_bytes(8, "big") + place + value)
        nonce = keyed.digest()
        return envelope(self.id, nonce + self._cipher.encrypt(nonce, value, place))

    def open(self, data: bytes, place: bytes) -> bytes | None:
        """Return the value, or ``None`` if the data are damaged or belong to another place."""
        try:
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            return None


class Keys:
    """Keys of which the first one seals, and all open.

    Args:
        keys: at least one.
    """

    def __init__(self, keys: Sequence[SecretKey]) -> None:
        self._first = keys[0]
        self._by_id = {key.id: key for key in keys}

    @property
    def ids(self) -> list[str]:
        """Return the ids of the keys, that of the one that seals first."""
        return list(self._by_id)

    def seal(self, value: bytes, place: bytes) -> str:
        """Return the envelope of a value; see :meth:`SecretKey.seal`."""
        return self._first.seal(value, place)

    def open(self, sealed: str, place: bytes) -> bytes | None:
        """Return the value of an envelope; ``None`` if none of the keys opens it in this place."""
        try:
            key_id, data = parse(sealed)
        except ValueError:
            return None
        key = self._by_id.get(key_id)
        return None if key is None else key.open(data, place)


def _derived(material: bytes, purpose: bytes, size: int) -> bytes:
    return blake2b(b"burndown " + purpose, key=material, digest_size=size).digest()

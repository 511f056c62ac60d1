"""The key of a passphrase, for what is opened elsewhere."""

import hashlib
import unicodedata

from burndown.secrets.keys import KEY_BYTES, Keys, SecretKey

__all__ = ["keys_of_passphrase"]

# 128 MB and half a second for each guess, as OWASP recommends.
_COST = {"n": 2**17, "r": 8, "p": 1, "maxmem": 2**28}


def keys_of_passphrase(passphrase: str, salt: bytes) -> Keys:
    """Return the key of a passphrase.

    Args:
        passphrase: the passphrase.
        salt: random bytes, which are no secret.

    Raises:
        ValueError: the passphrase is empty, or cannot be encoded.
    """
    if not passphrase:
        raise ValueError("passphrase: input should not be empty")
    # Keyboards of different systems produce different code points for the same letter.
    encoded = unicodedata.normalize("NFC", passphrase).encode()
    return Keys([SecretKey(hashlib.scrypt(encoded, salt=salt, dklen=KEY_BYTES, **_COST))])

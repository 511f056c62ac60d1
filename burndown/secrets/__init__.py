"""Sealing of values: envelopes of AES-256-GCM, and the keys for them.

::

    sources      finds the keys in use: environment, file, keyring of the system
    passphrases  makes a key of a passphrase
    keys         seal and open values
    envelopes    the strings that hold sealed values

It knows neither profiles nor stores. ``cryptography`` is imported only where there is a key.
"""

from burndown.secrets.envelopes import MARK, is_envelope
from burndown.secrets.sources import (
    HOW_TO_SET_A_KEY,
    current_keys,
    has_keys,
    keep_keys_away_from,
    require_cryptography,
)

__all__ = [
    "HOW_TO_SET_A_KEY",
    "MARK",
    "current_keys",
    "has_keys",
    "is_envelope",
    "keep_keys_away_from",
    "require_cryptography",
]

"""The secrets of an export: omitted, sealed with a passphrase, or in plain text."""

import os
from typing import TYPE_CHECKING, Any

from burndown.import_export.manifest import Sealing
from burndown.import_export.secrets import (
    opened_secrets,
    sealed_secrets,
    without_locked_secrets,
    without_secrets,
)
from burndown.models import Entity
from burndown.secrets import require_cryptography

if TYPE_CHECKING:
    from burndown.secrets.keys import Keys

__all__ = ["ExportedSecrets", "ImportedSecrets"]

_SALT_BYTES = 16


class ExportedSecrets:
    """The secrets of an export that is written.

    Args:
        in_plain_text: include them as they are.
        passphrase: seal them with this one instead.

    Attributes:
        omitted: the file and path of each omitted secret; locked ones are omitted in any case.
        sealing: how they are sealed, for the manifest.

    Raises:
        StorageError: ``cryptography`` is not installed, and there is a passphrase.
    """

    def __init__(self, in_plain_text: bool, passphrase: str | None) -> None:
        self.are_in_plain_text = in_plain_text and passphrase is None
        self.omitted: list[str] = []
        self.sealing: Sealing | None = None
        self._keys: Keys | None = None
        if passphrase is not None:
            salt = os.urandom(_SALT_BYTES)
            self.sealing = Sealing.model_construct(salt=salt)
            self._keys = _keys(passphrase, salt)

    def content(self, entity: type[Entity], name: str, content: Any, path: str = "") -> Any:
        """Return the content of a file as it is written.

        Args:
            entity: the entity that the content is of.
            name: the name of the file.
            content: records, or parts of them.
            path: the path to the content in the file.
        """
        is_omitting = not self.are_in_plain_text and self._keys is None
        omit = without_secrets if is_omitting else without_locked_secrets
        kept, omitted = omit(entity, content, path)
        self.omitted += (f"{name}: {each}" for each in omitted)
        return kept if self._keys is None else sealed_secrets(entity, kept, self._keys)


class ImportedSecrets:
    """The secrets of an export that is read.

    Args:
        sealing: how they are sealed; ``None`` if they are not.
        passphrase: the passphrase, if there is one.

    Attributes:
        omitted: the file and path of each secret, of the files read so far, that is omitted since
            there is no passphrase.

    Raises:
        StorageError: ``cryptography`` is not installed, and they are opened.
    """

    def __init__(self, sealing: Sealing | None, passphrase: str | None) -> None:
        self.omitted: list[str] = []
        self._are_sealed = sealing is not None
        self._keys: Keys | None = None
        if sealing is not None and passphrase is not None:
            self._keys = _keys(passphrase, sealing.salt)

    def content(self, entity: type[Entity], name: str, content: Any) -> Any:
        """Return the content of a file with its secrets opened, or without them.

        Raises:
            ImportExportError: the passphrase is another one.
        """
        if not self._are_sealed:
            return content
        kept, omitted = opened_secrets(entity, content, self._keys)
        self.omitted += (f"{name}: {each}" for each in omitted)
        return kept


def _keys(passphrase: str, salt: bytes) -> "Keys":
    require_cryptography()
    from burndown.secrets.passphrases import keys_of_passphrase  # `cryptography` is an extra

    return keys_of_passphrase(passphrase, salt)

"""The keys in use: from the environment, a file, or the keyring of the system.

They are read again when the variables or the file change, so that a running process seals with the
new key after a rotation.
"""

import os
import re
import stat
import sys
from base64 import urlsafe_b64decode
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from burndown.errors import MissingExtraError, SecretKeyError
from burndown.forks import ForkSafeLock
from burndown.settings import SECRET_KEY, SECRET_KEY_FILE, get_settings, secret_key_sources

if TYPE_CHECKING:
    from burndown.secrets.keys import Keys

__all__ = [
    "HOW_TO_SET_A_KEY",
    "current_keys",
    "has_keys",
    "keep_keys_away_from",
    "require_cryptography",
]

_SERVICE, _USER = "burndown", "secret-key"
"""The names of the entry in the keyring."""
_MOUNTED = Path("/run/secrets")
"""The folder of a container in which engines mount secrets, by default readable by all its users.

The files belong to other users than those of the container, so that they can be no more private.
"""
_HEXADECIMAL = "[0-9a-fA-F]{64}"
_BASE64 = "[0-9A-Za-z_-]{43}"
_EXPECTED = (
    "keys of 32 bytes as Base64, separated by commas or blanks; `openssl rand -base64 32` makes one"
)


def has_keys() -> bool:
    """Return whether there are keys, which may not be readable."""
    return any(secret_key_sources()) or any(_of_keyring())


HOW_TO_SET_A_KEY = (
    f"`openssl rand -base64 32` makes a key; set {SECRET_KEY} to it, or {SECRET_KEY_FILE} to a "
    f"private file with it, or store it with `keyring set {_SERVICE} {_USER}`"
)
"""Advice for errors and reports."""

_found: "tuple[object, Keys | None] | None" = None
"""What the keys were found by, and the keys."""
_stores: set[Path] = set()
_asking = ForkSafeLock(delays_forks=True)
"""Held by a thread that asks the keyring, which loads modules of its own."""
"""The files and folders of the stores that this process has opened; links are followed."""


def keep_keys_away_from(store: Path) -> None:
    """Refuse from now on a file of keys that is next to a store, or in it.

    Args:
        store: the absolute path of its file or folder, which may not exist yet.
    """
    with suppress(ValueError):  # no file can have this path, so using the store is an error
        _stores.add(Path(os.path.realpath(store)))


def current_keys() -> "Keys | None":
    """Return the keys in use, or ``None`` if there are none.

    Raises:
        SecretKeyError: a key is not one, or the file of keys cannot be read, is not private, or is
            next to the data; or the keyring cannot be read.
        MissingExtraError: ``cryptography`` is not installed.
    """
    global _found
    text, file = secret_key_sources()
    source = (text, file, None if file is None else (_state(Path(file)), len(_stores)))
    found = _found
    if found is None or found[0] != source:
        found = _found = source, _keys(text, file)
    return found[1]


def require_cryptography() -> None:
    """Refuse to go on without ``cryptography``.

    Raises:
        MissingExtraError: it is not installed; the error names the command.
    """
    if find_spec("cryptography") is None:
        raise MissingExtraError("`cryptography` is not installed", "secrets")


def _keys(text: str | None, file: str | None) -> "Keys | None":
    if text:
        return _parsed(text, SECRET_KEY)
    if file:
        return _parsed(_read_private(Path(file)), f"{SECRET_KEY_FILE} ({file})")
    entry, problem = _of_keyring()
    if problem:
        raise SecretKeyError(
            f"The keyring of the system cannot be read ({problem}), so no secret is saved; unlock "
            f"it and start this program again, or set {SECRET_KEY_FILE}; if it holds no key, set "
            "PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring"
        )
    return _parsed(entry, f"The entry {_SERVICE}/{_USER} of the keyring") if entry else None


def _parsed(text: str, name: str) -> "Keys":
    materials = [_material(each, name) for each in text.replace(",", " ").split()]
    if not materials:
        raise SecretKeyError(f"{name} holds no key; it should hold {_EXPECTED}")
    require_cryptography()
    # Only here: most processes have no key, and `cryptography` is an extra.
    from burndown.secrets.keys import Keys, SecretKey

    return Keys([SecretKey(material) for material in materials])


def _material(text: str, name: str) -> bytes:
    if re.fullmatch(_HEXADECIMAL, text):
        return bytes.fromhex(text)
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    if not re.fullmatch(_BASE64, plain):
        raise SecretKeyError(f"{name} holds what is no key; it should hold {_EXPECTED}")
    return urlsafe_b64decode(plain + "=")


def _state(file: Path) -> tuple[int, ...]:
    """Return what changes with the file; nothing if it cannot be read, which an error reports."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode


def _read_private(file: Path) -> str:
    """Return the content of the file of keys.

    Raises:
        SecretKeyError: it cannot be read, others can read it, or it is next to the data.
    """
    try:
        with file.open(encoding="ascii") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if sys.platform != "win32":
                _refuse_shared(file, mode)
            _refuse_next_to_data(file)
            return opened.read()
    except SecretKeyError:
        raise
    except UnicodeDecodeError:
        raise SecretKeyError(f"{SECRET_KEY_FILE}: {file} should hold {_EXPECTED}") from None
    except OSError as error:
        raise SecretKeyError(
            f"{SECRET_KEY_FILE}: {file} cannot be read: {error.strerror}"
        ) from error


def _refuse_shared(file: Path, mode: int) -> None:
    """Refuse a file that other users can read or change; in a container, one that they can change.

    Args:
        file: the file of keys.
        mode: its mode.
    """
    if file.resolve().is_relative_to(_MOUNTED):
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise SecretKeyError(
                f"{SECRET_KEY_FILE}: {file} can be changed by others; "
                f"on the host, run chmod go-w for it"
            )
    elif mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretKeyError(
            f"{SECRET_KEY_FILE}: {file} can be read or changed by others; "
            f"make it private: chmod 600 {file}"
        )


def _refuse_next_to_data(file: Path) -> None:
    """Refuse a file that would be copied together with what it opens."""
    real, workspace = file.resolve(), get_settings().profiles_dir.resolve()
    stores = tuple(_stores)  # others may be opened meanwhile
    is_near = any(real.parent == store.parent or real.is_relative_to(store) for store in stores)
    if is_near or real.is_relative_to(workspace):
        raise SecretKeyError(
            f"{SECRET_KEY_FILE}: {file} is in the folder of the data that it opens; move it out of "
            "there, so that no copy of the one contains the other"
        )


@cache  # asking may open a dialog
def _of_keyring() -> tuple[str | None, str | None]:
    """Return the entry of the system's keyring, and the reason if it cannot be read.

    There is none if ``keyring`` is not installed, or the system has no keyring.
    """
    if find_spec("keyring") is None:
        return None, None
    with _asking:
        import keyring  # an extra, and slow to import
        from keyring.errors import NoKeyringError

        try:
            return keyring.get_password(_SERVICE, _USER), None
        except NoKeyringError:
            return None, None
        except Exception as error:  # noqa: BLE001 - each keyring has its own, such as D-Bus
            return None, type(error).__name__

"""Settings: location of the data, durability, limits. The only reader of the environment.

Those of a store are read when it is opened.

================================ ==============================================================
variable                         meaning
================================ ==============================================================
``BURNDOWN_PROFILES_DIR``        folder of the workspace, ``profiles`` under the current folder
``BURNDOWN_DATABASE_URL``        another store: a path, an SQLAlchemy URL, ``json:DIR``, or
                                 ``memory:``
``BURNDOWN_SQLITE_SYNCHRONOUS``  ``FULL`` (default): a commit survives a power failure;
                                 ``NORMAL``: a commit survives a killed process, but a power
                                 failure may undo the last commits (each one completely)
``BURNDOWN_BUSY_TIMEOUT``        seconds that a call waits for a lock of another transaction, 10;
                                 at most 600
``BURNDOWN_MAX_CONNECTIONS``     connections that a process opens to a PostgreSQL server at the same
                                 time, 20
``BURNDOWN_SECRET_KEY``          keys that seal secrets, Base64 of 32 bytes each; the first one
                                 seals, all open
``BURNDOWN_SECRET_KEY_FILE``     a private file with such keys, in no folder of the data
``BURNDOWN_MAX_PROFILES``        profiles that a store can have, 50
``BURNDOWN_MAX_QUERIES``         queries that a profile can have, 100
``BURNDOWN_MAX_NAME_LENGTH``     characters of the name of a new profile or query, 100
================================ ==============================================================
"""

import os

from burndown.settings.values import (
    DATABASE_NAME,
    MAX_NEW_NAME_LENGTH,
    MAX_PROFILES,
    MAX_QUERIES,
    PREFIX,
    UPGRADE_TIMEOUT_SECONDS,
    Settings,
)

__all__ = [
    "DATABASE_NAME",
    "MAX_NEW_NAME_LENGTH",
    "MAX_PROFILES",
    "MAX_QUERIES",
    "PREFIX",
    "SECRET_KEY",
    "SECRET_KEY_FILE",
    "UPGRADE_TIMEOUT_SECONDS",
    "Settings",
    "get_settings",
    "secret_key_sources",
]

SECRET_KEY = f"{PREFIX}SECRET_KEY"
SECRET_KEY_FILE = f"{PREFIX}SECRET_KEY_FILE"


def get_settings() -> Settings:
    """Return the current settings; they are read again with each call.

    Raises:
        ValidationError: a variable has an invalid value.
    """
    # Loading pydantic-settings took 12 of the 57 ms of a first call; most processes set nothing.
    if not any(name.upper().startswith(PREFIX) for name in os.environ):
        return Settings.model_construct()  # the defaults are valid: no validator has to be built
    from burndown.settings.environment import read_environment

    return read_environment()


def secret_key_sources() -> tuple[str | None, str | None]:
    """Return the keys in the environment, or else the path of their file; ``None`` if not set.

    They are no fields of :class:`Settings`: each call that saves asks for them.
    """
    keys = os.environ.get(SECRET_KEY)
    return (keys, None) if keys else (None, os.environ.get(SECRET_KEY_FILE) or None)

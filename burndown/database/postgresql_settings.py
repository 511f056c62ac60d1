"""The settings that each transaction on a PostgreSQL server begins with.

They are set in each transaction and for it alone, not when a connection is made: a pooler such as
PgBouncer refuses ``options`` at start-up, and may run each transaction on another connection.
"""

import re
from collections.abc import Mapping
from typing import Any

from burndown.errors import StorageError

__all__ = ["IDLE_TIMEOUT_SECONDS", "asks_read_only", "select_settings", "settings_of_options"]

IDLE_TIMEOUT_SECONDS = 60
"""How long a transaction may wait for its client before the server ends it.

Well above ``BUSY_TIMEOUT_SECONDS``, for clients that wait for something else meanwhile, and short
enough that one that froze or vanished does not keep all others from writing.
"""

_REQUIRED = {
    "client_encoding": "UTF8",
    "timezone": "UTC",  # or the year 9999 overflows in some zones
    "datestyle": "ISO",  # the only one that the driver reads
    "extra_float_digits": "3",  # floats to the last bit
    "client_min_messages": "error",  # a trigger's notice may hold a row, and notices are logged
}
"""What has to hold for values to come back equal and to stay secret."""

_ARGUMENT = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SETTING = re.compile(r"(?:-c|--)(?P<name>[A-Za-z_][\w.-]*)=(?P<value>.*)", re.DOTALL)


def settings_of_options(options: str) -> dict[str, str]:
    """Return the settings that libpq's ``options`` ask for, by name.

    Args:
        options: such as ``-csearch_path=team_a -c statement_timeout=5s``; a backslash escapes.

    Raises:
        StorageError: something else than settings is asked for.
    """
    arguments = [_ESCAPED.sub(r"\1", found) for found in _ARGUMENT.findall(options)]
    settings = {}
    while arguments:
        argument = arguments.pop(0)
        if argument == "-c" and arguments:
            argument += arguments.pop(0)
        found = _SETTING.fullmatch(argument)
        if found is None or "\0" in argument:
            raise StorageError(
                "The database URL's 'options' should be settings such as -csearch_path=NAME, "
                "separated by blanks"
            )
        settings[found["name"].replace("-", "_").lower()] = found["value"]
    return settings


def asks_read_only(settings: Mapping[str, str]) -> bool | None:
    """Return whether transactions are to be read-only, or ``None`` if the server is to decide.

    It applies to transactions that begin later, so that it is of no use within one.
    """
    value = settings.get("default_transaction_read_only", "").lower()
    return value in ("on", "1", "yes", "y") or "true".startswith(value) if value else None


def select_settings(
    url_settings: Mapping[str, str], lock_timeout_seconds: int
) -> tuple[str, list[Any]]:
    """Return the expressions that set all settings for a transaction, and their parameters.

    Args:
        url_settings: what the URL asks for; it wins where nothing else is required.
        lock_timeout_seconds: how long a statement waits for others, unless the URL says.
    """
    settings = {
        "lock_timeout": f"{lock_timeout_seconds}s",
        "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT_SECONDS}s",
        **url_settings,
        **_REQUIRED,
    }
    calls = ", ".join(["pg_catalog.set_config(%s, %s, true)"] * len(settings))
    return calls, [part for setting in settings.items() for part in setting]

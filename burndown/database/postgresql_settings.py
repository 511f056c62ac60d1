"""Settings with which each transaction on a PostgreSQL server begins.

They are set within each transaction and for it alone, not at connection: a pooler such as PgBouncer
refuses ``options`` at start-up, and may run each transaction on another server connection. And
``connect_args["options"]`` of psycopg would replace the ``options`` of the URL, by which two teams
with schemas of their own came to share tables.
"""

import re
from collections.abc import Mapping
from typing import Any

from burndown.errors import StoreLocationError

__all__ = ["IDLE_TIMEOUT_SECONDS", "asks_read_only", "select_settings", "settings_of_options"]

IDLE_TIMEOUT_SECONDS = 60
"""How long a transaction may wait for its client before the server ends it.

It is well above the default of the busy timeout, for clients that wait for something else
meanwhile, and short enough that a client which froze or vanished blocks other writers only for a
minute.
"""

_REQUIRED = {
    "client_encoding": "UTF8",
    "timezone": "UTC",  # in other zones, timestamps of the year 9999 can overflow
    "datestyle": "ISO",  # the only one that the driver parses
    "extra_float_digits": "3",  # floats come back equal to the last bit
    "client_min_messages": "error",  # a trigger's notice may hold a row, and notices are logged
}
"""Settings without which values would not come back equal, or not stay secret."""

_ARGUMENT = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SETTING = re.compile(r"(?:-c|--)(?P<name>[A-Za-z_][\w.-]*)=(?P<value>.*)", re.DOTALL)


def settings_of_options(options: str) -> dict[str, str]:
    """Return the settings in libpq's ``options``, by name.

    Args:
        options: such as ``-csearch_path=team_a -c statement_timeout=5s``; a backslash escapes.

    Raises:
        StoreLocationError: there is something other than settings.
    """
    arguments = [_ESCAPED.sub(r"\1", found) for found in _ARGUMENT.findall(options)]
    settings = {}
    while arguments:
        argument = arguments.pop(0)
        if argument == "-c" and arguments:
            argument += arguments.pop(0)
        found = _SETTING.fullmatch(argument)
        if found is None or "\0" in argument:
            raise StoreLocationError(
                "The database URL's 'options' should be settings such as -csearch_path=NAME, "
                "separated by blanks"
            )
        settings[found["name"].replace("-", "_").lower()] = found["value"]
    return settings


def asks_read_only(settings: Mapping[str, str]) -> bool | None:
    """Return whether settings ask for read-only transactions, or ``None`` if they do not say.

    ``default_transaction_read_only`` applies only to transactions that begin later, so it is not
    set within one; the engine begins them accordingly.
    """
    # PostgreSQL accepts any prefix of "true", too.
    value = settings.get("default_transaction_read_only", "").lower()
    return value in ("on", "1", "yes", "y") or "true".startswith(value) if value else None


def select_settings(url_settings: Mapping[str, str], lock_timeout: float) -> tuple[str, list[Any]]:
    """Return the expressions that set all settings for a transaction, and their parameters.

    Args:
        url_settings: the settings in the URL; they win over defaults, but not over required ones.
        lock_timeout: how many seconds a statement waits for a lock, unless the URL sets it.
    """
    settings = {
        # 0 would mean without a limit.
        "lock_timeout": f"{max(1, round(lock_timeout * 1000))}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT_SECONDS}s",
        **url_settings,
        **_REQUIRED,
    }
    calls = ", ".join(["pg_catalog.set_config(%s, %s, true)"] * len(settings))
    return calls, [part for setting in settings.items() for part in setting]

"""Database URLs, read without guessing and reported without secrets."""

import re
from collections.abc import Set
from typing import Any, NamedTuple

from sqlalchemy import URL, exc, make_url

from burndown.database.error_chains import raise_without_context
from burndown.database.postgresql_settings import settings_of_options
from burndown.errors import StoreLocationError, is_secret

__all__ = ["ServerAddress", "parse_url", "refuse_malformed_url"]

_UNAMBIGUOUS = re.compile(
    r"[^:/@?]+://([^@?]*@)?[^@?]*(\?(\w+=[^&@]*(&|$))*)?", re.ASCII | re.DOTALL
)
"""A URL with at most one ``@``, before the parameters.

With two, any part between them could belong to the password, and a wrong guess would send or print
a part of it as the host.
"""

_MALFORMED = re.compile(r"\s*(postgres|mysql|sqlite)[\w+]*:|.*\bpassword\s*=", re.DOTALL)
"""A mistyped URL, or a connection string of libpq, which would be taken for a path."""

_UNSENDABLE = re.compile("[\0\ud800-\udfff]")
_DRIVER = "postgresql+psycopg"
_OF_AUTHORITY = {"username": "user", "password": "password", "host": "host", "port": "port"}
_NOT_SECRET = frozenset({"host", "hostaddr", "port", "user", "dbname", "service"})
_REPEATABLE = frozenset({"host", "port", "options"})


class ServerAddress(NamedTuple):
    """The location of a PostgreSQL database and its connection parameters, taken from its URL."""

    url: URL
    """The location without secrets: what distinguishes it from others, for people."""
    parameters: dict[str, Any]
    """The connection parameters of libpq without ``options``; they hold secrets."""
    settings: dict[str, str]
    """The server settings in the ``options`` of the URL, by name."""

    @classmethod
    def of(cls, url: URL) -> "ServerAddress":
        """Return the address that a URL names.

        Raises:
            StoreLocationError: the URL is invalid.
        """
        url = url.set(drivername=_DRIVER)
        _refuse_repeated(url)
        settings = settings_of_options(" ".join(_values(url, "options")))
        try:
            dialect = url.get_dialect()()
            parameters = dialect.create_connect_args(url.difference_update_query(["options"]))[1]
        except (exc.ArgumentError, ValueError):
            raise_without_context(
                StoreLocationError("The database URL should have as many ports as hosts, or one")
            )
        for name, value in parameters.items():
            _refuse_unsendable(name, str(value))
        return cls(_without_secrets(url, settings), dict(parameters), settings)

    def refuse_unknown(self, known: Set[str]) -> None:
        """Refuse an unknown parameter; the error does not name it, since it may be a secret.

        Raises:
            StoreLocationError: there is one.
        """
        if not self.parameters.keys() <= known:
            raise StoreLocationError(
                f"The database URL has a parameter unknown to PostgreSQL. {_HINT}"
            )

    def without_secrets(self, message: str) -> str:
        """Return a message of the driver with the secrets of the URL masked."""
        given = {**self.parameters, **self.settings}.items()
        secrets = {str(value) for name, value in given if value and is_secret(name)}
        for secret in sorted(secrets, key=len, reverse=True):  # one may be a part of another
            message = message.replace(secret, "***")
        return message

    @property
    def server(self) -> str:
        """Return the host, or the folder of the socket; else ``on this machine``."""
        return str(self.parameters.get("host") or "on this machine")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url})"


def parse_url(url: str) -> URL:
    """Return the parts of a URL; ``postgres://``, as hosting providers write it, names the driver.

    Raises:
        StoreLocationError: it is not a URL, or it is ambiguous.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise_without_context(
            StoreLocationError(f"The database URL is not one that SQLAlchemy understands. {_HINT}")
        )
    if parsed.drivername == "postgres":  # libpq reads it, SQLAlchemy does not
        parsed = parsed.set(drivername=_DRIVER)
    if parsed.get_backend_name() != "sqlite" and not _UNAMBIGUOUS.fullmatch(url):
        raise StoreLocationError(f"The database URL can be read in several ways. {_HINT}")
    return parsed


def refuse_malformed_url(path: str) -> None:
    """Refuse a mistyped URL that would be taken for a path; it may hold a password.

    Raises:
        StoreLocationError: it is one.
    """
    if _MALFORMED.match(path):
        raise StoreLocationError(
            "The database is given neither as a path nor as a URL, which is written "
            "postgresql+psycopg://user:password@host/name"
        )


_HINT = (
    "In a user name, a password or a parameter, write @ as %40, : as %3A, / as %2F, ? as %3F, "
    "# as %23, & as %26, + as %2B and % as %25"
)


def _refuse_repeated(url: URL) -> None:
    """Refuse a parameter that is given twice, since only one of them could be used."""
    for name, value in url.query.items():
        if not isinstance(value, str) and name not in _REPEATABLE:
            raise StoreLocationError(f"The database URL gives {name!r} more than once")
    for part, name in {**_OF_AUTHORITY, "database": "dbname"}.items():
        if getattr(url, part) and name in url.query:
            raise StoreLocationError(
                f"The database URL gives {name!r} both before and after the '?'"
            )


def _refuse_unsendable(name: str, value: str) -> None:
    if _UNSENDABLE.search(value):
        raise StoreLocationError(
            f"The database URL gives a {name!r} that contains NUL, or is not UTF-8"
        )


def _values(url: URL, name: str) -> tuple[str, ...]:
    value = url.query.get(name, ())
    return (value,) if isinstance(value, str) else value


def _without_secrets(url: URL, settings: dict[str, str]) -> URL:
    query = {name: value for name, value in url.query.items() if name in _NOT_SECRET}
    if "search_path" in settings:
        query["options"] = f"-csearch_path={settings['search_path']}"
    return URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)

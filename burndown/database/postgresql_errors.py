"""Translation of the errors of a PostgreSQL server and its driver, without values of rows."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import exc

from burndown.database.database_url import ServerAddress
from burndown.database.error_translation import ErrorTranslator
from burndown.errors import (
    DatabaseCorruptionError,
    StorageError,
    TransactionAbortedError,
    TransactionConflictError,
)

__all__ = ["PostgreSQLErrorTranslator", "RunAgain"]

_ERRORS: dict[str, tuple[type[StorageError], str]] = {
    "08": (StorageError, "The database server {server} is out of reach: {message}"),
    "22P05": (
        StorageError,
        "The database's encoding cannot represent a character of a value; copy the store to a "
        "database that was created with ENCODING 'UTF8'",
    ),
    "25006": (
        StorageError,
        "The database is read-only ({message}); write on the primary server, as a role that may",
    ),
    "25P02": (
        TransactionAbortedError,
        "The transaction cannot go on after an error in it, so nothing of it was stored; begin it "
        "again",
    ),
    "25P03": (
        TransactionAbortedError,
        "The server ended the transaction, which its client left idle for too long; nothing of "
        "it was stored. The URL can set a longer limit: "
        "?options=-cidle_in_transaction_session_timeout=10min",
    ),
    "25P04": (
        TransactionAbortedError,
        "The server ended the transaction after its transaction_timeout; nothing of it was stored",
    ),
    "28": (StorageError, "The database server {server} refused the connection: {message}"),
    "3D": (StorageError, "The database server {server} refused the connection: {message}"),
    "3F": (
        StorageError,
        "No schema of the search path exists ({message}); create it: CREATE SCHEMA name",
    ),
    "40001": (
        TransactionConflictError,
        "The server could not order this transaction among others; try it again",
    ),
    "40P01": (
        TransactionConflictError,
        "The server could not order this transaction among others; try it again",
    ),
    "42501": (
        StorageError,
        "The role may not do this: {message}; let its owner GRANT it, or do it as a role that may",
    ),
    "53": (StorageError, "The database server {server} has no resources left: {message}"),
    "55P03": (
        StorageError,
        "The database is locked: another transaction has been writing for more than {busy} s",
    ),
    "57": (StorageError, "The database server {server} ended the connection: {message}"),
    "57014": (
        StorageError,
        "The server cancelled the statement: {message}. If it needs more time, raise "
        "statement_timeout for the role, or in the URL: ?options=-cstatement_timeout=5min",
    ),
    "57P03": (StorageError, "The database server {server} is out of reach: {message}"),
    "XX001": (DatabaseCorruptionError, "The database is damaged: {message}"),
    "XX002": (DatabaseCorruptionError, "The database is damaged: {message}"),
}
"""The error for each SQLSTATE, or for all of a class (the first two characters)."""

_FAILED = StorageError, "The database failed: {message}"
_UNREACHABLE = _ERRORS["08"]
_REFUSED = _ERRORS["28"]
_LOST = (
    TransactionAbortedError,
    "The connection to {server} was lost in the transaction, so nothing of it was stored; begin it "
    "again",
)
_EXHAUSTED = (
    StorageError,
    "This process waited for more than {busy} s for one of its own connections to the "
    "database server {server}, which other calls use; it opens up to BURNDOWN_MAX_CONNECTIONS",
)
_CLOSED = ("the connection is closed", "the connection is lost")
"""The messages of psycopg for a connection that was open when the transaction began."""
_FATAL = "FATAL:"
"""The start of an error of the server during connecting, of which libpq gives only a message."""


class RunAgain(TransactionAbortedError):  # noqa: N818 - a call that runs again has no error
    """A call that has to run again after its statements were undone."""

    def __init__(self) -> None:
        super().__init__(
            "The server has changed statements of the transaction, so nothing of it was stored; "
            "begin it again"
        )


class PostgreSQLErrorTranslator(ErrorTranslator):
    """The translation of errors of a PostgreSQL server and its driver.

    Args:
        address: the location of the database.
        driver: the driver's module.
        busy_timeout: the seconds that a call waits for a lock, or for a connection.
        on_schema_mismatch: called when a table or column is missing.
    """

    def __init__(
        self,
        address: ServerAddress,
        driver: Any,
        busy_timeout: float,
        on_schema_mismatch: Callable[[], None],
    ) -> None:
        super().__init__(driver.Error, on_schema_mismatch)
        self._address = address
        self._driver = driver
        self._busy = f"{busy_timeout:g}"

    def _translate(self, error: BaseException) -> StorageError:
        state = getattr(error, "sqlstate", None)
        if isinstance(error, exc.TimeoutError):  # of SQLAlchemy's pool
            kind, template = _EXHAUSTED
        elif state is not None:
            kind, template = _ERRORS.get(state) or _ERRORS.get(state[:2]) or _FAILED
        elif not isinstance(error, self._driver.OperationalError):
            kind, template = _FAILED
        elif str(error) in _CLOSED:
            reason = error.__context__  # the server's error when it closed the connection, if any
            if isinstance(reason, self._driver.Error):
                return self._translate(reason)
            kind, template = _LOST
        else:
            kind, template = _REFUSED if _FATAL in str(error) else _UNREACHABLE
        message = self._address.without_secrets(" ".join(_message(error, self._driver).split()))
        return kind(template.format(server=self._address.server, message=message, busy=self._busy))

    def _is_schema_mismatch(self, error: BaseException) -> bool:
        return getattr(error, "sqlstate", None) in ("42P01", "42703")  # undefined table, column


def _message(error: BaseException, driver: Any) -> str:
    """Return the message if it cannot hold a value of a row, or else the SQLSTATE.

    The detail of a message is never included: it holds rows, such as "Failing row contains …".
    """
    if isinstance(error, driver.Error):
        diagnostic: Any = error.diag
        if diagnostic.sqlstate is None:
            return type(error).__name__ if isinstance(error, driver.DataError) else str(error)
        if diagnostic.context is not None:
            return f"a function or trigger of the database raised SQLSTATE {diagnostic.sqlstate}"
        if diagnostic.sqlstate[:2] == "22" and diagnostic.sqlstate != "22023":
            return f"a value was refused with SQLSTATE {diagnostic.sqlstate}"
        return str(diagnostic.message_primary)
    return str(error) if isinstance(error, exc.SQLAlchemyError) else type(error).__name__

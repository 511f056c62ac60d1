"""What errors of a PostgreSQL server and its driver mean, told without any value of a row."""

from typing import Any

from sqlalchemy import exc

from burndown.database import base
from burndown.database.database_url import ServerAddress
from burndown.errors import (
    DatabaseCorruptionError,
    StorageError,
    TransactionAbortedError,
    TransactionConflictError,
)

__all__ = ["translate"]

_MEANINGS: dict[str, tuple[type[StorageError], str]] = {
    "08": (StorageError, "The database server {server} is out of reach: {message}"),
    "22P05": (
        StorageError,
        "The database's encoding has no place for a character in a value; copy the store to a "
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
        "it was stored. The URL can ask for more: ?options=-cidle_in_transaction_session_timeout"
        "=10min",
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
        "The database is locked: another transaction has been writing for more than {busy} seconds",
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
_UNREACHABLE = _MEANINGS["08"]
_REFUSED = _MEANINGS["28"]
_LOST = (
    TransactionAbortedError,
    "The connection to {server} was lost in the transaction, so nothing of it was stored; begin it "
    "again",
)
_CLOSED = ("the connection is closed", "the connection is lost")
"""What psycopg says of one that was open when the transaction began."""
_FATAL = "FATAL:"
"""What an error of the server begins with where libpq gives a message only: during start-up."""


def translate(error: BaseException, address: ServerAddress, driver: Any) -> StorageError:
    """Return the error that tells people what happened.

    Args:
        error: that of the driver, or of SQLAlchemy itself.
        address: where the database is.
        driver: the module of the driver.
    """
    state = getattr(error, "sqlstate", None)
    if state is not None:
        kind, meaning = _MEANINGS.get(state) or _MEANINGS.get(state[:2]) or _FAILED
    elif not isinstance(error, driver.OperationalError):
        kind, meaning = _FAILED
    elif str(error) in _CLOSED:
        reason = error.__context__  # what the server said when it closed the connection, if it did
        if isinstance(reason, driver.Error):
            return translate(reason, address, driver)
        kind, meaning = _LOST
    else:
        kind, meaning = _REFUSED if _FATAL in str(error) else _UNREACHABLE
    message = address.without_secrets(" ".join(_message(error, driver).split()))
    return kind(
        meaning.format(server=address.server, message=message, busy=base.BUSY_TIMEOUT_SECONDS)
    )


def _message(error: BaseException, driver: Any) -> str:
    """Return what was said, if it cannot hold a value of a row, or else the SQLSTATE.

    The detail of a message is always left out: it holds rows, such as "Failing row contains …".
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

"""The one place where errors of databases become errors of this package."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import exc
from sqlmodel import Session

from burndown.database.error_chains import raise_without_context
from burndown.errors import PersistenceError, StorageError, TransactionAbortedError

__all__ = ["ErrorTranslator", "check_active"]

_ABORTED = (
    "The transaction cannot go on after an error in it, so nothing of it was stored; begin it again"
)
"""The message of the error for each use of a session that SQLAlchemy has rolled back."""


class ErrorTranslator(ABC):
    """The translation of errors of a driver and of SQLAlchemy to those of this package.

    Args:
        driver_error: the base class of the driver's errors.
        on_schema_mismatch: called when a table or column is missing.
    """

    def __init__(
        self, driver_error: type[Exception], on_schema_mismatch: Callable[[], None]
    ) -> None:
        self.types = (exc.SQLAlchemyError, driver_error)
        self._on_schema_mismatch = on_schema_mismatch

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Translate the errors of a block.

        Raises:
            StorageError: for every error of the driver or of SQLAlchemy.
        """
        try:
            yield
        except self.types as error:
            raise_without_context(self.translate(error).with_traceback(error.__traceback__))
        except PersistenceError as error:  # such as one that names the constraint a row broke
            if isinstance(error.__context__, self.types):
                raise_without_context(error)
            raise

    def translate(self, error: Exception) -> StorageError:
        """Return the error of this package for one of the driver or of SQLAlchemy."""
        if isinstance(error, exc.PendingRollbackError):
            return TransactionAbortedError(_ABORTED)
        original = getattr(error, "orig", None) or error
        if self._is_schema_mismatch(original):
            self._on_schema_mismatch()
        return original if isinstance(original, StorageError) else self._translate(original)

    @abstractmethod
    def _translate(self, error: BaseException) -> StorageError:
        """Return the error of this package for one that the driver or SQLAlchemy itself raised."""

    @abstractmethod
    def _is_schema_mismatch(self, error: BaseException) -> bool:
        """Return whether a table or column is missing, as after another process's downgrade."""


@contextmanager
def check_active(session: Session) -> Iterator[None]:
    """Raise an error at the end of a block in a session that SQLAlchemy has rolled back.

    Raises:
        TransactionAbortedError: writing its pending objects has failed.
    """
    try:
        yield
    except exc.InvalidRequestError:
        if session.is_active:
            raise
    if not session.is_active:
        raise TransactionAbortedError(_ABORTED)

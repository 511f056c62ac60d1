"""What repositories run their statements on."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Dialect
from sqlmodel import Session

from burndown.errors import TransactionAbortedError

__all__ = ["DriverConnection", "log"]

_logger = logging.getLogger("burndown.database")


class DriverConnection:
    """A connection of the database's driver, in a transaction that others begin and end.

    SQL that is compiled already goes to the driver at once: what the ORM's session, its connection
    and its results do around a statement costs many times what a small one takes.

    Args:
        dialect: what SQL the database speaks.
        cursor: gives a cursor of the driver, in a transaction.
    """

    __slots__ = ("_cursor", "dialect")

    def __init__(self, dialect: Dialect, cursor: Callable[[], Any]) -> None:
        self.dialect = dialect
        self._cursor = cursor

    @classmethod
    def of(cls, session: Session) -> "DriverConnection":
        """That of a session, which it uses with the session's objects flushed."""

        def cursor() -> Any:
            session.flush()
            return session.connection().connection.cursor()

        return cls(session.get_bind().dialect, cursor)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run a statement; returns the driver's cursor."""
        cursor = self._cursor()
        log(sql)
        try:
            cursor.execute(sql, parameters)
        except BaseException:
            cursor.close()  # the trace of the error can hold it, and with it the file, for any time
            raise
        return cursor

    def execute_many(self, sql: str, parameters: list[Any]) -> None:
        """Run a statement once for each of the parameters."""
        cursor = self._cursor()
        log(sql)
        cursor.executemany(sql, parameters)

    @contextmanager
    def leaving_traces(self) -> Iterator[None]:
        """Delete without overwriting free pages of a SQLite file, in half the time.

        Only for what holds no secret; all else that is deleted is overwritten.
        """
        if self.dialect.name != "sqlite":
            yield
            return
        self.execute("PRAGMA secure_delete=FAST")
        try:
            yield
        finally:
            with suppress(TransactionAbortedError):  # the error that ended it says more
                self.execute("PRAGMA secure_delete=ON")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what was done within, and just that, on an error."""
        self.execute("SAVEPOINT burndown")
        try:
            yield
        except BaseException:
            with suppress(TransactionAbortedError):  # the error that ended it says more
                self.execute("ROLLBACK TO SAVEPOINT burndown")
                self.execute("RELEASE SAVEPOINT burndown")
            raise
        self.execute("RELEASE SAVEPOINT burndown")


def log(sql: str) -> None:
    """Note a statement, without its values."""
    if _logger.isEnabledFor(logging.DEBUG):
        _logger.debug("%s", " ".join(sql.split()))

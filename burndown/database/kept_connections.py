"""Connections to a SQLite file that are kept open for the small calls of a backend."""

import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Dialect

from burndown.sql import Executor
from burndown.sql.executor import log_statement

__all__ = ["KeptConnections"]

MOST_KEPT = 10
"""How many connections wait for the next call; more than that run at once rarely."""

T = TypeVar("T")
P = ParamSpec("P")

_BEGIN = "BEGIN IMMEDIATE"


class _Kept:
    """A connection, as it reads and as it writes."""

    def __init__(self, raw: sqlite3.Connection, dialect: Dialect) -> None:
        self.raw = raw
        self.reading = Executor(dialect, raw.cursor)
        self.writing = Executor(dialect, self._writing_cursor)

    def _writing_cursor(self) -> Any:
        if not self.raw.in_transaction:
            log_statement(_BEGIN)
            self.raw.execute(_BEGIN)
        return self.raw.cursor()


class KeptConnections:
    """Runs work on connections, each used by one thread at a time.

    Opening one takes a hundred times what a small statement does, and a session with its pool
    thirty times.

    Args:
        connect: opens a connection that begins no transactions by itself.
        dialect: what SQLAlchemy knows of SQLite.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], dialect: Dialect) -> None:
        self._connect = connect
        self._dialect = dialect
        self._idle: deque[_Kept] = deque()

    def read(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function that runs one statement, which sees one state of the data."""
        idle, kept = self._take()
        try:
            return run(kept.reading, *args, **kwargs)
        finally:
            self._give_back(idle, kept)

    def write(
        self, run: Callable[Concatenate[Executor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function in a transaction, which begins with its first statement."""
        idle, kept = self._take()
        try:
            done = run(kept.writing, *args, **kwargs)
            if kept.raw.in_transaction:
                kept.raw.execute("COMMIT")
            return done
        except BaseException:
            if kept.raw.in_transaction:
                kept.raw.execute("ROLLBACK")
            raise
        finally:
            self._give_back(idle, kept)

    def close(self) -> None:
        """Close those that wait; those in use are closed when their work is done."""
        closing, self._idle = self._idle, deque()
        _close_all(closing)

    def _take(self) -> tuple[deque[_Kept], _Kept]:
        idle = self._idle
        try:
            return idle, idle.pop()
        except IndexError:
            return idle, _Kept(self._connect(), self._dialect)

    def _give_back(self, idle: deque[_Kept], kept: _Kept) -> None:
        if len(idle) < MOST_KEPT and not kept.raw.in_transaction:
            idle.append(kept)
        else:
            kept.raw.close()
        if idle is not self._idle:
            _close_all(idle)  # asked last, so that none is left to wait where nobody looks


def _close_all(idle: deque[_Kept]) -> None:
    with suppress(IndexError):
        while True:
            idle.pop().raw.close()

"""Connections to a SQLite file that are kept open between the small calls of a backend."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from burndown.database.sqlite_connections import TrackedConnection
from burndown.database.write_turns import is_busy
from burndown.sql import SQLITE, Executor

__all__ = ["ConnectionCache"]

# Few applications have more calls than this running at the same time. Each idle connection costs
# two file descriptors (the file and its log) and a page cache of up to 2 MB.
MAX_IDLE = 10
"""The maximum number of idle connections."""


class ConnectionCache:
    """A cache of open connections, each used by one thread at a time.

    Opening a connection takes a hundred times as long as a small statement, and a session of
    SQLAlchemy with its pool thirty times as long.

    Args:
        connect: opens a connection that begins no transactions by itself.
    """

    def __init__(self, connect: Callable[[], TrackedConnection]) -> None:
        self._connect = connect
        self._idle: deque[_Connection] = deque()

    def reader(self) -> "_Reader":
        """Return a context manager that yields an executor to run one statement on.

        Outside of a transaction, SQLite runs each statement on one state of the data. The block
        ends silently if another process has locked the file, and the connection does not wait for
        that, since it has written before (:meth:`TrackedConnection.begin_to_write`).
        """
        return self._take().reader

    def writer(self) -> "_Writer":
        """Return a context manager that yields an executor to write on, in a transaction.

        It is committed at the end, or rolled back on an error. Other writers wait for it, so rows
        are validated and encoded before.
        """
        return self._take().writer

    def idle_connection(self) -> TrackedConnection | None:
        """Return a connection that is not in use, and stays in the cache; ``None`` if all are."""
        try:
            return self._idle[-1].raw
        except IndexError:
            return None

    def close(self) -> None:
        """Close the idle connections; those in use are closed at the end of their use."""
        idle, self._idle = self._idle, deque()
        _close_all(idle)

    def give_back(self, connection: "_Connection") -> None:
        """Keep a connection for the next call, or close it."""
        if len(connection.idle) < MAX_IDLE and not connection.raw.in_transaction:
            connection.idle.append(connection)
        else:
            connection.raw.close()
        # Compared after the connection was appended: if another thread closes the cache before
        # the comparison, the connection is closed here, and else by that thread.
        if connection.idle is not self._idle:
            _close_all(connection.idle)

    def _take(self) -> "_Connection":
        idle = self._idle  # before the connection is opened: it may be closed meanwhile
        try:
            return idle.pop()
        except IndexError:
            return _Connection(self, idle, self._connect())


class _Connection:
    """A connection of the cache, and the two ways to use it.

    Args:
        cache: the cache that it is returned to.
        idle: the idle connections that it joins then; the cache has others once it was closed.
        raw: the connection.
    """

    __slots__ = ("idle", "raw", "reader", "writer")

    def __init__(
        self,
        cache: ConnectionCache,
        idle: "deque[_Connection]",
        raw: TrackedConnection,
    ) -> None:
        self.idle = idle
        self.raw = raw
        executor = Executor(SQLITE, raw.cursor)
        self.reader = _Reader(cache, self, executor)
        self.writer = _Writer(cache, self, executor)


# Made once for each connection: a generator of contextlib would cost a tenth of a small read.
class _Reader:
    """The use of a connection by a call that reads."""

    __slots__ = ("_cache", "_connection", "_executor")

    def __init__(self, cache: ConnectionCache, connection: _Connection, executor: Executor) -> None:
        self._cache = cache
        self._connection = connection
        self._executor = executor

    def __enter__(self) -> Executor:
        return self._executor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> bool:
        is_early = kind is not None and is_busy(error) and not self._connection.raw.waits_for_locks
        self._cache.give_back(self._connection)
        return is_early


class _Writer(_Reader):
    """The use of a connection by a call that writes."""

    __slots__ = ()

    def __enter__(self) -> Executor:
        try:
            self._connection.raw.begin_to_write()
        except BaseException:
            self._cache.give_back(self._connection)
            raise
        return self._executor

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> Literal[False]:
        raw = self._connection.raw
        try:
            if kind is None and raw.in_transaction:
                raw.execute("COMMIT")
                raw.confirm_commit()
        finally:
            try:
                if raw.in_transaction:  # after an error of the caller, or of COMMIT
                    raw.execute("ROLLBACK")
            finally:
                self._cache.give_back(self._connection)
        return False


def _close_all(idle: deque[_Connection]) -> None:
    with suppress(IndexError):
        while True:  # not a loop over its items: other threads may take or add some
            idle.pop().raw.close()

"""Statements that a PostgreSQL server gets together, and whose results come in one round trip.

psycopg sends each statement alone and waits for its result: a write of four statements takes four
round trips. Its own pipeline mode, which is written in Python, takes 140 us for a small read
through a local socket; the same mode of libpq takes 30 us.
"""

import re
import secrets
from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from itertools import count, zip_longest
from typing import Any

from psycopg import Connection, OperationalError, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.waiting import Ready, Wait

from burndown.database.postgresql_errors import RunAgain

__all__ = ["Channel", "Reply"]

_PLACEHOLDER = re.compile(r"%(?:\((?P<name>[^)]+)\)s|(?P<position>s)|%)")
_SUCCEEDED = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_MAX_PREPARED = 200
"""The statements that a connection prepares: more than the repositories have."""
_CHANGED = "0A000"
"""The SQLSTATE of a prepared statement whose columns have changed."""
_NOT_PREPARED = (_CHANGED, "26000", "42P05")
"""The SQLSTATEs of a prepared statement that is not as it was prepared, or is not there, or was
there already: the last two, if a pooler was not recognized."""


class Reply:
    """The result of a statement, with the methods of a cursor that statements need.

    Args:
        channel: the channel that sends the statement.
        receive: sends what is queued, and receives the results.
        sql: the statement.
        parameters: its parameters as the server takes them, or ``None``.
        types: the types of the parameters.
        formats: the formats of the parameters.
    """

    __slots__ = ("_channel", "_receive", "formats", "parameters", "result", "sql", "types")

    def __init__(
        self,
        channel: "Channel",
        receive: Callable[[], None],
        sql: bytes,
        parameters: Sequence[Any] | None,
        types: tuple[int, ...],
        formats: Sequence[pq.Format] | None,
    ) -> None:
        self._channel = channel
        self._receive = receive
        self.sql = sql
        self.parameters = parameters
        self.types = types
        self.formats = formats
        self.result: Any = None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows, after a round trip if the result is not there yet."""
        return self._channel.rows(self._received())

    @property
    def rowcount(self) -> int:
        """The number of rows, after a round trip if the result is not there yet."""
        return self._received().command_tuples or 0

    def close(self) -> None:
        """Do nothing: the result is in memory."""

    def _received(self) -> Any:
        if self.result is None:
            self._receive()
        return self.result


class Channel:
    """A connection of psycopg that sends several statements together.

    They run one after the other. Outside of a transaction, what is sent together is one.

    On a direct connection to the server, each statement is prepared on its first use: to parse and
    plan it takes as long as the rest of a small read. A pooler, which may run each transaction on
    another connection, gives clients another process id than the server has.

    Args:
        raw: the connection. While this object uses it, nobody else does.
    """

    def __init__(self, raw: Connection[Any]) -> None:
        self._raw = raw
        self._pgconn = raw.pgconn
        self._transformer = Transformer()  # without the settings of others, outside of transactions
        self._queued: list[Reply] = []
        self._names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        # Random, for no other client of a pooler that is not recognized may have the same name.
        self._name = f"burndown_{secrets.token_hex(8)}_%d".encode()
        self._numbers = count()
        server_process = self._pgconn.exec_(b"SELECT pg_catalog.pg_backend_pid()").get_value(0, 0)
        self._prepares = server_process == b"%d" % self._pgconn.backend_pid

    @property
    def is_lost(self) -> bool:
        """Return whether the connection was closed, by either side."""
        return self._pgconn.status != pq.ConnStatus.OK

    @property
    def is_in_transaction(self) -> bool:
        """Return whether a transaction has begun, and not ended; ``False`` if it was lost."""
        return self._pgconn.transaction_status in (
            pq.TransactionStatus.INTRANS,
            pq.TransactionStatus.INERROR,
        )

    @property
    def is_waiting(self) -> bool:
        """Return whether statements are queued."""
        return bool(self._queued)

    def queue(
        self, sql: str, parameters: Any = (), receive: Callable[[], None] | None = None
    ) -> Reply:
        """Add a statement to those that are sent next.

        Args:
            sql: the statement, with the placeholders of psycopg.
            parameters: a sequence of values, or a dict of them by name.
            receive: sends what is queued when the result is used; by default :meth:`exchange`.
        """
        numbered, names = _numbered(sql)
        values = [parameters[name] for name in names] if names else parameters
        converted: Sequence[Any] | None = None
        types: tuple[int, ...] = ()
        formats: Sequence[pq.Format] | None = None
        if values:
            converted = self._transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
            types = self._transformer.types or ()
            formats = self._transformer.formats
        reply = Reply(self, receive or self.exchange, numbered, converted, types, formats)
        self._queued.append(reply)
        return reply

    def discard(self, first: Reply | None = None) -> None:
        """Remove the statements that were not sent, or those from one of them on."""
        if first is None:
            self._queued.clear()
        elif first in self._queued:
            del self._queued[self._queued.index(first) :]

    def exchange(self) -> None:
        """Send the queued statements, and receive their results, in one round trip.

        Raises:
            psycopg.Error: the first error of a statement, behind which none has run; or the
                connection was lost.
            RunAgain: a prepared statement is not what it was.
        """
        queued, self._queued = self._queued, []
        if not queued:
            return
        if self.is_lost:
            raise OperationalError("the connection is lost")
        steps: list[tuple[Reply, bool, bytes]] = []
        results: list[Any] = []
        lost: OperationalError | None = None
        try:
            self._pgconn.enter_pipeline_mode()
            for each in queued:
                steps += self._send(each)
            self._pgconn.pipeline_sync()
            self._raw.wait(self._receive(results))
            self._pgconn.exit_pipeline_mode()
        except OperationalError as error:
            lost = error
            self._pgconn.finish()
        except BaseException:  # it was interrupted, and the results that are due would be lost
            self._pgconn.finish()
            raise
        failed: tuple[Any, bytes] | None = None
        # A connection that ends can have an error of its own, after those of the statements.
        of_connection = (None, False, b"")
        for step, result in zip_longest(steps, results):
            reply, is_preparation, name = step or of_connection
            if result is not None and result.status in _SUCCEEDED:
                if reply is not None and not is_preparation:
                    reply.result = result
                continue
            if reply is not None and is_preparation:
                del self._names[reply.sql, reply.types]
            if failed is None and result is not None:
                failed = result, name
        if failed is not None:
            raise self._error(*failed)
        if len(results) < len(steps):
            raise lost or OperationalError("the connection is lost")

    def rows(self, result: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a result, as psycopg converts them."""
        if not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def _send(self, reply: Reply) -> list[tuple[Reply, bool, bytes]]:
        """Send a statement; return the reply for each result, whether it prepares, and the name."""
        sql, types = reply.sql, reply.types
        name = self._names.get((sql, types), b"")
        steps = []
        if self._prepares and not name and len(self._names) < _MAX_PREPARED:
            name = self._name % next(self._numbers)
            self._names[sql, types] = name
            self._pgconn.send_prepare(name, sql, types)
            steps.append((reply, True, name))
        if name:
            self._pgconn.send_query_prepared(name, reply.parameters, reply.formats)
        else:
            self._pgconn.send_query_params(sql, reply.parameters, types, reply.formats)
        return [*steps, (reply, False, name)]

    def _receive(self, results: list[Any]) -> Generator[Wait, Ready | int, None]:
        """Receive results until the server has processed all statements that were sent."""
        pgconn = self._pgconn
        while pgconn.flush():
            if (yield Wait.RW) & Ready.R:
                pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                yield Wait.R
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:  # after each result
                if self.is_lost:
                    raise OperationalError("the connection is lost")
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                return
            else:
                results.append(result)

    def _error(self, result: Any, name: bytes) -> Exception:
        """Return the error of a result, of a statement that was prepared with a name or none."""
        error = error_from_result(result, "utf-8")
        if name and error.sqlstate in _NOT_PREPARED:
            self._names.clear()
            self._prepares = error.sqlstate == _CHANGED
            return RunAgain()
        return error


@lru_cache(512)
def _numbered(sql: str) -> tuple[bytes, list[str]]:
    """Return a statement with the server's placeholders, and the names of those that have one."""
    names: list[str] = []
    positions = count(1)

    def replace(found: re.Match[str]) -> str:
        if found["name"] is not None:
            if found["name"] not in names:
                names.append(found["name"])
            return f"${names.index(found['name']) + 1}"
        return "%" if found["position"] is None else f"${next(positions)}"

    return _PLACEHOLDER.sub(replace, sql).encode(), names

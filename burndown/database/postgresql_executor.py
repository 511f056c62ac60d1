"""Running the statements of a call on a PostgreSQL server in as few round trips as possible."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Dialect

from burndown.database.postgresql_errors import RunAgain
from burndown.errors import StorageError
from burndown.sql import Executor, log_statement

if TYPE_CHECKING:
    from burndown.database.postgresql_channel import Channel, Reply

__all__ = ["SAVEPOINT", "BatchExecutor", "Block", "Query", "run_in_block"]

T = TypeVar("T")
P = ParamSpec("P")

Query = tuple[str, Sequence[Any]]
"""A statement and its parameters."""


class Block(NamedTuple):
    """The statements around those of a call that writes."""

    begin: Sequence[Query]
    undo: Sequence[str]
    end: str = ""
    """What makes them permanent, sent with them."""
    later: str = ""
    """What is sent with the next statements on the connection."""


SAVEPOINT = Block(
    [("SAVEPOINT burndown", ())],
    undo=["ROLLBACK TO SAVEPOINT burndown", "RELEASE SAVEPOINT burndown"],
    later="RELEASE SAVEPOINT burndown",
)
"""A part of a transaction: an error in it undoes nothing else."""

_LOST_COMMIT = (
    "The connection to the database server was lost while a change was committed, so it may be "
    "stored or not; read it before you try again"
)

_MAX_BATCH = 100
"""Rows that are sent together, so that not all of them are in memory twice."""


class BatchExecutor(Executor):
    """An executor that sends a statement only with the next one whose result is used.

    A statement that breaks a constraint ends its transaction. So that the error can name what is
    wrong, the call is then undone, and runs again step by step: each statement alone, and with the
    savepoints that it asks for.

    Args:
        dialect: the SQL dialect of the database.
        channel: the connection.
        prelude: a statement with its parameters that is sent before all others, each time.
        end: the statement that ends the transaction, if it is the executor that sends it.
        is_stepwise: send each statement alone.
    """

    __slots__ = ("_channel", "_end", "_expects_end", "_is_stepwise", "_prelude", "sent_end")

    def __init__(
        self,
        dialect: Dialect,
        channel: "Channel",
        prelude: Query | None = None,
        end: str = "",
        *,
        is_stepwise: bool = False,
    ) -> None:
        super().__init__(dialect, lambda: channel)
        self._channel = channel
        self._prelude = prelude
        self._end = end
        self._expects_end = False
        self._is_stepwise = is_stepwise
        self.sent_end = False
        """Whether the transaction may have ended."""

    def execute(self, sql: str, parameters: Any = ()) -> "Reply":
        """Run a statement when the result of it, or of a later one, is used."""
        log_statement(sql)
        if self._prelude is not None and not self._channel.is_waiting:
            self._channel.queue(*self._prelude)
        reply = self._channel.queue(sql, parameters, self.receive)
        if self._is_stepwise:
            self.receive()
        return reply

    def execute_many(self, sql: str, parameters: list[Any]) -> None:
        """Run a statement once for each of the parameters."""
        log_statement(sql)
        for number, each in enumerate(parameters, 1):
            self._channel.queue(sql, each)
            if number % _MAX_BATCH == 0:
                self.receive()
        if self._is_stepwise:
            self.receive()

    def expect_end(self) -> None:
        """Announce that one more statement follows, which is sent with the end of the call."""
        self._expects_end = True

    def end(self) -> None:
        """Send the statements that were not sent with the end of the call, and receive all results.

        Raises:
            RunAgain: as of :meth:`receive`.
        """
        self._expects_end = True
        self.receive()

    def receive(self) -> None:
        """Send the statements that were not sent, and receive all results.

        Raises:
            RunAgain: a statement broke a constraint, or the server has forgotten one.
        """
        if self._expects_end and self._end and not self.sent_end:
            self._channel.queue(self._end)
            self.sent_end = True
        try:
            self._channel.exchange()
        except self.dialect.loaded_dbapi.IntegrityError:
            if self._is_stepwise:
                raise
            raise RunAgain from None

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo the statements of a block, and only these, on an error, if they run step by step."""
        if self._is_stepwise:
            with super().savepoint():
                yield
        else:
            yield


def run_in_block(
    dialect: Dialect,
    channel: "Channel",
    block: Block,
    run: Callable[Concatenate[Executor, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run a call that writes, and undo it on an error.

    Args:
        dialect: the SQL dialect of the database.
        channel: the connection.
        block: the statements around those of the call.
        run: the call, whose first argument is the executor; it may run twice.
        args: its further positional arguments.
        kwargs: its keyword arguments.

    Raises:
        StorageError: the connection was lost in the commit.
    """
    for is_stepwise in (False, True):
        executor = BatchExecutor(dialect, channel, end=block.end, is_stepwise=is_stepwise)
        log_statement(block.begin[0][0])
        begun, *_ = [channel.queue(*query) for query in block.begin]
        try:
            result = run(executor, *args, **kwargs)
            executor.end()
        except BaseException as error:
            channel.discard(begun)
            is_begun = begun.result is not None and channel.is_in_transaction
            _undo(dialect, channel, block.undo if is_begun else ())
            # Whatever the error is: it may be that of a pooler, which has lost the server.
            if executor.sent_end and channel.is_lost and isinstance(error, Exception):
                raise StorageError(_LOST_COMMIT) from None
            if is_stepwise or not isinstance(error, RunAgain):
                raise
        else:
            if block.later:
                channel.queue(block.later)
            return result
    raise AssertionError("the second attempt returns or raises")


def _undo(dialect: Dialect, channel: "Channel", undo: Sequence[str]) -> None:
    """Undo what was sent, and send what was queued before, such as the begin of a transaction."""
    for each in undo:
        channel.queue(each)
    with suppress(dialect.loaded_dbapi.Error):  # the first error says more
        channel.exchange()

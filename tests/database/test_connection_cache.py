"""Cached connections: none is leaked, and none is left in a transaction."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from burndown import Profile, QueryNotFoundError, SQLiteBackend, StorageError, ValidationError
from burndown.database import connection_cache
from burndown.database.connection_cache import MAX_IDLE, ConnectionCache
from burndown.database.sqlite_connections import TrackedConnection
from burndown.database.write_turns import WriteTurns
from burndown.models import json_columns
from burndown.repositories import ProfileRepository
from burndown.sql import Executor

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="this system does not list open files"
)
T = TypeVar("T")

INSERT = "INSERT INTO t VALUES (1)"


class Stop(BaseException):
    """A ``BaseException`` that interrupts a test, and is not an ``Exception``."""


class Connections:
    """Cached connections to a file with one table, and all connections that were ever opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[TrackedConnection] = []
        self.kind: type[TrackedConnection] = TrackedConnection
        self.patience = 0.0
        self.turns = WriteTurns()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE t (x INTEGER)")
        self.cache = ConnectionCache(self._connect)

    def read(self, run: Callable[[Executor], T]) -> T:
        with self.cache.reader() as executor:
            return run(executor)
        raise AssertionError("the file was locked")

    def write(self, run: Callable[[Executor], T]) -> T:
        with self.cache.writer() as executor:
            return run(executor)

    def _connect(self) -> TrackedConnection:
        new = sqlite3.connect(
            self.path,
            timeout=self.patience,
            isolation_level=None,
            check_same_thread=False,
            factory=self.kind,
        )
        new.turns = self.turns
        self.opened.append(new)
        return new

    def still_open(self) -> int:
        return sum(map(is_open, self.opened))

    def stored(self) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            [count] = connection.execute("SELECT count(*) FROM t").fetchone()
            return int(count)


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1").close()
    except sqlite3.ProgrammingError:
        return False
    return True


def count(connection: Executor) -> int:
    [[found]] = connection.execute("SELECT count(*) FROM t").fetchall()
    return int(found)


def insert(connection: Executor) -> None:
    connection.execute(INSERT)


def nothing(_: Executor) -> None:
    pass


@pytest.fixture
def connections(tmp_path: Path) -> Iterator[Connections]:
    new = Connections(tmp_path / "t.db")
    yield new
    for connection in new.opened:
        connection.close()


# --- single values ---------------------------------------------------------------------------


def test_consecutive_calls_share_a_connection(connections: Connections) -> None:
    for number in range(20):
        connections.write(insert)
        assert connections.read(count) == number + 1
    assert len(connections.opened) == 1


def test_reading_begins_no_transaction(connections: Connections) -> None:
    def is_in_transaction(connection: Executor) -> bool:
        count(connection)
        return connections.opened[0].in_transaction

    assert not connections.read(is_in_transaction)


def test_a_function_that_writes_is_called_in_a_transaction(connections: Connections) -> None:
    def work(connection: Executor) -> bool:
        return connections.opened[0].in_transaction

    assert connections.write(work)
    assert not connections.opened[0].in_transaction
    assert not connections.read(work)


def test_a_connection_sees_what_others_wrote_after_its_last_call(connections: Connections) -> None:
    with closing(sqlite3.connect(connections.path, isolation_level=None)) as other:
        for number in range(3):
            assert connections.read(count) == number
            other.execute(INSERT)


def test_an_idle_connection_blocks_no_other(connections: Connections) -> None:
    connections.write(insert)
    connections.read(count)
    with closing(sqlite3.connect(connections.path, timeout=0)) as other:
        [is_held_up, *_] = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert is_held_up == 0


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Stop, sqlite3.IntegrityError])
@pytest.mark.parametrize("before", [nothing, count, insert])
def test_work_that_fails_leaves_no_transaction(
    connections: Connections,
    before: Callable[[Executor], object],
    error: type[BaseException],
) -> None:
    def fail(connection: Executor) -> None:
        before(connection)
        raise error

    with pytest.raises(error):
        connections.write(fail)
    assert connections.stored() == 0
    assert not connections.opened[0].in_transaction
    connections.write(insert)
    assert connections.stored() == len(connections.opened) == 1


def test_a_commit_that_fails_stores_nothing(connections: Connections) -> None:
    with closing(sqlite3.connect(connections.path)) as other:
        other.execute("CREATE TABLE child (x REFERENCES parent (x) DEFERRABLE INITIALLY DEFERRED)")
        other.execute("CREATE TABLE parent (x PRIMARY KEY)")

    def orphan(connection: Executor) -> None:
        connection.execute(INSERT)
        connection.execute("INSERT INTO child VALUES (1)")

    connections.read(lambda connection: connection.execute("PRAGMA foreign_keys=ON").close())
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        connections.write(orphan)
    assert connections.stored() == 0
    connections.write(insert)
    assert connections.stored() == len(connections.opened) == 1


def test_a_connection_that_cannot_roll_back_is_closed(
    connections: Connections,
) -> None:
    class Stubborn(TrackedConnection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "ROLLBACK":
                raise sqlite3.OperationalError("no")
            return super().execute(sql, *parameters)

    def fail(connection: Executor) -> None:
        insert(connection)
        raise ValueError

    connections.kind = Stubborn
    with pytest.raises(sqlite3.OperationalError, match="no"):
        connections.write(fail)
    assert connections.still_open() == connections.stored() == 0
    connections.write(insert)
    assert connections.stored() == 1


def test_a_lock_of_another_connection_is_respected(connections: Connections) -> None:
    with closing(sqlite3.connect(connections.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            connections.write(insert)
        assert connections.read(count) == 0
        other.execute("ROLLBACK")
    connections.write(insert)
    assert connections.stored() == len(connections.opened) == 1


def test_a_row_that_cannot_be_read_keeps_no_read_transaction_open(connections: Connections) -> None:
    """Text that is not UTF-8 fails in the middle of the rows, and the error is kept."""
    with closing(sqlite3.connect(connections.path, isolation_level=None)) as other:
        other.execute("INSERT INTO t VALUES (1), (CAST(x'ff' AS TEXT)), (3)")
        with pytest.raises(sqlite3.OperationalError) as held:
            connections.read(lambda each: each.execute("SELECT x FROM t").fetchall())
        other.execute("DELETE FROM t")
        assert connections.read(count) == 0
        connections.write(insert)
    assert held.value is not None
    assert connections.stored() == len(connections.opened) == 1


# --- many processes --------------------------------------------------------------------------


def test_a_call_within_a_call_uses_another_connection(connections: Connections) -> None:
    def work(connection: Executor) -> int:
        insert(connection)
        return connections.read(count)

    assert connections.write(work) == 0
    assert connections.stored() == 1
    assert connections.still_open() == 2


def test_the_number_of_cached_connections_is_limited(connections: Connections) -> None:
    connections.patience = 60
    together = threading.Barrier(3 * MAX_IDLE)

    def read(_: int) -> int:
        return connections.read(lambda each: together.wait(60) * 0 + count(each))

    with ThreadPoolExecutor(3 * MAX_IDLE) as pool:
        assert set(pool.map(read, range(3 * MAX_IDLE))) == {0}
    assert len(connections.opened) == 3 * MAX_IDLE
    assert 1 <= connections.still_open() <= MAX_IDLE
    connections.cache.close()
    assert connections.still_open() == 0


def test_closing_waits_for_a_running_call(connections: Connections) -> None:
    begun, closed = threading.Event(), threading.Event()

    def work(connection: Executor) -> None:
        insert(connection)
        begun.set()
        assert closed.wait(60)
        insert(connection)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(connections.write, work)
        assert begun.wait(60)
        connections.cache.close()
        assert connections.still_open() == 1
        closed.set()
        writing.result()
    assert connections.still_open() == 0
    assert connections.read(count) == 2
    assert len(connections.opened) == 2


def test_a_connection_that_is_returned_during_closing_is_closed(connections: Connections) -> None:
    class ClosedMeanwhile(TrackedConnection):
        @property
        def in_transaction(self) -> bool:
            """Called just before a connection is added to the idle ones."""
            connections.cache.close()
            return super().in_transaction

    connections.kind = ClosedMeanwhile
    assert connections.read(count) == 0
    assert connections.still_open() == 0


def test_closing_twice_or_before_the_first_call_does_nothing(connections: Connections) -> None:
    connections.cache.close()
    connections.write(insert)
    connections.cache.close()
    connections.cache.close()
    assert connections.read(count) == 1


@pytest.mark.parametrize("seed", range(5))
def test_closing_at_any_time_loses_no_write_and_no_connection(
    connections: Connections, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_cache, "MAX_IDLE", 1 + seed)
    connections.patience = 60

    def call(number: int) -> None:
        if number % 7 == seed:
            connections.cache.close()
        elif number % 2:
            connections.read(count)
        else:
            connections.write(insert)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(call, range(120)))
    assert connections.stored() == sum(1 for n in range(120) if n % 7 != seed and not n % 2)
    connections.cache.close()
    assert connections.still_open() == 0


# --- of a backend ----------------------------------------------------------------------------


@needs_proc
def test_thousands_of_calls_open_no_further_files(backend: SQLiteBackend) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    backend.save_profile({"id": "p"})
    before = open_files()
    for number in range(1000):
        assert backend.get_profile("p") is not None
        assert backend.get_app_state("nothing") is None
        if number % 50 == 0:
            backend.set_app_state("k", str(number))
            with pytest.raises(ValidationError):
                backend.save_profile({"id": "q", "name": 3})
            with pytest.raises(QueryNotFoundError):
                backend.save_project_data("p", "nope", {})
    assert open_files() == before
    backend.close()
    assert open_files() < before


def test_an_interrupted_call_leaves_no_transaction(
    backend: SQLiteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.save_profile({"id": "p"})

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("burndown.sql.CountingUpsert.run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            backend.save_profile({"id": "new"})
    assert [profile["id"] for profile in backend.list_profiles()] == ["p"]
    backend.save_profile({"id": "new"})


def test_an_error_of_the_database_leaves_no_lock(backend: SQLiteBackend, tmp_path: Path) -> None:
    backend.save_profile({"id": "p", "name": "taken"})
    for fail in (
        lambda: backend.save_profile({"id": "other", "name": "taken"}),
        lambda: backend.save_project_data("p", "nope", {}),
        lambda: backend.save_jira_changelogs("p", "nope", {"A-1": {}, "A-2": {}}),
    ):
        with pytest.raises((ValidationError, QueryNotFoundError)):
            fail()
        write_immediately(tmp_path / "burndown.db")


def test_a_lock_timeout_leaves_the_database_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.01")
    path = tmp_path / "burndown.db"
    with SQLiteBackend(path) as backend:
        backend.save_profile({"id": "p"})
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(2 * MAX_IDLE):
                with pytest.raises(StorageError, match="locked"):
                    backend.save_profile({"id": "new"})
                assert backend.get_profile("new") is None
        backend.save_profile({"id": "new"})
        write_immediately(path)


class Watched(Mapping[str, Any]):
    """A document during whose reading another connection writes."""

    def __init__(self, document: dict[str, Any], path: Path) -> None:
        self._document = document
        self._path = path
        self.reads = 0

    def __getitem__(self, key: str) -> Any:
        self.reads += 1
        write_immediately(self._path)
        return self._document[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)


def write_immediately(path: Path) -> None:
    """Write without waiting for a lock."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        other.execute("INSERT INTO app_state (key, value) VALUES ('n', 1) ON CONFLICT DO NOTHING")


@pytest.mark.parametrize("name", ["a name", 3], ids=["accepted", "refused"])
def test_others_can_write_while_a_document_is_validated(
    backend: SQLiteBackend, tmp_path: Path, name: Any
) -> None:
    backend.list_profiles()
    document = Watched({"id": "p", "name": name}, tmp_path / "burndown.db")
    if name == "a name":
        backend.save_profile(document)
    else:
        with pytest.raises(ValidationError):
            backend.save_profile(document)
    assert document.reads
    assert (backend.get_profile("p") is None) == (name == 3)


def test_others_can_write_while_a_row_is_encoded(
    backend: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, encoded = json_columns.encode_strict, []  # type: ignore[attr-defined]
    backend.list_profiles()

    def watched(value: Any) -> bytes:
        write_immediately(tmp_path / "burndown.db")
        encoded.append(value)
        return encode(value)

    monkeypatch.setattr(json_columns, "encode_strict", watched)
    backend.save_profile({"id": "p"})
    assert encoded


def test_a_call_within_a_session_sees_unflushed_changes(backend: SQLiteBackend) -> None:
    with backend.database.session() as session:
        session.add(Profile(id="pending", name="one"))
        found = backend.get_profile("pending")
        assert found is not None
        assert found["name"] == "one"
        backend.save_query("pending", {"id": "q"})
        assert ProfileRepository(session).get("pending") is not None
    assert backend.get_query("pending", "q") is not None


def test_a_call_within_a_session_is_rolled_back_with_it(backend: SQLiteBackend) -> None:
    def fail() -> None:
        with backend.database.session() as session:
            session.add(Profile(id="pending"))
            backend.save_query("pending", {"id": "q"})
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert backend.list_profiles() == []


def test_an_error_within_a_transaction_undoes_only_its_call(backend: SQLiteBackend) -> None:
    with backend.transaction():
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        with pytest.raises(ValidationError):
            backend.save_jira_changelogs("p", "q", {"A-1": {}, "A-2": {"k": {1}}})  # type: ignore[dict-item]
        with pytest.raises(QueryNotFoundError):
            backend.save_jira_changelogs("p", "nope", {"A-1": {}, "A-2": {}})
        with pytest.raises(ValidationError):
            backend.save_query("p", {"id": "other", "name": "q"})
        backend.save_jira_changelogs("p", "q", {"A-3": {}})
    assert list(backend.get_jira_changelogs("p", "q")) == ["A-3"]
    assert [query["id"] for query in backend.list_queries("p")] == ["q"]


def test_transactions_nest_deeply(backend: SQLiteBackend) -> None:
    def nest(depth: int) -> None:
        with backend.transaction():
            backend.set_app_state(f"k{depth}", "v")
            if depth == 100:
                raise LookupError
            if depth == 50:
                with pytest.raises(LookupError):
                    nest(depth + 1)
            else:
                nest(depth + 1)

    nest(1)
    kept = {n for n in range(1, 101) if backend.get_app_state(f"k{n}") == "v"}
    assert kept == set(range(1, 51))


def test_another_thread_does_not_join_a_transaction(backend: SQLiteBackend) -> None:
    with backend.transaction(), ThreadPoolExecutor(1) as pool:
        backend.set_app_state("k", "v")
        assert pool.submit(backend.get_app_state, "k").result() is None
    assert backend.get_app_state("k") == "v"

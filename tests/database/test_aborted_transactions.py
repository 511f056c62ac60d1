"""A transaction that SQLite itself rolled back stores nothing and ends with an error."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, text
from sqlmodel import Session, select

from burndown import Profile, SQLiteBackend, StorageError, TransactionAbortedError
from burndown.models import AppState
from burndown.repositories import ProfileRepository

INSERT = "INSERT INTO app_state (key, value) VALUES ('failing', 'x')"
TRIGGERS = {
    "app_state": "NEW.key = 'failing'",
    "profiles": "NEW.id = 'failing'",
    "project_data": "NEW.data LIKE '%failing%'",
}


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SQLiteBackend]:
    """Return a backend with a profile and a query; some rows make SQLite roll back."""
    with SQLiteBackend(tmp_path / "burndown.db") as new:
        new.save_profile({"id": "p"})
        new.save_query("p", {"id": "q"})
        with new.database.connection() as connection:  # type: ignore[attr-defined]
            for table, condition in TRIGGERS.items():
                connection.execute(
                    f"CREATE TRIGGER fail_{table} BEFORE INSERT ON {table} WHEN {condition} "
                    "BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END"
                )
        yield new


Call = Callable[[SQLiteBackend, Session], object]

FAILURES: dict[str, Call] = {
    "a call": lambda backend, session: backend.save_project_data("p", "q", {"failing": 1}),
    "a part": lambda backend, session: save_some_of_many(backend, {"failing": 1}),
    "a repository": lambda backend, session: ProfileRepository(session).save(Profile(id="failing")),
    "SQL": lambda backend, session: session.connection().exec_driver_sql(INSERT),
    "the ORM": lambda backend, session: add(session, Profile(id="failing")),
}

LATER: dict[str, Call] = {
    "a read": lambda backend, session: backend.get_profile("p"),
    "a write": lambda backend, session: backend.set_app_state("later", "x"),
    "a part": lambda backend, session: save_some_of_many(backend, {"later": 1}),
    "a repository": lambda backend, session: ProfileRepository(session).list(),
    "SQL": lambda backend, session: session.connection().exec_driver_sql("SELECT 1"),
    "the ORM": lambda backend, session: session.exec(select(Profile)).all(),
    "a flush": lambda backend, session: add(session, Profile(id="later")),
}


def save_some_of_many(backend: SQLiteBackend, data: dict[str, Any]) -> None:
    with backend.transaction():
        backend.save_project_data("p", "q", data)


def lose_transaction(session: Session) -> None:
    with pytest.raises(exc.IntegrityError, match="disk full"):
        session.connection().exec_driver_sql(INSERT)


def add(session: Session, profile: Profile) -> None:
    session.add(profile)
    session.flush()


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
@pytest.mark.parametrize("fail", FAILURES.values(), ids=FAILURES)
def test_an_error_that_ends_a_transaction_ends_its_block(
    backend: SQLiteBackend, fail: Call, later: Call
) -> None:
    """However the error occurs, and whatever the caller does after it."""
    before = dict(backend.get_profile("p") or {})

    def run() -> None:
        with backend.database.session() as session:
            backend.set_app_state("first", "x")
            with pytest.raises((StorageError, exc.IntegrityError)):
                fail(backend, session)
            with pytest.raises((TransactionAbortedError, exc.PendingRollbackError)):
                later(backend, session)

    with pytest.raises(TransactionAbortedError):
        run()
    assert backend.get_app_state("first") is None
    assert backend.get_app_state("later") is None
    assert backend.get_profile("p") == before
    assert backend.get_project_data("p", "q") is None
    save_some_of_many(backend, {"later": 1})
    assert backend.get_project_data("p", "q") == {"later": 1}


def test_a_block_raises_even_if_nothing_follows_the_error(
    backend: SQLiteBackend,
) -> None:
    def run() -> None:
        with backend.database.session() as session:
            backend.set_app_state("first", "x")
            lose_transaction(session)

    with pytest.raises(TransactionAbortedError):
        run()
    assert backend.get_app_state("first") is None


def test_an_error_that_ends_only_a_statement_keeps_the_transaction(
    backend: SQLiteBackend,
) -> None:
    with backend.database.session() as session:
        backend.set_app_state("first", "x")
        with pytest.raises(exc.OperationalError, match="no such table"):
            session.connection().execute(text("SELECT * FROM nowhere"))
        with pytest.raises(exc.IntegrityError):
            session.connection().execute(text("INSERT INTO profiles (id) VALUES ('p')"))
        backend.set_app_state("second", "x")
    assert backend.get_app_state("first") == backend.get_app_state("second") == "x"


SQL: dict[str, Callable[[Any], object]] = {
    "execute": lambda connection: connection.execute(INSERT),
    "a cursor": lambda connection: connection.cursor().execute(INSERT),
    "executemany": lambda connection: connection.executemany(
        "INSERT INTO app_state (key, value) VALUES (?, 'x')", [("before",), ("failing",)]
    ),
    "executescript": lambda connection: connection.executescript(f"BEGIN; {INSERT}"),
}


@pytest.mark.parametrize("fail", SQL.values(), ids=SQL)
def test_manual_sql_does_not_continue_without_its_transaction(
    backend: SQLiteBackend, fail: Callable[[Any], object]
) -> None:
    def run() -> None:
        with backend.database.connection() as connection:  # type: ignore[attr-defined]
            connection.execute("UPDATE profiles SET name = 'first'")
            with pytest.raises(sqlite3.IntegrityError, match="disk full"):
                fail(connection)
            for name in ("execute", "executescript"):
                with pytest.raises(TransactionAbortedError):
                    getattr(connection, name)(
                        "INSERT INTO app_state (key, value) VALUES ('later', 'x')"
                    )

    with pytest.raises(TransactionAbortedError):
        run()
    assert [state["key"] for state in backend.records(AppState)] == ["schema_version"]


def test_manual_sql_may_commit_by_itself(backend: SQLiteBackend) -> None:
    """Later statements are committed at the end, or one by one, as SQLite does."""
    with backend.database.connection() as connection:  # type: ignore[attr-defined]
        connection.execute("INSERT INTO app_state (key, value) VALUES ('first', 'x')")
        connection.commit()
        connection.execute("BEGIN")
        connection.execute("INSERT INTO app_state (key, value) VALUES ('second', 'x')")
        connection.execute("COMMIT")
        connection.executescript("INSERT INTO app_state (key, value) VALUES ('third', 'x');")
    assert {backend.get_app_state(key) for key in ("first", "second", "third")} == {"x"}


def test_a_call_within_manual_sql_is_refused(backend: SQLiteBackend) -> None:
    """It would wait for the lock that its own thread holds."""
    with backend.database.connection() as connection:  # type: ignore[attr-defined]
        connection.execute("INSERT INTO app_state (key, value) VALUES ('first', 'x')")
        assert backend.get_app_state("first") is None
        with pytest.raises(StorageError, match="same thread"):
            backend.set_app_state("second", "x")
        with pytest.raises(StorageError, match="same thread"), backend.transaction():
            backend.set_app_state("second", "x")
        with pytest.raises(StorageError, match="same thread"):
            backend.database.connection().__enter__()  # type: ignore[attr-defined]
    assert backend.get_app_state("first") == "x"
    assert backend.get_app_state("second") is None


def test_the_next_session_does_not_get_the_connection_of_an_aborted_transaction(
    backend: SQLiteBackend,
) -> None:
    """Settings that were to be reset at the end may still be in effect on it."""

    def run() -> None:
        with backend.database.session() as session:
            session.connection().exec_driver_sql("PRAGMA secure_delete=FAST")
            lose_transaction(session)

    with pytest.raises(TransactionAbortedError):
        run()
    with backend.database.session() as session:
        assert session.connection().exec_driver_sql("PRAGMA secure_delete").scalar() == 1


FULL_DISK = """
import resource, signal, sys
from burndown import SQLiteBackend, StorageError, TransactionAbortedError

backend = SQLiteBackend(sys.argv[1])
backend.save_profile({"id": "p"})
backend.save_query("p", {"id": "q"})
large = {"rows": ["x" * 1000 for _ in range(9000)]}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with backend.transaction():
        backend.set_app_state("first", "x")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
        try:
            backend.save_project_data("p", "q", large)
        except StorageError as error:
            assert not isinstance(error, TransactionAbortedError), error
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        backend.set_app_state("second", "x")
except TransactionAbortedError:
    sys.exit(3)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
def test_a_block_in_which_a_file_cannot_grow_is_atomic(tmp_path: Path) -> None:
    """SQLite decides whether it is rolled back; a caller that caught the error gets another one."""
    path = tmp_path / "burndown.db"
    ended = subprocess.run([sys.executable, "-c", FULL_DISK, path], check=False, timeout=60)
    assert ended.returncode in (0, 3)
    expected = {"x"} if ended.returncode == 0 else {None}
    with SQLiteBackend(path) as backend:
        assert {backend.get_app_state(key) for key in ("first", "second")} == expected
        assert backend.get_project_data("p", "q") is None
        assert backend.check_integrity() == (True, [])

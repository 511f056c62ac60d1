"""How long a call waits for a lock or a connection, and how many connections a process opens."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from burndown import StorageError, ValidationError, get_backend, open_backend
from burndown.database import Database, SQLiteDatabase, open_database
from burndown.settings import get_settings
from tests.support.processes import FRESH, PATIENCE, start_fresh

DEFAULT = 10
"""The seconds that a call waits without the setting."""


@pytest.fixture(params=["sqlite", "json", "postgresql"])
def location(request: pytest.FixtureRequest) -> str:
    """Return the location of a new store."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return {"sqlite": "burndown.db", "json": "json:files"}[request.param]


def _write(location: str, began: Any, end: Any) -> None:
    with open_backend(location) as backend, backend.transaction():
        backend.set_app_state("key", "first")
        began.set()
        end.wait(PATIENCE)


@contextmanager
def another_writer(location: str) -> Iterator[None]:
    """Have another process write in a transaction during the block."""
    began, end = FRESH.Event(), FRESH.Event()
    process = start_fresh(_write, location, began, end)
    assert began.wait(PATIENCE)
    try:
        yield
    finally:
        end.set()
        process.join(PATIENCE)
    assert process.exitcode == 0


def test_a_call_waits_for_a_writer_as_long_as_is_set(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.25")
    with open_backend(location) as backend:
        backend.set_app_state("key", "before")
        with another_writer(location):
            start = time.monotonic()
            with pytest.raises(StorageError, match=r"locked.* for more than 0\.25 s$"):
                backend.set_app_state("key", "second")
            assert 0.25 <= time.monotonic() - start < DEFAULT / 2
        assert backend.get_app_state("key") == "first"


def test_a_call_need_not_wait(location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL, a timeout of 0 would be none."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0")
    with open_backend(location) as backend, another_writer(location):
        start = time.monotonic()
        with pytest.raises(StorageError, match="locked"):
            backend.set_app_state("key", "second")
        assert time.monotonic() - start < DEFAULT / 2


def test_the_timeout_in_a_url_wins(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "300")
    options = f"options={quote('-clock_timeout=250ms')}"
    url = f"{postgres_url}{'&' if '?' in postgres_url else '?'}{options}"
    with (
        open_backend(url) as backend,
        another_writer(postgres_url),
        pytest.raises(StorageError, match="locked"),
    ):
        backend.set_app_state("key", "second")


@pytest.mark.parametrize("seconds", ["9.99", "9.9999999", "10", "10.0", "10.0000001", "300"])
def test_no_timeout_is_that_of_the_published_dashboard(
    seconds: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database refuses what connections with that timeout write."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", seconds)
    database = SQLiteDatabase(tmp_path / "burndown.db")
    with database.connection() as connection:
        [timeout] = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("INSERT INTO profiles (id, name) VALUES ('p', 'P')")
    assert timeout != 10_000
    assert abs(timeout - float(seconds) * 1000) <= 11
    database.close()


def _servers(database: Database, count: int) -> set[int]:
    """Return the processes of the server that serve as many sessions as given, open together."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(database.read_session()) for _ in range(count)]
        run = [session.connection().exec_driver_sql for session in sessions]
        return {each("SELECT pg_backend_pid()").scalar_one() for each in run}


def test_a_process_opens_as_many_connections_as_are_set(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A further call waits for one of them, up to the timeout."""
    monkeypatch.setenv("BURNDOWN_MAX_CONNECTIONS", "3")
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.25")
    with closing(open_database(postgres_url)) as database:
        assert len(_servers(database, 3)) == 3
        with pytest.raises(StorageError, match=r"more than 0\.25 .*BURNDOWN_MAX_CONNECTIONS"):
            _servers(database, 4)
        assert len(_servers(database, 3)) == 3


@pytest.mark.parametrize(("most", "opened", "kept"), [("1", 1, 1), ("8", 8, 8), ("30", 12, 10)])
def test_connections_are_kept_for_the_next_calls(
    most: str, opened: int, kept: int, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten of them at most."""
    monkeypatch.setenv("BURNDOWN_MAX_CONNECTIONS", most)
    with closing(open_database(postgres_url)) as database:
        assert len(_servers(database, opened) & _servers(database, opened)) == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("busy_timeout", each) for each in ("-1", "601", "nan", "inf", "soon", "10s", "")),
        *(("max_connections", each) for each in ("0", "-1", "2.5", "many", "")),
    ],
)
def test_an_invalid_value_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"BURNDOWN_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        get_settings()
    with pytest.raises(ValidationError, match=name):
        get_backend()

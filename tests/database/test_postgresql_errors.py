"""Errors of a PostgreSQL server name the reason, and contain no row."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import make_url, text

from burndown import PersistenceError, StorageError
from burndown.database import open_database, postgresql_settings
from burndown.persistence import open_backend
from burndown.persistence.sql_backend import SQLBackend
from tests.support.postgres import PostgresServer, execute_on
from tests.support.processes import FRESH, start_fresh

TOKEN = "c4n4ry-t0k3n"
PROFILE = {"id": "p", "jira_config": {"base_url": "https://jira.example.com", "token": TOKEN}}

TRIGGER = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE NOTICE 'a row: %', NEW;
    RAISE EXCEPTION '{message}', NEW
        USING ERRCODE = '{state}', DETAIL = NEW::text, HINT = NEW::text, COLUMN = NEW::text;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON profiles FOR EACH ROW EXECUTE FUNCTION refuse()
"""
REFUSALS = {
    "constraint": "ALTER TABLE profiles ADD CONSTRAINT mine CHECK (length(id) > 9)",
    "column": "ALTER TABLE profiles ADD COLUMN mine text NOT NULL",
    "index": "CREATE UNIQUE INDEX mine ON profiles ((1 / (length(jira_config) * 0)))",
    "cast": "ALTER TABLE profiles ADD mine int GENERATED ALWAYS AS (jira_config::int) STORED",
    "wide": "CREATE INDEX mine ON profiles (description)",
    "trigger": TRIGGER.format(message="no: %", state="P0001"),
    "trigger like a constraint": TRIGGER.format(message="no: %", state="23514"),
    "trigger like an unknown error": TRIGGER.format(message="no: %", state="ZX123"),
    "trigger like a cancelled statement": TRIGGER.format(message="no: %", state="57014"),
    "trigger like a lost server": TRIGGER.format(message="no: %", state="08006"),
    "trigger like a conflict": TRIGGER.format(message="no: %", state="40001"),
}
WIDE = "".join(map(chr, range(0x4E00, 0x4E00 + 9000)))


@pytest.fixture
def backend(postgres_url: str) -> Iterator[SQLBackend]:
    """Open a backend on an empty database of the server."""
    with SQLBackend(open_database(postgres_url)) as new:
        yield new


def chain(error: BaseException) -> str:
    """Return all that a logging service would find in an error."""
    found, link, links = [], error, [error]
    while links:
        link = links.pop()
        found += [f"{link} {link!r} {link.args} {vars(link)}", *traceback.format_exception(link)]
        links += [each for each in (link.__cause__, link.__context__) if each is not None]
    return "\n".join(found)


def in_a_transaction(backend: SQLBackend) -> None:
    with backend.transaction():
        backend.set_app_state("key", "value")
        backend.save_profile({**PROFILE, "description": WIDE})


def in_a_session(backend: SQLBackend) -> None:
    with backend.database.session() as session:
        session.execute(
            text("INSERT INTO profiles (id, jira_config, description) VALUES ('p', :token, :wide)"),
            {"token": TOKEN, "wide": WIDE},
        )


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize(
    "write",
    [
        lambda backend: backend.save_profile({**PROFILE, "description": WIDE}),
        in_a_transaction,
        in_a_session,
    ],
    ids=["call", "transaction", "session"],
)
def test_a_refused_row_is_in_no_traceback(
    backend: SQLBackend,
    postgres_url: str,
    caplog: pytest.LogCaptureFixture,
    write: Callable[[SQLBackend], None],
    refusal: str,
) -> None:
    """The server sends it along, and a trigger may put it anywhere in the message."""
    caplog.set_level("DEBUG")
    backend.set_app_state("before", "1")
    execute_on(postgres_url, refusal)
    with pytest.raises(StorageError) as refused:
        write(backend)
    told = chain(refused.value)
    assert TOKEN not in told
    assert WIDE[:9] not in told
    assert TOKEN not in caplog.text
    assert backend.get_app_state("key") is None
    assert backend.list_profiles() == []


def test_a_duplicate_key_is_reported_without_the_row(backend: SQLBackend) -> None:
    """Also where an error of this package replaces that of the server."""
    backend.save_profile({**PROFILE, "name": "Taken"})
    with pytest.raises(PersistenceError) as refused:
        backend.save_profile({**PROFILE, "id": "other", "name": "Taken"})
    told = chain(refused.value)
    assert "other than that of profile 'p'" in told
    assert TOKEN not in told
    assert "DETAIL" not in told


def with_option(url: str, setting: str) -> str:
    return f"{url}&options=-c{setting}"


def test_a_statement_timeout_differs_from_an_unreachable_server(
    postgres_url: str,
) -> None:
    with open_backend(with_option(postgres_url, "statement_timeout%3D50ms")) as backend:
        assert isinstance(backend, SQLBackend)
        with (
            pytest.raises(StorageError, match=r"cancelled the statement: .*statement timeout"),
            backend.database.read_session() as session,
        ):
            session.execute(text("SELECT pg_sleep(60)"))
        assert backend.list_profiles() == []


def test_a_connection_that_the_server_closes_is_reported_and_nothing_is_stored(
    backend: SQLBackend, postgres_server: PostgresServer
) -> None:
    backend.list_profiles()
    with (  # noqa: PT012 - the end of the transaction raises
        pytest.raises(StorageError, match=r"ended the connection: .*administrator command"),
        backend.transaction(),
    ):
        backend.set_app_state("key", "value")
        with backend.database.session() as session:
            [pid] = session.execute(text("SELECT pg_backend_pid()")).one()
        postgres_server.run(f"SELECT pg_terminate_backend({pid}, 10000)")
        backend.set_app_state("key", "other")
    assert backend.get_app_state("key") is None


def changed(url: str, **parts: Any) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda url: changed(url, database="gone"), 'refused.*"gone" does not exist'),
        (lambda url: changed(url, username="gone_role"), 'refused.*"gone_role" does not exist'),
        (lambda url: changed(url, username="full_role"), "refused.*too many connections"),
        (lambda url: changed(url, host=None, query={"host": "/gone"}), "/gone is out of reach"),
        (lambda url: with_option(url, "search_path%3Dnowhere"), "CREATE SCHEMA"),
        (lambda url: with_option(url, "nonsense%3D1"), 'parameter "nonsense"'),
        (lambda url: with_option(url, "statement_timeout%3Dx"), 'parameter "statement_timeout"'),
        (lambda url: with_option(url, "log_connections%3Don"), '"log_connections" cannot be set'),
        (lambda url: with_option(url, "default_transaction_read_only%3Don"), "is read-only"),
    ],
)
def test_an_error_of_the_server_has_its_reason(
    postgres_server: PostgresServer, postgres_url: str, make: Callable[[str], str], message: str
) -> None:
    """The message names what to change."""
    postgres_server.run(
        "DROP ROLE IF EXISTS full_role", "CREATE ROLE full_role LOGIN CONNECTION LIMIT 0"
    )
    with open_backend(make(postgres_url)) as backend, pytest.raises(StorageError, match=message):
        backend.save_profile({"id": "p"})


# --- frozen clients -----------------------------------------------------------------------------


def freeze(url: str, pipe: Any) -> None:
    """Write in a transaction, wait to be stopped, and report the outcome."""
    postgresql_settings.IDLE_TIMEOUT_SECONDS = 1
    with open_backend(url) as backend:
        try:
            with backend.transaction():
                backend.set_app_state("key", "frozen")
                pipe.send("written")
                pipe.recv()
                backend.set_app_state("other", "frozen")
        except StorageError as error:
            pipe.send(str(error))
        pipe.send(backend.get_app_state("key"))


def test_a_client_that_froze_in_a_transaction_blocks_no_other(
    backend: SQLBackend, postgres_url: str
) -> None:
    """The server ends its transaction; the client gets an error when it continues."""
    backend.set_app_state("key", "before")
    ours, theirs = FRESH.Pipe()
    process = start_fresh(freeze, postgres_url, theirs)
    assert ours.recv() == "written"
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        backend.set_app_state("key", "after")
    finally:
        os.kill(process.pid, signal.SIGCONT)
    ours.send("go on")
    assert "left idle for too long; nothing of it was stored" in ours.recv()
    assert ours.recv() == "after"
    process.join()
    assert backend.get_app_state("other") is None


def test_the_idle_timeout_of_clients_is_set_in_the_url(
    backend: SQLBackend, postgres_url: str
) -> None:
    """It applies in transactions only, and is longer than the lock timeout of others."""
    show = text("SHOW idle_in_transaction_session_timeout")
    for begin in (backend.database.session, backend.database.read_session):
        with begin() as session:
            assert session.execute(show).scalar_one() == "1min"
    chosen = with_option(postgres_url, "idle_in_transaction_session_timeout%3D10min")
    with open_backend(chosen) as other:
        assert isinstance(other, SQLBackend)
        with other.database.session() as session:
            assert session.execute(show).scalar_one() == "10min"

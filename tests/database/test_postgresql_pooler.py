"""A real PgBouncer, which may run each transaction on another connection."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from burndown.copying import copy_store
from burndown.database import open_database
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed
from burndown.models import Profile
from burndown.persistence import PersistenceBackend, open_backend
from burndown.schema import VERSIONS
from tests.support.pgbouncer import CONNECTIONS, PgBouncer, running_pgbouncer
from tests.support.postgres import PostgresServer, execute_on, profile_ids, with_search_path

THREADS = 6
INCREMENTS = 25


@pytest.fixture(scope="module", params=CONNECTIONS)
def pgbouncer(
    postgres_server: PostgresServer, request: pytest.FixtureRequest
) -> Iterator[PgBouncer]:
    with running_pgbouncer(postgres_server, request.param) as running:
        yield running


@pytest.fixture
def url(pgbouncer: PgBouncer, postgres_url: str) -> str:
    """Create an empty database, and return its URL through the pooler."""
    return pgbouncer.url_of(postgres_url)


def test_a_store_can_be_created_filled_and_read(url: str, tmp_path: Path) -> None:
    """A migration, a copy to the server and a copy back are equal in every value."""
    write_demo_workspace(tmp_path, issues=20)
    with closing(open_database(url)) as database:
        run_migration_if_needed(tmp_path / "profiles", database)
    with (
        open_backend(url) as pooled,
        open_backend(tmp_path / "one.db") as one,
        open_backend(tmp_path / "other.db") as other,
    ):
        assert pooled.check_integrity() == (True, [])
        copied = copy_store(pooled, one)
        assert copied["changelogs"] > 20
        copy_store(one, pooled, replace=True)
        assert copy_store(pooled, other) == copied
        assert list(pooled.records(Profile)) == list(one.records(Profile))
        assert pooled.describe()["size_bytes"] > 0


def test_the_schema_can_be_upgraded_and_downgraded(url: str) -> None:
    with open_backend(url) as backend:
        backend.save_profile({"id": "p"})
    with closing(open_database(url)) as database:
        for version in (*reversed(VERSIONS), *VERSIONS):
            database.change_version(version)
            assert database.schema_version() == version
    with open_backend(url) as backend:
        assert profile_ids(backend) == ["p"]


def test_many_clients_lose_no_update(url: str) -> None:
    """There are more clients than connections to the server, where those are shared."""
    with open_backend(url) as backend:
        backend.set_app_state("counter", "0")
    failed: list[Exception] = []

    def count_up() -> None:
        with open_backend(url) as own:
            try:
                for number in range(INCREMENTS):
                    with own.transaction():
                        present = int(own.get_app_state("counter") or 0)
                        own.set_app_state("counter", str(present + 1))
                    own.save_profile({"id": f"p{number}"})
                    assert len(list(own.records(Profile))) > number
            except Exception as error:  # noqa: BLE001 - shown by the test
                failed.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with open_backend(url) as backend:
        assert backend.get_app_state("counter") == str(THREADS * INCREMENTS)


def test_settings_of_one_client_do_not_affect_others(url: str, postgres_url: str) -> None:
    """Neither the search path nor settings that values need reach transactions of other clients."""
    execute_on(postgres_url, "CREATE SCHEMA a", "CREATE SCHEMA b")
    pooled = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        open_backend(with_search_path(url, "a")) as one,
        open_backend(with_search_path(url, "b")) as other,
        psycopg.connect(pooled, autocommit=True) as somebody,
    ):
        defaults = settings_of(somebody)
        for number in range(5):
            one.save_profile({"id": f"a{number}"})
            other.save_profile({"id": f"b{number}"})
            with pytest.raises(LookupError):
                fail_in_a_transaction(one)
            assert settings_of(somebody) == defaults
            assert {found[0] for found in profile_ids(one)} == {"a"}
            assert {found[0] for found in profile_ids(other)} == {"b"}


def fail_in_a_transaction(backend: PersistenceBackend) -> None:
    with backend.transaction():
        backend.save_profile({"id": "b"})
        raise LookupError


def settings_of(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    names = "('search_path', 'TimeZone', 'DateStyle', 'lock_timeout', 'statement_timeout', "
    names += "'extra_float_digits', 'idle_in_transaction_session_timeout')"
    return connection.execute(
        f"SELECT name, setting FROM pg_settings WHERE name IN {names} ORDER BY name"
    ).fetchall()


def test_no_call_depends_on_the_connection_of_an_earlier_one(
    url: str, postgres_url: str, postgres_server: PostgresServer
) -> None:
    """Not even if the server closes all connections between two calls."""
    expiry = datetime.now(UTC) + timedelta(hours=1)

    def use(backend: PersistenceBackend, number: int) -> None:
        backend.save_profile({"id": "p", "last_used": f"2025-01-0{number}T00:00:00+00:00"})
        backend.save_query("p", {"id": "q"})
        backend.save_jira_cache("p", "q", "k", {"issues": [], "number": number}, expiry)
        found = backend.get_profile("p")
        assert found is not None
        assert found["last_used"] == f"2025-01-0{number}T00:00:00+00:00"
        assert backend.get_jira_cache("p", "q", "k") == {"issues": [], "number": number}

    with open_backend(url) as backend:
        for number in range(1, 9):  # a driver that prepares statements does so after some uses
            use(backend, number)
        postgres_server.run(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            f"WHERE datname = '{make_url(postgres_url).database}'"
        )
        use(backend, 9)

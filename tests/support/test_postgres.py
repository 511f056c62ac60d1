"""The PostgreSQL server of the tests: each test has a database of its own, dropped afterwards."""

import psycopg
import pytest
from sqlalchemy import make_url

from tests.support.postgres import PostgresServer, running_server
from tests.support.programs import skip_without


def connected(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1))


def names_of_databases(server: PostgresServer) -> set[object]:
    with connected(str(server.admin)) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_each_test_has_a_database_of_its_own(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    """Tables in one database are in no other."""
    with connected(postgres_url) as connection:
        connection.execute("CREATE TABLE written AS SELECT 'é' AS value")
    with connected(postgres_url) as connection:
        assert connection.execute("SELECT value FROM written").fetchall() == [("é",)]
    with postgres_server.database() as other, connected(other) as connection:
        assert connection.execute("SELECT to_regclass('written')").fetchall() == [(None,)]


def test_a_database_is_dropped_even_if_it_is_in_use(postgres_server: PostgresServer) -> None:
    """An open connection does not prevent it."""
    with postgres_server.database() as url:
        left_open = connected(url)
        assert make_url(url).database in names_of_databases(postgres_server)
    assert make_url(url).database not in names_of_databases(postgres_server)
    with left_open, pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")


def test_a_database_is_prepared_once_and_copied(postgres_server: PostgresServer) -> None:
    """The function that fills a database is called once, and each copy has its result."""
    prepared = []

    def prepare(url: str) -> None:
        prepared.append(url)
        with connected(url) as connection:
            connection.execute("CREATE TABLE prepared AS SELECT 1 AS value")

    for _ in range(2):
        with postgres_server.database(prepare) as url, connected(url) as connection:
            assert connection.execute("DELETE FROM prepared RETURNING *").fetchall() == [(1,)]
            assert url not in prepared
    assert len(prepared) == 1


def test_strings_sort_as_in_a_dictionary_if_the_server_can(
    postgres_server: PostgresServer,
) -> None:
    """So a query that forgets to order by code points gives a wrong order."""
    with postgres_server.database() as url, connected(url) as connection:
        [[encoding]] = connection.execute("SHOW server_encoding").fetchall()
        found = connection.execute("SELECT * FROM (VALUES ('B'), ('a')) AS t (x) ORDER BY x")
        in_order = [text for (text,) in found]
    assert encoding == "UTF8"
    assert in_order == (["a", "B"] if postgres_server.locale else ["B", "a"])


def test_a_given_server_is_left_unchanged(postgres_server: PostgresServer) -> None:
    """Neither databases nor their templates stay on the server of others."""
    before = names_of_databases(postgres_server)
    with running_server(str(postgres_server.admin)) as given, given.database() as url:
        assert names_of_databases(postgres_server) - before >= {make_url(url).database}
    assert names_of_databases(postgres_server) == before


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [
        ("true", pytest.fail.Exception),
        ("1", pytest.fail.Exception),
        ("false", pytest.skip.Exception),
    ],
)
def test_only_ci_has_to_run_a_server(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    """Other machines skip the tests with the reason; CI fails."""
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="cannot be run here: OSError"):
        skip_without("PostgreSQL", OSError("no room"))

"""PostgreSQL shared by teams: schemas, roles, other programs, replicas, encodings."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import randbytes

import psycopg
import pytest
from sqlalchemy import make_url

from burndown import StorageError
from burndown.cli import run
from burndown.models import ENTITIES
from burndown.persistence import open_backend
from burndown.testing.controlled_store import everything
from tests.support.postgres import PostgresServer, execute_on, profile_ids, with_search_path
from tests.support.processes import FRESH, start_fresh

INCREMENTS = 150

TABLES = len(ENTITIES) + 1
"""The tables of a store: one for each entity, and the version."""


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def as_role(url: str, role: str) -> str:
    return make_url(url).set(username=role).render_as_string(hide_password=False)


def tables(url: str) -> dict[str, int]:
    """Return the number of tables by schema."""
    with psycopg.connect(plain(url)) as connection:
        found = connection.execute(
            "SELECT schemaname, count(*) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') GROUP BY 1"
        )
        return dict(found.fetchall())


@pytest.fixture
def role(postgres_server: PostgresServer, postgres_url: str) -> Iterator[str]:
    """Create a role that may only connect."""
    name = "burndown_test_role"
    postgres_server.run(f"DROP ROLE IF EXISTS {name}", f"CREATE ROLE {name} LOGIN")
    yield name
    execute_on(postgres_url, f"DROP OWNED BY {name}")
    postgres_server.run(f"DROP ROLE {name}")


# --- schemas ------------------------------------------------------------------------------------


def test_teams_have_separate_schemas(postgres_url: str) -> None:
    """The search path decides where tables are created and found, whatever is in other schemas."""
    execute_on(postgres_url, 'CREATE SCHEMA "Team A"', "CREATE SCHEMA team_b")
    paths = {"a": '"Team A"', "b": "team_b, pg_catalog", "p": "public"}
    for team, path in paths.items():
        with open_backend(with_search_path(postgres_url, path)) as backend:
            assert not backend.exists()
            assert backend.describe()["size_bytes"] == 0
            backend.save_profile({"id": team, "name": "The same"})
            backend.save_query(team, {"id": "q"})
    assert tables(postgres_url) == dict.fromkeys(("Team A", "team_b", "public"), TABLES)
    for team, path in paths.items():
        with open_backend(with_search_path(postgres_url, path)) as backend:
            assert profile_ids(backend) == [team]
            assert backend.describe()["size_bytes"] > 0
            assert backend.check_integrity() == (True, [])
    execute_on(
        postgres_url,
        "ALTER TABLE team_b.profiles ADD CONSTRAINT short CHECK (length(name) < 0) NOT VALID",
    )
    for team, path in paths.items():
        with open_backend(with_search_path(postgres_url, path)) as backend:
            assert backend.check_integrity()[0] == (team != "b")


def test_the_tables_of_the_search_path_are_compacted(postgres_url: str) -> None:
    """Whatever the schema is called; those of others are not."""
    execute_on(postgres_url, 'CREATE SCHEMA "Team ""A"""')
    for path in ('"Team ""A"""', "public"):
        with open_backend(with_search_path(postgres_url, path)) as backend:
            backend.save_profile({"id": "p"})
            backend.save_query("p", {"id": "q"})
            changelogs = {f"K-{number}": {"k": randbytes(5000).hex()} for number in range(200)}
            backend.save_jira_changelogs("p", "q", changelogs)
            assert backend.delete_jira_changelogs("p") == len(changelogs)
    for path in ('"Team ""A"""', "public"):
        with open_backend(with_search_path(postgres_url, path)) as backend:
            before = everything(backend)
            assert backend.compact() > 500_000
            assert everything(backend) == before
            with backend.transaction(), pytest.raises(StorageError, match="do it after its end"):
                backend.compact()


def test_tables_are_found_in_any_schema_of_the_search_path(postgres_url: str) -> None:
    """An earlier schema does not hide them, and nothing is created in it, even by an upgrade."""
    execute_on(postgres_url, "CREATE SCHEMA team", "CREATE SCHEMA own")
    with open_backend(with_search_path(postgres_url, "team")) as backend:
        backend.save_profile({"id": "p"})
    with open_backend(with_search_path(postgres_url, "own, team")) as backend:
        assert profile_ids(backend) == ["p"]
        assert backend.describe()["size_bytes"] > 0
        for version in ("1.0", "1.1", "1.0"):
            backend.database.change_version(version)  # type: ignore[attr-defined]
            assert backend.database.schema_version() == version  # type: ignore[attr-defined]
        assert backend.check_integrity() == (True, [])
        backend.save_profile({"id": "other"})
    assert tables(postgres_url) == {"team": TABLES}


def test_foreign_tables_later_in_the_search_path_are_ignored(postgres_url: str) -> None:
    """They have names of ours, but belong to others, so that ours are created before them."""
    execute_on(
        postgres_url,
        "CREATE SCHEMA team",
        "CREATE TABLE public.profiles (id serial PRIMARY KEY, avatar bytea)",
        "CREATE TABLE public.app_state (id int)",
    )
    with open_backend(with_search_path(postgres_url, "team, public")) as backend:
        assert not backend.exists()
        backend.save_profile({"id": "p"})
        assert profile_ids(backend) == ["p"]
    assert tables(postgres_url) == {"public": 2, "team": TABLES}


def test_foreign_tables_where_ours_would_be_created_are_refused(postgres_url: str) -> None:
    execute_on(postgres_url, "CREATE TABLE profiles (id serial PRIMARY KEY, avatar bytea)")
    with open_backend(postgres_url) as backend:
        assert not backend.exists()
        with pytest.raises(StorageError, match="another program's tables profiles"):
            backend.save_profile({"id": "p"})
    assert tables(postgres_url) == {"public": 1}


def test_another_program_with_alembic_is_not_affected(postgres_url: str, role: str) -> None:
    """Even if its version table cannot be read, and when our tables are upgraded."""
    execute_on(
        postgres_url,
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('509b1b4a88b1')",
        f"GRANT CREATE ON SCHEMA public TO {role}",
    )
    with open_backend(as_role(postgres_url, role)) as backend:
        backend.save_profile({"id": "p"})
        with pytest.raises(StorageError, match="another program"):
            backend.database.change_version("1.1")  # type: ignore[attr-defined]
        backend.database.change_version("1.0")  # type: ignore[attr-defined]
        assert profile_ids(backend) == ["p"]
    with psycopg.connect(plain(postgres_url)) as connection:
        found = connection.execute("SELECT * FROM alembic_version").fetchall()
    assert found == [("509b1b4a88b1",)]


# --- writers with different search paths ----------------------------------------------------------


def count_up(url: str, ready: object) -> None:
    with open_backend(url) as backend:
        backend.get_app_state("counter")
        ready.wait()  # type: ignore[attr-defined]
        for _ in range(INCREMENTS):
            with backend.transaction():
                present = int(backend.get_app_state("counter") or 0)
                backend.set_app_state("counter", str(present + 1))


def test_roles_with_different_search_paths_lose_no_update(postgres_url: str, role: str) -> None:
    """They are serialized if they use the same table."""
    execute_on(postgres_url, f"CREATE SCHEMA {role} AUTHORIZATION {role}")
    with open_backend(postgres_url) as backend:
        backend.set_app_state("counter", "0")
        execute_on(
            postgres_url,
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        )
        ready = FRESH.Barrier(2)
        urls = (postgres_url, as_role(postgres_url, role))  # whose own schema comes first
        workers = [start_fresh(count_up, url, ready) for url in urls]
        for worker in workers:
            worker.join()
        assert backend.get_app_state("counter") == str(2 * INCREMENTS)


def test_writers_in_different_schemas_do_not_wait_for_each_other(postgres_url: str) -> None:
    execute_on(postgres_url, "CREATE SCHEMA a", "CREATE SCHEMA b")
    with (
        open_backend(with_search_path(postgres_url, "a")) as one,
        open_backend(with_search_path(postgres_url, "b")) as other,
    ):
        one.set_app_state("key", "a")
        with one.transaction():
            one.set_app_state("key", "b")
            other.set_app_state("key", "c")
            with pytest.raises(LookupError), other.transaction():
                raise LookupError
        assert (one.get_app_state("key"), other.get_app_state("key")) == ("b", "c")


# --- roles and replicas -------------------------------------------------------------------------


def test_a_role_without_the_create_privilege_gets_an_error(postgres_url: str, role: str) -> None:
    """Since PostgreSQL 15 that is the default; an administrator grants it or creates the tables."""
    with open_backend(as_role(postgres_url, role)) as backend:
        with pytest.raises(StorageError, match=r"permission denied for schema public.*GRANT"):
            backend.save_profile({"id": "p"})
        assert not backend.exists()
        execute_on(postgres_url, f"GRANT CREATE ON SCHEMA public TO {role}")
        backend.save_profile({"id": "p"})
        execute_on(postgres_url, f"REVOKE CREATE ON SCHEMA public FROM {role}")
        backend.save_profile({"id": "p", "description": "changed"})


@contextmanager
def locked_against_locks(url: str) -> Iterator[None]:
    """Hold every lock that would block a reader that waits for locks."""
    with psycopg.connect(plain(url)) as connection:
        connection.execute("LOCK TABLE app_state, profiles IN EXCLUSIVE MODE")
        yield


def test_a_read_only_role_can_read(
    postgres_url: str, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads all that it may, without a lock; the error of a write names the privilege."""
    with open_backend(postgres_url) as owner:
        owner.save_profile({"id": "p"})
    execute_on(postgres_url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    url = as_role(postgres_url, role)
    with open_backend(url) as backend, locked_against_locks(postgres_url):
        assert profile_ids(backend) == ["p"]
        assert backend.check_integrity() == (True, [])
        assert backend.describe()["schema_version"] is not None
    with open_backend(url) as backend:
        with pytest.raises(StorageError, match="permission denied for table profiles"):
            backend.save_profile({"id": "q"})
        with pytest.raises(StorageError, match="permission denied for table app_state"):
            backend.set_app_state("key", None)
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", url)
    for command in (["show"], ["check"], ["export", "p", "out"]):
        assert run(command) == 0


def test_a_database_that_is_read_only_by_default_stays_read_only(postgres_url: str) -> None:
    """However often a connection of the pool has read before."""
    with open_backend(postgres_url) as backend:
        backend.save_profile({"id": "p"})
        name = make_url(postgres_url).database
        execute_on(postgres_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        backend.close()
        for _ in range(3):
            assert profile_ids(backend) == ["p"]
            with pytest.raises(StorageError, match="is read-only"):
                backend.save_profile({"id": "q"})
    asks_to_write = f"{postgres_url}&options=-cdefault_transaction_read_only%3Doff"
    with open_backend(asks_to_write) as backend:
        backend.save_profile({"id": "q"})


def test_a_replica_can_be_read(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a real one; the error of a write reports a replica."""
    with open_backend(postgres_url) as backend:
        backend.save_profile({"id": "p"})
    with postgres_server.replica() as url_on_replica:
        with open_backend(url_on_replica(postgres_url)) as replica:
            assert profile_ids(replica) == ["p"]
            assert replica.check_integrity() == (True, [])
            for _ in range(2):
                with pytest.raises(StorageError, match="is read-only"):
                    replica.set_app_state("key", "value")
            with replica.transaction():
                assert profile_ids(replica) == ["p"]
        monkeypatch.setenv("BURNDOWN_DATABASE_URL", url_on_replica(postgres_url))
        for command in (["show"], ["check"], ["export", "p", "out"]):
            assert run(command) == 0


# --- settings of a server, database or role -------------------------------------------------------


SETTINGS = {
    "timezone": "'Pacific/Kiritimati'",
    "datestyle": "'German, DMY'",
    "extra_float_digits": "-15",
    "bytea_output": "'escape'",
    "client_encoding": "'LATIN1'",
    "default_transaction_isolation": "'repeatable read'",
    "standard_conforming_strings": "off",
    "backslash_quote": "off",
    "intervalstyle": "'iso_8601'",
    "lock_timeout": "1",
}


def test_values_are_equal_with_any_settings_of_the_server(postgres_url: str) -> None:
    """Its time zone and formats affect output for people only."""
    name = make_url(postgres_url).database
    execute_on(
        postgres_url, *(f"ALTER DATABASE {name} SET {key} = {SETTINGS[key]}" for key in SETTINGS)
    )
    with open_backend(postgres_url) as backend:
        profile = {"id": "p", "name": "Zürich \\ 日本 \U0001f680", "x": 0.1 + 0.2}
        backend.save_profile({**profile, "last_used": "9999-12-31T23:59:59.999999+00:00"})
        backend.save_query("p", {"id": "q", "created_at": "0001-01-01T00:00:00+00:00"})
        backend.save_task_progress("task", 100 / 3, "running")
        backend.save_jira_changelog("p", "q", "K-1", {"bytes": "\\x00\\"})
        found = backend.get_profile("p")
        assert found is not None
        assert found.items() >= profile.items()
        assert found["last_used"] == "9999-12-31T23:59:59.999999+00:00"
        query, task = backend.get_query("p", "q"), backend.get_task_progress("task")
        assert query is not None
        assert query["created_at"] == "0001-01-01T00:00:00+00:00"
        assert task is not None
        assert task["progress_percent"] == 100 / 3
        assert backend.get_jira_changelog("p", "q", "K-1") == {"bytes": "\\x00\\"}


@contextmanager
def database_in(server: PostgresServer, encoding: str) -> Iterator[str]:
    """Create a database in an encoding that is not UTF-8."""
    name = f"burndown_test_{encoding.lower()}"
    server.run(
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'",
    )
    try:
        url = server.admin.set(drivername="postgresql+psycopg", database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    ("encoding", "python_name"),
    [
        ("LATIN1", "latin-1"),
        ("LATIN9", "iso8859-15"),
        ("EUC_JP", "euc-jp"),
        ("WIN1251", "cp1251"),
        ("SQL_ASCII", "utf-8"),
    ],
)
def test_an_encoding_stores_a_value_exactly_or_refuses_it(
    postgres_server: PostgresServer, encoding: str, python_name: str
) -> None:
    """Other values are refused before any write, and the error names a solution."""
    with database_in(postgres_server, encoding) as url, open_backend(url) as backend:
        backend.save_profile({"id": "p"})
        for value in ("plain", "Zürich", "€", "日本", "Ж", "\U0001f680"):
            profile = {"id": "p", "name": value, "description": value, "x": {value: value}}
            try:
                value.encode(python_name)
            except UnicodeEncodeError:
                before = backend.get_profile("p")
                with pytest.raises(StorageError, match="ENCODING 'UTF8'"):
                    backend.save_profile(profile)
                assert backend.get_profile("p") == before
            else:
                backend.save_profile(profile)
                found = backend.get_profile("p")
                assert found is not None
                assert found.items() >= profile.items()
            backend.save_query("p", {"id": "q"})
            backend.save_project_data("p", "q", {"plain": 1})
        assert backend.check_integrity() == (True, [])

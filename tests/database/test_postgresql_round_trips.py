"""The round trips of each call on a PostgreSQL server, and what happens if one fails."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import make_url

from burndown import QueryNotFoundError, StorageError, TransactionAbortedError, ValidationError
from burndown.persistence import open_backend
from burndown.persistence.sql_backend import SQLBackend
from burndown.sql import Executor
from tests.support.postgres import PostgresServer, execute_on, with_search_path
from tests.support.round_trips import RoundTripProxy, running_proxy

HOUR = timedelta(hours=1)
PROFILE = {"id": "p", "name": "P", "jira_config": {"base_url": "https://jira.example.com"}}
WITH_TOKEN = {**PROFILE, "jira_config": {**PROFILE["jira_config"], "token": "t"}}  # type: ignore[dict-item]


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[RoundTripProxy]:
    with running_proxy(postgres_url) as running:
        yield running


@pytest.fixture
def backend(postgres_url: str, proxy: RoundTripProxy) -> Iterator[Any]:
    """Open a backend behind the proxy, with a profile, a query and some data."""
    with open_backend(proxy.url_of(postgres_url)) as new:
        new.save_profile(WITH_TOKEN)
        new.save_query("p", {"id": "q"})
        new.save_budget("p", "q", {})
        new.save_jira_cache("p", "q", "k", {"issues": []}, HOUR)
        new.save_task_progress("reported", 1, "running")
        yield new


def save_with_revision(backend: SQLBackend) -> None:
    backend.save_query("p", {"id": "q", "revision": 1})


ROUND_TRIPS: dict[str, tuple[int, Callable[[SQLBackend], object]]] = {
    "get_app_state": (1, lambda b: b.get_app_state("key")),
    "get_profile": (1, lambda b: b.get_profile("p")),
    "list_profiles": (1, lambda b: b.list_profiles()),
    "get_query": (1, lambda b: b.get_query("p", "q")),
    "list_queries": (1, lambda b: b.list_queries("p")),
    "query_status": (1, lambda b: b.query_status("p")),
    "get_jira_cache": (1, lambda b: b.get_jira_cache("p", "q", "k")),
    "find_jira_cache": (1, lambda b: b.find_jira_cache("p", "q", "k")),
    "list_jira_caches": (1, lambda b: b.list_jira_caches("p", "q")),
    "get_jira_changelogs": (1, lambda b: b.get_jira_changelogs("p", "q", ["K-1"])),
    "get_project_data": (1, lambda b: b.get_project_data("p", "q")),
    "get_metrics_snapshots": (1, lambda b: b.get_metrics_snapshots("p", "q")),
    "get_budget": (1, lambda b: b.get_budget("p", "q")),
    "get_task_progress": (1, lambda b: b.get_task_progress("reported")),
    "cached": (1, lambda b: b.cached("p", "q", "k", dict, HOUR)),
    "set_app_state": (1, lambda b: b.set_app_state("key", "value")),
    "save_profile, with its token": (1, lambda b: b.save_profile(WITH_TOKEN)),
    "save_profile": (2, lambda b: b.save_profile(PROFILE)),
    "save_query": (1, lambda b: b.save_query("p", {"id": "q"})),
    "save_query, with its revision": (2, save_with_revision),
    "save_jira_cache": (1, lambda b: b.save_jira_cache("p", "q", "k", {"issues": []}, HOUR)),
    "merge_jira_cache": (2, lambda b: b.merge_jira_cache("p", "q", "k", [], [], HOUR)),
    "save_jira_changelogs": (1, lambda b: b.save_jira_changelogs("p", "q", {"K-1": {}, "K-2": {}})),
    "save_project_data": (1, lambda b: b.save_project_data("p", "q", {})),
    "save_metrics_snapshot": (
        1,
        lambda b: b.save_metrics_snapshot("p", "q", "2025-W12", "flow", {"a": 1}),
    ),
    "patch_metrics": (2, lambda b: b.patch_metrics("p", "q", "2025-W12", "flow", {"a": 2})),
    "save_budget": (2, lambda b: b.save_budget("p", "q", {})),
    "add_budget_revision": (2, lambda b: b.add_budget_revision("p", "q", {})),
    "save_task_progress": (1, lambda b: b.save_task_progress("task", 2, "running")),
    "cancel_task": (2, lambda b: b.cancel_task("reported")),
    "delete_jira_caches": (2, lambda b: b.delete_jira_caches("p")),
    "set_app_state, to none": (2, lambda b: b.set_app_state("key", None)),
    "patch_profile": (2, lambda b: b.patch_profile("p", {"description": "new"})),
    "patch_query": (2, lambda b: b.patch_query("p", "q", {"description": "new"})),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_a_call_takes_few_round_trips(
    backend: SQLBackend, proxy: RoundTripProxy, name: str
) -> None:
    """The first one on a connection as well, which prepares its statements."""
    expected, call = ROUND_TRIPS[name]
    for _ in range(2):
        before = proxy.round_trips
        call(backend)
        assert proxy.round_trips - before == expected


def test_a_schema_for_each_team_takes_no_more_round_trips(
    postgres_url: str, proxy: RoundTripProxy
) -> None:
    execute_on(postgres_url, "CREATE SCHEMA team")
    with open_backend(proxy.url_of(with_search_path(postgres_url, "team"))) as backend:
        backend.set_app_state("key", "value")
        before = proxy.round_trips
        assert backend.get_app_state("key") == "value"
        backend.set_app_state("key", "other")
        assert proxy.round_trips - before == 2


def test_a_call_in_a_transaction_takes_one_round_trip(
    backend: SQLBackend, proxy: RoundTripProxy
) -> None:
    before = proxy.round_trips
    with backend.transaction():
        count = int(backend.get_app_state("count") or 0)
        backend.set_app_state("count", str(count + 1))
    assert proxy.round_trips - before == len(["begin, lock and get", "set", "commit"])


def test_a_refused_call_names_the_reason(backend: SQLBackend, proxy: RoundTripProxy) -> None:
    """It runs again step by step, in a transaction of the caller as well, which can go on."""
    with pytest.raises(QueryNotFoundError):
        backend.save_jira_cache("p", "other", "k", {"issues": []}, HOUR)
    with backend.transaction():
        backend.set_app_state("before", "x")
        with pytest.raises(QueryNotFoundError):
            backend.save_project_data("p", "other", {})
        with pytest.raises(ValidationError, match="other than that of"):
            backend.save_profile({"id": "other", "name": "P"})
        backend.set_app_state("after", "x")
    assert [backend.get_app_state(key) for key in ("before", "after")] == ["x", "x"]
    before = proxy.round_trips
    backend.get_app_state("before")
    assert proxy.round_trips - before == 1


# --- connections that are lost ------------------------------------------------------------------


def test_a_read_whose_result_is_lost_is_repeated(
    backend: SQLBackend, proxy: RoundTripProxy
) -> None:
    """Once: nothing was changed by the first one."""
    proxy.withholds = 1
    found = backend.get_query("p", "q")
    assert found is not None
    assert not proxy.withholds


def test_a_write_whose_outcome_is_lost_is_not_repeated(
    backend: SQLBackend, proxy: RoundTripProxy, postgres_url: str
) -> None:
    """It may be stored, as it is here; the next call uses another connection."""
    proxy.withholds = 1
    with pytest.raises(StorageError, match="may be stored or not; read it before") as lost:
        backend.set_app_state("key", "value")
    assert not isinstance(lost.value, TransactionAbortedError)
    with open_backend(postgres_url) as direct:
        assert direct.get_app_state("key") == "value"
        direct.set_app_state("key", None)
    assert backend.get_app_state("key") is None


def test_a_patch_whose_outcome_is_lost_is_not_repeated(
    backend: SQLBackend, proxy: RoundTripProxy
) -> None:
    """Its last statement reads, and comes with the commit."""

    class Changes(dict[str, str]):
        def items(self) -> Any:  # when the stored profile was read
            proxy.withholds = 1
            return super().items()

    with pytest.raises(StorageError, match="may be stored or not; read it before"):
        backend.patch_profile("p", Changes(description="new"))
    found = backend.get_profile("p")
    assert found is not None
    assert (found["description"], found["revision"]) == ("new", 2)


@pytest.mark.parametrize("times", [1, 2])
def test_a_write_that_is_lost_before_its_commit_is_repeated(
    backend: SQLBackend, proxy: RoundTripProxy, times: int
) -> None:
    """Once: it has stored nothing."""
    proxy.withholds = times  # the stored budget, and then the answer to the new connection
    refused = pytest.raises(StorageError, match="out of reach")
    with nullcontext() if times == 1 else refused:
        backend.add_budget_revision("p", "q", {"reason": "new"})
    assert not proxy.withholds
    budget = backend.get_budget("p", "q")
    assert budget is not None
    assert [each["reason"] for each in budget["revisions"]] == ["new"] * (times == 1)


def error_response(message: str) -> bytes:
    """Return the error of the protocol with which a server or a pooler ends a connection."""
    fields = f"SFATAL\0VFATAL\0C57P01\0M{message}\0\0".encode()
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


@pytest.mark.parametrize("errors", [0, 1, 2, 8])
def test_a_connection_that_ends_with_any_number_of_errors_is_replaced(
    backend: SQLBackend, proxy: RoundTripProxy, errors: int
) -> None:
    """A pooler adds its own to that of the server. What may be committed is not repeated."""
    proxy.last_words = error_response("terminating connection") * errors
    for call in (lambda: backend.get_app_state("key"), lambda: backend.save_profile(PROFILE)):
        proxy.withholds = 1
        call()
        assert not proxy.withholds
    proxy.withholds = 1
    with pytest.raises(StorageError, match="may be stored or not"):
        backend.set_app_state("key", "value")


def test_a_server_that_ends_the_connection_within_a_call_is_out_of_reach(
    postgres_url: str,
) -> None:
    def be_ended(executor: Executor) -> Any:
        executor.execute("SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())")
        return executor.execute("SELECT 1").fetchall()

    with open_backend(postgres_url) as direct:
        assert isinstance(direct, SQLBackend)
        for call in (direct.database.read, direct.database.write):
            with pytest.raises(StorageError, match="terminating connection"):
                call(be_ended)
        assert direct.get_app_state("key") is None


def test_a_write_on_a_connection_that_was_closed_before_it_is_stored(
    backend: SQLBackend, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """The server has told so, and nothing was sent to it."""
    database = make_url(postgres_url).database
    with open_backend(postgres_url) as direct:
        direct.set_app_state("key", "value")
        postgres_server.run(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            f"WHERE datname = '{database}'"
        )
        direct.set_app_state("key", "other")
        assert direct.get_app_state("key") == "other"


# --- prepared statements ------------------------------------------------------------------------


def test_statements_that_the_server_has_forgotten_are_prepared_again(backend: SQLBackend) -> None:
    backend.set_app_state("key", "value")
    assert backend.get_app_state("key") == "value"
    for call in (
        lambda: backend.get_app_state("key"),
        lambda: backend.set_app_state("key", "other"),
        lambda: backend.add_budget_revision("p", "q", {}),
        lambda: backend.patch_query("p", "q", {"jql": "new"}),
    ):
        with backend.database.read_session() as session:
            session.connection().exec_driver_sql("DEALLOCATE ALL")
        call()
    assert backend.get_app_state("key") == "other"
    budget = backend.get_budget("p", "q")
    assert budget is not None
    assert len(budget["revisions"]) == 1
    query = backend.get_query("p", "q")
    assert query is not None
    assert (query["jql"], query["revision"]) == ("new", 2)


def test_statements_whose_columns_have_changed_are_prepared_again(
    backend: SQLBackend, postgres_url: str
) -> None:
    """Such as by an administrator."""
    backend.set_app_state("key", "value")
    for type_name in ("varchar(300)", "text"):
        assert backend.get_app_state("key") == "value"
        execute_on(postgres_url, f"ALTER TABLE app_state ALTER value TYPE {type_name}")
        assert backend.get_app_state("key") == "value"

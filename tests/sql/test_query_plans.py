"""No statement reads or sorts more rows than its call asks for, however many are stored."""

import importlib
import logging
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from burndown import PersistenceError, SQLiteBackend, repositories
from burndown.models import ENTITIES, SCHEMA_VERSION, JiraCache
from burndown.repositories.base import UntilExpiry, list_encoded
from burndown.schema.digests import drop_triggers
from burndown.schema.guard import drop_guards
from burndown.sql import Executor, Statement
from burndown.testing.controlled_store import KEYS

LATER = datetime(2100, 1, 1, tzinfo=UTC)
IDS = ("p", "q")
TOKEN = {"jira_config": {"token": "secret"}}
"""Without it, a save reads the stored one."""

GIVEN_LIST = "SCAN strings VIRTUAL TABLE"
"""Reads the parameter that holds a list."""

ALL_OF = "all of "
"""Marks a read without a search."""

Call = Callable[[SQLiteBackend], object]


def all_records(backend: SQLiteBackend, profile_id: str | None) -> None:
    for model in ENTITIES:
        list(backend.records(model, profile_id))


def records_of_query(backend: SQLiteBackend) -> None:
    for model in ENTITIES:
        list(backend.records(model, *IDS))


def cached_without_count(backend: SQLiteBackend) -> None:
    """Save a response as releases before 1.1 did, and list it."""
    backend.save_jira_cache(*IDS, "key", {"issues": []}, LATER)
    with backend.database.connection() as connection:  # type: ignore[attr-defined]
        connection.execute("UPDATE jira_cache SET issue_count = NULL")
    backend.list_jira_caches(*IDS)


def encoded_rows(backend: SQLiteBackend) -> None:
    with backend.database.read_session() as session:
        list_encoded(Executor.of(session), JiraCache, *IDS)


WEEKS = "snapshot_date>? AND snapshot_date<?"
TABLES = {str(model.__tablename__): key for model, key in KEYS.items()}
"""The columns of every table's key."""

OF_QUERY = "profile_id=? AND query_id=?"
OF_A_QUERY = [table for table, key in TABLES.items() if key[:2] == ("profile_id", "query_id")]


def after(key: tuple[str, ...]) -> str:
    """Return the search for the rows that come after one, by key."""
    if len(key) == 1:
        return f"{key[0]}>?"
    return f"({','.join(key)})>({','.join('?' * len(key))})"


LISTED_CACHES = {f"jira_cache ({OF_QUERY})", f"same ({OF_QUERY} AND cache_key=?)"}
"""The subquery is run for those rows alone that have no count of issues."""

CALLS: list[tuple[Call, set[str]]] = [
    (lambda b: b.save_profile({"id": "p", **TOKEN}), {"profiles (id=?)"}),
    (lambda b: b.save_profile({"id": "p", **TOKEN, "revision": 1}), {"profiles (id=?)"}),
    (lambda b: b.save_profile({"id": "p"}), {"profiles (id=?)"}),
    (lambda b: b.save_profile({"id": "p", **TOKEN, "revision": 2}), {"profiles (id=?)"}),
    (lambda b: b.save_profile({"id": "o", **TOKEN, "last_used": LATER}), {"profiles (id=?)"}),
    (
        lambda b: b.save_profile({"id": "n", **TOKEN, "name": "p"}),
        {"profiles (id=?)", "profiles (name=?)"},
    ),
    (lambda b: b.get_profile("p"), {"profiles (id=?)"}),
    (lambda b: b.list_profiles(), {ALL_OF + "profiles"}),
    (lambda b: b.save_query("p", {"id": "q"}), set()),
    (lambda b: b.save_query("p", {"id": "r", "last_used": LATER}), set()),
    (lambda b: b.save_query("p", {"id": "q", "revision": 1}), set()),
    (
        lambda b: b.save_query("p", {"id": "q", "revision": 2}),
        {"queries (profile_id=? AND id=?)"},
    ),
    (
        lambda b: b.save_query("p", {"id": "s", "name": "q"}),
        {"profiles (id=?)", "queries (profile_id=? AND name=?)"},
    ),
    (lambda b: b.save_query("nobody", {"id": "q"}), {"profiles (id=?)"}),
    (lambda b: b.get_query(*IDS), {"queries (profile_id=? AND id=?)"}),
    (lambda b: b.list_queries("p"), {"queries (profile_id=?)"}),
    (lambda b: b.set_app_state("key", "value"), set()),
    (lambda b: b.get_app_state("key"), {"app_state (key=?)"}),
    (lambda b: b.set_app_state("key", None), {"app_state (key=?)"}),
    (lambda b: b.save_jira_cache(*IDS, "key", {"issues": []}, LATER), set()),
    (lambda b: b.get_jira_cache(*IDS, "key"), {f"jira_cache ({OF_QUERY} AND cache_key=?)"}),
    (
        lambda b: b.merge_jira_cache(*IDS, "key", [{"key": "K-1"}], [], LATER),
        {f"jira_cache ({OF_QUERY} AND cache_key=?)"},
    ),
    (lambda b: b.list_jira_caches(*IDS), LISTED_CACHES),
    (cached_without_count, LISTED_CACHES),
    (encoded_rows, {f"jira_cache ({OF_QUERY})"}),
    (lambda b: b.save_jira_changelogs(*IDS, {"K-1": {}, "K-2": {}}), set()),
    (
        lambda b: b.save_jira_changelogs("p", "nobody", {"K-1": {}, "K-2": {}}),
        {"profiles (id=?)", "queries (profile_id=? AND id=?)"},
    ),
    (
        lambda b: b.get_jira_changelog(*IDS, "K-1"),
        {f"jira_changelog_cache ({OF_QUERY} AND issue_key=?)"},
    ),
    (lambda b: b.get_jira_changelogs(*IDS), {f"jira_changelog_cache ({OF_QUERY})"}),
    (
        lambda b: b.get_jira_changelogs(*IDS, ["K-1", "K-2"]),
        {f"jira_changelog_cache ({OF_QUERY} AND issue_key=?)", ALL_OF + "strings"},
    ),
    (
        lambda b: b.find_jira_cache(*IDS, "key"),
        {f"jira_cache ({OF_QUERY} AND cache_key=?)"},
    ),
    (
        lambda b: b.find_jira_changelog(*IDS, "K-1"),
        {f"jira_changelog_cache ({OF_QUERY} AND issue_key=?)"},
    ),
    (lambda b: b.find_jira_changelogs(*IDS), {f"jira_changelog_cache ({OF_QUERY})"}),
    (
        lambda b: b.find_jira_changelogs(*IDS, ["K-1", "K-2"]),
        {f"jira_changelog_cache ({OF_QUERY} AND issue_key=?)", ALL_OF + "strings"},
    ),
    (
        lambda b: b.query_status("p"),
        {
            "queries (profile_id=?)",
            f"jira_cache ({OF_QUERY} AND cache_key=?)",
            f"same ({OF_QUERY})",
        },
    ),
    (lambda b: b.list_jira_changelogs(*IDS), {f"jira_changelog_cache ({OF_QUERY})"}),
    (lambda b: b.save_project_data(*IDS, {}), set()),
    (lambda b: b.save_project_data("nobody", "q", {}), {"profiles (id=?)"}),
    (lambda b: b.get_project_data(*IDS), {f"project_data ({OF_QUERY})"}),
    (lambda b: b.save_metrics_snapshot(*IDS, "2025-W12", "dora", {}), set()),
    (lambda b: b.get_metrics_snapshots(*IDS), {f"metrics_snapshots ({OF_QUERY} AND {WEEKS})"}),
    (
        lambda b: b.get_metrics_snapshots(*IDS, "dora", 12),
        {f"metrics_snapshots ({OF_QUERY} AND metric_type=? AND {WEEKS})"},
    ),
    (
        lambda b: b.get_series(*IDS, "dora.k", "2025-W12"),
        {f"metrics_snapshots ({OF_QUERY} AND metric_type=? AND {WEEKS})"},
    ),
    (
        lambda b: b.patch_metrics(*IDS, "2025-W12", "dora", {}),
        {f"metrics_snapshots ({OF_QUERY} AND metric_type=? AND {WEEKS})"},
    ),
    (lambda b: b.delete_jira_caches("p"), {"jira_cache (profile_id=?)"}),
    (
        lambda b: b.delete_jira_caches(*IDS, "key"),
        {f"jira_cache ({OF_QUERY} AND cache_key=?)", ALL_OF + "strings"},
    ),
    (lambda b: b.delete_jira_changelogs("p"), {"jira_changelog_cache (profile_id=?)"}),
    (
        lambda b: b.delete_jira_changelogs(*IDS, ["K-1", "K-2"]),
        {f"jira_changelog_cache ({OF_QUERY} AND issue_key=?)", ALL_OF + "strings"},
    ),
    (lambda b: b.delete_project_data(*IDS), {f"project_data ({OF_QUERY})"}),
    (
        lambda b: b.delete_metrics_snapshots(*IDS, since="2025-W12"),
        {f"metrics_snapshots ({OF_QUERY} AND {WEEKS})"},
    ),
    (
        lambda b: b.delete_metrics_snapshots(*IDS, "dora", since="2025-W12"),
        {f"metrics_snapshots ({OF_QUERY} AND metric_type=? AND {WEEKS})", ALL_OF + "strings"},
    ),
    (lambda b: b.save_budget(*IDS, {}), {f"budgets ({OF_QUERY})"}),
    (lambda b: b.add_budget_revision(*IDS, {}), {f"budgets ({OF_QUERY})"}),
    (lambda b: b.get_budget(*IDS), {f"budgets ({OF_QUERY})"}),
    (lambda b: b.delete_budget(*IDS), {f"budgets ({OF_QUERY})"}),
    (lambda b: b.save_task_progress("task", 1, "running"), set()),
    (lambda b: b.get_task_progress("task"), {"task_progress (task_name=?)"}),
    (lambda b: b.list_task_progress(), {ALL_OF + "task_progress"}),
    (lambda b: b.clear_task_progress("task"), {"task_progress (task_name=?)"}),
    (
        lambda b: b.cleanup_expired_cache(),
        {
            *("jira_cache (expires_at<?)", "jira_changelog_cache (expires_at<?)"),
            f"jira_cache ({OF_QUERY} AND cache_key=?)",
            f"jira_changelog_cache ({OF_QUERY} AND issue_key=?)",
        },
    ),
    (
        partial(all_records, profile_id=None),
        {f"{table} ({after(key)})" for table, key in TABLES.items()},
    ),
    (
        partial(all_records, profile_id="p"),
        {"profiles (id=?)"}
        | {
            f"{table} (profile_id=? AND {after(key[1:])})"
            for table, key in TABLES.items()
            if key[0] == "profile_id"
        },
    ),
    (
        records_of_query,
        {"queries (profile_id=? AND id=?)"}
        | {
            f"{table} ({OF_QUERY} AND {after(key)})" if key else f"{table} ({OF_QUERY})"
            for table, key in ((table, TABLES[table][2:]) for table in OF_A_QUERY)
        },
    ),
    (
        lambda b: b.delete_query("p", "r"),
        {"queries (profile_id=? AND id=?)", *(f"{table} ({OF_QUERY})" for table in OF_A_QUERY)},
    ),
    (lambda b: b.delete_profile("p"), {"profiles (id=?)", "queries (profile_id=?)"}),
]
"""Calls that run every statement, each with its reads: the table, and the columns searched for."""


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path / "burndown.db") as new:
        # Where a table has a trigger, a plan contains searches that only an INSERT OR REPLACE runs.
        with new.database.connection() as connection:  # type: ignore[attr-defined]
            for statement in (*drop_guards("sqlite"), *drop_triggers(SCHEMA_VERSION)):
                connection.execute(str(statement))
        yield new


def statements_run(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> list[tuple[set[str], set[str]]]:
    """Return the SQL that each call runs to read or write rows, and the reads expected of it."""
    backend.list_profiles()
    caplog.set_level(logging.DEBUG, logger="burndown.database")
    verbs = ("SELECT", "INSERT", "DELETE", "UPDATE", "WITH")
    found = []
    for call, expected in CALLS:
        caplog.clear()
        with suppress(PersistenceError):
            call(backend)
        messages = {each.getMessage() for each in caplog.records}
        found.append(({each for each in messages if each.startswith(verbs)}, expected))
    return found


def statements_of(value: object) -> list[Statement]:
    if isinstance(value, UntilExpiry):
        return [value.at(LATER), value.at(None)]
    return [value] if isinstance(value, Statement) else []


def plan_of(backend: SQLiteBackend, sql: str) -> list[str]:
    """Return the steps by which SQLite runs a statement."""
    with backend.database.connection() as connection:  # type: ignore[attr-defined]
        rows = connection.execute(
            f"EXPLAIN QUERY PLAN {sql}", [None] * len(re.findall(r"\?(?!\d)", sql))
        ).fetchall()
    return [row["detail"] for row in rows]


def read_of(step: str) -> str | None:
    """Return the table that a step of a plan reads, with the columns searched for in its index."""
    search = re.fullmatch(
        r"SEARCH (\w+) USING (?:COVERING )?INDEX \w+ \((.*)\)(?: LEFT-JOIN)?", step
    )
    if search:
        return f"{search[1]} ({search[2]})"
    verb, *words = step.split()
    return ALL_OF + words[0] if verb == "SCAN" else None


def test_each_call_searches_for_all_columns_that_it_is_given(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """A search for fewer columns would read rows that the call did not ask for."""
    for statements, expected in statements_run(backend, caplog):
        plans = {sql: plan_of(backend, sql) for sql in statements}
        reads = {read_of(step) for plan in plans.values() for step in plan} - {None}
        assert reads == expected, plans


def test_no_statement_reads_or_sorts_a_whole_table(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """A statement for all rows of a table reads them in the order of an index or of its key."""
    for sql in set().union(*(sqls for sqls, _ in statements_run(backend, caplog))):
        plan = plan_of(backend, sql)
        assert not [step for step in plan if "TEMP B-TREE" in step], (sql, plan)
        scans = [step for step in plan if step.startswith("SCAN")]
        if "WHERE" not in sql:
            assert all("USING" in step and "INDEX" in step for step in scans), (sql, plan)
        else:
            assert all(step.startswith(GIVEN_LIST) for step in scans), (sql, plan)


def test_all_statements_of_the_repositories_were_run(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    statements = set().union(*(sqls for sqls, _ in statements_run(backend, caplog)))
    dialect = backend.database._engine.dialect
    modules = [
        importlib.import_module(f"{repositories.__name__}.{module.name}")
        for module in pkgutil.iter_modules(repositories.__path__)
    ]
    built = {
        f"{module.__name__}.{name} {number}": " ".join(statement.compiled(dialect).sql.split())
        for module in modules
        for name, value in vars(module).items()
        for number, statement in enumerate(statements_of(value))
    }
    assert built
    assert {name for name, sql in built.items() if sql not in statements} == set()


def test_saving_many_is_one_transaction_and_one_statement(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    changelogs = {f"K-{number}": {"total": number} for number in range(1000)}
    weeks = [
        {"snapshot_date": f"{year}-W{week:02}", "metric_type": "dora", "metrics": {"n": week}}
        for year in range(2000, 2020)
        for week in range(1, 53)
    ]
    many: list[Call] = [
        lambda b: b.save_jira_changelogs(*IDS, changelogs),
        lambda b: b.save_metrics_snapshots(*IDS, weeks),
        lambda b: b.get_jira_changelogs(*IDS, changelogs),
        lambda b: b.get_metrics_snapshots(*IDS, limit=None),
    ]
    for call in many:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="burndown.database"):
            call(backend)
        said = [each.getMessage().split()[0] for each in caplog.records]
        assert [verb for verb in said if verb in ("SELECT", "INSERT")] in (["SELECT"], ["INSERT"])
        assert said.count("BEGIN") == ("INSERT" in said)
    assert backend.get_jira_changelogs(*IDS, changelogs) == changelogs
    assert len(backend.get_metrics_snapshots(*IDS, limit=None)) == len(weeks)

"""No statement reads or sorts more than what it was asked for, however much is stored."""

import importlib
import logging
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from burndown import PersistenceError, SQLiteBackend, repositories
from burndown.copying import NAMES
from burndown.models import JiraCache
from burndown.repositories import repository_of
from burndown.repositories.statements import Statement

LATER = datetime(2100, 1, 1, tzinfo=UTC)
IDS = ("p", "q")

GIVEN_LIST = "SCAN texts VIRTUAL TABLE"
"""Reads the parameter that holds a list."""

Call = Callable[[SQLiteBackend], object]


def all_records(backend: SQLiteBackend, profile_id: str | None) -> None:
    for model in NAMES:
        list(backend.records(model, profile_id))


def cached_without_count(backend: SQLiteBackend) -> None:
    """As a release before 1.1 stored it."""
    backend.save_jira_cache(*IDS, "key", {"issues": []}, LATER)
    with backend.database.connection() as connection:
        connection.execute("UPDATE jira_cache SET issue_count = NULL")
    backend.list_jira_caches(*IDS)


def encoded_rows(backend: SQLiteBackend) -> None:
    with backend.database.read_session() as session:
        repository_of(JiraCache)(session).list_encoded(*IDS)


CALLS: list[Call] = [
    lambda b: b.save_profile({"id": "p"}),
    lambda b: b.save_profile({"id": "other", "created_at": LATER, "last_used": LATER}),
    lambda b: b.save_profile({"id": "third", "name": "p"}),
    lambda b: b.get_profile("p"),
    lambda b: b.list_profiles(),
    lambda b: b.save_query("p", {"id": "q"}),
    lambda b: b.save_query("p", {"id": "r", "last_used": LATER}),
    lambda b: b.save_query("p", {"id": "s", "name": "q"}),
    lambda b: b.save_query("nobody", {"id": "q"}),
    lambda b: b.get_query(*IDS),
    lambda b: b.list_queries("p"),
    lambda b: b.set_app_state("key", "value"),
    lambda b: b.get_app_state("key"),
    lambda b: b.set_app_state("key", None),
    lambda b: b.save_jira_cache(*IDS, "key", {"issues": []}, LATER),
    lambda b: b.get_jira_cache(*IDS, "key"),
    lambda b: b.list_jira_caches(*IDS),
    cached_without_count,
    encoded_rows,
    lambda b: b.save_jira_changelogs(*IDS, {"K-1": {}, "K-2": {}}),
    lambda b: b.save_jira_changelogs("p", "nobody", {"K-1": {}, "K-2": {}}),
    lambda b: b.get_jira_changelog(*IDS, "K-1"),
    lambda b: b.get_jira_changelogs(*IDS),
    lambda b: b.get_jira_changelogs(*IDS, ["K-1", "K-2"]),
    lambda b: b.list_jira_changelogs(*IDS),
    lambda b: b.save_project_data(*IDS, {}),
    lambda b: b.save_project_data("nobody", "q", {}),
    lambda b: b.get_project_data(*IDS),
    lambda b: b.save_metrics_snapshot(*IDS, "2025-W12", "dora", {}),
    lambda b: b.get_metrics_snapshots(*IDS),
    lambda b: b.get_metrics_snapshots(*IDS, "dora", 12),
    lambda b: b.save_task_progress("task", 1, "running"),
    lambda b: b.get_task_progress("task"),
    lambda b: b.list_task_progress(),
    lambda b: b.clear_task_progress("task"),
    lambda b: b.cleanup_expired_cache(),
    partial(all_records, profile_id=None),
    partial(all_records, profile_id="p"),
    lambda b: b.delete_query("p", "r"),
    lambda b: b.delete_profile("p"),
]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SQLiteBackend]:
    with SQLiteBackend(tmp_path / "burndown.db") as new:
        yield new


def statements_run(backend: SQLiteBackend, caplog: pytest.LogCaptureFixture) -> set[str]:
    """The SQL of every statement that reads or writes rows, as the calls above run it."""
    backend.list_profiles()
    caplog.set_level(logging.DEBUG, logger="burndown.database")
    for call in CALLS:
        with suppress(PersistenceError):
            call(backend)
    verbs = ("SELECT", "INSERT", "DELETE", "UPDATE", "WITH")
    return {each.getMessage() for each in caplog.records if each.getMessage().startswith(verbs)}


def test_no_statement_reads_or_sorts_a_whole_table(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """What asks for all rows of a table reads it in the order of an index or of its key."""
    statements = statements_run(backend, caplog)
    with backend.database.connection() as connection:
        for sql in statements:
            values = [None] * sql.count("?")
            rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            plan = [row["detail"] for row in rows]
            assert not [step for step in plan if "TEMP B-TREE" in step], (sql, plan)
            scans = [step for step in plan if step.startswith("SCAN")]
            if "WHERE" not in sql:
                assert all("USING" in step and "INDEX" in step for step in scans), (sql, plan)
            else:
                assert all(step.startswith(GIVEN_LIST) for step in scans), (sql, plan)


def test_all_statements_of_the_repositories_were_run(
    backend: SQLiteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    statements = statements_run(backend, caplog)
    dialect = backend.database._engine.dialect
    modules = [
        importlib.import_module(f"{repositories.__name__}.{module.name}")
        for module in pkgutil.iter_modules(repositories.__path__)
    ]
    built = {
        f"{module.__name__}.{name}": " ".join(value.compiled(dialect).sql.split())
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Statement)
    }
    assert built
    assert {name for name, sql in built.items() if sql not in statements} == set()


def test_many_at_once_are_one_transaction_and_one_statement(
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

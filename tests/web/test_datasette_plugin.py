"""The plugin for Datasette, on the connections that Datasette makes."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from burndown import SQLiteBackend
from burndown.testing.controlled_store import HOUR

CANARY = "canary-2b9d"


@pytest.fixture
def connection(
    backend: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a store in use, which the plugin has prepared."""
    backend.save_profile(
        {
            "id": "p",
            "jira_config": {"token": CANARY},
            "field_mappings": {"password": CANARY},
            "api_key": CANARY,
        }
    )
    backend.save_query("p", {"id": "q", "cookie": CANARY})
    backend.save_budget("p", "q", {"secret": CANARY})
    issues = [{"key": f"A-{number}"} for number in range(2_000)]
    backend.save_jira_cache("p", "q", "k", {"issues": issues}, HOUR)
    backend.save_jira_changelog("p", "q", "A-1", {"changelog": {"histories": []}})
    if "datasette" not in sys.modules:  # it need not be installed
        stub = SimpleNamespace(hookimpl=lambda function: function)
        monkeypatch.setitem(sys.modules, "datasette", stub)
    plugin = import_module("examples.datasette_plugin.burndown_plugin")
    uri = f"file:{tmp_path / 'burndown.db'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as opened:
        plugin.prepare_connection(opened)
        yield opened


def test_no_statement_reads_a_secret(connection: sqlite3.Connection) -> None:
    """Neither all columns, nor one by another name, in an expression or a condition."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    statements = [
        *(f"SELECT * FROM {name}" for (name,) in tables),
        "WITH profiles AS (SELECT jira_config AS id FROM main.profiles) SELECT id FROM profiles",
        "SELECT hex(jira_config), json(extra) FROM profiles AS p",
        f"SELECT id FROM profiles WHERE jira_config LIKE '%{CANARY}%'",
    ]
    for statement in statements:
        rows = connection.execute(statement).fetchall()
        assert CANARY not in repr(rows)
        assert CANARY.encode().hex().upper() not in repr(rows)
    assert rows == []


def test_what_is_no_secret_is_read(connection: sqlite3.Connection) -> None:
    assert connection.execute("SELECT id, name FROM profiles").fetchall() == [("p", "p")]
    assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (1,)


def test_responses_and_changelogs_are_decoded(connection: sqlite3.Connection) -> None:
    [(key, count)] = connection.execute(
        "SELECT max(issue.value ->> 'key'), count(*) "
        "FROM jira_cache, json_each(burndown_json(response), '$.issues') AS issue"
    )
    assert (key, count) == ("A-999", 2_000)
    statement = "SELECT burndown_json(changelog) FROM jira_changelog_cache"
    [changelog] = connection.execute(statement).fetchone()
    assert json.loads(changelog) == {"changelog": {"histories": []}}


def test_other_databases_are_as_they_were(connection: sqlite3.Connection) -> None:
    plugin = import_module("examples.datasette_plugin.burndown_plugin")
    with closing(sqlite3.connect(":memory:")) as other:
        other.execute("CREATE TABLE profiles (extra)")
        other.execute("INSERT INTO profiles VALUES (1)")
        plugin.prepare_connection(other)
        assert other.execute("SELECT extra FROM profiles").fetchone() == (1,)

"""Every example of the documents runs unchanged."""

import asyncio
import json
import logging
import re
import shlex
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from burndown import get_backend
from burndown.cli import run
from burndown.conversion import Findings
from burndown.database import get_db_connection
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed
from burndown.models.metric_series import MEASURES
from burndown.published import PublishedStore
from burndown.testing.contract.time_zones import local_time_zone
from tests.support.published_databases import opened, write_database
from tests.support.pytest_runs import run_pytest
from tests.support.secret_keys import KEY, OTHER_KEY

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _log_level() -> Iterator[None]:
    """Undo that an example logs all statements."""
    logger = logging.getLogger("burndown.database")
    level = logger.level
    yield
    logger.setLevel(level)


def blocks(document: str, language: str) -> list[str]:
    """Return the code blocks of a document, in their order."""
    text = (ROOT / document).read_text("utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found
    return found


def is_for_pytest(code: str) -> bool:
    return "import pytest" in code


def run_part(code: str, names: dict[str, Any]) -> None:
    """Run a part of an example; one that uses a connection without opening it gets one."""
    if "conn.execute" not in code or "get_db_connection" in code:
        exec(code, names)
        return
    with get_db_connection() as names["conn"]:
        if "Will fail!" in code:
            with pytest.raises(sqlite3.Error):
                exec(code, names)
        else:
            exec(code, names)


def test_the_response_made_of_rows_is_the_documented_one(tmp_path: Path) -> None:
    """A database with this issue is read, and the response compared as text."""
    row = {
        "profile_id": "p",
        "query_id": "q",
        "issue_key": "A-1",
        "summary": "One",
        "status": "Done",
        "assignee": "Ann",
        "issue_type": "Bug",
        "resolution": "",
        "created": "2025-10-31T22:22:55.000+0000",
        "points": 3.0,
        "fix_versions": "[]",
        "project_key": "A",
        "project_name": "Team A",
        "labels": '["x"]',
        "components": "null",
    }
    config = '{"points_field": "customfield_10016"}'
    path = tmp_path / "burndown.db"
    write_database(
        path,
        {
            "profiles": [{"id": "p", "jira_config": config}],
            "queries": [{"profile_id": "p", "id": "q"}],
            "jira_issues": [row],
        },
    )
    with opened(path) as connection:
        store = PublishedStore(connection, path, Findings(tmp_path))
        [data] = store.data(store.profiles[0].queries[0])
    [documented] = blocks("docs/published-database.md", "json")
    assert json.dumps(data.documents[0]["response"]) == json.dumps(json.loads(documented))


def test_the_examples_for_servers_run(capsys: pytest.CaptureFixture[str]) -> None:
    """They are a FastAPI application and a coroutine."""
    application, coroutine = blocks("docs/servers.md", "python")
    backend = get_backend()
    backend.save_profile({"id": "kafka"})
    backend.save_query("kafka", {"id": "12w", "name": "Last 12 weeks"})
    names: dict[str, Any] = {}
    exec(application, names)
    assert "/queries" in names["app"].openapi()["paths"]
    exec(coroutine, names)
    asyncio.run(names["store"]("k", {"issues": []}))
    assert backend.get_jira_cache("kafka", "12w", "k") == {"issues": []}
    assert backend.get_app_state("active_profile_id") == "kafka"
    assert capsys.readouterr().out == "Last 12 weeks\n"


@pytest.fixture(params=["UTC", "Asia/Kolkata", "America/Los_Angeles"])
def _zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run in this time zone."""
    with local_time_zone(request.param):
        yield


@pytest.mark.usefixtures("_zone")
def test_the_examples_of_the_quickstart_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They run in their order, in any time zone; an example that announces an error raises it."""
    caplog.set_level(logging.NOTSET, "burndown.database")  # an example sets it: reset afterwards
    (tmp_path / "backup").mkdir()
    backend = get_backend()
    backend.save_profile(
        {
            "id": "kafka",
            "name": "Kafka",
            "jira_config": {"base_url": "https://jira.example.com", "token": "canary"},
            "field_mappings": {"dora": {}, "flow": {}},
            "forecast_settings": {"pert_factor": 1.2},
        }
    )
    backend.save_query("kafka", {"id": "12w", "jql": "created >= -12w"})
    backend.save_query("kafka", {"id": "bugs", "jql": "issuetype = Bug"})
    names: dict[str, Any] = {
        "Path": Path,
        "callback": lambda *_: lambda function: function,
        "datetime": datetime,
        "get_db_connection": get_db_connection,
        "logger": logging.getLogger("example"),
        "shutil": shutil,
        "sqlite3": sqlite3,
    }
    for code in blocks("docs/quickstart.md", "python"):
        if not is_for_pytest(code):
            for part in re.split(r"(?=^# (?:BAD|GOOD|BETTER))", code, flags=re.MULTILINE):
                run_part(part, names)
    names["app_startup"]()
    names["upgrade_schema_to_1_1"]()
    with get_db_connection() as connection:
        for statement in blocks("docs/quickstart.md", "sql"):
            connection.execute(statement).fetchall()


@pytest.mark.parametrize(
    ("document", "tests"), [("docs/quickstart.md", 3), ("docs/testing.md", 11)]
)
def test_the_tests_of_a_document_pass(document: str, tests: int, tmp_path: Path) -> None:
    """They are written to one file, as a reader would do, and run by pytest."""
    code = blocks(document, "python")
    if document == "docs/quickstart.md":
        code = list(filter(is_for_pytest, code))
    (tmp_path / "test_examples.py").write_text("\n".join(code), "utf-8")
    # With this profile, Hypothesis takes a machine that is busy for no failure.
    options = ["--hypothesis-profile=ci", "-W", "ignore::pytest.PytestUnknownMarkWarning"]
    output = run_pytest(tmp_path, *options)
    assert f"{tests} passed" in output, output


def test_the_contract_runs_as_the_document_about_backends_writes_it(tmp_path: Path) -> None:
    """One of its tests does; `tests/contract/` runs all of them."""
    [code] = blocks("docs/writing-a-backend.md", "python")
    (tmp_path / "test_backend.py").write_text(code, "utf-8")
    output = run_pytest(tmp_path, "-k", "closed_backend_is_opened")
    assert "1 passed" in output, output


@pytest.fixture
def _sample(tmp_path: Path) -> None:
    """Make a migrated sample workspace in the current folder."""
    write_demo_workspace(tmp_path, issues=10)
    run_migration_if_needed()


@pytest.mark.usefixtures("_sample")
@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/architecture.md",
        "docs/backup.md",
        "docs/damage.md",
        "docs/deleting.md",
        "docs/forms.md",
        "docs/freshness.md",
        "docs/jira.md",
        "docs/metrics.md",
        "docs/secrets.md",
        "docs/tables.md",
        "docs/tasks.md",
    ],
)
def test_the_examples_of_a_document_run_one_after_the_other(document: str) -> None:
    """They share one namespace, as in a notebook."""
    names: dict[str, Any] = {}
    for code in blocks(document, "python"):
        exec(code, names)


@pytest.mark.usefixtures("_sample")
def test_the_commands_for_secrets_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a shell with the keys that they set."""
    (tmp_path / "passphrase.txt").write_text("correct horse battery staple\n")
    keys = {"OLD": KEY, "NEW": OTHER_KEY}
    (tmp_path / "burndown.key").write_text(KEY)
    (tmp_path / "burndown.key").chmod(0o600)
    for line in "".join(blocks("docs/secrets.md", "console")).splitlines():
        program, *words = shlex.split(line.removeprefix("$ "), comments=True)
        if program == "export":
            name, _, value = words[0].partition("=")
            for each, key in keys.items():
                value = value.replace(each, key)
            monkeypatch.setenv(name, value.replace("~/.config", str(tmp_path)))
        elif program == "burndown":
            assert run(words) == 0, capsys.readouterr().err
    assert "locked" not in capsys.readouterr().out


@pytest.mark.usefixtures("_sample")
@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/backup.md",
        "docs/damage.md",
        "docs/deleting.md",
        "docs/freshness.md",
        "docs/tables.md",
        "docs/upgrading.md",
    ],
)
def test_the_commands_of_the_documents_run(
    document: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """CI runs those that set up an environment, in a fresh one."""
    lines = "".join(blocks(document, "console")).splitlines()
    commands = [shlex.split(line[2:], comments=True) for line in lines if line[:2] == "$ "]
    for program, *words in commands:
        if program != "burndown":
            continue
        code = run(words)
        output, errors = capsys.readouterr()
        assert code == 0, errors
        if "--json" in words:
            json.loads(output)


def test_the_documented_metrics_are_those_that_have_a_unit() -> None:
    """With their objects of the dashboard, and by what the numbers in these are divided."""
    text = (ROOT / "docs/metrics.md").read_text("utf-8")
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| `(\w+)\.(\w+)`(?:, divided by (\d+))? \|$", text, re.MULTILINE
    )
    assert [(*row[:4], int(row[4] or 1)) for row in rows] == list(MEASURES)


LINK = re.compile(r"\]\((?!https?://)([^)#]+)(?:#([^)]+))?\)")


@pytest.mark.parametrize(
    "document", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda path: path.name
)
def test_links_lead_to_files_and_headings(document: Path) -> None:
    for name, heading in LINK.findall(document.read_text("utf-8")):
        target = document.parent / name
        assert target.exists(), name
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert heading in {
                re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings
            }


def test_the_architecture_lists_every_part_of_the_package_from_top_to_bottom() -> None:
    """In the order of the layers that import-linter checks."""
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    listed = re.findall(r"^(\w+)  ", page.partition("```text")[2].partition("```")[0], re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    depth = {name: depth for depth, layer in enumerate(layers) for name in layer.split(" | ")}
    assert sorted(listed) == sorted(depth)
    assert listed == sorted(listed, key=depth.__getitem__)

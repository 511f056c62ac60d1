"""The dashboard of the examples, in a real browser, with two workers and a Jira server."""

import ast
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from burndown import PersistenceBackend, TaskRunningError, jira_cache_key
from burndown.persistence import open_backend
from tests.support.chromium import Chromium, Tab, running_chromium
from tests.web.gunicorn import ROOT, running_gunicorn
from tests.web.jira_server import JiraServer, running_jira

pytest.importorskip("dash")
pytest.importorskip("gunicorn")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="gunicorn needs a fork")

HOUR = timedelta(hours=1)
POINTS = "document.querySelectorAll('#cycle-times .scatterlayer .point').length"
BANDS = "document.querySelectorAll('#trend .fills path.js-fill').length"


def issue(number: int) -> dict[str, Any]:
    """Return an issue that was in progress for two days, and then resolved."""
    changes = [("05T10", "To Do", "In Progress"), ("07T10", "In Progress", "Done")]
    histories = [
        {
            "id": str(at),
            "created": f"2026-01-{time}:00:00.000+0000",
            "items": [{"field": "status", "fromString": old, "toString": new}],
        }
        for at, (time, old, new) in enumerate(changes)
    ]
    fields = {
        "summary": f"Summary {number}",
        "status": {"name": "Done"},
        "created": "2026-01-02T10:00:00.000+0000",
        "resolutiondate": "2026-01-07T10:00:00.000+0000",
    }
    changelog = {"total": 2, "histories": histories}
    return {"id": str(number), "key": f"K-{number}", "fields": fields, "changelog": changelog}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with running_chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def jira() -> Iterator[JiraServer]:
    with running_jira([issue(number) for number in range(6)]) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path, jira: JiraServer) -> Iterator[PersistenceBackend]:
    """The store of the dashboard, with a connection, a query and a metric of some weeks."""
    with open_backend(tmp_path / "burndown.db") as backend:
        backend.save_profile({"id": "kafka", "jira_config": {"base_url": jira.address}})
        backend.save_query("kafka", {"id": "12w", "jql": "project = K"})
        forecast = {"forecast_value": 4.5, "forecast_range": {"lower": 4, "upper": 5}}
        for week, days in (("2025-W52", 4.0), ("2026-W01", 5)):
            backend.patch_metrics(
                *("kafka", "12w", week, "dora"),
                {"lead_time_days": days},
                {"lead_time_days": forecast},
            )
        yield backend


@pytest.fixture
def tab(chromium: Chromium, tmp_path: Path, store: PersistenceBackend) -> Iterator[Tab]:
    with running_gunicorn("examples.dashboard.app:server", tmp_path, workers=2) as address:
        new = chromium.open(address)
        new.wait_for_text("#badge", "No data yet")
        yield new


def fetch(tab: Tab, jira: JiraServer) -> None:
    """Fetch everything."""
    jira.allow(3)
    tab.click("#fetch")
    tab.wait_for_text("#badge", "6 issues, fresh")


def test_a_fetch_reports_its_progress_and_fills_the_page(tab: Tab, jira: JiraServer) -> None:
    """Issues, cycle times and the trend with its forecast appear."""
    tab.click("#fetch")
    tab.wait_for_text("#status", "running: Asking Jira")
    jira.allow(1)
    tab.wait_for_text("#status", "running: 2 of 6 issues")
    jira.allow(2)
    tab.wait_for_text("#status", "completed")
    tab.wait_for_text("#badge", "6 issues, fresh")
    tab.wait_for_text("#issues", "Summary 5")
    tab.wait_for(f"{POINTS} === 6")
    tab.wait_for(f"{BANDS} === 1")


def test_only_one_process_fetches(tab: Tab, jira: JiraServer, store: PersistenceBackend) -> None:
    """Others are told by whom, as long as it lasts."""
    tab.click("#fetch")
    tab.wait_for_text("#status", "running: Asking Jira")
    with pytest.raises(TaskRunningError), store.task("fetch-issues"):
        pass
    jira.allow(3)
    tab.wait_for_text("#badge", "6 issues, fresh")
    assert jira.searches == 1


def test_a_fetch_can_be_cancelled(tab: Tab, jira: JiraServer, store: PersistenceBackend) -> None:
    """It ends with its next report, and stores nothing."""
    tab.click("#fetch")
    jira.allow(1)
    tab.wait_for_text("#status", "running: 2 of 6 issues")
    tab.click("#cancel")
    tab.wait_for("document.querySelector('#status').textContent.includes('cancelling')")
    jira.allow(1)
    tab.wait_for_text("#status", "cancelled")
    assert store.list_jira_caches("kafka", "12w") == []


def test_a_killed_worker_leaves_a_dead_task(
    tab: Tab, jira: JiraServer, store: PersistenceBackend
) -> None:
    """The other worker shows it, and the next fetch takes over."""
    tab.click("#fetch")
    jira.allow(1)
    tab.wait_for_text("#status", "running: 2 of 6 issues")
    task = store.get_task_progress("fetch-issues")
    assert task is not None
    assert task["owner"] is not None
    os.kill(int(task["owner"].split(":")[1]), signal.SIGKILL)
    tab.wait_for_text("#status", "dead: 2 of 6 issues")
    jira.allow(1)  # for the request of the killed worker
    fetch(tab, jira)


def test_without_jira_the_old_data_are_shown(
    tab: Tab, jira: JiraServer, store: PersistenceBackend
) -> None:
    """They are stale, and the page reports that the fetch has failed."""
    fetch(tab, jira)
    [cached] = store.list_jira_caches("kafka", "12w")
    response = store.get_jira_cache("kafka", "12w", cached["cache_key"])
    assert response is not None
    store.save_jira_cache("kafka", "12w", cached["cache_key"], response, store.now())
    jira.stop()
    tab.click("#fetch")
    tab.wait_for_text("#status", "failed: URLError")
    tab.wait_for_text("#badge", "6 issues, stale")
    tab.wait_for_text("#issues", "Summary 5")


def test_a_migrated_workspace_is_shown(tab: Tab, store: PersistenceBackend) -> None:
    """Its response has a key without the address of Jira, and no histories."""
    response = {"issues": [{**issue(1), "changelog": None}]}
    store.save_jira_cache("kafka", "12w", jira_cache_key("project = K"), response, HOUR)
    tab.wait_for_text("#badge", "1 issues, fresh")
    tab.wait_for_text("#issues", "Summary 1")
    tab.wait_for(f"{POINTS} === 0")


def test_a_page_without_a_workspace_is_empty(tab: Tab, store: PersistenceBackend) -> None:
    """A fetch reports that there is nothing to fetch for."""
    store.delete_profile("kafka")
    tab.click("#fetch")
    tab.wait_for_text("#status", "failed: LookupError")
    tab.wait_for_text("#badge", "No data yet")


def test_the_glue_between_dash_and_the_store_is_short() -> None:
    """What every dashboard needs is in the package: 60 lines are left, imports included."""
    source = (ROOT / "examples/dashboard/app.py").read_text("utf-8")
    documented = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node)
    )
    docstrings = {
        line
        for node in documented
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    lines = [
        line
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and number not in docstrings and not line.lstrip().startswith("#")
    ]
    assert len(lines) <= 60

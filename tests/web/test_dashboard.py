"""The dashboard of the examples, in a real browser, with two workers and a Jira server."""

import ast
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from burndown import PersistenceBackend, TaskRunningError, Week, jira_cache_key
from burndown.persistence import open_backend
from tests.support.axe import serious_faults
from tests.support.chromium import Chromium, Tab
from tests.web.gunicorn import ROOT
from tests.web.jira_server import JiraServer, running_jira

pytest.importorskip("dash")
pytest.importorskip("gunicorn")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="gunicorn needs a fork")

DOCUMENT = ROOT / "docs/dashboard.md"
HOUR = timedelta(hours=1)
PICK = (
    "[...document.querySelectorAll('.dash-dropdown-option')].find(each => each.textContent === %r)"
)


def points(chart: str) -> str:
    """Return the JavaScript expression for the number of points in a chart."""
    return f"document.querySelectorAll('#{chart} .scatterlayer .point').length"


def bands(chart: str) -> str:
    """Return that for the number of bands."""
    return f"document.querySelectorAll('#{chart} .fills path.js-fill').length"


def names(tab: Tab, role: str) -> set[str]:
    """Return the names of the parts of a page that have a role, for people who do not see them."""
    tree = tab.call("Accessibility.getFullAXTree")["nodes"]
    return {each["name"]["value"] for each in tree if each.get("role", {}).get("value") == role}


def issue(number: int) -> dict[str, Any]:
    """Return an issue that was resolved after two days in progress; the first one is not."""
    changes = [("05T10", "To Do", "In Progress"), ("07T10", "In Progress", "Done")]
    is_done = number > 0
    histories = [
        {
            "id": str(at),
            "created": f"2026-01-{time}:00:00.000+0000",
            "items": [{"field": "status", "fromString": old, "toString": new}],
        }
        for at, (time, old, new) in enumerate(changes[: 1 + is_done])
    ]
    status = ("Done", "done") if is_done else ("In Progress", "indeterminate")
    fields = {
        "summary": f"Summary {number}",
        "status": {"name": status[0], "statusCategory": {"key": status[1]}},
        "created": "2026-01-02T10:00:00.000+0000",
        "resolutiondate": "2026-01-07T10:00:00.000+0000" if is_done else None,
    }
    changelog = {"total": len(histories), "histories": histories}
    return {"id": str(number), "key": f"K-{number}", "fields": fields, "changelog": changelog}


@pytest.fixture
def jira() -> Iterator[JiraServer]:
    with running_jira([issue(number) for number in range(6)]) as running:
        yield running


@pytest.fixture
def store(dashboard_folder: Path, jira: JiraServer) -> Iterator[PersistenceBackend]:
    """The store of the dashboard, with a connection, two queries and a metric of some weeks."""
    with open_backend(dashboard_folder / "burndown.db") as backend:
        for profile in backend.list_profiles():
            backend.delete_profile(profile["id"])
        for task in backend.list_task_progress():
            backend.clear_task_progress(task["task_name"])
        backend.save_profile({"id": "other", "name": "Other"})
        backend.save_query("other", {"id": "all", "name": "Everything", "jql": "order by key"})
        backend.save_profile({"id": "kafka", "jira_config": {"base_url": jira.address}})
        backend.save_query("kafka", {"id": "bugs", "name": "Bugs", "jql": "issuetype = Bug"})
        backend.save_query("kafka", {"id": "12w", "name": "12 weeks", "jql": "project = K"})
        forecast = {"forecast_value": 4.5, "forecast_range": {"lower": 4, "upper": 5}}
        now = Week.of(backend.now())
        for week, days in ((now - 1, 4.0), (now, 5)):
            backend.patch_metrics(
                *("kafka", "12w", week, "dora"),
                {"lead_time_days": days},
                {"lead_time_days": forecast},
            )
        yield backend


@pytest.fixture
def tab(chromium: Chromium, dashboard: str, store: PersistenceBackend) -> Iterator[Tab]:
    new = chromium.open(f"{dashboard}/?profile=kafka&query=12w")
    new.wait_for_text("#badge", "No data yet")
    yield new
    new.evaluate("localStorage.clear()")
    new.navigate("about:blank")  # so that it asks the server no more


def fetch(tab: Tab, jira: JiraServer) -> None:
    """Fetch everything."""
    jira.allow(3)
    tab.click("#fetch")
    tab.wait_for_text("#badge", "6 issues, fresh")


def test_a_fetch_reports_its_progress_and_fills_the_page(
    tab: Tab, jira: JiraServer, store: PersistenceBackend
) -> None:
    """Tiles, charts and the issue in progress appear; what follows from the issues is stored."""
    tab.click("#fetch")
    tab.wait_for_text("#progress", "running: Asking Jira")
    jira.allow(1)
    tab.wait_for_text("#progress", "running: 12 weeks: 2 of 6 issues")
    jira.allow(2)
    tab.wait_for_text("#progress", "completed: 12 weeks: 6 of 6 issues, just now")
    tab.wait_for_text("#badge", "6 issues, fresh, just now")
    tab.wait_for(f"{points('cycle-times')} === 5")
    tab.wait_for(f"{bands('trend-lead_time_days')} === 1")
    assert {
        "Chart of the remaining issues by week, with their forecast",
        "Chart of the metric Lead time by week, with its forecast",
    } <= names(tab, "image")
    tab.wait_for_text("tbody", "Summary 0")
    assert "Summary 1" not in tab.evaluate("document.querySelector('tbody').textContent")
    assert tab.evaluate("document.querySelector('tbody a').href") == f"{jira.address}/browse/K-0"
    data = store.get_project_data("kafka", "12w")
    assert data is not None
    assert data["project_scope"] == {
        "total_items": 6,
        "remaining_items": 1,
        "remaining_points": 0,
    }
    [flow] = store.get_metrics_snapshots("kafka", "12w", "flow")
    assert flow["metrics"] == {"flow_velocity": 0, "flow_load": 1}


def test_only_one_process_fetches(tab: Tab, jira: JiraServer, store: PersistenceBackend) -> None:
    """Others are told by whom, as long as it lasts."""
    tab.click("#fetch")
    tab.wait_for_text("#progress", "running: Asking Jira")
    with pytest.raises(TaskRunningError), store.task("fetch-issues"):
        pass
    jira.allow(3)
    tab.wait_for_text("#badge", "6 issues, fresh")
    assert jira.searches == 1


def test_a_fetch_can_be_cancelled(tab: Tab, jira: JiraServer, store: PersistenceBackend) -> None:
    """It ends with its next report, and stores nothing."""
    tab.click("#fetch")
    jira.allow(1)
    tab.wait_for_text("#progress", "2 of 6 issues")
    tab.click("#cancel")
    tab.wait_for_text("#progress", "cancelling")
    jira.allow(1)
    tab.wait_for_text("#progress", "cancelled")
    assert store.list_jira_caches("kafka", "12w") == []
    assert store.get_project_data("kafka", "12w") is None


def test_a_killed_worker_leaves_a_dead_task(
    tab: Tab, jira: JiraServer, store: PersistenceBackend
) -> None:
    """The other worker shows it, and the next fetch takes over."""
    tab.click("#fetch")
    jira.allow(1)
    tab.wait_for_text("#progress", "2 of 6 issues")
    task = store.get_task_progress("fetch-issues")
    assert task is not None
    assert task["owner"] is not None
    os.kill(int(task["owner"].split(":")[1]), signal.SIGKILL)
    tab.wait_for_text("#progress", "dead: 12 weeks: 2 of 6 issues")
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
    tab.wait_for_text("#progress", "failed: Jira cannot be reached, just now")
    tab.wait_for_text("#badge", "6 issues, stale")
    tab.wait_for_text("tbody", "Summary 0")


def test_a_migrated_workspace_is_shown(tab: Tab, store: PersistenceBackend) -> None:
    """Its response has a key without the address of Jira, and its histories are apart from it."""
    found = issue(1)
    changelog = found.pop("changelog")
    store.save_jira_changelogs("kafka", "12w", {"K-1": {"changelog": changelog}})
    key = jira_cache_key("project = K")
    store.save_jira_cache("kafka", "12w", key, {"issues": [found]}, HOUR)
    tab.wait_for_text("#badge", "1 issue, fresh")
    tab.wait_for(f"{points('cycle-times')} === 1")


def test_other_queries_and_profiles_can_be_picked(tab: Tab) -> None:
    """The address is that of the query, so that a page can be shared."""
    for picker, label, title, search in (
        ("#query", "Bugs", "Bugs", "?profile=kafka&query=bugs"),
        ("#profile", "Other", "Everything", "?profile=other"),
    ):
        tab.click(picker)
        tab.click_element(PICK % label)
        tab.wait_for_text("h1", title)
        assert tab.evaluate("location.search") == search


def test_another_profile_can_be_picked_where_there_is_no_query(
    tab: Tab, dashboard: str, store: PersistenceBackend
) -> None:
    """Nor is the address changed of a profile, or a query, that does not exist."""
    store.save_profile({"id": "new", "name": "New"})
    for search, title in (
        ("?profile=kafka&query=none", "Delivery"),
        ("?profile=none", "There is no such profile"),
        ("?profile=new", "There is no query in this profile yet"),
    ):
        tab.navigate(f"{dashboard}/{search}")
        tab.wait_for_text("h1", title)
        tab.click("#profile")
        tab.wait_for("document.querySelector('.dash-dropdown-option')")
        assert serious_faults(tab) == []
        assert tab.evaluate("location.search") == search
    tab.click_element(PICK % "Other")
    tab.wait_for_text("h1", "Everything")
    tab.navigate(f"{dashboard}/nowhere")
    tab.wait_for_text("h1", "There is no such page")


def test_the_keyboard_reaches_the_pickers(tab: Tab) -> None:
    """They are the first ones after the link to the start, and have the name of their label."""
    tab.wait_for("document.querySelector('#query')?.tabIndex === 0")
    focused = []
    for _ in range(4):
        tab.press("Tab", 9)
        focused.append(
            tab.evaluate("document.activeElement.id || document.activeElement.innerText")
        )
    assert focused == ["Delivery", "profile", "query", "Settings"]
    assert {"Profile kafka", "Query 12 weeks"} <= names(tab, "button")


def test_changed_settings_and_a_budget_are_shown(tab: Tab, store: PersistenceBackend) -> None:
    """Weeks are counted from the first day of the budget on."""
    data = {
        "project_scope": {"remaining_items": 4, "remaining_points": 30},
        "statistics": [
            {"date": str((Week.of(store.now()) - n).monday), "completed_items": 2}
            for n in range(1, 4)
        ],
    }
    store.save_project_data("kafka", "12w", data)
    begin = store.now() - timedelta(weeks=2)
    store.save_budget(
        "kafka",
        "12w",
        {
            "budget_total": 8000,
            "team_cost_per_week": 1000,
            "effective_from": begin.date().isoformat(),
        },
    )
    store.patch_profile("kafka", {"forecast_settings": {"deadline": "2020-01-01"}})
    tab.wait_for_text(".tiles", "4 issues")
    tab.wait_for_text(".tiles", "2 issues a week")
    tab.wait_for_text(".tiles", "after 1 Jan 2020")
    tab.wait_for_text(".tiles", "25 %")
    tab.wait_for_text("dl", "€ 2,000")
    tab.wait_for_text("dl", "6 more weeks")
    store.patch_profile("kafka", {"show_points": True})
    tab.wait_for_text(".tiles", "30 points")


def test_a_deleted_profile_is_reported(tab: Tab, store: PersistenceBackend) -> None:
    """A fetch reports that there is nothing to fetch for."""
    store.delete_profile("kafka")
    tab.click("#fetch")
    tab.wait_for_text("#progress", "failed: the query has been deleted")
    tab.wait_for_text("#badge", "No data yet")
    tab.wait_for_text("#content", "This query has been deleted.")


def test_an_empty_store_tells_how_to_begin(
    chromium: Chromium, dashboard: str, store: PersistenceBackend
) -> None:
    for profile in store.list_profiles():
        store.delete_profile(profile["id"])
    tab = chromium.open(dashboard)
    tab.wait_for_text("main", "There is no profile yet")
    store.save_profile({"id": "new"})
    tab.navigate(dashboard)
    tab.wait_for_text("main", "There is no query in this profile yet")


def test_the_theme_is_that_of_the_system_until_it_is_changed(tab: Tab) -> None:
    """The choice is kept in the browser."""
    ground = "getComputedStyle(document.body).backgroundColor"
    tab.emulate(1440, "light")
    light = tab.evaluate(ground)
    tab.emulate(1440, "dark")
    dark = tab.evaluate(ground)
    assert light != dark
    tab.click("#theme")
    assert tab.evaluate(ground) == light
    tab.navigate(tab.evaluate("location.href"))
    tab.wait_for_text("#badge", "No data yet")
    assert tab.evaluate(ground) == light
    tab.click("#theme")
    assert tab.evaluate(ground) == dark


def test_pages_have_no_serious_fault_of_accessibility(
    tab: Tab, dashboard: str, jira: JiraServer
) -> None:
    """They are as wide as the screen, too."""
    fetch(tab, jira)
    for width, scheme in product((360, 1440), ("light", "dark")):
        tab.emulate(width, scheme)
        for page, ready in (
            ("/?profile=kafka&query=12w", f"{points('cycle-times')} === 5"),
            ("/settings?profile=kafka", "document.querySelector('#save')"),
        ):
            tab.navigate(f"{dashboard}{page}")
            tab.wait_for(ready)
            assert (width, scheme, page, serious_faults(tab)) == (width, scheme, page, [])
            assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_the_demo_is_shown_with_a_jira(chromium: Chromium, tmp_path: Path) -> None:
    """The command of the README creates the workspace, and its Jira finds the issues of that."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    unset = ("BURNDOWN_DATABASE_URL", "BURNDOWN_PROFILES_DIR")
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment |= {"PYTHONPATH": str(ROOT), "PORT": str(port)}
    command = [sys.executable, "-m", "examples.dashboard"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as running:
        try:
            assert running.stderr is not None
            next(line for line in running.stderr if b"Running on" in line)
            tab = chromium.open(f"http://127.0.0.1:{port}")
            tab.wait_for_text("#badge", "150 issues, fresh, 2 h ago")
            tab.click("#fetch")
            tab.wait_for_text("#progress", "completed: Last 12 weeks: 150 of 150 issues")
            tab.wait_for_text("#badge", "150 issues, fresh, just now")
        finally:
            running.kill()


def test_the_dashboard_is_short() -> None:
    """What every dashboard needs is in the package: 350 lines are left, without the layout.

    The documentation has the number of each module.
    """
    lines = {each.name: count_lines(each) for each in (ROOT / "examples/dashboard").glob("*.py")}
    assert sum(lines.values()) <= 350
    rows = re.findall(r"^\| \[(\w+\.py)\].*?\| (\d+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert {name: int(number) for name, number in rows} == {
        name: number for name, number in lines.items() if not name.startswith("__")
    }


def count_lines(path: Path) -> int:
    """Return the lines of a module that are neither empty nor documentation."""
    source = path.read_text("utf-8")
    documented = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    )
    docstrings = {
        line
        for node in documented
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    return sum(
        bool(line.strip()) and number not in docstrings and not line.lstrip().startswith("#")
        for number, line in enumerate(source.splitlines(), 1)
    )

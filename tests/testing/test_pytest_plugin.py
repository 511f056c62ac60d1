"""The fixtures of the plugin in a project of its own, in which pytest finds them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.support.pytest_runs import OPTIONS, environment_of_a_user, run_pytest

ROOT = Path(__file__).parent.parent.parent
TESTS = """
import pytest

from burndown import get_backend, profile_manager, query_manager
from burndown.persistence.json_backend import JSONBackend
from burndown.testing import make_profile, make_query, make_response


@pytest.mark.parametrize("number", range(3))
def test_a_store_is_empty_and_in_use(burndown_backend, number):
    assert get_backend() is burndown_backend
    assert burndown_backend.list_profiles() == []
    assert profile_manager.create_profile("Team") == "team"


@pytest.mark.parametrize("number", range(2))
def test_every_storage_is_empty_and_in_use(burndown_store, number):
    assert get_backend() is burndown_store
    assert burndown_store.list_profiles() == []
    burndown_store.save_profile(make_profile())


def test_the_clock_governs_the_managers_and_expiries(burndown_store, burndown_clock):
    burndown_store.save_profile(make_profile())
    burndown_store.save_query("kafka", make_query())
    burndown_store.save_jira_cache(
        "kafka", "12w", "k", make_response(), burndown_clock.now.replace(hour=10)
    )
    burndown_clock.tick(minutes=59)
    assert burndown_store.get_jira_cache("kafka", "12w", "k") == make_response()
    burndown_clock.tick(minutes=1)
    assert burndown_store.get_jira_cache("kafka", "12w", "k") is None
    query_manager.switch_query("kafka", "12w")
    assert query_manager.get_active_query()["last_used"] == "2026-01-05T10:00:00+00:00"


def test_the_parameter_names_the_storage(burndown_store, request):
    assert isinstance(burndown_store, JSONBackend) == (
        request.node.callspec.params["burndown_store"] == "json"
    )


@pytest.mark.parametrize("number", range(2))
def test_the_sample_is_complete_and_can_be_changed(burndown_demo, burndown_backend, number):
    assert burndown_demo is burndown_backend is get_backend()
    assert profile_manager.get_active_profile()["id"] == "kafka"
    states = {
        (profile["id"], each["query_id"]): each["state"]
        for profile in burndown_demo.list_profiles()
        for each in burndown_demo.query_status(profile["id"])
    }
    assert states == {
        ("kafka", "12w"): "fresh",
        ("kafka", "bugs"): "stale",
        ("p_b5d960ef1471", "q_ac7ce01bbf50"): "stale",
    }
    for ids in states:
        assert burndown_demo.get_metrics_snapshots(*ids)
        assert burndown_demo.get_project_data(*ids)
        assert burndown_demo.list_jira_changelogs(*ids)
    assert burndown_demo.get_budget("kafka", "12w")
    assert burndown_demo.get_task_progress("fetch-issues")
    profile_manager.delete_profile("kafka")


def test_two_stores_of_a_test_are_two(burndown_demo, burndown_store):
    assert get_backend() is burndown_store
    assert burndown_store.list_profiles() == []
    assert len(burndown_demo.list_profiles()) == 2


@pytest.mark.parametrize(
    "number, burndown_store", [(1, "json"), (2, "json")], indirect=["burndown_store"]
)
def test_a_test_can_choose_storages(burndown_store, number):
    assert isinstance(burndown_store, JSONBackend)


def test_the_backend_can_be_closed(burndown_backend):
    burndown_backend.close()
    assert burndown_backend.list_profiles() == []


def test_nothing_is_in_use_without_a_fixture(tmp_path, monkeypatch):
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", str(tmp_path / "own.db"))
    get_backend().set_app_state("k", "v")
    assert (tmp_path / "own.db").exists()
    from burndown import set_backend

    set_backend(None)
"""
MISUSED = """
import unittest

import pytest


def test_dynamic(request):
    request.getfixturevalue("burndown_store")


@pytest.mark.usefixtures("burndown_store")
class TestCase(unittest.TestCase):
    def test_method(self):
        pass


@pytest.mark.parametrize("burndown_store", ["postgresql", "files"], indirect=True)
def test_storages(burndown_store):
    pass
"""
REVERSED = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"


def start_pytest(folder: Path, *options: str, **environment: str) -> str:
    """Start pytest as a user does, and return its output."""
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *options],
        cwd=folder,
        env=environment_of_a_user() | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout + found.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a project with tests."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "test_project.py").write_text(TESTS, "utf-8")
    return folder


def test_the_fixtures_work(project: Path) -> None:
    assert " 19 passed" in run_pytest(project, "-W", "error")


def test_the_fixtures_work_in_another_order_and_in_parallel(project: Path) -> None:
    (project / "conftest.py").write_text(REVERSED, "utf-8")
    assert " 19 passed" in start_pytest(project, "-W", "error", "-n", "2")


def test_a_server_adds_a_storage(project: Path, postgres_url: str) -> None:
    """Named by an option or by the environment. Its tests leave no schema behind."""
    server = make_url(postgres_url).set(drivername="postgresql")
    some = ("-k", "every_storage")
    for output, count in (
        (run_pytest(project, "--burndown-postgresql", postgres_url), 24),
        (run_pytest(project, *some, BURNDOWN_TEST_DATABASE_URL=postgres_url), 6),
    ):
        assert f" {count} passed" in output
        with psycopg.connect(server.render_as_string(hide_password=False)) as connection:
            schemas = connection.execute("SELECT nspname FROM pg_namespace").fetchall()
        assert [name for [name] in schemas if "burndown" in name] == []


def test_a_misuse_of_the_storages_is_explained(project: Path) -> None:
    (project / "test_project.py").write_text(MISUSED, "utf-8")
    output = run_pytest(project, "-rs")
    assert "1 failed, 1 skipped, 2 errors" in output
    found = re.findall("^burndown_store should be an argument of a test", output, re.MULTILINE)
    assert len(found) == 2
    assert "storage should be sqlite, json or postgresql, got 'files'" in output
    assert "needs a server: --burndown-postgresql URL" in output


def test_the_list_of_fixtures_describes_them(project: Path) -> None:
    listed = run_pytest(project, "--fixtures")
    found = re.findall(r"^(burndown_\w+) -- .*\n    (.*)$", listed, re.MULTILINE)
    assert {name for name, _ in found} == {
        *("burndown_backend", "burndown_clock", "burndown_demo", "burndown_store")
    }
    assert all(description.endswith(".") for _, description in found)


def test_the_plugin_can_be_left_out(project: Path) -> None:
    output = run_pytest(project, "-p", "no:burndown", "-k", "a_store_is_empty")
    assert "fixture 'burndown_backend' not found" in output


def test_the_example_of_a_project_passes(tmp_path: Path) -> None:
    """Its contract of backends takes long, and runs in CI, with the wheel.

    The strategies make Hypothesis compute no table of a codec: in a new folder, that takes longer
    than its health check allows.
    """
    folder = tmp_path / "project"
    ignored = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(ROOT / "examples" / "tested_project", folder, ignore=ignored)
    # With CI, Hypothesis takes a machine that is busy for no failure.
    contract = "tests/test_audited_backend.py::TestAuditedBackend"
    output = start_pytest(folder, "--deselect", contract, CI="true")
    assert " 14 passed" in output
    assert [*folder.glob(".hypothesis/unicode_data/*/codec*")] == []


def test_a_run_without_the_fixtures_imports_nothing_else(project: Path) -> None:
    (project / "test_project.py").write_text("def test_nothing():\n    pass\n", "utf-8")
    (project / "conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print(*sorted(name for name in sys.modules if name.startswith('burndown')))\n",
        "utf-8",
    )
    *_, last = start_pytest(project, "-p", "no:hypothesispytest").splitlines()
    assert last.split() == ["burndown", "burndown.testing", "burndown.testing.pytest_plugin"]

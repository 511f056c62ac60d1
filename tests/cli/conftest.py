"""Workspaces for the commands, and output without colors."""

import json
import shutil
from pathlib import Path

import pytest

from burndown.cli import run
from burndown.demo import write_demo_workspace
from tests.support.command_line import CANARY
from tests.support.legacy_workspaces import write


@pytest.fixture(autouse=True)
def _plain_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make colors and widths independent of the terminal of the caller."""
    for variable in (
        *("COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TERM"),
        *("TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    ):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def legacy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a small workspace of the old dashboard; return its root, to be copied."""
    root = tmp_path_factory.mktemp("legacy")
    write_demo_workspace(root, issues=12)
    path = root / "profiles/kafka/profile.json"
    profile = json.loads(path.read_text("utf-8"))
    profile["jira_config"]["token"] = CANARY
    path.write_text(json.dumps(profile), "utf-8")
    below = "profiles/zh/queries/offen"
    files = {
        "profiles/zh/profile.json": {"name": "Zürich ✓ 中"},
        f"{below}/query.json": {"name": "Offene Vorgänge ✓", "jql": "assignee = 'Jürg ✓'"},
        f"{below}/project_data.json": {"total_items": 40, "metadata": {}},  # the oldest form
    }
    write(files, root)
    return root


@pytest.fixture(scope="session")
def migrated(legacy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate a copy of that workspace; return its root, to be copied."""
    root = tmp_path_factory.mktemp("migrated") / "root"
    shutil.copytree(legacy, root)
    assert run(["migrate", "--json", "--profiles", str(root / "profiles")]) == 0
    return root


@pytest.fixture
def old(legacy: Path, tmp_path: Path) -> Path:
    """Copy a workspace that has not been migrated to the current folder."""
    shutil.copytree(legacy, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def workspace(migrated: Path, tmp_path: Path) -> Path:
    """Copy a migrated workspace to the current folder."""
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    return tmp_path

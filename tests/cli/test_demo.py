"""The command demo."""

import re
import shutil
from pathlib import Path

import pytest

from burndown import (
    SQLiteBackend,
)
from tests.support.command_line import Capture, files_below, printed, refused


def test_demo_creates_a_workspace_and_prints_it(capsys: Capture, tmp_path: Path) -> None:
    """The old files and the database are there, and the printed data is in it."""
    output = printed(capsys, "demo", "new", "--issues", "7")
    assert (tmp_path / "new/profiles/profiles.json").exists()
    with SQLiteBackend(tmp_path / "new/profiles/burndown.db") as backend:
        profiles = backend.list_profiles()
        assert len(profiles) == 2
        for profile in profiles:
            assert f"{profile['name']} ({profile['id']})" in output
            for query in backend.list_queries(profile["id"]):
                assert query["name"] in output
        [cache] = backend.list_jira_caches("kafka", "12w")
        assert cache["issue_count"] == 7
        assert backend.get_budget("kafka", "12w") is not None
    assert re.search("fetch-issues .* completed .* 7 of 7 issues", output)
    for heading in ("Moved ", "Converted", "Skipped"):
        assert f"\n{heading}" in output


def test_demo_accepts_an_empty_folder_and_has_a_default(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "burndown-demo").mkdir()
    printed(capsys, "demo", "--issues", "1")
    assert (tmp_path / "burndown-demo/profiles/burndown.db").exists()


def test_demo_refuses_a_folder_that_is_not_empty(capsys: Capture, tmp_path: Path) -> None:
    """It may have a hidden file, or be an earlier demo."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/.hidden").write_text("mine")
    printed(capsys, "demo", "earlier", "--issues", "1")
    before = files_below(tmp_path)
    for folder in ("mine", "earlier", str(tmp_path / "mine"), "mine/.hidden"):
        assert "already exists; choose another folder" in refused(capsys, "demo", folder)
    assert files_below(tmp_path) == before


def test_demo_does_not_touch_the_workspace_of_the_settings(
    capsys: Capture, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its database is its own one, next to its files."""
    before = files_below(workspace)
    monkeypatch.setenv("BURNDOWN_PROFILES_DIR", str(workspace / "profiles"))
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", str(workspace / "profiles/burndown.db"))
    printed(capsys, "demo", "new", "--issues", "1")
    shutil.rmtree(workspace / "new")
    assert files_below(workspace) == before

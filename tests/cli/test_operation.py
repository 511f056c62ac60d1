"""``burndown init`` and ``burndown health``."""

from pathlib import Path

import pytest

from burndown import SQLiteBackend, open_backend
from burndown.cli.exit_codes import ExitCode
from burndown.models import SCHEMA_VERSION
from tests.support.command_line import Capture, files_below, in_json, printed, refused
from tests.support.database_files import contents
from tests.support.kept_databases import copy_of


@pytest.mark.parametrize("location", ["new.db", "json:files"])
def test_init_creates_an_empty_store_once(capsys: Capture, location: str, tmp_path: Path) -> None:
    """The second time, it changes nothing."""
    assert in_json(capsys, "init", "--database", location)["created"]
    with open_backend(location, read_only=True) as backend:
        assert backend.exists()
        assert backend.list_profiles() == []
    before = contents(tmp_path)
    found = in_json(capsys, "init", "--database", location)
    assert not found["created"]
    assert found["schema_version"] == SCHEMA_VERSION
    assert contents(tmp_path) == before


def test_init_keeps_what_is_stored(capsys: Capture, workspace: Path) -> None:
    """It says that there is a store."""
    assert printed(capsys, "init").startswith("There is a store at ")
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        assert len(backend.list_profiles()) == 3


def test_health_describes_the_store(capsys: Capture, workspace: Path) -> None:
    """A task runs as long as its lease."""
    with SQLiteBackend(workspace / "profiles/burndown.db") as backend:
        backend.save_task_progress("report", 10, "running")
        with backend.task("fetch"):
            found = in_json(capsys, "health")
    assert found["profiles"] == 3
    assert found["running_tasks"] == ["fetch"]
    assert found["is_current"]
    assert in_json(capsys, "health")["running_tasks"] == []
    assert f"Schema version {SCHEMA_VERSION}, 3 profiles" in printed(capsys, "health")


def test_health_upgrades_nothing(capsys: Capture, tmp_path: Path) -> None:
    """It says that the schema is that of an earlier release."""
    copy_of("1.6", tmp_path / "old.db")
    before = contents(tmp_path)
    assert "earlier release" in printed(capsys, "health", "--database", "old.db")
    assert contents(tmp_path) == before


def test_health_tells_apart_why_a_store_cannot_be_used(capsys: Capture, tmp_path: Path) -> None:
    """The exit code does, for programs that start containers."""
    refused(capsys, "health", code=ExitCode.NOT_FOUND)
    away = "postgresql://user@127.0.0.1:1/db"
    refused(capsys, "health", "--database", away, code=ExitCode.UNAVAILABLE)
    (tmp_path / "damaged.db").write_bytes(b"no database" * 1000)
    refused(capsys, "health", "--database", "damaged.db", code=ExitCode.DAMAGED)
    assert [path.name for path in files_below(tmp_path)] == ["damaged.db"]

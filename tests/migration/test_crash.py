"""A migration that is killed, or started twice, ends with a complete database."""

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from burndown import get_backend
from burndown.database import SQLiteDatabase
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed
from tests.support.database_rows import everything
from tests.support.legacy_workspaces import files_without_database
from tests.support.processes import FRESH, PATIENCE, count_calls, killed_at, needs_fork, run_all

KILLS = [8, pytest.param(100, marks=pytest.mark.soak)]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Create a sample workspace, to be copied."""
    folder = tmp_path / "sample"
    write_demo_workspace(folder, issues=5)
    return folder


def migrate(workspace: Path) -> str:
    """Migrate with a database object of its own; return the outcome."""
    database = SQLiteDatabase(workspace / "profiles" / "burndown.db")
    try:
        return run_migration_if_needed(workspace / "profiles", database).outcome
    finally:
        database.close()


@needs_fork
@pytest.mark.parametrize("kills", KILLS)
def test_after_a_kill_at_any_point_the_next_start_succeeds(
    workspace: Path, tmp_path: Path, kills: int
) -> None:
    """The old files are unchanged, the database is complete, and there is one backup."""
    migrate(shutil.copytree(workspace, tmp_path / "warm"))  # fills caches, which costs calls once
    whole = shutil.copytree(workspace, tmp_path / "whole", copy_function=shutil.copy2)
    calls = count_calls(partial(migrate, whole))
    expected = everything(whole / "profiles" / "burndown.db")
    before = {
        path.relative_to(workspace): data
        for path, data in files_without_database(workspace).items()
    }
    for number in range(kills):
        killed = shutil.copytree(workspace, tmp_path / "killed", copy_function=shutil.copy2)
        killed_at(partial(migrate, killed), 1 + calls * number // (kills + 1))
        assert migrate(killed) in ("migrated", "already migrated")
        assert everything(killed / "profiles" / "burndown.db") == expected
        old_files = {
            path.relative_to(killed): data for path, data in files_without_database(killed).items()
        }
        assert before.items() <= old_files.items()
        assert not list((killed / "profiles").glob("*.migrating*"))
        assert len([path for path in (killed / "backups").iterdir() if not path.suffix]) == 1
        shutil.rmtree(killed)


def test_of_several_processes_one_migrates_and_the_others_wait(workspace: Path) -> None:
    """Each of them then finds the migrated database."""
    start, outcomes = FRESH.Barrier(4), FRESH.SimpleQueue()
    run_all(FRESH, migrate_together, *[(workspace, start, outcomes)] * 4)
    found = sorted(outcomes.get() for _ in range(4))
    assert found == ["already migrated"] * 3 + ["migrated"]


def migrate_together(workspace: Path, start: Any, outcomes: Any) -> None:
    os.chdir(workspace)
    start.wait(PATIENCE)
    outcomes.put(run_migration_if_needed().outcome)
    assert get_backend().get_profile("kafka")

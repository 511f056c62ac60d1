"""Upgrades that are killed, or started by several processes."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from burndown import SQLiteBackend
from burndown.database import SQLiteDatabase
from burndown.models import SCHEMA_VERSION
from tests.data.schemas.generate import issue, records
from tests.support.database_rows import everything
from tests.support.processes import count_calls, killed_at

KILLS, SOAK_KILLS, SOAK_RACES = 5, 300, 100
ISSUES = 1000
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a database of version 1.0 with many cached issues."""
    path = tmp_path_factory.mktemp("large") / "burndown.db"
    with SQLiteBackend(path) as backend, backend.transaction():
        backend.save_profile({"id": "p"})
        for number in range(10):
            updated_at = "2025-12-01T10:00:00+00:00" if number % 2 else None
            backend.save_query("p", {"id": f"q{number}", "updated_at": updated_at})
            issues = [issue(each) for each in range(ISSUES // 10)]
            response = {"issues": issues, "total": ISSUES}
            backend.save_jira_cache("p", f"q{number}", "k", response, LATER)
            histories = {each["key"]: {"histories": [each]} for each in issues}
            backend.save_jira_changelogs("p", f"q{number}", histories)
    SQLiteDatabase(path).change_version("1.0")
    for backup in path.parent.glob("*.backup"):
        backup.unlink()
    return path


def copied(large: Path, folder: Path) -> Path:
    """Copy the database to an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Path(shutil.copy(large, folder / "burndown.db"))


def opened(path: Path) -> None:
    with SQLiteBackend(path) as backend:
        backend.list_profiles()


def check_after_a_kill(path: Path, whole: object) -> None:
    """Check that the old version or the new one is there, and that opening it gives all values."""
    with SQLiteBackend(path) as backend:
        assert backend.database.schema_version() in ("1.0", SCHEMA_VERSION)
        assert records(backend) == whole
        assert backend.database.schema_version() == SCHEMA_VERSION
        assert backend.check_integrity() == (True, [])
    assert not list(path.parent.glob(".burndown-*"))
    assert list(path.parent.glob("*.backup"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_after_a_kill_at_any_point_the_next_opening_succeeds(large: Path, tmp_path: Path) -> None:
    opened(copied(large, tmp_path / "warm"))  # fills caches, which costs calls once
    whole = copied(large, tmp_path / "whole")
    calls = count_calls(partial(opened, whole))
    with SQLiteBackend(whole) as backend:
        expected = records(backend)
    for number in range(KILLS):
        killed = copied(large, tmp_path / "killed")
        killed_at(partial(opened, killed), 1 + calls * number // (KILLS + 1))
        check_after_a_kill(killed, expected)


PROGRAM = """
import sys
from burndown import SQLiteBackend
with SQLiteBackend(sys.argv[1]) as backend:
    print("ready", flush=True)
    sys.stdin.readline()
    assert [profile["id"] for profile in backend.list_profiles()] == ["p"]
    assert len(backend.list_queries("p")) == 10
    print(backend.database.schema_version())
"""


def start(path: Path) -> "subprocess.Popen[str]":
    """Start a process that is about to open the database."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def race(path: Path) -> None:
    """Open it in two processes; one of them upgrades it, with one copy."""
    before = everything(path)
    processes = [start(path), start(path)]
    for process in processes:
        go(process)
    assert [process.communicate()[0] for process in processes] == [f"{SCHEMA_VERSION}\n"] * 2
    assert [process.returncode for process in processes] == [0, 0]
    [backup] = path.parent.glob("*.backup")
    assert everything(backup) == before


def test_of_two_processes_one_upgrades_and_the_other_waits(large: Path, tmp_path: Path) -> None:
    race(copied(large, tmp_path / "race"))


# --- long runs ---------------------------------------------------------------------------------


@pytest.mark.soak
def test_many_processes_killed_at_random(large: Path, tmp_path: Path) -> None:
    """Kills happen by the clock, so that they hit the code of SQLite too."""
    whole = copied(large, tmp_path / "whole")
    with SQLiteBackend(whole) as backend:
        expected = records(backend)
    timestamps = random.Random(1)
    longest = seconds_of_an_upgrade(copied(large, tmp_path / "timed"))
    left_behind = Counter[str]()
    while left_behind.total() < SOAK_KILLS:
        killed = copied(large, tmp_path / "killed")
        with start(killed) as process:
            go(process)
            time.sleep(timestamps.uniform(0, longest))
            is_over = process.poll() is not None
            process.kill()
        if not is_over:
            left_behind[str(SQLiteDatabase(killed).schema_version())] += 1
        check_after_a_kill(killed, expected)
    print(dict(left_behind))  # noqa: T201 - what the run is for


def seconds_of_an_upgrade(path: Path) -> float:
    with start(path) as process:
        assert process.stdout is not None
        started = time.perf_counter()
        go(process)
        assert process.stdout.readline() == f"{SCHEMA_VERSION}\n"
        return time.perf_counter() - started


@pytest.mark.soak
def test_many_races(large: Path, tmp_path: Path) -> None:
    for _ in range(SOAK_RACES):
        race(copied(large, tmp_path / "race"))

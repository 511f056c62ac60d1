"""A task is held by one process at a time, however many of them are killed."""

import fcntl
import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from burndown import PersistenceBackend, TaskRunningError, open_backend
from tests.support.processes import PATIENCE, needs_fork, needs_kill, start_fresh

pytestmark = [needs_kill, needs_fork]

START = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=30)
WORKERS = 3
KILLS = [4, pytest.param(200, marks=pytest.mark.soak)]


def work(location: str, folder: Path) -> None:
    """Take the task again and again; fail if another process has it meanwhile."""
    backend = open_backend(location)
    backend._clock = lambda: datetime.fromisoformat((folder / "clock").read_text())
    alone = os.open(folder / "alone", os.O_CREAT | os.O_RDWR)  # the kernel unlocks it after a kill
    with (folder / "output").open("a", buffering=1) as output:
        while True:
            try:
                with backend.task("fetch", LEASE) as task:
                    fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    for percent in range(20):
                        task.progress(percent)
                        task.renew()
                    fcntl.flock(alone, fcntl.LOCK_UN)
                    output.write(f"{task.owner}\n")
            except TaskRunningError:
                time.sleep(0.001)


@pytest.fixture(params=["sqlite", "json", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"json:{tmp_path / 'files'}" if request.param == "json" else str(tmp_path / "b.db")


class Clock:
    """A clock in a file, which stands still until the test sets it: no process is too slow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._now = START
        self.add(timedelta())

    def __call__(self) -> datetime:
        return self._now

    def add(self, passed: timedelta) -> None:
        self._now += passed
        written = self._path.with_suffix(".new")
        written.write_text(self._now.isoformat())
        written.replace(self._path)


def owners_of(backend: PersistenceBackend) -> Iterator[Any]:
    """Yield the task, whenever it is asked for, until the test takes too long."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        yield backend.get_task_progress("fetch")
    pytest.fail("nobody has taken the task")


@pytest.mark.parametrize("kills", KILLS)
def test_one_process_at_a_time_holds_a_task(tmp_path: Path, location: str, kills: int) -> None:
    """The one that holds it is killed; it is dead after its lease, and another one takes it."""
    clock, chance = Clock(tmp_path / "clock"), random.Random(1)
    with open_backend(location) as backend:
        backend._clock = clock
        backend.list_profiles()
        started = [start_fresh(work, location, tmp_path) for _ in range(WORKERS)]
        workers = {process.pid: process for process in started}
        try:
            for _ in range(kills):
                found = next(each for each in owners_of(backend) if holder(each) in workers)
                time.sleep(chance.uniform(0, 0.02))  # when, not whether: any time is right
                process = workers.pop(holder(found))
                process.kill()
                process.join(PATIENCE)
                assert process.exitcode == -signal.SIGKILL
                before = backend.get_task_progress("fetch")
                if before is not None and holder(before) == process.pid:  # it had not ended it
                    assert before["status"] == "running"
                    clock.add(LEASE)
                    after = backend.get_task_progress("fetch")
                    assert after is not None
                    assert after["status"] == "dead" or after["owner"] != before["owner"]
                new = start_fresh(work, location, tmp_path)
                workers[new.pid] = new
            next(each for each in owners_of(backend) if holder(each) in workers)
            assert {process.exitcode for process in workers.values()} == {None}
        finally:
            for process in workers.values():
                process.kill()
                process.join(PATIENCE)
    held = (tmp_path / "output").read_text().splitlines()
    assert len(held) == len(set(held))


def holder(task: Any) -> int | None:
    """Return the process that holds a task."""
    if task is None or task["lease_until"] is None:
        return None
    return int(task["owner"].split(":")[1])

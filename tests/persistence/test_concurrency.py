"""Concurrent calls lose nothing, in threads and in processes, even if some are killed."""

import multiprocessing
import os
import signal
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend, open_backend
from tests.support.processes import FRESH, PATIENCE, needs_fork, needs_kill, run_all, start_fresh


def count_up(backend: SQLiteBackend, times: int) -> None:
    for _ in range(times):
        with backend.transaction():
            count = int(backend.get_app_state("count") or 0)
            backend.set_app_state("count", str(count + 1))


def count_up_in(path: Path, times: int) -> None:
    with SQLiteBackend(path) as backend:
        count_up(backend, times)


def count_up_in_threads(path: Path, threads: int, times: int) -> None:
    with SQLiteBackend(path) as backend, ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(count_up, backend, times) for _ in range(threads)]:
            done.result(PATIENCE)


def test_ten_threads_that_count_lose_nothing(backend: SQLiteBackend) -> None:
    with ThreadPoolExecutor(10) as pool:
        for done in [pool.submit(count_up, backend, 30) for _ in range(10)]:
            done.result(PATIENCE)
    assert backend.get_app_state("count") == "300"


def test_ten_threads_read_consistent_states_while_another_writes(backend: SQLiteBackend) -> None:
    backend.save_profile({"id": "p", "description": "0", "count": 0})

    def write(times: int) -> None:
        for number in range(1, times):
            backend.save_profile({"id": "p", "description": str(number), "count": number})

    def read(times: int) -> None:
        last = 0
        for _ in range(times):
            profile: Any = backend.get_profile("p")
            assert profile["description"] == str(profile["count"])
            assert profile["count"] >= last
            last = profile["count"]

    with ThreadPoolExecutor(11) as pool:
        work = [pool.submit(write, 100), *(pool.submit(read, 50) for _ in range(10))]
        for done in work:
            done.result(PATIENCE)


def test_four_processes_that_count_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "burndown.db"
    run_all(FRESH, count_up_in, *[(path, 100)] * 4)
    with SQLiteBackend(path) as backend:
        assert backend.get_app_state("count") == "400"
        assert backend.database.check_integrity() == (True, [])


def add_revisions_in(location: str, writer: int, times: int) -> None:
    with open_backend(location) as backend:
        for number in range(times):
            backend.add_budget_revision("p", "q", {"reason": f"{writer} {number}"})


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "json"])
def test_revisions_of_four_processes_lose_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    locations = {"sqlite": str(tmp_path / "burndown.db"), "json": f"json:{tmp_path / 'profiles'}"}
    location = locations.get(kind) or request.getfixturevalue("postgres_url")
    with open_backend(location) as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        backend.save_budget("p", "q", {})
        run_all(FRESH, add_revisions_in, *[(location, writer, 10) for writer in range(4)])
        budget = backend.get_budget("p", "q")
    assert budget is not None
    reasons = [each["reason"] for each in budget["revisions"]]
    assert sorted(reasons) == sorted(f"{writer} {n}" for writer in range(4) for n in range(10))


def test_threads_of_four_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "burndown.db"
    run_all(FRESH, count_up_in_threads, *[(path, 3, 20)] * 4)
    with SQLiteBackend(path) as backend:
        assert backend.get_app_state("count") == "240"


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes_use_the_backend_of_their_parent(backend: SQLiteBackend) -> None:
    count_up(backend, 10)
    run_all(multiprocessing.get_context("fork"), count_up, *[(backend, 30)] * 4)
    count_up(backend, 10)
    assert backend.get_app_state("count") == "140"
    assert backend.database.check_integrity() == (True, [])


# --- first use -------------------------------------------------------------------------------

OPENINGS = 8


def _open_each(folder: Path, start: Any, number: int) -> None:
    try:
        for opening in range(OPENINGS):
            start.wait(PATIENCE)
            with SQLiteBackend(folder / str(opening) / "burndown.db") as backend:
                backend.save_profile({"id": f"p{number}"})
                assert backend.get_app_state("schema_version") is not None
    except BaseException:
        start.abort()  # so that the others do not wait for this one
        raise


def test_eight_processes_that_create_the_database_all_succeed(tmp_path: Path) -> None:
    start = FRESH.Barrier(8)
    run_all(FRESH, _open_each, *[(tmp_path, start, number) for number in range(8)])
    for opening in range(OPENINGS):
        with SQLiteBackend(tmp_path / str(opening) / "burndown.db") as backend:
            assert {profile["id"] for profile in backend.list_profiles()} == {
                f"p{number}" for number in range(8)
            }
            assert backend.database.check_integrity() == (True, [])


def test_ten_threads_that_create_the_database_all_succeed(tmp_path: Path) -> None:
    for opening in range(10):
        with SQLiteBackend(tmp_path / f"{opening}.db") as backend, ThreadPoolExecutor(10) as pool:
            for done in [pool.submit(backend.set_app_state, str(n), "x") for n in range(10)]:
                done.result(PATIENCE)
            assert all(backend.get_app_state(str(number)) == "x" for number in range(10))


# --- kills -----------------------------------------------------------------------------------


def _write_until_killed(path: Path, acknowledge: Any) -> None:
    backend = SQLiteBackend(path)
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    for number in range(1, sys.maxsize):
        with backend.transaction():
            backend.set_app_state("one", str(number))
            backend.save_jira_changelog("p", "q", f"K-{number}", {"number": number})
            backend.set_app_state("other", str(number))
        acknowledge.send(number)


@needs_kill
@pytest.mark.parametrize("after", [1, 20, 150])
def test_acknowledged_writes_survive_a_kill(tmp_path: Path, after: int) -> None:
    path = tmp_path / "burndown.db"
    receiver, sender = FRESH.Pipe(duplex=False)
    writer = start_fresh(_write_until_killed, path, sender)
    sender.close()
    acknowledged = 0
    try:
        while acknowledged < after:
            assert receiver.poll(PATIENCE)
            acknowledged = receiver.recv()
    finally:
        os.kill(writer.pid, signal.SIGKILL)  # type: ignore[arg-type]
    try:
        while True:
            acknowledged = receiver.recv()
    except EOFError:
        pass
    writer.join(PATIENCE)
    assert writer.exitcode == -signal.SIGKILL

    with SQLiteBackend(path) as backend:
        one, other = backend.get_app_state("one"), backend.get_app_state("other")
        assert one is not None
        assert one == other
        last = int(one)
        assert last in (acknowledged, acknowledged + 1)
        found = backend.get_jira_changelogs("p", "q")
        assert found == {f"K-{n}": {"number": n} for n in range(1, last + 1)}
        assert backend.database.check_integrity() == (True, [])
        count_up(backend, 1)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def _die_within_a_transaction(path: Path) -> None:
    backend = SQLiteBackend(path)
    with backend.transaction():
        backend.delete_profile("p")
        backend.set_app_state("count", "1")
        os.kill(os.getpid(), signal.SIGKILL)


@needs_kill
def test_a_kill_within_a_transaction_rolls_it_back(backend: SQLiteBackend, tmp_path: Path) -> None:
    backend.save_profile({"id": "p"})
    process = start_fresh(_die_within_a_transaction, tmp_path / "burndown.db")
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    assert backend.get_profile("p") is not None
    assert backend.get_app_state("count") is None
    count_up(backend, 1)
    assert backend.database.check_integrity() == (True, [])

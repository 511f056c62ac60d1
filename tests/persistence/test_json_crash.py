"""Changes to several files are atomic, whatever interrupts them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from burndown.errors import StorageError
from burndown.migration import run_migration_if_needed
from burndown.models import Entity
from burndown.persistence.json_backend import JSONBackend
from burndown.persistence.sqlite_backend import SQLiteBackend
from burndown.testing.controlled_store import stored_records
from tests.support.legacy_workspaces import files_without_locks
from tests.support.processes import count_calls, killed_at

KILLS = [8, pytest.param(100, marks=pytest.mark.soak)]
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a folder with two profiles, a query and its data."""
    folder = tmp_path / "sample" / "profiles"
    with JSONBackend(folder, clock=lambda: LATER) as backend:
        for profile_id in ("p", "r"):
            backend.save_profile({"id": profile_id})
            backend.save_query(profile_id, {"id": "q"})
            backend.save_jira_cache(profile_id, "q", "k", {"issues": []}, LATER)
            backend.save_metrics_snapshot(profile_id, "q", "2025-W12", "dora", {"k": 1})
    return folder


def change(backend: JSONBackend) -> None:
    """Add, replace, remove and create again in one transaction."""
    with backend.transaction():
        backend.save_profile({"id": "new"})
        backend.save_query("new", {"id": "q"})
        backend.save_jira_cache("p", "q", "other", {"issues": [1]}, LATER)
        with suppress(LookupError), backend.transaction():
            backend.delete_profile("p")
            raise LookupError
        backend.delete_profile("r")
        backend.save_profile({"id": "r", "name": "again"})
        backend.set_app_state("key", "value")


def change_once(backend: JSONBackend) -> None:
    """Change several files in one call."""
    backend.save_profile({"id": "r", "name": "again"})


def reopened(folder: Path) -> dict[type[Entity], list[str]]:
    return stored_records(JSONBackend(folder, clock=lambda: LATER))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize("kind", [change, change_once])
def test_after_a_kill_at_any_point_a_change_is_complete_or_absent(
    folder: Path, tmp_path: Path, kind: Callable[[JSONBackend], None], kills: int
) -> None:
    """The next process, whether it reads, writes or migrates, sees the state before or after."""

    def run(where: Path) -> Callable[[], None]:
        return lambda: kind(JSONBackend(where, clock=lambda: LATER))

    def copied(name: str) -> Path:
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        shutil.copytree(folder.parent, tmp_path / name, symlinks=True)
        return tmp_path / name / "profiles"

    run(copied("warm"))()  # fills caches, which costs calls once
    before = reopened(folder)
    whole = copied("whole")
    calls = count_calls(run(whole))
    after = reopened(whole)
    assert before != after
    outcomes = []
    for number in range(kills):
        killed = copied("killed")
        killed_at(run(killed), 1 + calls * (number * number) // (kills * kills))
        if number % 3 == 0:
            killed_at(lambda: reopened(killed), 400)  # noqa: B023 - called immediately
        if number % 3 == 1:
            with SQLiteBackend(killed.parent / "b.db") as database:
                run_migration_if_needed(killed, database.database)
                found = stored_records(database)
        else:
            found = reopened(killed)
        assert found in (before, after)
        outcomes.append(found == after)
        run(killed)()
        assert reopened(killed) == after
        assert not (killed / ".burndown-work").exists()
    assert not outcomes[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_a_kill_while_files_are_moved_is_completed_by_the_next_process(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    """After some or all steps of the commit, even if the next process is killed as well."""
    before = reopened(folder)
    steps = 0
    real = Path.replace, Path.rename

    def stepping(at: int) -> None:
        nonlocal steps
        steps = 0

        def step(which: int) -> Callable[..., Any]:
            def moved(path: Path, target: Path) -> Path:
                nonlocal steps
                steps += 1
                if steps == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real[which](path, target)

            return moved

        monkeypatch.setattr(Path, "replace", step(0))
        monkeypatch.setattr(Path, "rename", step(1))

    whole = tmp_path / "whole" / "profiles"
    shutil.copytree(folder.parent, whole.parent)
    stepping(0)
    change(JSONBackend(whole, clock=lambda: LATER))
    all_steps = steps
    after = reopened(whole)
    found = []
    for at in (*range(1, all_steps, every), all_steps):
        killed = tmp_path / str(at) / "profiles"
        shutil.copytree(folder.parent, killed.parent)
        for step, call in ((at, change), (2, stored_records), (1, stored_records)):
            child = os.fork()
            if child == 0:
                stepping(step)
                call(JSONBackend(killed, clock=lambda: LATER))  # type: ignore[operator]
                os._exit(0)
            os.waitpid(child, 0)
        stepping(0)
        found.append(reopened(killed))
        assert found[-1] in (before, after)
    assert found == sorted(found, key=lambda each: each == after)
    assert found[0] == before
    assert found[-1] == after


PATHS = ["", ".", "..", "../outside/bait", "p/../../outside/bait", "/outside", "p\0"]


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("key", ["stage", "removed", "written"])
def test_a_journal_with_paths_outside_of_the_folder_is_refused(
    folder: Path, key: str, name: str
) -> None:
    entry: dict[str, Any] = {"stage": "0", "removed": [], "written": []}
    entry[key] = name if key == "stage" else [name]
    refused_journal(folder, entry, "is damaged")


@pytest.mark.parametrize("link", ["p/out", ".burndown-work/0/p", ".burndown-work/removed"])
def test_a_journal_is_not_applied_through_a_link(folder: Path, link: str) -> None:
    (folder / link).parent.mkdir(parents=True, exist_ok=True)
    outside = folder.parent / "outside"
    (folder / link).symlink_to(outside)
    entry = {"stage": "0", "removed": ["r", "p/out/bait"], "written": ["p/bait"]}
    refused_journal(folder, entry, "links are not followed")


def refused_journal(folder: Path, entry: dict[str, Any], told: str) -> None:
    """Every call raises an error that names the fault of the journal, and no file is moved."""
    bait = folder.parent / "outside" / "bait"
    bait.parent.mkdir()
    bait.write_text("kept")
    journal = folder / ".burndown-work" / "journal.json"
    journal.parent.mkdir(exist_ok=True)
    journal.write_text(json.dumps(entry))
    with JSONBackend(folder) as backend, pytest.raises(StorageError, match=told):
        backend.list_profiles()
    assert [path.name for path in bait.parent.iterdir()] == ["bait"]
    assert bait.read_text() == "kept"
    assert (folder / "r" / "profile.json").exists()


def refusal(call: Callable[[JSONBackend], None], backend: JSONBackend) -> str:
    """Return the error of the call; empty if there is none."""
    try:
        call(backend)
    except StorageError as error:
        return str(error)
    return ""


def test_a_change_is_undone_after_an_error_of_the_system(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any step of moving the files; nothing is left, and the next call works."""
    real = Path.replace, Path.rename
    before = files_without_locks(folder)
    backend = JSONBackend(folder, clock=lambda: LATER)
    refused = 0
    for at in range(1, 200):
        steps = 0

        def step(which: int) -> Callable[..., Any]:
            def moved(path: Path, target: Path) -> Path:
                nonlocal steps
                if ".burndown-work" in path.parts and ".burndown-work" not in target.parts:
                    steps += 1
                    if steps == at:  # noqa: B023 - replaced in each round
                        raise OSError(28, "No space left on device", str(target))
                return real[which](path, target)

            return moved

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", step(0))
            patch.setattr(Path, "rename", step(1))
            error = refusal(change, backend)
        if not error:
            break
        refused += 1
        assert "No space left on device" in error
        assert files_without_locks(folder) == before
        backend.list_profiles()
    assert refused > 5
    assert files_without_locks(folder) != before


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt, OSError])
def test_a_transaction_that_fails_leaves_every_byte(
    folder: Path, error: type[BaseException]
) -> None:
    before = files_without_locks(folder)
    backend = JSONBackend(folder)

    def fail() -> None:
        with backend.transaction():
            change(backend)
            raise error("mine")

    with pytest.raises(error, match="mine"):
        fail()
    assert files_without_locks(folder) == before
    assert not (folder / ".burndown-work").exists()


def test_a_locked_folder_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer blocks other writers, in this process and in others, but no readers."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.1")
    backend = JSONBackend(folder)
    errors: list[BaseException] = []

    def write() -> None:
        for other in (backend, JSONBackend(folder)):
            assert other.get_app_state("key") is None
            try:
                other.set_app_state("key", "other")
            except StorageError as error:
                errors.append(error)

    with backend.transaction():
        backend.set_app_state("key", "mine")
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        with pytest.raises(StorageError, match="locked"):
            JSONBackend(folder).set_app_state("key", "other")
    assert [str(error).partition(":")[0] for error in errors] == [f"{folder} is locked"] * 2
    assert backend.get_app_state("key") == "mine"


COUNT = """
import sys, threading
from burndown.persistence.json_backend import JSONBackend

backend = JSONBackend(sys.argv[1])

def count():
    for _ in range(int(sys.argv[2])):
        with backend.transaction():
            number = int(backend.get_app_state("number") or 0)
            backend.set_app_state("number", str(number + 1))

threads = [threading.Thread(target=count) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_processes_and_threads_that_count_lose_nothing(folder: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, folder, "10"]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert JSONBackend(folder).get_app_state("number") == "60"


def test_a_reader_never_sees_half_of_a_transaction(folder: Path) -> None:
    """Two values that are changed together are equal whenever they are read."""
    backend = JSONBackend(folder)
    ended = threading.Event()
    torn: list[Any] = []

    def read() -> None:
        other = JSONBackend(folder)
        while not ended.is_set():
            with other.transaction():
                pair = other.get_app_state("key"), other.get_project_data("p", "q")
            if pair[0] is not None and pair[1] != {"key": pair[0]}:
                torn.append(pair)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for number in range(20):
            with backend.transaction():
                backend.set_app_state("key", str(number))
                backend.save_project_data("p", "q", {"key": str(number)})
    finally:
        ended.set()
        thread.join()
    assert torn == []

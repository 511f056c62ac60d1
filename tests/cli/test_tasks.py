"""The command tasks."""

from datetime import timedelta
from pathlib import Path

import pytest

from burndown import SQLiteBackend, Task, TaskCancelledError, TaskLostError
from tests.support.command_line import Capture, files_below, in_json, printed, refused


@pytest.fixture
def task(workspace: Path) -> Task:
    """Begin a task in the workspace, next to one that only reports."""
    backend = SQLiteBackend(workspace / "profiles/burndown.db")
    backend.save_task_progress("calculate", 75, "running", "week 3")
    running = backend.task("fetch", timedelta(hours=1), "page 1")
    return running.__enter__()


def test_tasks_prints_the_progress_of_all_tasks(capsys: Capture, task: Task) -> None:
    """In JSON with all that a backend returns; nothing is changed."""
    before = files_below(Path.cwd())
    output = printed(capsys, "tasks")
    for text in ("calculate", "75 %", "week 3", "fetch", "0 %", "page 1", task.owner):
        assert text in output
    with SQLiteBackend("profiles/burndown.db") as backend:
        assert in_json(capsys, "tasks") == {"tasks": backend.list_task_progress()}
    assert files_below(Path.cwd()).keys() == before.keys()


def test_tasks_asks_an_owner_to_end_its_task(capsys: Capture, task: Task) -> None:
    assert "running, asked to end" in printed(capsys, "tasks", "--cancel", "fetch")
    with pytest.raises(TaskCancelledError):
        task.renew()
    task.__exit__(None, None, None)
    assert "cancelled" in printed(capsys, "tasks")
    for name in ("fetch", "calculate", "none"):
        said = refused(capsys, "tasks", "--cancel", name)
        assert said == f"No process runs a task '{name}' that it can be asked to end"


def test_tasks_clears_the_progress_of_a_task(capsys: Capture, task: Task) -> None:
    """A task that runs is lost."""
    found = in_json(capsys, "tasks", "--clear", "fetch")
    assert [each["task_name"] for each in found["tasks"]] == ["calculate"]
    with pytest.raises(TaskLostError):
        task.renew()
    assert printed(capsys, "tasks", "--clear", "calculate") == "No tasks\n"
    assert refused(capsys, "tasks", "--clear", "fetch") == "There is no task 'fetch'"


@pytest.mark.parametrize("arguments", [[], ["--cancel", "fetch"], ["--clear", "fetch"]])
def test_tasks_of_a_missing_store_creates_nothing(
    capsys: Capture, tmp_path: Path, arguments: list[str]
) -> None:
    assert str(tmp_path / "profiles") in refused(capsys, "tasks", *arguments)
    assert not files_below(tmp_path)

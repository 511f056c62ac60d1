"""A signal ends a command, which removes its unfinished files; they hold tokens."""

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from burndown import SQLiteBackend
from burndown.__main__ import main
from burndown.cli import run
from burndown.files.working_folder import is_working_folder
from burndown.import_export import export_profile
from tests.support.command_line import files_below
from tests.support.processes import count_calls, exit_code_of, needs_fork
from tests.support.secret_keys import CANARY, files_with

pytestmark = needs_fork

COMMANDS = {
    "backup": ["backup", "new/backup.db"],
    "restore": ["restore", "copies/backup.db"],
    "salvage": ["salvage", "profiles/burndown.db", "new/salvaged.db", "--from", "copies/kafka.zip"],
    "export": ["export", "kafka", "new/kafka", "--include-secrets", "--include-cache"],
    "export zip": ["export", "kafka", "new/kafka.zip", "--include-secrets", "--include-cache"],
    "export legacy": ["export", "--legacy", "new/legacy", "--include-secrets"],
}
CODES = {signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGINT: 128 + signal.SIGINT}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a database, a backup and an export."""
    folder = tmp_path_factory.mktemp("original")
    with SQLiteBackend(folder / "profiles/burndown.db") as backend:
        backend.save_profile({"id": "kafka", "jira_config": {"token": CANARY}})
        backend.save_query("kafka", {"id": "12w"})
        backend.save_project_data("kafka", "12w", {"statistics": [{"date": "2025-01-06"}] * 50})
        backend.backup(folder / "copies/backup.db")
        export_profile("kafka", folder / "copies/kafka.zip", include_secrets=True, backend=backend)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter a copy of that folder."""
    monkeypatch.chdir(tmp_path)
    put_back(original, tmp_path)
    return tmp_path


def put_back(original: Path, folder: Path) -> None:
    for each in folder.iterdir():
        shutil.rmtree(each)
    shutil.copytree(original, folder, dirs_exist_ok=True)


def unfinished(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if any(map(is_working_folder, path.parts))]


def ended_by(
    sent: signal.Signals, command: list[str], every: int, is_time: Callable[[], bool]
) -> int:
    """Run a command in another process that gets a signal once; return its exit code.

    Args:
        sent: the signal.
        command: the arguments.
        every: the number of function calls after which it is asked again if it is time.
        is_time: whether the signal is sent now.
    """
    numbers = count(1)

    def send(*_: object) -> None:
        if next(numbers) % every == 0 and is_time():
            sys.setprofile(None)
            os.kill(os.getpid(), sent)

    def call() -> None:
        sys.argv = ["burndown", *command]
        sys.setprofile(send)
        try:
            main()
        except KeyboardInterrupt:  # before there is a command
            sys.exit(CODES[signal.SIGINT])

    return exit_code_of(call)


@pytest.mark.parametrize("sent", CODES)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_a_signal_ends_removes_its_unfinished_files(
    original: Path, folder: Path, name: str, sent: signal.Signals
) -> None:
    """The signal comes when there is one with a content."""
    assert run(COMMANDS[name]) == 0  # imports what it needs
    put_back(original, folder)
    before = files_below(folder).keys()

    def has_content() -> bool:
        return any(path.is_file() and path.stat().st_size for path in unfinished(folder))

    assert ended_by(sent, COMMANDS[name], 50, has_content) == CODES[sent]
    assert files_with(folder / "new") == []
    new = {folder / "new", folder / "new/salvaged.db"}  # an empty database
    assert files_below(folder).keys() - new == before


@pytest.mark.parametrize("times", [1, pytest.param(100, marks=pytest.mark.soak)])
@pytest.mark.parametrize("sent", CODES)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_complete_or_can_be_repeated_after_a_signal(
    original: Path, folder: Path, name: str, sent: signal.Signals, times: int
) -> None:
    """Whenever it comes; if it comes while a file is removed, the next command does it."""
    command = COMMANDS[name]
    assert run(command) == 0
    put_back(original, folder)
    calls = count_calls(partial(run, command))
    complete = files_below(folder).keys()
    for number in random.Random(0).sample(range(1, calls), times):
        put_back(original, folder)
        code = ended_by(sent, command, number, lambda: True)
        # Python ignores exceptions in callbacks of weak references, and goes on.
        assert code == CODES[sent] or (code == 0 and files_below(folder).keys() == complete)
        shutil.rmtree(folder / "new", ignore_errors=True)
        assert run(command) == 0
        assert unfinished(folder) == []

"""Programs that are killed at any time lose nothing acknowledged, and leave nothing partial."""

import random
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from burndown import SQLiteBackend
from burndown.demo import write_demo_workspace
from burndown.import_export import export_profile
from burndown.persistence import open_backend, set_backend
from burndown.testing.controlled_store import everything
from tests.data.schemas.generate import FOLDER
from tests.support.command_line import exit_code, start_command
from tests.support.processes import FRESH, PATIENCE, needs_kill, start_fresh

pytestmark = needs_kill

WRITERS = 4
KILLS = [6, pytest.param(300, marks=pytest.mark.soak)]


def _write_until_killed(path: Path, name: str, number: int, acknowledge: Connection) -> None:
    backend = SQLiteBackend(path)
    for each in range(number + 1, sys.maxsize):
        with backend.transaction():
            backend.set_app_state(name, str(each))
            backend.save_project_data("p", name, {"number": each, "rows": ["x" * 100] * 500})
            backend.set_app_state(f"{name}-again", str(each))
        acknowledge.send(each)


@dataclass
class Writer:
    """A process that counts up, and sends each number that is stored."""

    path: Path
    name: str
    acknowledged: int = 0

    def start(self) -> None:
        self.receiver, sender = FRESH.Pipe(duplex=False)
        self.process = start_fresh(
            _write_until_killed, self.path, self.name, self.acknowledged, sender
        )
        sender.close()

    def kill(self) -> None:
        """Kill it, and read what it had acknowledged until then."""
        self.process.kill()
        self.process.join(PATIENCE)
        with suppress(EOFError, OSError):  # the last number may be incomplete
            while True:
                self.acknowledged = self.receiver.recv()

    def check(self, backend: SQLiteBackend) -> None:
        """Check that all it acknowledged is stored, and each transaction completely."""
        found = int(backend.get_app_state(self.name) or 0)
        assert found in (self.acknowledged, self.acknowledged + 1)
        assert int(backend.get_app_state(f"{self.name}-again") or 0) == found
        data = backend.get_project_data("p", self.name)
        assert (data or {"number": 0})["number"] == found
        self.acknowledged = found


@pytest.mark.parametrize("kills", KILLS)
def test_four_writers_that_are_killed_lose_nothing(tmp_path: Path, kills: int) -> None:
    path, chance = tmp_path / "burndown.db", random.Random(1)
    backend = SQLiteBackend(path)
    backend.save_profile({"id": "p"})
    writers = [Writer(path, f"w{number}") for number in range(WRITERS)]
    for writer in writers:
        backend.save_query("p", {"id": writer.name})
        writer.start()
    try:
        deadline = time.monotonic() + 60  # a busy machine takes seconds to start them
        while not any(backend.get_app_state(writer.name) for writer in writers):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for _ in range(kills):
            time.sleep(chance.uniform(0.1, 0.6))  # when, not whether: any time is right
            writer = chance.choice(writers)
            writer.kill()
            writer.check(backend)
            writer.start()
    finally:
        for writer in writers:
            writer.kill()
    for writer in writers:
        writer.check(backend)
    assert backend.check_integrity() == (True, [])
    assert sum(writer.acknowledged for writer in writers) > 0
    backend.close()


# --- commands --------------------------------------------------------------------------------

Prepare = Callable[[Path], None]


def with_workspace(folder: Path) -> None:
    write_demo_workspace(folder, issues=60)


def with_database(folder: Path) -> None:
    with_workspace(folder)
    assert exit_code(start_command("migrate", folder=folder)) == 0


def with_export(folder: Path) -> None:
    with_database(folder)
    with open_backend(folder / "profiles" / "burndown.db") as backend:
        set_backend(backend)
        export_profile("kafka", folder / "export", include_cache=True)
        set_backend(None)


def with_old_database(folder: Path) -> None:
    (folder / "profiles").mkdir(parents=True)
    shutil.copy(FOLDER / "1.0.db", folder / "profiles" / "burndown.db")


COMMANDS: dict[str, tuple[Prepare, list[str]]] = {
    "migrate": (with_workspace, ["migrate"]),
    "import": (with_export, ["import", "export", "--name", "Again"]),
    "copy": (with_database, ["copy", "profiles/burndown.db", "copy.db"]),
    "export": (with_database, ["export", "kafka", "exported", "--include-cache"]),
    "backup": (with_database, ["backup", "backup.db"]),
    "upgrade": (with_old_database, ["upgrade"]),
}


def state_of(folder: Path) -> dict[str, object]:
    """Return the content of the stores in a folder, and the files of an export."""
    found: dict[str, object] = {}
    for name in ("profiles/burndown.db", "copy.db", "backup.db"):
        with SQLiteBackend(folder / name) as backend:
            if not backend.exists() or backend.describe()["schema_version"] is None:
                continue  # there is nothing, or a file without tables
            assert backend.check_integrity() == (True, [])
            if backend.list_profiles():  # or only its tables were created
                found[name] = everything(backend)
    exported = folder / "exported"
    if exported.exists():
        found["exported"] = sorted(path.name for path in exported.rglob("*.json"))
    return found


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_killed_is_atomic(tmp_path: Path, name: str, kills: int) -> None:
    """The next one succeeds, and leaves nothing of the killed one except a partial export."""
    prepare, command = COMMANDS[name]
    prepared = tmp_path / "prepared"
    prepare(prepared)
    done = shutil.copytree(prepared, tmp_path / "done", copy_function=shutil.copy2, symlinks=True)
    begun = time.monotonic()
    assert exit_code(start_command(*command, folder=done)) == 0
    lasted = time.monotonic() - begun
    after = state_of(done)
    before = state_of(
        shutil.copytree(prepared, tmp_path / "before", copy_function=shutil.copy2, symlinks=True)
    )
    for number in range(kills):
        folder = tmp_path / "killed"
        shutil.copytree(prepared, folder, copy_function=shutil.copy2, symlinks=True)
        process = start_command(*command, folder=folder)
        time.sleep(lasted * (number + 1) / (kills + 1))  # when, not whether: any time is right
        process.kill()
        killed = exit_code(process) != 0
        found = state_of(folder)
        assert found == after or (killed and found == before)
        if found != after:
            assert exit_code(start_command(*command, folder=folder)) == 0
            assert state_of(folder) == after
        left = {path.name for path in folder.iterdir() if not path.name.startswith("exported.")}
        assert left <= {path.name for path in done.iterdir()}
        shutil.rmtree(folder)

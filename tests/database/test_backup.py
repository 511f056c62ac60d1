"""Backups of stores in use are complete or absent, and do no harm to the store."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from burndown import DatabaseCorruptionError, PersistenceBackend, SQLiteBackend, StorageError
from burndown.demo import write_demo_workspace
from burndown.files.checksums import checksums_path
from burndown.files.working_folder import is_working_folder, working_folder
from burndown.models import AppState
from burndown.persistence.json_backend import JSONBackend
from burndown.testing.controlled_store import everything
from tests.data.schemas.generate import FOLDER
from tests.support.backends import open_copy
from tests.support.command_line import files_below
from tests.support.database_rows import everything as rows
from tests.support.full_disk import files_no_larger_than
from tests.support.processes import (
    FRESH,
    PATIENCE,
    count_calls,
    killed_at,
    needs_fork,
    needs_kill,
    start_fresh,
)

BACKUPS = {"sqlite": 20, "json": 5}
WRITERS = ("a", "b")
KILLS = [8, pytest.param(100, marks=pytest.mark.soak)]
KINDS: dict[str, type[SQLiteBackend] | type[JSONBackend]] = {
    "sqlite": SQLiteBackend,
    "json": JSONBackend,
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(kind: str, tmp_path: Path) -> Iterator[PersistenceBackend]:
    """Open a store with 200 KB of data."""
    with KINDS[kind](tmp_path / "store" / "s") as backend:
        backend.save_profile({"id": "p"})
        backend.save_query("p", {"id": "q"})
        backend.save_project_data("p", "q", {"random": os.urandom(100_000).hex()})
        yield backend


# --- in use ------------------------------------------------------------------------------------


def _write_until_killed(kind: str, path: Path, name: str, acknowledge: Connection) -> None:
    with KINDS[kind](path) as backend:
        for number in range(1, sys.maxsize):
            with backend.transaction():
                backend.set_app_state(f"{name}-{number}", "written")
                data = {"name": name, "number": number, "random": os.urandom(100_000).hex()}
                backend.save_project_data("p", "q", data)
            acknowledge.send(number)


class Writer:
    """A process that writes until it is killed, and the number of writes that it acknowledged."""

    def __init__(self, kind: str, path: Path, name: str) -> None:
        self.name = name
        self._receiver, sender = FRESH.Pipe(duplex=False)
        self._process = start_fresh(_write_until_killed, kind, path, name, sender)
        sender.close()
        self._last = 0

    def acknowledged(self) -> int:
        """Return how many writes have returned; wait for the first one."""
        while self._last == 0 or self._receiver.poll():
            assert self._receiver.poll(PATIENCE)
            self._last = self._receiver.recv()
        return self._last

    def kill(self) -> int:
        self._process.kill()
        self._process.join(PATIENCE)
        try:
            while True:
                self._last = self._receiver.recv()
        except EOFError:
            return self._last


def _written(backend: PersistenceBackend) -> dict[str, int]:
    """Return how many writes there are of each name, which must be the first ones without a gap."""
    numbers: dict[str, set[int]] = {name: set() for name in (*WRITERS, "own")}
    for record in backend.records(AppState):
        name, _, number = record["key"].partition("-")
        if number:
            numbers[name].add(int(number))
    for found in numbers.values():
        assert found == set(range(1, len(found) + 1))
    return {name: len(found) for name, found in numbers.items()}


@needs_kill
def test_each_backup_has_what_was_acknowledged_before_it(
    kind: str, store: PersistenceBackend, tmp_path: Path
) -> None:
    """Two other processes and this one write; the backup has all writes up to one of them."""
    path = Path(store.describe()["location"])
    writers = [Writer(kind, path, name) for name in WRITERS]
    for number in range(1, BACKUPS[kind] + 1):
        store.set_app_state(f"own-{number}", "written")
        before = {writer.name: writer.acknowledged() for writer in writers}
        copy = store.backup(tmp_path / f"copy{number}")
        if kind == "sqlite":
            with closing(sqlite3.connect(copy)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert connection.execute("PRAGMA journal_mode").fetchall() == [("delete",)]
        with open_copy(copy) as opened:
            found, data = _written(opened), opened.get_project_data("p", "q")
        assert data is not None
        assert data["number"] == found[data["name"]]
        assert found["own"] == number
        assert all(before[name] <= found[name] for name in WRITERS)
    acknowledged = {writer.name: writer.kill() for writer in writers}
    with KINDS[kind](path) as opened:
        found = _written(opened)
        assert opened.check_integrity() == (True, [])
    assert found["own"] == BACKUPS[kind]
    assert all(acknowledged[name] <= found[name] <= acknowledged[name] + 1 for name in WRITERS)
    assert not list(tmp_path.glob(".burndown-*"))


def _keys(path: Path) -> set[str]:
    with SQLiteBackend(path) as backend:
        return {record["key"] for record in backend.records(AppState)}


def test_writes_after_a_backup_are_stored(tmp_path: Path) -> None:
    """Another process opens and closes the database in the meantime, and sees all writes.

    If this process had lost its locks, it would delete its log, and the writes would be lost.
    """
    path = tmp_path / "burndown.db"
    with SQLiteBackend(path) as backend, FRESH.Pool(1) as other:
        for number in range(3):
            backend.set_app_state(f"{number} before", "written")
            backend.backup(tmp_path / f"copy{number}")
            for time in ("between", "after"):
                assert f"{number} before" in other.apply(_keys, (path,))
                backend.set_app_state(f"{number} {time}", "written")
            assert {f"{number} after", f"{number} between"} <= other.apply(_keys, (path,))


_COMMANDS_BESIDE_A_DATABASE = """
import os, sys
from pathlib import Path

opened, watched = [], set()

def watch(event, arguments):
    if watched and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        if os.path.realpath(os.fsdecode(arguments[0])) in watched:
            opened.append(command)

sys.addaudithook(watch)
from burndown import SQLiteBackend
from burndown.cli import run
from burndown.files.working_folder import is_working_folder, working_folder
from burndown.demo import write_demo_workspace
from burndown.models import AppState
from burndown.persistence.json_backend import JSONBackend

write_demo_workspace(Path(), issues=10)
live = SQLiteBackend("profiles/burndown.db")
live.set_app_state("key", "value")
watched.update(os.path.realpath("profiles/burndown.db") + end for end in ("", "-wal", "-shm"))
Path("link.zip").symlink_to("profiles/burndown.db")
for command in (
    "migrate --dry-run", "migrate", "show", "show kafka", "show kafka 12w", "check",
    "backup copy.db", "backup profiles/burndown.db",
    "copy profiles/burndown.db other.db", "copy json:profiles files.db",
    "export kafka exported", "export kafka exported.zip", "export --legacy old",
    "export kafka profiles/burndown.db", "export kafka link.zip",
    "import exported.zip --name Other", "import profiles/burndown.db", "import link.zip",
    "downgrade --to 1.0", "upgrade",
):
    run(command.split())
command = "changes to the JSON files beside it"
with JSONBackend("profiles") as files, files.transaction():
    files.set_app_state("key", "value")
    files.backup("copied files")
live.close()
print(opened)
"""


def test_only_sqlite_opens_the_file_of_a_database_in_use() -> None:
    """Closing any other descriptor of the file would release the locks of the process."""
    result = subprocess.run(
        [sys.executable, "-c", _COMMANDS_BESIDE_A_DATABASE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.splitlines()[-1:] == ["[]"], result.stdout + result.stderr


def test_threads_that_back_up_to_one_path_create_one_backup(
    store: PersistenceBackend, tmp_path: Path
) -> None:
    """At least one succeeds, the others raise an error, and no other file is left."""
    target = tmp_path / "copies" / "copy"
    target.parent.mkdir()
    together = threading.Barrier(6)

    def back_up() -> bool:
        together.wait(PATIENCE)
        try:
            return store.backup(target) == target
        except StorageError:
            return False

    with ThreadPoolExecutor(6) as pool:
        outcomes = [pool.submit(back_up) for _ in range(6)]
        assert sum(outcome.result(PATIENCE) for outcome in outcomes) >= 1
    assert set(target.parent.iterdir()) == {target, checksums_path(target)}
    with open_copy(target) as opened:
        assert everything(opened) == everything(store)


# --- interrupted ---------------------------------------------------------------------------------


@needs_fork
@needs_kill
@pytest.mark.parametrize("kills", KILLS)
def test_the_next_backup_removes_what_a_killed_one_left(
    kind: str, store: PersistenceBackend, tmp_path: Path, kills: int
) -> None:
    """The backup is complete or absent, with at most one temporary folder next to it."""
    path = Path(store.describe()["location"])
    expected = everything(store)
    store.close()
    target = tmp_path / "copies" / "copy"
    target.parent.mkdir()

    def back_up() -> None:
        with KINDS[kind](path) as backend:
            backend.backup(target)

    def check_and_remove() -> None:
        with open_copy(target) as opened:
            assert everything(opened) == expected
        shutil.rmtree(target) if kind == "json" else target.unlink()
        checksums_path(target).unlink(missing_ok=True)

    back_up()  # fills caches, which costs calls once
    check_and_remove()
    calls = count_calls(back_up)
    check_and_remove()
    for number in range(kills):
        killed_at(back_up, 1 + calls * number // (kills + 1))
        left = set(target.parent.iterdir()) - {target, checksums_path(target)}
        assert len(left) <= 1
        assert all(is_working_folder(entry.name) for entry in left)
        if target.exists():
            check_and_remove()
        back_up()
        check_and_remove()
        assert not list(target.parent.iterdir())


def test_a_running_backup_is_not_taken_for_a_killed_one(tmp_path: Path) -> None:
    """Neither is a folder of another program; what a killed one left is removed."""
    left = tmp_path / ".burndown-0123abcd.unfinished"
    mine = tmp_path / ".burndown-mine.unfinished"
    for folder in (left, mine):
        folder.mkdir()
        (folder / "file").touch()
    with working_folder(tmp_path) as one, working_folder(tmp_path) as other:
        assert set(tmp_path.iterdir()) == {mine, one, other}
        (one / "file").touch()
    assert set(tmp_path.iterdir()) == {mine}


@pytest.mark.parametrize("size", [0, 8192, 100_000])
def test_a_full_disk_leaves_no_backup(store: PersistenceBackend, tmp_path: Path, size: int) -> None:
    """A folder that was created for it is removed, and the store is unchanged."""
    before = everything(store)
    with files_no_larger_than(size), pytest.raises(StorageError):
        store.backup(tmp_path / "new" / "folders" / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"store"}
    assert everything(store) == before


@pytest.mark.parametrize("name", ["file/copy", "file/new/copy", f"new/{'n' * 300}"])
def test_an_invalid_path_is_refused(store: PersistenceBackend, tmp_path: Path, name: str) -> None:
    """The error names it, and no folder is left."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match=name[:4]):
        store.backup(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"store", "file"}


# --- refused backups -----------------------------------------------------------------------------


def _overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for page in range(10 * 4096, len(content), 4096):
        content[page : page + 100] = b"\xff" * 100
    path.write_bytes(content)


def _truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _without_owners(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM queries")
        connection.commit()


@pytest.mark.parametrize("damage", [_overwritten, _truncated, _without_owners])
def test_a_damaged_database_is_not_backed_up(
    backend: SQLiteBackend, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """It would replace an earlier backup that can be restored."""
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    backend.save_project_data("p", "q", {"random": os.urandom(100_000).hex()})
    backend.close()
    damage(tmp_path / "burndown.db")
    before = files_below(tmp_path)
    with pytest.raises(DatabaseCorruptionError, match="damaged"):
        backend.backup(tmp_path / "copies" / "copy.db")
    backend.close()
    assert files_below(tmp_path) == before


def test_damaged_json_files_are_not_backed_up(tmp_path: Path) -> None:
    """The error names them."""
    with JSONBackend(tmp_path / "profiles") as backend:
        backend.save_profile({"id": "p"})
        damaged = tmp_path / "profiles" / "p" / "profile.json"
        damaged.write_text("{")
        with pytest.raises(DatabaseCorruptionError, match=str(damaged)):
            backend.backup(tmp_path / "copies" / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"profiles"}


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_backup_gets_no_log_of_another_database(
    backend: SQLiteBackend, tmp_path: Path, suffix: str
) -> None:
    """SQLite would apply it to the backup. Nor does a backup become the log of a database."""
    backend.save_profile({"id": "p"})
    left = tmp_path / f"copy.db{suffix}"
    left.write_bytes(b"left")
    with pytest.raises(StorageError, match=f"{left} belongs to another"):
        backend.backup(tmp_path / "copy.db")
    backend.close()
    with pytest.raises(StorageError, match="choose another"):
        backend.backup(tmp_path / f"burndown.db{suffix}")
    assert files_below(tmp_path).keys() == {tmp_path / "burndown.db", left}


def test_a_backup_waits_for_a_locked_database_up_to_a_timeout(
    backend: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program holds an exclusive lock, as no process of this package does."""
    path = tmp_path / "burndown.db"
    backend.save_profile({"id": "p"})
    backend.close()
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0")
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with SQLiteBackend(path) as impatient, pytest.raises(StorageError, match="locked"):
            impatient.backup(tmp_path / "copy.db")
        other.rollback()
    assert not (tmp_path / "copy.db").exists()


def test_a_backup_of_an_older_version_is_not_upgraded(tmp_path: Path) -> None:
    """It is equal to the database byte by byte."""
    path = Path(shutil.copy(FOLDER / "1.0.db", tmp_path / "burndown.db"))
    before = rows(path)
    with SQLiteBackend(path) as backend:
        copy = backend.backup(tmp_path / "copy.db")
        assert backend.database.schema_version() == "1.0"
    assert rows(copy) == rows(path) == before


def test_a_workspace_of_the_old_dashboard_is_backed_up_unchanged(tmp_path: Path) -> None:
    """Its JSON files keep their times, from which queries have theirs; no other file is copied."""
    write_demo_workspace(tmp_path, issues=10)
    folder = tmp_path / "profiles"
    for path in folder.rglob("*.json"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    (folder / "notes.txt").write_text("mine")
    (folder / "link.json").symlink_to("profiles.json")
    with JSONBackend(folder) as backend:
        copy = backend.backup(tmp_path / "copy")
        with JSONBackend(copy) as copied:
            assert everything(copied) == everything(backend)
    kept = {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*.json")}
    del kept[Path("link.json")]
    assert {
        path.relative_to(copy): path.stat().st_mtime_ns for path in copy.rglob("*.json")
    } == kept
    assert not (copy / "notes.txt").exists()


def test_a_workspace_is_not_backed_up_into_itself_or_without_its_files(tmp_path: Path) -> None:
    """A copy within it would be a profile; files from before profiles are in another folder."""
    with JSONBackend(tmp_path / "profiles") as backend:
        backend.save_profile({"id": "p"})
        with pytest.raises(StorageError, match="outside of"):
            backend.backup(tmp_path / "profiles" / "copy")
    oldest = tmp_path / "oldest" / "profiles"
    oldest.mkdir(parents=True)
    (oldest.parent / "app_settings.json").write_text('{"pert_factor": 1.5}')
    with JSONBackend(oldest) as backend:
        assert [profile["id"] for profile in backend.list_profiles()] == ["default"]
        with pytest.raises(StorageError, match="burndown copy"):
            backend.backup(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()

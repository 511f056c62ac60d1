"""A process notices that the file of its database was taken away, and recovers."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from burndown import (
    AppState,
    DatabaseCorruptionError,
    Profile,
    SQLiteBackend,
    StorageError,
    TransactionAbortedError,
)
from burndown.database import sqlite
from burndown.repositories import ProfileRepository
from tests.support.processes import FRESH, PATIENCE, needs_kill, start_fresh

needs_posix = pytest.mark.skipif(os.name != "posix", reason="files in use cannot be moved here")
needs_marks = pytest.mark.skipif(sys.platform != "linux", reason="files have no attributes here")

Take = Callable[[Path], object]
Meanwhile = Callable[[], object]


def moved(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def replaced(path: Path) -> None:
    shutil.copy(path.with_name("copy.db"), path.with_name("new.db"))
    path.with_name("new.db").replace(path)


def moved_and_replaced(path: Path) -> None:
    moved(path)
    shutil.copy(path.with_name("copy.db"), path)


def link_changed(path: Path) -> None:
    """Make it a link to the copy."""
    moved(path)
    path.symlink_to("copy.db")


def deleted(path: Path) -> None:
    path.unlink()


def deleted_with_its_log(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


def log_deleted(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def log_and_index_deleted(path: Path) -> None:
    log_deleted(path)
    Path(f"{path}-shm").unlink()


def nothing() -> None:
    pass


def write(backend: SQLiteBackend, profile: str, before_commit: Meanwhile = nothing) -> None:
    before_commit()
    backend.save_profile({"id": profile})


def write_in_transaction(
    backend: SQLiteBackend, profile: str, before_commit: Meanwhile = nothing
) -> None:
    with backend.transaction():
        backend.save_profile({"id": profile})
        before_commit()


def write_in_session(
    backend: SQLiteBackend, profile: str, before_commit: Meanwhile = nothing
) -> None:
    with backend.database.session() as session:
        ProfileRepository(session).save(Profile(id=profile))
        before_commit()


def write_manually(
    backend: SQLiteBackend, profile: str, before_commit: Meanwhile = nothing
) -> None:
    with backend.database.connection() as connection:
        connection.execute("INSERT INTO profiles (id, name) VALUES (?, ?)", (profile, profile))
        before_commit()


TAKE: list[Take] = [
    *(moved, replaced, moved_and_replaced, link_changed, deleted, deleted_with_its_log),
    *(log_deleted, log_and_index_deleted),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "burndown.db"


@pytest.fixture
def _checked_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "FILE_CHECK_SECONDS", 0)


@pytest.fixture
def backend(path: Path) -> Iterator[SQLiteBackend]:
    """Open a database with the profiles ``first`` and ``second``, and a copy with the first."""
    with SQLiteBackend(path) as new:
        write(new, "first")
        new.backup(path.with_name("copy.db"))
        write(new, "second")
        yield new


def profiles_of(backend: SQLiteBackend) -> set[str]:
    return {profile["id"] for profile in backend.list_profiles()}


@needs_posix
@pytest.mark.parametrize("take", TAKE)
@pytest.mark.parametrize(
    "write_it", [write, write_in_transaction, write_in_session, write_manually]
)
def test_a_write_into_a_file_that_was_taken_away_is_reported(
    backend: SQLiteBackend, path: Path, take: Take, write_it: Callable[..., None]
) -> None:
    """The next one is stored in the file that is there then, and both files are intact."""
    write_it(backend, "third")
    with pytest.raises(TransactionAbortedError, match="was not stored"):
        write_it(backend, "fourth", lambda: take(path))
    write_it(backend, "fifth")
    assert "fifth" in profiles_of(backend)
    assert backend.check_integrity() == (True, [])
    kept = path.with_name("moved.db")
    if kept.exists():
        with SQLiteBackend(kept) as opened:
            assert profiles_of(opened) == {"first", "second", "third", "fourth"}
            assert opened.check_integrity() == (True, [])
    with SQLiteBackend(path) as other:
        assert profiles_of(other) == profiles_of(backend)


@pytest.mark.usefixtures("_checked_at_each_call")
@needs_posix
@pytest.mark.parametrize("take", [replaced, moved_and_replaced, link_changed])
def test_a_read_finds_the_new_file(backend: SQLiteBackend, path: Path, take: Take) -> None:
    """Without an error, since nothing is lost by it."""
    assert profiles_of(backend) == {"first", "second"}
    take(path)
    assert profiles_of(backend) == {"first"}
    write(backend, "third")
    assert profiles_of(backend) == {"first", "third"}


@pytest.mark.usefixtures("_checked_at_each_call")
@needs_posix
@pytest.mark.parametrize("take", [moved, deleted])
def test_a_read_reports_that_the_file_is_gone(
    backend: SQLiteBackend, path: Path, take: Take
) -> None:
    """Once, and then there is a new database."""
    assert profiles_of(backend) == {"first", "second"}
    take(path)
    with pytest.raises(StorageError, match="is gone"):
        backend.list_profiles()
    assert profiles_of(backend) == set()


@needs_posix
@pytest.mark.parametrize("take", [moved_and_replaced, replaced])
def test_a_new_connection_does_not_get_the_log_of_the_old_file(
    backend: SQLiteBackend, path: Path, take: Take
) -> None:
    """Within a read of the old one, another call opens the new one."""
    found = backend.records(Profile)
    next(found)
    take(path)
    with backend.database.connection() as connection:
        ids = {row["id"] for row in connection.execute("SELECT id FROM profiles")}
    assert ids == {"first"}
    assert backend.check_integrity() == (True, [])


@needs_posix
def test_a_folder_that_was_moved_is_reported(tmp_path: Path) -> None:
    with SQLiteBackend(tmp_path / "folder/burndown.db") as backend:
        write(backend, "first")
        with pytest.raises(TransactionAbortedError, match="moved to another folder"):
            write_in_transaction(
                backend, "second", lambda: (tmp_path / "folder").rename(tmp_path / "moved")
            )
        write(backend, "third")
        assert profiles_of(backend) == {"third"}
    with SQLiteBackend(tmp_path / "moved/burndown.db") as moved_one:
        assert moved_one.check_integrity() == (True, [])


@needs_posix
def test_the_error_names_the_file_that_has_the_transaction(
    backend: SQLiteBackend, path: Path
) -> None:
    moved(path)
    with pytest.raises(TransactionAbortedError, match=str(path.with_name("moved.db"))):
        write(backend, "third")


def test_an_emptied_file_is_reported(backend: SQLiteBackend, path: Path) -> None:
    """What the log still holds is put back by SQLite; without it, the file is refused."""
    os.truncate(path, 0)
    with pytest.raises(TransactionAbortedError, match=r"was not stored.* emptied"):
        write(backend, "third")


@needs_marks
@pytest.mark.parametrize("in_use", [False, True])
def test_an_emptied_file_is_not_taken_for_a_new_database(
    backend: SQLiteBackend, path: Path, in_use: bool
) -> None:
    """It is refused by name, also by other processes and after a restart, until it is restored."""
    backend.compact()  # nothing is left in the log
    if not in_use:
        backend.close()
    os.truncate(path, 0)
    if in_use:
        with pytest.raises(StorageError):
            write(backend, "third")
    for opened in (backend, SQLiteBackend(path)):
        for call in (opened.list_profiles, lambda opened=opened: write(opened, "third")):
            with pytest.raises(DatabaseCorruptionError, match=f"{path} is empty"):
                call()
        opened.close()
    assert path.stat().st_size == 0
    assert backend.restore(path.with_name("copy.db")) is None
    assert profiles_of(backend) == {"first"}


def test_a_deleted_file_is_made_anew(backend: SQLiteBackend, path: Path) -> None:
    """After a close: whoever deletes a database means it."""
    backend.close()
    path.unlink()
    assert profiles_of(backend) == set()


# --- other processes -----------------------------------------------------------------------------


def _write_until_killed(path: Path, acknowledge: Connection) -> None:
    with SQLiteBackend(path) as backend:
        for number in range(sys.maxsize):
            try:
                backend.set_app_state(f"n{number}", "written")
            except StorageError:
                continue
            acknowledge.send(number)


@needs_posix
@needs_kill
def test_no_acknowledged_write_is_lost_in_a_file_that_was_moved(path: Path) -> None:
    """While another process writes, the file is moved away ten times; together they have all."""
    with SQLiteBackend(path) as backend:
        backend.list_profiles()
        backend.backup(path.with_name("copy.db"))
    receiver, sender = FRESH.Pipe(duplex=False)
    process = start_fresh(_write_until_killed, path, sender)
    sender.close()
    acknowledged, files = set(), [path]
    for number in range(10):
        for _ in range(20):
            assert receiver.poll(PATIENCE)
            acknowledged.add(receiver.recv())
        files.append(path.with_name(f"moved{number}.db"))
        shutil.copy(path.with_name("copy.db"), path.with_name("new.db"))
        path.rename(files[-1])
        path.with_name("new.db").rename(path)
    process.kill()
    process.join(PATIENCE)
    while receiver.poll():
        try:
            acknowledged.add(receiver.recv())
        except EOFError:
            break
    stored: set[int] = set()
    for file in files:
        with SQLiteBackend(file) as backend:
            assert backend.check_integrity() == (True, [])
            keys = [record["key"] for record in backend.records(AppState)]
            stored |= {int(key[1:]) for key in keys if key.startswith("n")}
    assert acknowledged <= stored


# --- the log -------------------------------------------------------------------------------------


def test_the_log_becomes_short_again(backend: SQLiteBackend, path: Path) -> None:
    """It grows while somebody iterates over rows, and SQLite shortens it after that."""
    log, limit = Path(f"{path}-wal"), 2000 * 4096
    write_query(backend)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        rows: Any = reader.execute("SELECT id FROM profiles")
        rows.fetchone()
        while log.stat().st_size < 2 * limit:
            backend.save_project_data("first", "q", {"random": os.urandom(500_000).hex()})
        rows.close()
        for number in range(3):
            backend.save_project_data("first", "q", {"number": number})
    assert log.stat().st_size <= limit + 2**20


def write_query(backend: SQLiteBackend) -> None:
    backend.save_query("first", {"id": "q"})

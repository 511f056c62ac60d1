"""A database in memory is a database like any other, and leaves nothing behind."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from burndown import StoreLocationError, database, get_backend, open_backend, set_backend
from burndown.database import MemoryDatabase, get_db_connection, memory
from burndown.persistence.sql_backend import SQLBackend
from burndown.repositories import AppStateRepository
from burndown.schema import VERSIONS
from tests.support.processes import exit_code_of, in_child, needs_fork, needs_kill

forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def open_memory() -> SQLBackend:
    backend = open_backend("memory:")
    assert isinstance(backend, SQLBackend)
    return backend


def path_of(backend: SQLBackend) -> Path:
    assert backend.database.path is not None
    return backend.database.path


@pytest.fixture
def backend() -> Iterator[SQLBackend]:
    with open_memory() as new:
        yield new


def test_threads_share_it(backend: SQLBackend) -> None:
    """No update is lost, as in a file."""

    def count(_: int) -> None:
        with backend.transaction():
            backend.set_app_state("n", str(int(backend.get_app_state("n") or 0) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(100)))
    assert backend.get_app_state("n") == "100"


def test_readers_do_not_wait_for_a_writer(backend: SQLBackend) -> None:
    """They see what was committed last, which a shared cache would lock."""
    backend.set_app_state("k", "before")
    found: list[str | None] = []
    with backend.transaction():
        backend.set_app_state("k", "after")
        reader = threading.Thread(target=lambda: found.append(backend.get_app_state("k")))
        reader.start()
        reader.join()
    assert found == ["before"]


def test_each_one_is_empty(backend: SQLBackend) -> None:
    """Also one that is opened while another one has content."""
    backend.save_profile({"id": "p"})
    with open_memory() as other:
        assert other.list_profiles() == []
        assert other.check_integrity() == (True, [])


def test_closing_deletes_it(backend: SQLBackend) -> None:
    """The next use begins without any content."""
    backend.save_profile({"id": "p"})
    folder = path_of(backend).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path_of(backend).stat().st_mode & 0o777 == 0o600
    backend.close()
    assert not folder.exists()
    assert backend.list_profiles() == []


def test_a_forgotten_one_is_deleted() -> None:
    backend = open_memory()
    backend.save_profile({"id": "p"})
    folder = path_of(backend).parent
    del backend
    gc.collect()
    assert not folder.exists()


def test_a_restore_and_a_change_of_the_version_keep_the_content(
    backend: SQLBackend, tmp_path: Path
) -> None:
    """Both close all connections within."""
    backend.save_profile({"id": "p"})
    backend.backup(tmp_path / "backup.db")
    backend.delete_profile("p")
    backend.restore(tmp_path / "backup.db")
    assert [each["id"] for each in backend.list_profiles()] == ["p"]
    backend.database.change_version(list(VERSIONS)[-2])
    assert [each["id"] for each in backend.list_profiles()] == ["p"]


def test_the_settings_can_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backend, sessions and connections use the same one, until it is forgotten."""
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", "memory:")
    get_backend().set_app_state("k", "v")
    with database.session() as session:
        assert AppStateRepository(session).get("k") == "v"
    with get_db_connection() as connection:
        assert connection.execute("SELECT count(*) FROM app_state WHERE key = 'k'").fetchone()[0]
    set_backend(None)
    assert get_backend().get_app_state("k") is None


def test_it_cannot_be_opened_read_only() -> None:
    with pytest.raises(StoreLocationError, match="memory: is a new database"):
        open_backend("memory:", read_only=True)


def test_the_name_of_sqlite_is_refused_with_ours() -> None:
    """Each connection to it would be another database."""
    for where in (":memory:", "sqlite://"):
        with pytest.raises(StoreLocationError, match="open `memory:`"):
            open_backend(where)


def test_a_url_of_it_is_refused_with_its_location() -> None:
    with pytest.raises(StoreLocationError, match=r"use sqlite, postgresql\+psycopg or memory:$"):
        open_backend("memory://")


@needs_fork
@forks
def test_a_forked_process_uses_it_and_does_not_delete_it(backend: SQLBackend) -> None:
    """Neither by closing it nor by its end; its own ones are others."""
    folder = path_of(backend).parent

    def work() -> None:
        backend.set_app_state("by", "child")
        with open_memory() as own:
            assert own.get_app_state("by") is None
            assert path_of(own).parents[1] != folder.parent
        backend.close()

    in_child(work)
    assert backend.get_app_state("by") == "child"


PROGRAM = """
import os, sys
from burndown import open_backend

backend = open_backend("memory:")
backend.set_app_state("by", "parent")
print(backend.database.path, flush=True)
child = os.fork() if hasattr(os, "fork") else None
if child == 0:
    backend.set_app_state("by", "child")
    open_backend("memory:").set_app_state("by", "child")
    sys.exit()
if child:
    os.waitpid(child, 0)
    assert backend.get_app_state("by") == "child"
"""


def test_the_end_of_the_process_deletes_it() -> None:
    """Not that of a process that was forked from it, which ends before."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    path = Path(ended.stdout.strip())
    assert path.name == "burndown.db"
    assert not path.parents[1].exists()


@needs_fork
@needs_kill
@forks
def test_what_a_killed_process_leaves_is_deleted_by_the_next_one(tmp_path: Path) -> None:
    """What a running one has is not."""
    note = tmp_path / "note"

    def be_killed() -> None:
        backend = open_memory()
        backend.set_app_state("k", "v")
        note.write_text(str(path_of(backend)), "utf-8")
        os.kill(os.getpid(), signal.SIGKILL)

    with open_memory() as running:
        running.set_app_state("k", "v")
        assert exit_code_of(be_killed) == -signal.SIGKILL
        left = Path(note.read_text("utf-8"))
        assert left.exists()
        in_child(lambda: open_memory().close())
        assert not left.parents[1].exists()
        assert running.get_app_state("k") == "v"


@needs_fork
@forks
def test_without_shared_memory_it_is_in_the_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_SHARED_MEMORY", tmp_path / "missing")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def work() -> None:  # in a process that has no folder yet
        assert MemoryDatabase().path.is_relative_to(tmp_path)

    in_child(work)

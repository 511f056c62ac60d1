"""A file gives free pages back, whoever uses it meanwhile, and is intact whenever it is killed."""

import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from burndown import SQLiteBackend, StorageError, open_backend
from burndown.database import sqlite_compaction
from burndown.testing.controlled_store import everything
from tests.data.schemas.generate import FOLDER
from tests.support.full_disk import files_no_larger_than
from tests.support.processes import FRESH, count_calls, killed_at, needs_fork, run_all

KB = 1000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "burndown.db"


def fill(path: Path, count: int = 40) -> None:
    """Save project data of 50 KB in each of many queries; every second one is kept."""
    text = random.Random(1).randbytes(25 * KB).hex()
    with SQLiteBackend(path) as backend, backend.transaction():
        backend.save_profile({"id": "p"})
        for number in range(count):
            backend.save_query("p", {"id": str(number)})
            backend.save_project_data("p", str(number), {"text": text, "number": number})


def forget_half(backend: SQLiteBackend, count: int = 40) -> None:
    for number in range(0, count, 2):
        assert backend.delete_project_data("p", str(number)) == 1


def make_not_incremental(path: Path) -> None:
    """Rewrite the file as earlier releases made it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA auto_vacuum=NONE")
        connection.execute("VACUUM")


@pytest.fixture(params=["new", "old"])
def backend(request: pytest.FixtureRequest, path: Path) -> Iterator[SQLiteBackend]:
    """A file of which half is free: of this release, or of an earlier one."""
    fill(path)
    if request.param == "old":
        make_not_incremental(path)
    with SQLiteBackend(path) as opened:
        forget_half(opened)
        yield opened


def test_a_compacted_file_is_smaller(backend: SQLiteBackend, path: Path) -> None:
    before, size = everything(backend), backend.describe()["size_bytes"]
    free = backend.describe()["free_bytes"]
    assert free > 900 * KB
    given_back = backend.compact()
    assert given_back >= free
    assert backend.describe()["size_bytes"] == size - given_back == path.stat().st_size
    assert backend.describe()["free_bytes"] == 0
    assert everything(backend) == before
    assert backend.check_integrity() == (True, [])
    assert backend.compact() == 0


def test_a_slow_transaction_frees_few_pages(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other writers wait for its end."""
    fill(path)
    with SQLiteBackend(path) as opened:
        forget_half(opened)
        free = opened.describe()["free_bytes"]
        monkeypatch.setattr(sqlite_compaction, "_SECONDS", 0)
        assert opened.database.write(sqlite_compaction.free_pages)
        assert free - 2 * 4096 <= opened.describe()["free_bytes"] < free


def test_a_file_is_rewritten_only_once(
    backend: SQLiteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.compact()
    monkeypatch.setattr("burndown.database.sqlite.rewrite", None)
    for number in range(1, 40, 4):
        backend.delete_project_data("p", str(number))
    assert backend.compact() > 400 * KB


@pytest.mark.parametrize("version", ["1.0", "1.4"])
def test_a_file_of_an_earlier_schema_is_compacted(version: str, path: Path) -> None:
    path.write_bytes((FOLDER / f"{version}.db").read_bytes())
    with SQLiteBackend(path) as opened:
        before = everything(opened)
        opened.compact()
        assert opened.database.read(sqlite_compaction.can_free_pages)
        assert everything(opened) == before


def test_a_reader_keeps_its_state_meanwhile(backend: SQLiteBackend) -> None:
    """The file is shortened when the reader has ended."""
    with closing(sqlite3.connect(backend.database._path)) as reader:
        count = "SELECT count(*) FROM project_data"
        reader.execute("BEGIN")
        assert reader.execute(count).fetchone() == (20,)
        backend.delete_project_data("p", "1")
        backend.compact()
        assert reader.execute(count).fetchone() == (20,)
        reader.rollback()
        assert backend.compact() > 900 * KB


def _count_up(path: str, name: str) -> None:
    with SQLiteBackend(path) as backend:
        for number in range(30):
            backend.save_project_data("p", name, {"number": number, "text": "x" * 50 * KB})


def test_writers_go_on_meanwhile(backend: SQLiteBackend) -> None:
    """No call of them fails, and nothing of them is lost."""
    path, done = str(backend.database._path), threading.Event()
    given_back: list[int] = []

    def compact_again_and_again() -> None:
        while not done.is_set():
            given_back.append(backend.compact())

    compacting = threading.Thread(target=compact_again_and_again)
    compacting.start()
    try:
        run_all(FRESH, _count_up, (path, "0"), (path, "1"))
    finally:
        done.set()
        compacting.join()
    assert sum(given_back) > 0
    for name in ("0", "1"):
        found = backend.get_project_data("p", name)
        assert found is not None
        assert found["number"] == 29
    assert backend.check_integrity() == (True, [])


@needs_fork
@pytest.mark.parametrize("make", [lambda _: None, make_not_incremental], ids=["new", "old"])
@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.soak)])
def test_a_killed_compaction_loses_nothing(
    make: Callable[[Path], None], kills: int, path: Path
) -> None:
    """Whenever it is killed, all is there, and the next one completes it."""
    fill(path, 8)
    make(path)
    with SQLiteBackend(path) as opened:
        forget_half(opened, 8)
        before = everything(opened)

    def compact() -> None:
        with SQLiteBackend(path) as opened:
            opened.compact()

    original = path.read_bytes()
    calls = count_calls(compact)
    for number in random.Random(0).sample(range(1, calls), min(kills, calls - 1)):
        path.write_bytes(original)
        for sidecar in path.parent.glob("burndown.db-*"):
            sidecar.unlink()
        killed_at(compact, number)
        with SQLiteBackend(path) as opened:
            assert everything(opened) == before
            assert opened.check_integrity() == (True, [])
            opened.compact()
            assert opened.describe()["free_bytes"] == 0
            assert everything(opened) == before


def test_a_full_disk_changes_nothing(path: Path) -> None:
    """A file that has to be rewritten needs space for it."""
    fill(path)
    make_not_incremental(path)
    with SQLiteBackend(path) as opened:
        before = everything(opened)
        with files_no_larger_than(100 * KB), pytest.raises(StorageError):
            opened.compact()
        assert everything(opened) == before
        assert opened.check_integrity() == (True, [])


def test_it_is_refused_within_a_transaction(backend: SQLiteBackend) -> None:
    with backend.transaction(), pytest.raises(StorageError, match="do it after its end"):
        backend.compact()
    assert backend.compact() > 0


def test_a_store_that_is_opened_to_read_is_not_compacted(backend: SQLiteBackend) -> None:
    path = backend.database._path
    backend.close()
    before = path.read_bytes()
    with (
        open_backend(path, read_only=True) as reading,
        pytest.raises(StorageError, match="cannot be compacted: it was opened read-only"),
    ):
        reading.compact()
    assert path.read_bytes() == before


def test_what_was_deleted_is_erased_once_no_one_reads_it(
    backend: SQLiteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader of an earlier state keeps the log; the error says that it has to be repeated."""
    backend.set_app_state("k", "d3l3t3d")
    path = backend.database.path
    assert path is not None
    files = [path, path.with_name(f"{path.name}-wal")]
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.1")
    with SQLiteBackend(path) as other, closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM app_state").fetchall()
        other.set_app_state("k", None)
        with pytest.raises(StorageError, match="repeat this when it has ended"):
            other.erase_deleted()
        reader.rollback()
        other.erase_deleted()
        assert not any(b"d3l3t3d" in each.read_bytes() for each in files)
    with backend.transaction(), pytest.raises(StorageError, match="do it after its end"):
        backend.erase_deleted()

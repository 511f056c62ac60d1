"""A backup replaces the content of a database completely or not at all, while others use it."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from burndown import (
    DatabaseCorruptionError,
    ForeignDatabaseError,
    PersistenceBackend,
    PublishedDatabaseError,
    SchemaTooNewError,
    SQLiteBackend,
    StorageError,
)
from burndown.database import SCHEMA_VERSION
from burndown.files.checksums import checksums_path
from burndown.files.working_folder import is_working_folder
from burndown.persistence import open_backend
from burndown.testing.controlled_store import everything
from tests.data.schemas.generate import FOLDER
from tests.support.full_disk import files_no_larger_than
from tests.support.processes import PATIENCE, count_calls, killed_at, needs_fork, needs_kill
from tests.support.published_databases import write_database

KILLS = [10, pytest.param(400, marks=pytest.mark.soak)]
VERSIONS = [path.stem for path in sorted(FOLDER.glob("*.db"))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "burndown.db"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copies" / "copy.db"


@pytest.fixture
def backend(path: Path, copy: Path) -> Iterator[SQLiteBackend]:
    """Open a database with two profiles, and make a backup with the first one."""
    with SQLiteBackend(path) as new:
        new.save_profile({"id": "first"})
        new.save_query("first", {"id": "q"})
        new.save_project_data("first", "q", {"random": os.urandom(100_000).hex()})
        new.backup(copy)
        new.save_profile({"id": "second"})
        yield new


def profiles_of(backend: PersistenceBackend) -> set[str]:
    return {profile["id"] for profile in backend.list_profiles()}


def kept(path: Path) -> Path:
    return path.with_name(f"{path.name}.before-restore")


# --- in use --------------------------------------------------------------------------------------


def test_others_see_the_restored_content(backend: SQLiteBackend, path: Path, copy: Path) -> None:
    """On connections that they have open, and a transaction that reads goes on as it began."""
    with (
        SQLiteBackend(path) as other,
        open_backend(path, read_only=True) as reader,
        reader.transaction(),
    ):
        assert profiles_of(other) == profiles_of(reader) == {"first", "second"}
        before = everything(backend)
        assert backend.restore(copy) == kept(path)
        assert profiles_of(other) == profiles_of(backend) == {"first"}
        assert profiles_of(reader) == {"first", "second"}
        other.save_profile({"id": "third"})
        assert profiles_of(backend) == {"first", "third"}
    assert backend.check_integrity() == (True, [])
    with SQLiteBackend(kept(path)) as earlier:
        assert everything(earlier) == before


def test_writers_wait_for_a_restore(backend: SQLiteBackend, path: Path, copy: Path) -> None:
    """What they have written is kept, if it was before it, or stored in the restored content."""
    ended = threading.Event()
    written: list[str] = []

    def write() -> None:
        with SQLiteBackend(path) as other:
            while not ended.is_set():
                other.save_profile({"id": f"p{len(written)}"})
                written.append(f"p{len(written)}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [backend.restore(copy) for _ in range(5)]
    finally:
        ended.set()
        writer.join(PATIENCE)
    found = profiles_of(backend)
    for each in copies:
        assert each is not None
        with SQLiteBackend(each) as earlier:
            assert earlier.check_integrity() == (True, [])
            found |= profiles_of(earlier)
    assert set(written) <= found


def test_a_restore_waits_for_a_writer_up_to_a_timeout(
    backend: SQLiteBackend, path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing has changed."""
    monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0")
    before = everything(backend)
    backend.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with SQLiteBackend(path) as impatient, pytest.raises(StorageError, match="locked"):
            impatient.restore(copy)
    assert everything(backend) == before
    assert not kept(path).exists()


def test_a_restore_within_a_transaction_is_refused(backend: SQLiteBackend, copy: Path) -> None:
    with backend.transaction(), pytest.raises(StorageError, match="within a transaction"):
        backend.restore(copy)
    assert profiles_of(backend) == {"first", "second"}


# --- interrupted ---------------------------------------------------------------------------------


@needs_fork
@needs_kill
@pytest.mark.parametrize("kills", KILLS)
def test_a_killed_restore_leaves_the_earlier_content_or_the_new_one(
    backend: SQLiteBackend, path: Path, copy: Path, kills: int
) -> None:
    """At most a copy of the earlier content and a temporary folder are left."""
    old = everything(backend)
    original = backend.backup(path.with_name("original"))
    backend.close()
    with open_backend(copy, read_only=True) as opened:
        new = everything(opened)

    def restore() -> None:
        with SQLiteBackend(path) as opened:
            opened.restore(copy)

    def put_back() -> None:
        with SQLiteBackend(path) as opened:
            opened.restore(original)
        for each in path.parent.glob("*.before-restore"):
            each.unlink()

    restore()  # fills caches, which costs calls once
    put_back()
    calls = count_calls(restore)
    found = []
    for number in [*range(1, calls, calls // kills), calls - 10]:
        put_back()
        killed_at(restore, number)
        with SQLiteBackend(path) as opened:
            assert opened.check_integrity() == (True, [])
            found.append(everything(opened))
        assert found[-1] in (old, new)
        if kept(path).exists():
            with SQLiteBackend(kept(path)) as earlier:
                assert everything(earlier) == old
        unknown = {
            each.name
            for each in path.parent.iterdir()
            if not each.name.startswith("burndown.db") and not is_working_folder(each.name)
        }
        assert unknown == {"original", "original.sha256"}
    assert old in found
    assert new in found


@pytest.mark.parametrize("size", [0, 100_000])
def test_a_full_disk_leaves_the_earlier_content(
    backend: SQLiteBackend, path: Path, copy: Path, size: int
) -> None:
    """No temporary file is left, and no copy of the earlier content."""
    before = everything(backend)
    with files_no_larger_than(size), pytest.raises(StorageError):
        backend.restore(copy)
    assert everything(backend) == before
    assert {each.suffix for each in path.parent.iterdir()} <= {".db", ".db-wal", ".db-shm"}


# --- what is restored ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_backup_of_an_earlier_release_is_upgraded(
    backend: SQLiteBackend, version: str, copy: Path, tmp_path: Path
) -> None:
    """The file of the backup is unchanged, and other processes need no second try."""
    shutil.copy(FOLDER / f"{version}.db", copy)
    checksums_path(copy).unlink()
    content = copy.read_bytes()
    with SQLiteBackend(shutil.copy(copy, tmp_path / "upgraded.db")) as upgraded:
        expected = {id(entity): text for entity, text in everything(upgraded).items()}
    with SQLiteBackend(backend.database.path) as other:
        other.list_profiles()
        backend.restore(copy)
        assert {id(entity): text for entity, text in everything(other).items()} == expected
        assert other.database.schema_version() == SCHEMA_VERSION
    assert copy.read_bytes() == content


def test_tables_of_others_are_restored(backend: SQLiteBackend, tmp_path: Path) -> None:
    """The restored file is the backup, page by page."""
    with backend.database.connection() as connection:
        connection.execute("CREATE TABLE mine (x)")
        connection.execute("INSERT INTO mine VALUES (1)")
    copy = backend.backup(tmp_path / "with-table.db")
    with backend.database.connection() as connection:
        connection.execute("DROP TABLE mine")
    backend.restore(copy)
    with backend.database.connection() as connection:
        assert [tuple(row) for row in connection.execute("SELECT x FROM mine")] == [(1,)]


def test_a_backup_with_another_page_size_is_restored(
    backend: SQLiteBackend, path: Path, copy: Path
) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size=8192")
        connection.execute("VACUUM")
    checksums_path(copy).unlink()
    backend.restore(copy)
    assert profiles_of(backend) == {"first"}
    assert backend.check_integrity() == (True, [])


def test_a_missing_database_is_made(copy: Path, backend: SQLiteBackend, tmp_path: Path) -> None:
    """With its folder, and nothing is kept."""
    with SQLiteBackend(tmp_path / "new" / "folder" / "burndown.db") as new:
        assert new.restore(copy) is None
        assert profiles_of(new) == {"first"}


def _overwrite_pages(path: Path, first: int) -> None:
    content = bytearray(path.read_bytes())
    for page in range(first * 4096, len(content), 4096):
        content[page : page + 100] = b"\xff" * 100
    path.write_bytes(content)


def test_a_damaged_database_is_replaced_and_kept_as_it_is(
    backend: SQLiteBackend, path: Path, copy: Path
) -> None:
    backend.close()
    _overwrite_pages(path, path.stat().st_size // 4096 - 20)
    damaged = path.read_bytes()
    assert backend.restore(copy) == kept(path)
    assert profiles_of(backend) == {"first"}
    assert backend.check_integrity() == (True, [])
    assert kept(path).read_bytes()[4096:] == damaged[4096:]


@pytest.mark.parametrize("content", [b"no database" * 1000, None])
def test_a_database_that_cannot_be_opened_has_to_be_moved_away(
    backend: SQLiteBackend, path: Path, copy: Path, content: bytes | None
) -> None:
    """The error says so, and then it is made anew."""
    backend.close()
    if content is None:
        _overwrite_pages(path, 2)
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(DatabaseCorruptionError, match="move it away"):
        backend.restore(copy)
    assert path.read_bytes() == before
    path.rename(path.with_name("damaged"))
    assert backend.restore(copy) is None
    assert profiles_of(backend) == {"first"}


# --- refused -------------------------------------------------------------------------------------


def _missing(copy: Path) -> None:
    copy.unlink()


def _damaged(copy: Path) -> None:
    checksums_path(copy).unlink()
    _overwrite_pages(copy, 40)


def _of_another_program(copy: Path) -> None:
    copy.unlink()
    checksums_path(copy).unlink()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("CREATE TABLE bookmarks (x)")
        connection.commit()


def _of_the_published_dashboard(copy: Path) -> None:
    copy.unlink()
    checksums_path(copy).unlink()
    write_database(copy, {})


def _of_a_newer_release(copy: Path) -> None:
    checksums_path(copy).unlink()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE burndown_version SET version_num = '99.0'")
        connection.commit()


def _in_use(copy: Path) -> None:
    Path(f"{copy}-wal").write_bytes(b"left")


REFUSED: dict[Callable[[Path], None], type[StorageError]] = {
    _missing: StorageError,
    _damaged: DatabaseCorruptionError,
    _of_another_program: ForeignDatabaseError,
    _of_the_published_dashboard: PublishedDatabaseError,
    _of_a_newer_release: SchemaTooNewError,
    _in_use: StorageError,
}


@pytest.mark.parametrize("change", REFUSED)
def test_what_is_no_backup_is_refused(
    backend: SQLiteBackend, path: Path, copy: Path, change: Callable[[Path], None]
) -> None:
    """The error names it, and nothing has changed."""
    change(copy)
    before = everything(backend)
    with pytest.raises(REFUSED[change], match=str(copy)):
        backend.restore(copy)
    assert everything(backend) == before
    assert not kept(path).exists()
    with SQLiteBackend(path.with_name("new.db")) as new, pytest.raises(REFUSED[change]):
        new.restore(copy)
    assert not path.with_name("new.db").exists()


def test_a_flipped_bit_anywhere_is_found(backend: SQLiteBackend, path: Path, copy: Path) -> None:
    """Also where SQLite and the rows do not notice it."""
    content = copy.read_bytes()
    for at in range(0, len(content), len(content) // 50):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        copy.write_bytes(changed)
        with pytest.raises(DatabaseCorruptionError, match=str(copy)):
            backend.restore(copy)
    copy.write_bytes(content)
    backend.restore(copy)
    assert profiles_of(backend) == {"first"}


def test_a_database_of_another_program_is_not_replaced(
    backend: SQLiteBackend, copy: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE bookmarks (x)")
        connection.commit()
    before = other.read_bytes()
    with SQLiteBackend(other) as foreign, pytest.raises(ForeignDatabaseError):
        foreign.restore(copy)
    assert other.read_bytes() == before


def test_a_read_only_store_is_not_replaced(backend: SQLiteBackend, path: Path, copy: Path) -> None:
    before = everything(backend)
    with open_backend(path, read_only=True) as reader, pytest.raises(StorageError, match="read-on"):
        reader.restore(copy)
    assert everything(backend) == before
    none = open_backend(path.with_name("none.db"), read_only=True)
    with none as reader, pytest.raises(StorageError, match="read-on"):
        reader.restore(copy)
    assert not path.with_name("none.db").exists()

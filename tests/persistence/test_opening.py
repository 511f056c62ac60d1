"""The backend that a location opens."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import Mock

import pytest

from burndown import (
    PersistenceBackend,
    SQLiteBackend,
    StorageError,
    StoreLocationError,
    aio,
    get_backend,
    set_backend,
)
from burndown.cli import run
from burndown.database import get_db_connection
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed
from burndown.persistence import backend_in_use, open_backend
from burndown.persistence.json_backend import JSONBackend
from burndown.persistence.sql_backend import SQLBackend
from burndown.schema.recognition import APPLICATION_ID
from burndown.testing import Clock
from tests.support.database_files import FOREIGN, Place, contents, empty, too_new, without_tables


def test_a_path_is_a_sqlite_file(tmp_path: Path) -> None:
    """Given as a string or a path, or as a URL."""
    for where in ("a.db", tmp_path / "a.db", f"sqlite:///{tmp_path / 'a.db'}"):
        with open_backend(where) as backend:
            assert isinstance(backend, SQLBackend)
            assert backend.describe()["location"] == str(tmp_path / "a.db")


def test_a_folder_holds_json_files(tmp_path: Path) -> None:
    """An existing one is recognized; a new one has to be named so."""
    (tmp_path / "there").mkdir()
    for where, name in (
        ("there", "there"),
        (tmp_path / "there", "there"),
        ("json:new", "new"),
        (f"json://{tmp_path / 'new'}", "new"),
    ):
        with open_backend(where) as backend:
            assert isinstance(backend, JSONBackend)
            assert backend.describe()["location"] == str(tmp_path / name)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("where", ["memory:", "a.db", "json:files"])
def test_a_backend_takes_the_time_from_its_clock(where: str) -> None:
    """Also the one for asyncio."""
    clock = Clock()
    clock.tick(days=1)
    with open_backend(where, clock=clock) as backend:
        backend.save_profile({"id": "p"})
        [profile] = backend.list_profiles()
        assert profile["created_at"] == clock.now.isoformat()
    with aio.open_backend(where, clock=clock).backend as backend:
        assert backend.now() == clock.now


def test_the_settings_choose_json_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Backend and commands use them; commands that need a database raise an error."""
    write_demo_workspace(tmp_path, issues=3)
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", "json:profiles")
    backend = get_backend()
    assert isinstance(backend, JSONBackend)
    assert {profile["id"] for profile in backend.list_profiles()} >= {"kafka"}
    for command in ("show", "show kafka", "show kafka 12w", "check"):
        assert run(command.split()) == 0
    assert "3 issues" in capsys.readouterr().out
    for needs_a_database in (get_db_connection, run_migration_if_needed):
        with pytest.raises(StoreLocationError, match="json:profiles is not a database"):
            needs_a_database()


def test_a_backend_that_is_set_is_the_current_one(tmp_path: Path) -> None:
    """Of any type, until another is set."""
    for backend in (JSONBackend(tmp_path / "files"), SQLiteBackend(tmp_path / "a.db")):
        set_backend(backend)
        assert get_backend() is backend
        backend.save_profile({"id": "p"})
        set_backend(None)
        assert get_backend() is not backend
        set_backend(None)


@pytest.mark.parametrize("other", [JSONBackend, lambda _: Mock(spec=PersistenceBackend)])
def test_a_backend_that_is_replaced_stays_open(
    other: Callable[[Path], PersistenceBackend], tmp_path: Path
) -> None:
    """A database in memory keeps its content, whatever is set next."""
    memory = open_backend("memory:")
    memory.save_profile({"id": "p"})
    for backend in (memory, other(tmp_path / "files"), memory):
        set_backend(backend)
    assert [each["id"] for each in memory.list_profiles()] == ["p"]


def test_the_backend_before_a_block_is_in_use_again(tmp_path: Path) -> None:
    """With its content. Those of the block are closed."""
    before, own, other = (open_backend("memory:") for _ in range(3))
    set_backend(before)
    for backend in (before, own, other):
        backend.save_profile({"id": "p"})
    with backend_in_use(own):
        assert get_backend() is own
        set_backend(other)
    assert get_backend() is before
    assert [each.list_profiles() != [] for each in (before, own, other)] == [True, False, False]
    with get_db_connection() as connection:
        assert connection.execute("SELECT id FROM profiles").fetchall() != []


def test_no_backend_is_in_use_after_the_first_block() -> None:
    with backend_in_use(open_backend("memory:")) as backend:
        pass
    assert get_backend() is not backend


# --- files at the path ---------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with SQLiteBackend(tmp_path / "ours.db") as backend:
        backend.save_profile({"id": "kafka"})
    with ExitStack() as stack:
        yield Place(tmp_path / "in" / "burndown.db", tmp_path / "ours.db", stack)


@pytest.mark.parametrize("kind", [*FOREIGN, too_new], ids=lambda kind: kind.__name__)
def test_foreign_files_are_not_changed_by_a_call_that_writes(
    kind: Callable[[Place], None], place: Place
) -> None:
    kind(place)
    before = contents(place.path.parent)
    with SQLiteBackend(place.path) as backend:
        calls: list[Callable[[], object]] = [
            lambda: backend.save_profile({"id": "p"}),
            lambda: backend.list_profiles(),
            lambda: backend.database.change_version("1.0"),
        ]
        for call in calls:
            with pytest.raises(StorageError, match=r"burndown\.db"):
                call()
        assert backend.check_integrity()[0] is False
    assert contents(place.path.parent) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes of POSIX")
def test_a_pipe_is_refused_and_not_waited_for(place: Place) -> None:
    os.mkfifo(place.path)
    for read_only in (False, True):
        with (
            open_backend(place.path, read_only=read_only) as backend,
            pytest.raises(StorageError, match=r"burndown\.db is a device, pipe or socket"),
        ):
            backend.list_profiles()


@pytest.mark.parametrize("kind", [empty, without_tables], ids=lambda kind: kind.__name__)
def test_a_file_without_tables_becomes_a_database(
    kind: Callable[[Place], None], place: Place
) -> None:
    kind(place)
    with SQLiteBackend(place.path) as backend:
        backend.save_profile({"id": "p"})
        assert backend.check_integrity() == (True, [])


def test_a_database_restored_from_its_dump_is_recognized(place: Place) -> None:
    """A dump has neither the application id nor the journal mode; both are set again."""
    place.copy()
    with sqlite3.connect(place.path) as connection:
        statements = list(connection.iterdump())
    connection.close()
    place.path.unlink()
    with sqlite3.connect(place.path) as connection:
        connection.executescript("\n".join(statements))
    connection.close()
    with SQLiteBackend(place.path) as backend:
        assert [profile["id"] for profile in backend.list_profiles()] == ["kafka"]
    connection = sqlite3.connect(place.path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


def test_a_missing_table_is_reported_as_damage(place: Place) -> None:
    place.copy()
    place.make(
        "DROP TABLE task_progress",
        "DROP TRIGGER note_edited_queries",
        "ALTER TABLE queries DROP COLUMN jql",
    )
    with SQLiteBackend(place.path) as backend:
        assert backend.check_integrity() == (
            False,
            ["the table queries lacks jql", "the table task_progress is missing"],
        )


def test_a_folder_at_the_path_of_the_settings_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not opened as a store of JSON files; that has to be named so."""
    (tmp_path / "profiles/burndown.db").mkdir(parents=True)
    with pytest.raises(StoreLocationError, match=r"is a folder.*json:"):
        get_backend()
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", "profiles")
    with pytest.raises(StoreLocationError, match=r"profiles is a folder.*json:profiles"):
        get_backend()
    for where in (f"sqlite:///{tmp_path}/profiles", "sqlite:///profiles"):
        with open_backend(where) as backend, pytest.raises(StorageError, match="is a folder"):
            backend.list_profiles()
    assert not any((tmp_path / "profiles/burndown.db").iterdir())

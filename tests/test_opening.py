"""Which backend a place means."""

from pathlib import Path

import pytest

from burndown import SQLiteBackend, StorageError, get_backend, set_backend
from burndown.cli import run
from burndown.database import get_db_connection
from burndown.demo import write_demo_workspace
from burndown.migration import run_migration_if_needed
from burndown.persistence import open_backend
from burndown.persistence.json_backend import JSONBackend
from burndown.persistence.sql_backend import SQLBackend


def test_a_path_is_a_sqlite_file(tmp_path: Path) -> None:
    """Given as a text or a path, or as a URL."""
    for where in ("a.db", tmp_path / "a.db", f"sqlite:///{tmp_path / 'a.db'}"):
        with open_backend(where) as backend:
            assert isinstance(backend, SQLBackend)
            assert backend.describe()["location"] == str(tmp_path / "a.db")


def test_a_folder_holds_json_files(tmp_path: Path) -> None:
    """One that is there is known as such; any other is named so."""
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


def test_the_settings_choose_json_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Backend and commands work on them; what needs a database says so."""
    write_demo_workspace(tmp_path, issues=3)
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", "json:profiles")
    backend = get_backend()
    assert isinstance(backend, JSONBackend)
    assert {profile["id"] for profile in backend.list_profiles()} >= {"kafka"}
    for command in ("show", "show kafka", "show kafka 12w", "check"):
        assert run(command.split()) == 0
    assert "3 issues" in capsys.readouterr().out
    for needs_a_database in (get_db_connection, run_migration_if_needed):
        with pytest.raises(StorageError, match="json:profiles is no database"):
            needs_a_database()


def test_a_backend_that_is_set_is_the_one_in_use(tmp_path: Path) -> None:
    """Whatever kind it is, until another is set."""
    for backend in (JSONBackend(tmp_path / "files"), SQLiteBackend(tmp_path / "a.db")):
        set_backend(backend)
        assert get_backend() is backend
        backend.save_profile({"id": "p"})
        set_backend(None)
        assert get_backend() is not backend
        set_backend(None)

"""The store that a command works on."""

from pathlib import Path

import pytest

from burndown import SQLiteBackend, StorageError
from burndown.cli import run
from burndown.persistence import open_backend
from tests.support.command_line import Capture, files_below, in_json, printed, refused

COMMANDS = {
    "show": ["show", "mine"],
    "check": ["check"],
    "tasks": ["tasks"],
    "export": ["export", "mine", "out"],
    "import": ["import", "mine.zip", "--replace"],
    "upgrade": ["upgrade"],
    "downgrade": ["downgrade", "--to", "1.0"],
}


@pytest.fixture(autouse=True)
def _stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a store in a folder, one at a path, and a file that is neither in the environment."""
    for path in ("folder/burndown.db", "own.db"):
        with SQLiteBackend(tmp_path / path) as backend:
            backend.save_profile({"id": "mine", "description": path})
    assert run(["export", "mine", "mine.zip", "--database", "own.db"]) == 0
    Path("named.db").write_bytes(b"of the environment" * 100)
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", "named.db")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "store",
    [["--profiles", "folder"], ["--database", "own.db"], ["--database", "sqlite:///own.db"]],
    ids=" ".join,
)
def test_an_option_takes_precedence_over_the_environment(
    capsys: Capture, command: str, store: list[str]
) -> None:
    printed(capsys, *COMMANDS[command], *store)
    assert "named.db" in refused(capsys, "show")
    assert Path("named.db").read_bytes() == b"of the environment" * 100


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_and_a_database_exclude_each_other(
    capsys: Capture, tmp_path: Path, command: str
) -> None:
    before = files_below(tmp_path)
    assert run([*COMMANDS[command], "--profiles", "folder", "--database", "own.db"]) == 2
    assert "both name a database; give only one of them" in capsys.readouterr().err
    assert files_below(tmp_path) == before


def test_each_option_reads_its_own_store(capsys: Capture) -> None:
    for store, path in ((["--profiles", "folder"], "folder/burndown.db"), ([], "own.db")):
        found = in_json(capsys, "show", "mine", *(store or ["--database", "own.db"]))
        assert found["description"] == path


def test_a_migration_reads_a_folder_and_writes_a_database(
    capsys: Capture, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both can be given; the default database is that of the environment."""
    arguments = ["migrate", "--profiles", "profiles"]
    report = in_json(capsys, *arguments, "--database", "new.db")
    assert report["database"] == str(old / "new.db")
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", "other.db")
    assert in_json(capsys, *arguments)["database"] == str(old / "other.db")
    assert not (old / "profiles/burndown.db").exists()


def test_a_folder_is_not_a_database(capsys: Capture) -> None:
    """It has to be named as a store of JSON files; copy accepts both."""
    for store in (["--database", "folder"], ["--database", "sqlite:///folder"]):
        assert "json:" in refused(capsys, "check", *store)
    Path("in the way/burndown.db").mkdir(parents=True)
    assert "is a folder, not a database" in refused(capsys, "show", "--profiles", "in the way")
    printed(capsys, "copy", "own.db", "json:files")
    printed(capsys, "copy", "files", "again.db")
    assert in_json(capsys, "show", "mine", "--database", "again.db")["description"] == "own.db"


def test_reading_creates_no_tables_on_a_server(capsys: Capture, postgres_url: str) -> None:
    for command in (["show"], ["check"], ["export", "--legacy", "out"]):
        assert "There is no database" in refused(capsys, *command, "--database", postgres_url)
    with open_backend(postgres_url, read_only=True) as backend:
        assert not backend.exists()
    printed(capsys, "copy", "own.db", postgres_url)
    with open_backend(postgres_url, read_only=True) as backend:
        assert [profile["id"] for profile in backend.list_profiles()] == ["mine"]
        with backend.transaction(), pytest.raises(StorageError, match="read-only"):
            backend.set_app_state("a", "b")

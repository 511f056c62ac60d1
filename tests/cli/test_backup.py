"""The command backup."""

from pathlib import Path

import pytest

from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from tests.support.command_line import (
    CANARY,
    Capture,
    files_below,
    in_json,
    printed,
    refused,
    without_ages,
)
from tests.support.database_rows import everything


def test_backup_prints_the_path_of_the_copy(capsys: Capture, workspace: Path) -> None:
    """The path is absolute, in tables and in JSON, and the copy has the same data."""
    before = everything(workspace / "profiles/burndown.db")
    output = printed(capsys, "backup", "backups/one.db")
    assert output == f"Backed up to {workspace / 'backups/one.db'}, and checked\n"
    found = in_json(capsys, "backup", "backups/other.db")
    assert found == {"backup": str(workspace / "backups/other.db")}
    for name in ("one.db", "other.db"):
        assert everything(workspace / "backups" / name) == before
    assert {path.name for path in (workspace / "backups").glob("*.db*")} == {
        *("one.db", "one.db.sha256", "other.db", "other.db.sha256")
    }


def test_a_backup_can_replace_the_database(
    capsys: Capture, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is copied to the path of the deleted database."""
    shown = without_ages(in_json(capsys, "show"))
    printed(capsys, "backup", "copy.db")
    database = workspace / "profiles/burndown.db"
    database.unlink()
    (workspace / "copy.db").rename(database)
    assert without_ages(in_json(capsys, "show"))["profiles"] == shown["profiles"]


def test_backup_overwrites_nothing(capsys: Capture, workspace: Path) -> None:
    """The error names the path, also with --json."""
    before = files_below(workspace)
    for target in ("profiles/burndown.db", "profiles"):
        said = refused(capsys, "backup", target, "--json")
        assert said.startswith(f"{workspace / target} is an existing f")
    assert files_below(workspace) == before


def test_backup_of_a_missing_store_creates_nothing(capsys: Capture, tmp_path: Path) -> None:
    """The error names the path."""
    assert str(tmp_path / "profiles") in refused(capsys, "backup", "copy.db")
    assert not files_below(tmp_path)


def test_backup_of_json_files_is_a_folder(
    capsys: Capture, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a workspace that can be migrated."""
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", "json:profiles")
    printed(capsys, "backup", "copy/profiles")
    monkeypatch.delenv("BURNDOWN_DATABASE_URL")
    moved = in_json(capsys, "migrate", "--profiles", "copy/profiles")["moved"]
    assert moved["profiles"] == 3


def test_backup_of_a_server_names_its_program_without_the_password(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is not connected to."""
    url = f"postgresql://user:{CANARY}@127.0.0.1:1/db"
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", url)
    assert run(["backup", "copy.dump"]) == ExitCode.UNAVAILABLE
    assert CANARY not in "".join(capsys.readouterr())


def test_backups_rotate_and_restore(capsys: Capture, workspace: Path) -> None:
    """As in the documentation, with the paths in JSON."""
    made = [
        Path(in_json(capsys, "backup", "backups/kept", "--keep", "2")["backup"]) for _ in range(3)
    ]
    assert set((workspace / "backups/kept").glob("*.db")) == set(made[1:])
    shown = without_ages(in_json(capsys, "show"))["profiles"]
    printed(capsys, "clear", "kafka", "--metrics")
    assert without_ages(in_json(capsys, "show"))["profiles"] != shown
    database = workspace / "profiles/burndown.db"
    kept = f"{database}.before-restore"
    assert in_json(capsys, "restore", str(made[-1])) == {
        "backup": str(made[-1]),
        "location": str(database),
        "kept": kept,
    }
    assert without_ages(in_json(capsys, "show"))["profiles"] == shown
    output = printed(capsys, "restore", kept)
    assert output == (
        f"Restored {kept} to {database}\n"
        f"The earlier content is kept as {database}.2.before-restore\n"
    )
    assert without_ages(in_json(capsys, "show"))["profiles"] != shown


def test_a_drill_prints_what_it_compared(capsys: Capture, workspace: Path) -> None:
    """Of an existing backup or of one of the store, and a damaged one is refused."""
    printed(capsys, "backup", "one.db")
    found = in_json(capsys, "backup", "--drill", "one.db")
    assert found == {**in_json(capsys, "backup", "--drill"), "backup": "one.db"}
    assert found["compared"]["profiles"] == 3
    assert "one.db can be restored" in printed(capsys, "backup", "--drill", "one.db")
    content = bytearray((workspace / "one.db").read_bytes())
    content[-1] ^= 128
    (workspace / "one.db").write_bytes(content)
    assert f"{workspace / 'one.db'} is damaged" in refused(capsys, "backup", "--drill", "one.db")


def test_the_options_of_a_backup_that_make_no_sense_are_refused(
    capsys: Capture, workspace: Path
) -> None:
    before = files_below(workspace)
    for words in (["--drill", "--keep", "2"], [], ["backups", "--keep", "0"]):
        assert run(["backup", *words]) == 2
    capsys.readouterr()
    assert files_below(workspace) == before

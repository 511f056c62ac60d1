"""The commands upgrade and downgrade."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from burndown.database import SQLiteDatabase
from burndown.models.version import SCHEMA_VERSION, VERSIONS
from tests.support.command_line import Capture, files_below, in_json, printed, refused
from tests.support.kept_databases import copy_of


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Make a workspace of schema version 1.0 in the current folder."""
    return copy_of("1.0", tmp_path / "profiles" / "burndown.db")


def version_of(path: Path) -> str | None:
    with closing(SQLiteDatabase(path)) as database:
        return database.schema_version()


def test_upgrade_reports_both_versions(capsys: Capture, old: Path) -> None:
    """A second upgrade has nothing to do."""
    assert f"changed from schema version 1.0 to {SCHEMA_VERSION}" in printed(capsys, "upgrade")
    assert version_of(old) == SCHEMA_VERSION
    assert "Nothing to do" in printed(capsys, "upgrade")


def test_a_dry_run_prints_the_sql_and_changes_nothing(capsys: Capture, old: Path) -> None:
    """The SQL can be run manually, except for what Python fills in."""
    before = files_below(old.parent)
    sql = printed(capsys, "upgrade", "--dry-run")
    assert files_below(old.parent) == before
    assert "ALTER TABLE queries ADD COLUMN updated_at" in sql
    with closing(sqlite3.connect(":memory:")) as connection, closing(sqlite3.connect(old)) as file:
        file.backup(connection)
        connection.executescript(sql)
        connection.execute("SELECT updated_at FROM queries").fetchall()
    assert in_json(capsys, "upgrade", "--dry-run") == {
        "location": str(old),
        "from": "1.0",
        "to": SCHEMA_VERSION,
        "sql": sql,
    }
    printed(capsys, "upgrade")
    assert in_json(capsys, "upgrade", "--dry-run")["sql"] == ""
    unchanged = f"-- Nothing to do: the version is {SCHEMA_VERSION}\n"
    assert printed(capsys, "upgrade", "--dry-run") == unchanged


def test_downgrade_restores_the_old_version(capsys: Capture, old: Path) -> None:
    """So does its SQL; the next opening upgrades again."""
    printed(capsys, "upgrade")
    assert "DROP COLUMN updated_at" in printed(capsys, "downgrade", "--to", "1.0", "--dry-run")
    assert version_of(old) == SCHEMA_VERSION
    found = in_json(capsys, "downgrade", "--to", "1.0")
    assert found == {"location": str(old), "from": SCHEMA_VERSION, "to": "1.0"}
    assert version_of(old) == "1.0"
    assert "`burndown upgrade` does that" in refused(capsys, "show")
    printed(capsys, "upgrade")
    assert version_of(old) == SCHEMA_VERSION


def test_show_prints_the_versions_and_the_copy(capsys: Capture, old: Path) -> None:
    printed(capsys, "upgrade")
    shown = printed(capsys, "show")
    assert f"schema version {SCHEMA_VERSION}" in shown
    assert "  1.0: Profiles, queries" in shown
    assert f"backup from before the upgrade: {old}.1.0.backup" in shown
    history = in_json(capsys, "show")["database"]["schema_history"]
    assert [each["version"] for each in history] == list(VERSIONS)
    backups = [each["backups"] for each in history]
    assert backups == [[f"{old}.1.0.backup"], *([] for _ in backups[1:])]


def test_impossible_upgrades_are_refused(capsys: Capture, old: Path) -> None:
    """An unknown version, the wrong command, no database, and a foreign database."""
    no = ExitCode.NOT_VALID
    assert f"one of {', '.join(VERSIONS)}" in refused(capsys, "upgrade", "--to", "2", code=no)
    newest = SCHEMA_VERSION
    assert "use `burndown upgrade`" in refused(capsys, "downgrade", "--to", newest, code=no)
    printed(capsys, "upgrade")
    assert "use `burndown downgrade`" in refused(capsys, "upgrade", "--to", "1.0", code=no)
    assert "no database" in refused(capsys, "upgrade", "--profiles", "elsewhere")
    assert not Path("elsewhere").exists()
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE burndown_version SET version_num = '7.3'")
    for command in (["upgrade"], ["downgrade", "--to", "1.0"], ["show"], ["migrate"]):
        assert "schema version 7.3" in refused(capsys, *command)


def test_files_of_the_old_dashboard_have_no_schema_version(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", f"json:{tmp_path}")
    assert "is not a database" in refused(capsys, "upgrade")
    assert run(["downgrade"]) == 2

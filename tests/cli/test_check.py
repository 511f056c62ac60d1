"""The command check."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from tests.support.command_line import CANARY, Capture, in_json, printed, refused, start


def test_check_reports_an_intact_database(capsys: Capture, workspace: Path) -> None:
    intact, plain_text = printed(capsys, "check").splitlines()
    assert intact == "The database is intact"
    assert plain_text.startswith("Secrets in plain text: 2")
    assert in_json(capsys, "check") == {"ok": True, "errors": [], "notes": []}


def overwritten_pages(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xa5" * 40960 + content[49152:])


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20000])


def overwritten_header(path: Path) -> None:
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


def missing_index_entry(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_profiles_last_used'")
        connection.execute("PRAGMA writable_schema=RESET")


DAMAGES = [overwritten_pages, cut_off, overwritten_header, missing_index_entry]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_check_reports_a_damaged_database(
    capsys: Capture, workspace: Path, damage: Callable[[Path], None]
) -> None:
    """It exits with 1, reports each problem on a line, and prints no traceback."""
    damage(workspace / "profiles/burndown.db")
    assert run(["check"]) == ExitCode.DAMAGED
    output, errors = capsys.readouterr()
    assert output == ""
    lines = errors.splitlines()
    assert lines
    assert "The database is intact" not in errors
    assert "Traceback" not in errors
    assert lines[0].startswith("Error: ")
    found = in_json(capsys, "check", code=ExitCode.DAMAGED)
    assert found["ok"] is False
    assert found["errors"]
    assert all(problem in errors for problem in found["errors"])
    assert CANARY not in errors + json.dumps(found)


def test_check_reports_a_row_without_its_owner(capsys: Capture, workspace: Path) -> None:
    """The report names the table, the row and the missing owner."""
    with closing(sqlite3.connect(workspace / "profiles/burndown.db")) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        cursor = connection.execute("INSERT INTO queries (profile_id, id) VALUES ('gone', 'q')")
        row = cursor.lastrowid
        connection.commit()
    line = refused(capsys, "check")
    assert line == f"row {row} of queries belongs to a row of profiles that does not exist"
    assert in_json(capsys, "check", code=ExitCode.DAMAGED) == {
        "ok": False,
        "errors": [line],
        "notes": [],
    }


def test_the_exit_code_reports_whether_the_database_is_intact(workspace: Path) -> None:
    assert start("check").returncode == 0
    overwritten_pages(workspace / "profiles/burndown.db")
    ended = start("check")
    assert ended.returncode == ExitCode.DAMAGED
    assert ended.stderr.startswith(b"Error: ")
    assert b"Traceback" not in ended.stderr

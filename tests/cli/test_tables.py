"""``burndown tables``."""

import sqlite3
from contextlib import closing
from pathlib import Path

from burndown.cli.exit_codes import ExitCode
from burndown.tables import TABLES
from tests.support.command_line import CANARY, Capture, in_json, printed, refused


def test_tables_are_written_and_the_changes_reported(capsys: Capture, workspace: Path) -> None:
    found = in_json(capsys, "tables", "out.db")
    assert found["path"] == "out.db"
    assert list(found["tables"]) == [table.name for table in TABLES]
    assert found["tables"]["issues"]["added"] == found["tables"]["issues"]["rows"] > 0
    with closing(sqlite3.connect("out.db")) as connection:
        for name, changes in found["tables"].items():
            [rows] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
            assert changes["rows"] == rows
    assert CANARY.encode() not in Path("out.db").read_bytes()
    lines = printed(capsys, "tables", "out.db").splitlines()
    [issues] = [line for line in lines if " issues " in line]
    assert issues.split() == ["│", "issues", "│", str(rows_of(found)), *["│", "0"] * 3, "│"]


def rows_of(found: dict[str, dict[str, dict[str, int]]]) -> int:
    return found["tables"]["issues"]["rows"]


def test_a_store_of_files_has_tables(capsys: Capture, workspace: Path) -> None:
    expected = in_json(capsys, "tables", "out.db")["tables"]
    printed(capsys, "copy", "profiles/burndown.db", "json:files")
    assert in_json(capsys, "tables", "out.csv", "--database", "json:files")["tables"] == expected


def test_wrong_paths_are_refused(capsys: Capture, workspace: Path) -> None:
    assert ".parquet" in refused(capsys, "tables", "out.xlsx", code=ExitCode.NOT_VALID)
    message = refused(capsys, "tables", "profiles/burndown.db", code=ExitCode.NOT_VALID)
    assert "earlier run" in message
    refused(capsys, "tables", "out.db", "--database", "nowhere.db", code=ExitCode.NOT_FOUND)
    assert not Path("out.db").exists()

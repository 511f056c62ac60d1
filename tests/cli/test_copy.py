"""The command copy."""

import re
from pathlib import Path

from tests.cli.program import (
    CANARY,
    Capture,
    all_that_is_shown,
    files_below,
    in_json,
    printed,
    refused,
)
from tests.stored import everything


def test_copy_tells_what_it_copied(capsys: Capture, workspace: Path) -> None:
    """The numbers are those of the database, and both sides are named."""
    output = printed(capsys, "copy", "profiles/burndown.db", "other.db")
    copied = dict(re.findall(r"^[│|] ([a-z ]+?) +[│|] +(\d+) [│|]$", output, re.MULTILINE))
    before = everything(workspace / "profiles/burndown.db")
    assert int(copied["changelogs"]) == len(before["jira_changelog_cache"])
    assert str(workspace / "other.db") in output
    for table, rows in everything(workspace / "other.db").items():
        assert sorted(rows, key=repr) == sorted(before[table], key=repr)


def test_copy_replaces_only_if_told(capsys: Capture, workspace: Path) -> None:
    """Programs get the numbers and both places."""
    printed(capsys, "copy", "profiles/burndown.db", "other.db")
    said = refused(capsys, "copy", "profiles/burndown.db", "other.db", "--json")
    assert "other.db is not empty" in said
    found = in_json(capsys, "copy", "profiles/burndown.db", "other.db", "--replace")
    assert found["copied"]["profiles"] == 3
    assert found["source"] == str(workspace / "profiles/burndown.db")


def test_copy_of_nothing_makes_nothing(capsys: Capture, tmp_path: Path) -> None:
    """The error names the place."""
    assert str(tmp_path / "none.db") in refused(capsys, "copy", "none.db", "other.db")
    assert not files_below(tmp_path)


def test_copy_shows_no_password(capsys: Capture, workspace: Path) -> None:
    """Neither where it comes from nor where it goes to."""
    away = f"postgresql://user:{CANARY}@127.0.0.1:1/db"
    for arguments in (["profiles/burndown.db", away], [away, "other.db"]):
        code, shown = all_that_is_shown(capsys, ["copy", *arguments, "--debug"])
        assert code == 1
        assert CANARY not in shown

"""The command copy."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.command_line import (
    CANARY,
    Capture,
    all_output_of,
    files_below,
    in_json,
    printed,
    refused,
)
from tests.support.database_rows import everything
from tests.support.postgres import execute_on


def test_copy_prints_the_numbers_of_copied_rows(capsys: Capture, workspace: Path) -> None:
    """They are those of the database, and both stores are named."""
    output = printed(capsys, "copy", "profiles/burndown.db", "other.db")
    copied = dict(re.findall(r"^[│|] ([a-z ]+?) +[│|] +(\d+) [│|]$", output, re.MULTILINE))
    before = everything(workspace / "profiles/burndown.db")
    assert int(copied["changelogs"]) == len(before["jira_changelog_cache"])
    assert str(workspace / "other.db") in output
    for table, rows in everything(workspace / "other.db").items():
        assert sorted(rows, key=repr) == sorted(before[table], key=repr)


def test_copy_replaces_a_store_only_with_the_option(capsys: Capture, workspace: Path) -> None:
    """With --json there are the numbers and both locations."""
    printed(capsys, "copy", "profiles/burndown.db", "other.db")
    said = refused(capsys, "copy", "profiles/burndown.db", "other.db", "--json")
    assert "other.db is not empty" in said
    found = in_json(capsys, "copy", "profiles/burndown.db", "other.db", "--replace")
    assert found["copied"]["profiles"] == 3
    assert found["source"] == str(workspace / "profiles/burndown.db")


def test_copy_of_a_missing_store_creates_nothing(capsys: Capture, tmp_path: Path) -> None:
    """The error names the path."""
    assert str(tmp_path / "none.db") in refused(capsys, "copy", "none.db", "other.db")
    assert not files_below(tmp_path)


def test_copy_prints_no_password(capsys: Capture, workspace: Path) -> None:
    """Neither that of the source nor that of the target."""
    away = f"postgresql://user:{CANARY}@127.0.0.1:1/db"
    for arguments in (["profiles/burndown.db", away], [away, "other.db"]):
        code, shown = all_output_of(capsys, ["copy", *arguments, "--debug"])
        assert code == 1
        assert CANARY not in shown


OF_OTHERS = (
    "ALTER TABLE profiles ADD COLUMN team TEXT",
    "CREATE TABLE mine (a INTEGER PRIMARY KEY, b TEXT)",
    "CREATE INDEX mine_b ON mine (b)",
    "CREATE INDEX names ON queries (name)",
    "CREATE VIEW named AS SELECT name FROM queries",
)
OBJECTS = ["table mine", "view named", "column team of profiles", "index names of queries"]


def test_copy_lists_foreign_objects_that_it_does_not_copy(capsys: Capture, workspace: Path) -> None:
    """Without such objects, the report says that the stores are equal."""
    trigger = "CREATE TRIGGER noted AFTER INSERT ON queries BEGIN UPDATE mine SET b = 'x'; END"
    assert "Not copied" not in printed(capsys, "copy", "profiles/burndown.db", "before.db")
    with closing(sqlite3.connect(workspace / "profiles/burndown.db")) as connection:
        for statement in (*OF_OTHERS, trigger):
            connection.execute(statement)
    output = printed(capsys, "copy", "profiles/burndown.db", "other.db")
    expected = [*OBJECTS, "trigger noted of queries"]
    assert f"Not copied, since they were added by others: {', '.join(expected)};" in output
    found = in_json(capsys, "copy", "profiles/burndown.db", "again.db")
    assert found["not_copied"] == expected


def test_copy_from_a_server_lists_what_others_added(
    capsys: Capture, workspace: Path, postgres_url: str
) -> None:
    """The version table of another program is a foreign object, too."""
    assert in_json(capsys, "copy", "profiles/burndown.db", postgres_url)["not_copied"] == []
    execute_on(postgres_url, *OF_OTHERS, "CREATE TABLE alembic_version (version_num TEXT)")
    execute_on(postgres_url, "INSERT INTO alembic_version VALUES ('abc')")
    found = in_json(capsys, "copy", postgres_url, "other.db")
    assert found["not_copied"] == ["table alembic_version", *OBJECTS]


def test_copy_does_not_lock_or_create_its_source(capsys: Capture, workspace: Path) -> None:
    """Another process may be writing to it."""
    with closing(sqlite3.connect(workspace / "profiles/burndown.db")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM profiles")
        assert (
            in_json(capsys, "copy", "profiles/burndown.db", "other.db")["copied"]["profiles"] == 3
        )

"""The command migrate and the progress that it prints."""

import json
import re
from pathlib import Path

import pytest

from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from tests.support.command_line import (
    CANARY,
    Capture,
    files_below,
    in_json,
    many_queries,
    on_a_terminal,
    printed,
    start,
)
from tests.support.database_rows import everything
from tests.support.legacy_workspaces import write

TABLES = ["Moved", "Converted", "Skipped"]


def test_migrate_reports_what_was_moved_converted_and_skipped(capsys: Capture, old: Path) -> None:
    """The tables have this order and agree with the database; the locations follow."""
    output = printed(capsys, "migrate")
    headings = [line.strip() for line in output.splitlines() if line.strip() in TABLES]
    assert headings == TABLES
    moved = dict(re.findall(r"^[│|] ([a-z ]+?) +[│|] +(\d+) [│|]$", output, re.MULTILINE))
    rows = everything(old / "profiles/burndown.db")
    assert {what: int(number) for what, number in moved.items()} == {
        "profiles": len(rows["profiles"]),
        "queries": len(rows["queries"]),
        "cached responses": len(rows["jira_cache"]),
        "issues": sum(len(row["response"]["issues"]) for row in rows["jira_cache"]),
        "changelogs": len(rows["jira_changelog_cache"]),
        "project data": len(rows["project_data"]),
        "metrics snapshots": len(rows["metrics_snapshots"]),
    }
    [backup] = (old / "backups").iterdir()
    assert output.splitlines()[-2:] == [
        f"The files are unchanged, and backed up to {backup}",
        f"Moved into {old / 'profiles/burndown.db'}",
    ]


def test_migrate_prints_its_report_as_json(capsys: Capture, old: Path) -> None:
    """Only JSON is printed, and it has what the tables have."""
    report = in_json(capsys, "migrate", "--dry-run")
    assert report["outcome"] == "dry run"
    assert report["backup"] is None
    output = printed(capsys, "migrate", "--dry-run")
    for what, number in report["moved"].items():
        assert re.search(rf"^[│|] {what} +[│|] +{number} [│|]$", output, re.MULTILINE)
    squeezed = re.sub(r"[\s│]", "", output)
    assert report["converted"]
    assert report["skipped"]
    for found in (*report["converted"], *report["skipped"]):
        path = Path(found["path"]).relative_to(old)
        assert str(path)[:40] in squeezed or str(path)[:20] in output
    report_of_migration = in_json(capsys, "migrate")
    assert report_of_migration["outcome"] == "migrated"
    assert Path(report_of_migration["backup"]).is_dir()
    assert report_of_migration["database"] == str(old / "profiles/burndown.db")
    for part in ("moved", "converted", "skipped"):
        assert report_of_migration[part] == report[part]


def test_a_dry_run_writes_nothing(capsys: Capture, old: Path) -> None:
    """It creates no database, backup or lock, and reports a plan."""
    before = files_below(old)
    output = printed(capsys, "migrate", "--dry-run")
    assert files_below(old) == before
    assert "Would move " in output
    assert output.splitlines()[-1] == f"Would move into {old / 'profiles/burndown.db'}"
    assert "copy" not in output.splitlines()[-2]


def test_a_second_run_has_nothing_to_do(capsys: Capture, old: Path) -> None:
    """One line says so, with the option of a dry run too, and nothing changes."""
    printed(capsys, "migrate")
    before = files_below(old)
    for arguments in (["migrate"], ["migrate", "--dry-run"]):
        output = printed(capsys, *arguments)
        assert output.startswith("Nothing to do: ")
        assert output.count("\n") == 1
    report = in_json(capsys, "migrate")
    assert report["outcome"] == "already migrated"
    assert report["moved"] == {}
    assert report["converted"] == report["skipped"] == []
    assert files_below(old) == before


def test_without_old_files_there_is_nothing_to_do(capsys: Capture, tmp_path: Path) -> None:
    output = printed(capsys, "migrate")
    assert output == (
        f"Nothing to do: there is no data of an older dashboard in {tmp_path / 'profiles'}\n"
    )
    assert in_json(capsys, "migrate", "--profiles", "other")["outcome"] == "nothing to migrate"


@pytest.mark.parametrize("options", [[], ["--json"], ["--dry-run"]])
def test_damaged_files_are_reported_and_nothing_is_moved(
    capsys: Capture, old: Path, options: list[str]
) -> None:
    """The error has a line for each file with its reason, and no database is created."""
    paths = [old / "profiles/kafka/profile.json", old / "profiles/kafka/queries/12w/query.json"]
    for path in paths:
        path.write_bytes(path.read_bytes()[:-20])
    assert run(["migrate", *options]) == ExitCode.NOT_VALID
    output, errors = capsys.readouterr()
    assert "Moved" not in output
    if "--json" in options:
        assert output == ""
        errors = json.loads(errors)["error"]["message"]
    _, *lines = errors.splitlines()
    assert len(lines) == len(paths)
    for path in paths:
        assert any(str(path) in line for line in lines)
    assert "Traceback" not in errors
    assert CANARY not in output + errors
    assert not (old / "profiles/burndown.db").exists()


def test_migrate_uses_the_folder_and_database_of_the_settings(
    capsys: Capture, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder on the command line takes precedence; the database of the settings stays."""
    (old / "profiles").rename(old / "elsewhere")
    monkeypatch.setenv("BURNDOWN_PROFILES_DIR", "elsewhere")
    assert in_json(capsys, "migrate")["database"] == str(old / "elsewhere/burndown.db")
    monkeypatch.setenv("BURNDOWN_PROFILES_DIR", "nowhere")
    assert in_json(capsys, "show", "--profiles", "elsewhere")["active_profile_id"] == "kafka"
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", str(tmp_path / "own.db"))
    report = in_json(capsys, "migrate", "--profiles", "elsewhere")
    assert report["outcome"] == "migrated"
    assert report["database"] == str(tmp_path / "own.db")
    assert in_json(capsys, "show")["database"]["location"] == str(tmp_path / "own.db")


@pytest.mark.parametrize("count", [1, 2, 5, 6, 23])
def test_without_a_terminal_progress_is_a_few_plain_lines(
    capsys: Capture, tmp_path: Path, count: int
) -> None:
    """There are at most five, with growing numbers, the last of them for all files."""
    write(many_queries(count), tmp_path)
    output = printed(capsys, "migrate")
    assert "\x1b" not in output
    assert "\r" not in output
    told = [
        int(number)
        for number in re.findall(rf"^moving: (\d+) of {count} queries$", output, re.MULTILINE)
    ]
    assert 1 <= len(told) <= 5
    assert told == sorted(set(told))
    assert told[-1] == count


def test_the_program_writes_plain_lines_to_a_pipe(old: Path) -> None:
    ended = start("migrate")
    assert ended.returncode == 0
    assert ended.stderr == b""
    text = ended.stdout.decode()
    assert "\x1b" not in text
    assert "moving: 4 of 4 queries\n" in text
    assert all(f"\n{heading}" in text for heading in TABLES)


def test_on_a_terminal_a_bar_shows_progress(old: Path) -> None:
    """The tables remain, complete and within the width, and the cursor is visible again."""
    shown = on_a_terminal("migrate")
    assert shown.code == 0
    assert re.search(r"Moving .*━+.* 4/4 .*queries", shown.raw)
    assert shown.raw.rfind("\x1b[?25h") > shown.raw.rfind("\x1b[?25l") >= 0
    text = "\n".join(shown.screen)
    assert "moving: " not in text
    assert [line for line in shown.screen if line in TABLES] == TABLES
    assert re.search(r"^│ queries +│ +4 │$", text, re.MULTILINE)
    lines = [line for line in shown.screen if line.startswith(("┏", "┡", "└", "│"))]
    assert max(map(len, lines)) <= 100
    assert "Traceback" not in text
    assert (old / "profiles/burndown.db").exists()


@pytest.mark.parametrize("columns", [30, 60, 200])
def test_a_terminal_may_have_any_width(workspace: Path, columns: int) -> None:
    """No line of a table is wider, and all ids can be read, on several lines if necessary."""
    for arguments in (["show"], ["show", "kafka"]):
        shown = on_a_terminal(*arguments, columns=columns)
        assert shown.code == 0
        tables = [line for line in shown.screen if line.startswith(("┏", "┃", "┡", "└", "│"))]
        assert max(map(len, tables)) <= columns
        assert "…" not in "".join(tables)


def test_on_a_terminal_an_error_ends_the_bar(old: Path) -> None:
    """The error is the last line, and the cursor is visible again."""
    path = old / "profiles/kafka/queries/12w/project_data.json"
    path.write_bytes(path.read_bytes()[:-20])
    shown = on_a_terminal("migrate")
    assert shown.code == ExitCode.NOT_VALID
    assert shown.raw.rfind("\x1b[?25h") > shown.raw.rfind("\x1b[?25l")
    assert "Traceback" not in shown.raw
    [row] = [row for row, line in enumerate(shown.screen) if line.startswith("Error: ")]
    assert str(path)[:40] in "".join(shown.screen[row:])


def test_on_a_terminal_json_is_only_json(old: Path) -> None:
    shown = on_a_terminal("migrate", "--json")
    assert shown.code == 0
    assert "\x1b" not in shown.raw
    assert json.loads(shown.raw)["outcome"] == "migrated"

"""The command line, as people and programs meet it: in process, as a program, on a terminal."""

import fcntl
import json
import os
import pty
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import sysconfig
import termios
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from burndown import (
    PersistenceError,
    ProfileNotFoundError,
    QueryNotFoundError,
    SQLiteBackend,
    StorageError,
    get_backend,
    set_backend,
)
from burndown.cli import run
from burndown.demo import write_demo_workspace
from tests.legacy_workspaces import Files, write
from tests.stored import everything

COMMANDS = ["demo", "migrate", "show", "check", "copy"]
CANARY = "canary-7c1e"
ODD_NAME = "[red]x[/] [link=x]:smile: \\[b]"
ODD_ID = "[red]x[b] :smile:"

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _plain_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours and widths are those of the test, not of its caller."""
    for variable in (
        *("COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TERM"),
        *("TTY_COMPATIBLE", "TTY_INTERACTIVE"),
    ):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def legacy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a small workspace of the old dashboard, to be copied."""
    root = tmp_path_factory.mktemp("legacy")
    write_demo_workspace(root, issues=12)
    path = root / "profiles/kafka/profile.json"
    profile = json.loads(path.read_text("utf-8"))
    profile["jira_config"]["token"] = CANARY
    path.write_text(json.dumps(profile), "utf-8")
    below = "profiles/zh/queries/offen"
    files = {
        "profiles/zh/profile.json": {"name": "Zürich ✓ 中"},
        f"{below}/query.json": {"name": "Offene Vorgänge ✓", "jql": "assignee = 'Jürg ✓'"},
        f"{below}/project_data.json": {"total_items": 40, "metadata": {}},  # the oldest form
    }
    write(files, root)
    return root


@pytest.fixture(scope="session")
def migrated(legacy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of that workspace, moved in, to be copied."""
    root = tmp_path_factory.mktemp("migrated") / "root"
    shutil.copytree(legacy, root)
    assert run(["migrate", "--json", "--profiles", str(root / "profiles")]) == 0
    return root


@pytest.fixture
def old(legacy: Path, tmp_path: Path) -> Path:
    """The current folder is the root of a workspace that has not been moved in."""
    shutil.copytree(legacy, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def workspace(migrated: Path, tmp_path: Path) -> Path:
    """The current folder is the root of a workspace that has been moved in."""
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    return tmp_path


def files_below(folder: Path) -> dict[Path, bytes | None]:
    """Every file with its content, and every folder."""
    return {
        path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))
    }


def printed(capsys: Capture, *arguments: str, code: int = 0) -> str:
    """What a command prints that ends with this code and has nothing to complain of."""
    assert run(arguments) == code
    output, errors = capsys.readouterr()
    assert errors == ""
    return output


def refused(capsys: Capture, *arguments: str) -> str:
    """The one line of a command that fails."""
    assert run(arguments) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("Error: ")
    assert errors.endswith("\n")
    assert errors.count("\n") == 1
    return errors.removeprefix("Error: ").rstrip("\n")


def in_json(capsys: Capture, *arguments: str, code: int = 0) -> Any:
    return json.loads(printed(capsys, *arguments, "--json", code=code))


# --- as a program ----------------------------------------------------------------------------

MODULE = [sys.executable, "-m", "burndown"]
SCRIPT = [str(Path(sysconfig.get_path("scripts")) / "burndown")]


def start(
    *arguments: str, program: list[str] = MODULE, **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run the program in the current folder until it ends."""
    return subprocess.run(
        [*program, *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@dataclass
class Shown:
    """What a program did on a terminal."""

    code: int
    raw: str
    """All that it wrote, control sequences included, but for colours."""
    screen: list[str]
    """What can be read in the end."""


def on_a_terminal(*arguments: str, columns: int = 100) -> Shown:
    """Run the program on a terminal of its own until it ends."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [*MODULE, *arguments],
        env={**os.environ, "TERM": "xterm"},
        stdin=its,
        stdout=its,
        stderr=its,
    ) as process:
        os.close(its)
        written = b""
        with suppress(OSError):  # Linux has it fail when nobody has it open any more
            while some := os.read(ours, 65536):
                written += some
        os.close(ours)
        code = process.wait(timeout=60)
    raw = re.sub(r"\x1b\[[0-9;]*m", "", written.decode())
    return Shown(code, raw, screen_of(raw))


def screen_of(raw: str) -> list[str]:
    """The lines that a terminal shows after it was sent this."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|.", raw, re.DOTALL):
        if token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token == "\r":
            column = 0
        elif token.endswith("A") and token.startswith("\x1b"):
            row -= int(token[2:-1] or 1)
            assert row >= 0
        elif token == "\x1b[2K":
            lines[row] = ""
        elif token.startswith("\x1b"):
            assert token[-1] in "hl", token
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + token + line[column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


# --- help, versions, usage -------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys: Capture, command: str) -> None:
    """Each says what it does and what each of its options does, and the overview names it."""
    text = printed(capsys, command, "--help")
    assert text.startswith(f"Usage: burndown {command} ")
    options = re.findall(r"^  (--[a-z-]+|\[?[A-Z]+\]?)( .*)?$", text, re.MULTILINE)
    assert options
    for name, help_text in options:
        assert help_text.strip(), name
    summary = text.split("\n\n")[1].strip()
    overview = printed(capsys, "--help")
    assert re.search(rf"^  {command} +{re.escape(summary[:20])}", overview, re.MULTILINE)


def test_the_version_is_that_of_the_package(capsys: Capture) -> None:
    assert printed(capsys, "--version") == f"burndown {version('burndown')}\n"


def test_without_a_command_it_shows_help(capsys: Capture) -> None:
    assert run([]) == 2
    output, errors = capsys.readouterr()
    assert all(command in output + errors for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ["shwo"],
        ["show", "a", "b", "c"],
        ["show", "--unknown"],
        ["migrate", "kafka"],
        ["migrate", "--profiles"],
        ["demo", "--issues", "0"],
        ["demo", "--issues", "many"],
        ["--json", "show"],
    ],
    ids=" ".join,
)
def test_a_wrong_use_exits_with_2(capsys: Capture, arguments: list[str], tmp_path: Path) -> None:
    """It says what is wrong on stderr, and does nothing."""
    assert run(arguments) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert "Error: " in errors
    assert "Traceback" not in errors
    assert not files_below(tmp_path)


# --- errors ----------------------------------------------------------------------------------


Patch = pytest.MonkeyPatch


def nothing(root: Path, patch: Patch) -> None:
    pass


def no_database(root: Path, patch: Patch) -> None:
    (root / "profiles/burndown.db").unlink()


def no_sqlite(root: Path, patch: Patch) -> None:
    patch.setenv("BURNDOWN_DATABASE_URL", f"mysql://user:{CANARY}@host/db")


def no_server(root: Path, patch: Patch) -> None:
    patch.setenv("BURNDOWN_DATABASE_URL", f"postgresql://user:{CANARY}@127.0.0.1:1/db")


def no_url(root: Path, patch: Patch) -> None:
    patch.setenv("BURNDOWN_DATABASE_URL", f"://user:{CANARY}@host/db")


def bad_setting(root: Path, patch: Patch) -> None:
    patch.setenv("BURNDOWN_SQLITE_SYNCHRONOUS", "OFF")


def damaged(root: Path, patch: Patch) -> None:
    (root / "profiles/burndown.db").write_bytes(b"no database at all" * 100)


def with_profiles(root: Path, patch: Patch) -> None:
    with SQLiteBackend(root / "profiles/burndown.db") as backend:
        backend.set_app_state("migration_complete", None)


def in_the_way(root: Path, patch: Patch) -> None:
    (root / "file").write_text("in the way")


ERRORS: dict[str, tuple[Callable[[Path, Patch], None], list[str], str]] = {
    "unknown profile": (nothing, ["show", "nope"], "Profile 'nope' not found"),
    "unknown query": (
        nothing,
        ["show", "kafka", "nope"],
        "Query 'nope' not found in profile 'kafka'",
    ),
    "query of an unknown profile": (nothing, ["show", "nope", "12w"], "Profile 'nope' not found"),
    "query of another profile": (
        nothing,
        ["show", "kafka", "offen"],
        "Query 'offen' not found in profile 'kafka'",
    ),
    "nothing to show": (no_database, ["show"], "There is no database at "),
    "nothing to check": (no_database, ["check"], "There is no database at "),
    "other folder": (nothing, ["show", "--profiles", "elsewhere"], "elsewhere"),
    "other database": (no_sqlite, ["show"], "use sqlite"),
    "other database to migrate to": (no_sqlite, ["migrate"], "use sqlite"),
    "server away": (no_server, ["show"], "The database server 127.0.0.1 is out of reach"),
    "server to migrate to away": (no_server, ["migrate"], "The database server 127.0.0.1 is out"),
    "no URL": (no_url, ["show"], "URL"),
    "bad setting": (bad_setting, ["show"], "sqlite_synchronous"),
    "damaged database": (damaged, ["show"], "The database is damaged"),
    "damaged database to migrate to": (damaged, ["migrate"], "The database is damaged"),
    "profiles in the way": (with_profiles, ["migrate"], "already holds profiles"),
    "demo over something": (nothing, ["demo", "profiles"], "profiles is there already"),
    "demo over a file": (in_the_way, ["demo", "file"], "file is there already"),
    "demo below a file": (in_the_way, ["demo", "file/demo"], "file"),
    "migration of a file": (in_the_way, ["migrate", "--profiles", "file"], "file"),
}


@pytest.fixture(params=ERRORS.values(), ids=ERRORS)
def error(
    request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], str]:
    """The arguments of a command that fails, and what it says."""
    prepare, arguments, said = request.param
    prepare(workspace, monkeypatch)
    return arguments, said


def test_an_error_is_one_line_and_exits_with_1(
    capsys: Capture, error: tuple[list[str], str], workspace: Path
) -> None:
    """It says what is wrong on stderr, prints nothing else, and changes nothing."""
    arguments, said = error
    before = files_below(workspace)
    line = refused(capsys, *arguments)
    assert said in line
    assert CANARY not in line
    assert {path: content for path, content in files_below(workspace).items() if content} == {
        path: content for path, content in before.items() if content
    }


def test_an_error_is_the_same_for_programs(capsys: Capture, error: tuple[list[str], str]) -> None:
    """With --json too there is no document, so nobody takes half of one for an answer."""
    arguments, said = error
    if arguments[0] != "demo":
        assert said in refused(capsys, *arguments, "--json")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["show", "nope"], ProfileNotFoundError),
        (["show", "kafka", "nope"], QueryNotFoundError),
        (["demo", "profiles"], StorageError),
        (["check", "--profiles", "nope"], StorageError),
    ],
)
def test_debug_lets_the_error_through(
    workspace: Path, before: bool, arguments: list[str], kind: type[PersistenceError]
) -> None:
    """The option may stand before or after the command."""
    with pytest.raises(kind):
        run(["--debug", *arguments] if before else [*arguments, "--debug"])


@pytest.mark.parametrize("program", [MODULE, SCRIPT], ids=["module", "script"])
@pytest.mark.parametrize("debug", ["before", "after", "not"])
def test_the_program_shows_a_trace_only_if_asked(
    workspace: Path, program: list[str], debug: str
) -> None:
    arguments = {
        "before": ["--debug", "show", "nope"],
        "after": ["show", "nope", "--debug"],
        "not": ["show", "nope"],
    }[debug]
    ended = start(*arguments, program=program)
    assert ended.returncode == 1
    assert ended.stdout == b""
    if debug == "not":
        assert ended.stderr == b"Error: Profile 'nope' not found\n"
    else:
        assert ended.stderr.startswith(b"Traceback ")
        assert ended.stderr.endswith(b"ProfileNotFoundError: Profile 'nope' not found\n")


@pytest.mark.parametrize("program", [MODULE, SCRIPT], ids=["module", "script"])
def test_the_program_ends_with_the_code_of_the_command(workspace: Path, program: list[str]) -> None:
    assert start("check", program=program).returncode == 0
    wrong = start("shwo", program=program)
    assert wrong.returncode == 2
    assert b"Usage: burndown" in wrong.stderr


def test_no_backend_stays_in_use_after_a_command(workspace: Path) -> None:
    """Whether it ends well or not, its database is let go of."""
    for arguments in (["show"], ["show", "nope"], ["check"], ["demo", "other", "--issues", "1"]):
        run([*arguments])
        assert not list(workspace.rglob("burndown.db-wal"))
        assert get_backend().describe()["location"] == str(workspace / "profiles/burndown.db")
        set_backend(None)


def test_a_reader_that_has_seen_enough_is_no_error(workspace: Path) -> None:
    """As in `burndown show --json | head`."""
    backend = get_backend()
    for number in range(40):
        backend.save_query("kafka", {"id": f"q{number}", "name": "x" * 150 + str(number)})
    set_backend(None)
    for arguments in (["show", "--json"], ["show"]):
        with subprocess.Popen(
            [*MODULE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""


# --- demo ------------------------------------------------------------------------------------


def test_demo_makes_a_workspace_and_shows_it(capsys: Capture, tmp_path: Path) -> None:
    """The old files and the database are there, and what is printed is in it."""
    output = printed(capsys, "demo", "new", "--issues", "7")
    assert (tmp_path / "new/profiles/profiles.json").exists()
    with SQLiteBackend(tmp_path / "new/profiles/burndown.db") as backend:
        profiles = backend.list_profiles()
        assert len(profiles) == 2
        for profile in profiles:
            assert f"{profile['name']} ({profile['id']})" in output
            for query in backend.list_queries(profile["id"]):
                assert query["name"] in output
        [cache] = backend.list_jira_caches("kafka", "12w")
        assert cache["issue_count"] == 7
    assert "7 issues" in output
    for heading in ("Moved ", "Put right ", "Left out "):
        assert f"\n{heading}" in output


def test_demo_takes_an_empty_folder_and_has_one_by_default(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "burndown-demo").mkdir()
    printed(capsys, "demo", "--issues", "1")
    assert (tmp_path / "burndown-demo/profiles/burndown.db").exists()


def test_demo_leaves_a_folder_alone_that_holds_something(capsys: Capture, tmp_path: Path) -> None:
    """A hidden file is something, and so is an earlier demo."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/.hidden").write_text("mine")
    printed(capsys, "demo", "earlier", "--issues", "1")
    before = files_below(tmp_path)
    for folder in ("mine", "earlier", str(tmp_path / "mine"), "mine/.hidden"):
        assert "is there already; name another folder" in refused(capsys, "demo", folder)
    assert files_below(tmp_path) == before


def test_demo_does_not_touch_the_workspace_of_the_settings(
    capsys: Capture, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its database is its own, next to its files."""
    before = files_below(workspace)
    monkeypatch.setenv("BURNDOWN_PROFILES_DIR", str(workspace / "profiles"))
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", str(workspace / "profiles/burndown.db"))
    printed(capsys, "demo", "new", "--issues", "1")
    shutil.rmtree(workspace / "new")
    assert files_below(workspace) == before


# --- migrate ---------------------------------------------------------------------------------

TABLES = ["Moved", "Put right on the way", "Left out"]


def test_migrate_tells_what_moved_what_was_put_right_and_what_was_left_out(
    capsys: Capture, old: Path
) -> None:
    """The tables come in this order and agree with the database; then where things are."""
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
        f"The files are as they were; a copy of them is in {backup}",
        f"Moved into {old / 'profiles/burndown.db'}",
    ]


def test_migrate_tells_programs_the_same(capsys: Capture, old: Path) -> None:
    """Nothing but JSON is printed, and it names what the tables show."""
    report = in_json(capsys, "migrate", "--dry-run")
    assert report["outcome"] == "dry run"
    assert report["backup"] is None
    output = printed(capsys, "migrate", "--dry-run")
    for what, number in report["moved"].items():
        assert re.search(rf"^[│|] {what} +[│|] +{number} [│|]$", output, re.MULTILINE)
    squeezed = re.sub(r"[\s│]", "", output)
    assert report["put_right"]
    assert report["left_out"]
    for found in (*report["put_right"], *report["left_out"]):
        path = Path(found["path"]).relative_to(old)
        assert str(path)[:40] in squeezed or str(path)[:20] in output
    report_of_migration = in_json(capsys, "migrate")
    assert report_of_migration["outcome"] == "migrated"
    assert Path(report_of_migration["backup"]).is_dir()
    assert report_of_migration["database"] == str(old / "profiles/burndown.db")
    for part in ("moved", "put_right", "left_out"):
        assert report_of_migration[part] == report[part]


def test_a_dry_run_writes_nothing(capsys: Capture, old: Path) -> None:
    """Neither a database nor a backup nor a lock, and the words are those of a plan."""
    before = files_below(old)
    output = printed(capsys, "migrate", "--dry-run")
    assert files_below(old) == before
    assert "Would move " in output
    assert output.splitlines()[-1] == f"Would move into {old / 'profiles/burndown.db'}"
    assert "copy" not in output.splitlines()[-2]


def test_a_second_run_has_nothing_to_do(capsys: Capture, old: Path) -> None:
    """It says so, in one line, and changes nothing; a dry run says the same."""
    printed(capsys, "migrate")
    before = files_below(old)
    for arguments in (["migrate"], ["migrate", "--dry-run"]):
        output = printed(capsys, *arguments)
        assert output.startswith("Nothing to do: ")
        assert output.count("\n") == 1
    report = in_json(capsys, "migrate")
    assert report["outcome"] == "already migrated"
    assert report["moved"] == {}
    assert report["put_right"] == report["left_out"] == []
    assert files_below(old) == before


def test_without_old_files_there_is_nothing_to_do(capsys: Capture, tmp_path: Path) -> None:
    output = printed(capsys, "migrate")
    assert output == (
        f"Nothing to do: there is no workspace of the old dashboard in {tmp_path / 'profiles'}\n"
    )
    assert in_json(capsys, "migrate", "--profiles", "other")["outcome"] == "nothing to migrate"


@pytest.mark.parametrize("options", [[], ["--json"], ["--dry-run"]])
def test_damaged_files_are_named_and_nothing_is_moved(
    capsys: Capture, old: Path, options: list[str]
) -> None:
    """The error names each file with the reason, a line for each, and no database is made."""
    paths = [old / "profiles/kafka/profile.json", old / "profiles/kafka/queries/12w/query.json"]
    for path in paths:
        path.write_bytes(path.read_bytes()[:-20])
    assert run(["migrate", *options]) == 1
    output, errors = capsys.readouterr()
    assert "Moved" not in output
    if "--json" in options:
        assert output == ""
    lines = errors.splitlines()
    assert lines[0].startswith("Error: ")
    assert len(lines) == 1 + len(paths)
    for path in paths:
        assert any(str(path) in line for line in lines[1:])
    assert "Traceback" not in errors
    assert CANARY not in output + errors
    assert not (old / "profiles/burndown.db").exists()


def test_migrate_takes_the_folder_and_database_of_the_settings(
    capsys: Capture, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder named on the command line counts more; the database of the settings stays."""
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


# --- progress --------------------------------------------------------------------------------


def many_queries(count: int) -> Files:
    """A workspace with as many queries."""
    return {
        "profiles/p/profile.json": {"name": "P", "jira_config": {"token": CANARY}},
        **{
            f"profiles/p/queries/q{number}/query.json": {"name": f"Q{number}", "jql": "a = b"}
            for number in range(count)
        },
    }


@pytest.mark.parametrize("count", [1, 2, 5, 6, 23])
def test_elsewhere_than_on_a_terminal_a_few_plain_lines_tell_of_progress(
    capsys: Capture, tmp_path: Path, count: int
) -> None:
    """At most five, growing, the last of them for all."""
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


def test_the_program_writes_plain_lines_into_a_pipe(old: Path) -> None:
    ended = start("migrate")
    assert ended.returncode == 0
    assert ended.stderr == b""
    text = ended.stdout.decode()
    assert "\x1b" not in text
    assert "moving: 4 of 4 queries\n" in text
    assert all(f"\n{heading}" in text for heading in TABLES)


def test_on_a_terminal_a_bar_shows_progress(old: Path) -> None:
    """The tables stay, whole and within the width, and the cursor is back."""
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
    """No line of a table is wider, and all ids can be read, if over several lines."""
    for arguments in (["show"], ["show", "kafka"]):
        shown = on_a_terminal(*arguments, columns=columns)
        assert shown.code == 0
        tables = [line for line in shown.screen if line.startswith(("┏", "┃", "┡", "└", "│"))]
        assert max(map(len, tables)) <= columns
        assert "…" not in "".join(tables)


def test_on_a_terminal_an_error_ends_the_bar(old: Path) -> None:
    """The error is the last that is shown, on a line of its own, and the cursor is back."""
    path = old / "profiles/kafka/queries/12w/project_data.json"
    path.write_bytes(path.read_bytes()[:-20])
    shown = on_a_terminal("migrate")
    assert shown.code == 1
    assert shown.raw.rfind("\x1b[?25h") > shown.raw.rfind("\x1b[?25l")
    assert "Traceback" not in shown.raw
    [row] = [row for row, line in enumerate(shown.screen) if line.startswith("Error: ")]
    assert str(path)[:40] in "".join(shown.screen[row:])


def test_on_a_terminal_json_is_just_json(old: Path) -> None:
    shown = on_a_terminal("migrate", "--json")
    assert shown.code == 0
    assert "\x1b" not in shown.raw
    assert json.loads(shown.raw)["outcome"] == "migrated"


# --- copy ------------------------------------------------------------------------------------


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


# --- show ------------------------------------------------------------------------------------


def without_ages(document: Any) -> Any:
    """The document without how many seconds old answers are, which is checked here."""
    if isinstance(document, list):
        return [without_ages(item) for item in document]
    if not isinstance(document, dict):
        return document
    if "created_at" in document and "age_seconds" in document:
        created_at = datetime.fromisoformat(document["created_at"])
        age = datetime.now(UTC) - created_at
        assert 0 <= document["age_seconds"] <= age.total_seconds()
    return {key: without_ages(item) for key, item in document.items() if key != "age_seconds"}


def summary(query: dict[str, Any]) -> dict[str, Any]:
    """What is expected of a query, of what the backend has."""
    backend, ids = get_backend(), (query["profile_id"], query["id"])
    weeks = [found["snapshot_date"] for found in backend.get_metrics_snapshots(*ids, limit=None)]
    return {
        "id": query["id"],
        "name": query["name"],
        "cached_responses": backend.list_jira_caches(*ids),
        "changelog_count": len(backend.list_jira_changelogs(*ids)),
        "has_project_data": backend.get_project_data(*ids) is not None,
        "week_count": len(set(weeks)),
        "latest_week": max(weeks) if weeks else None,
    }


def test_show_gives_programs_what_the_backend_has(capsys: Capture, workspace: Path) -> None:
    """The database, all profiles with their queries, the selection and the tasks."""
    backend = get_backend()
    backend.save_profile({"id": "empty"})
    backend.save_query("kafka", {"id": "bare"})
    backend.save_task_progress("fetch", 12.5, "running", "page 3")
    set_backend(None)
    found = in_json(capsys, "show")
    backend = get_backend()
    assert without_ages(found) == {
        "database": backend.describe(),
        "active_profile_id": "kafka",
        "active_query_id": "12w",
        "profiles": [
            {
                "id": profile["id"],
                "name": profile["name"],
                "last_used": profile["last_used"],
                "queries": [summary(query) for query in backend.list_queries(profile["id"])],
            }
            for profile in backend.list_profiles()
        ],
        "tasks": backend.list_task_progress(),
    }
    assert len(found["profiles"]) == 4


def test_show_gives_programs_a_profile(capsys: Capture, workspace: Path) -> None:
    """Of the token it only says whether there is one."""
    get_backend().save_profile({"id": "empty"})
    set_backend(None)
    for profile_id, has_token in (("kafka", True), ("empty", False)):
        found = in_json(capsys, "show", profile_id)
        backend = get_backend()
        profile = backend.get_profile(profile_id)
        assert profile is not None
        assert without_ages(found) == {
            **{
                key: profile[key]
                for key in ("id", "name", "description", "created_at", "last_used")
            },
            "jira": {
                "base_url": profile["jira_config"].get("base_url", ""),
                "has_token": has_token,
            },
            "forecast_settings": profile["forecast_settings"],
            "queries": [summary(query) for query in backend.list_queries(profile_id)],
        }
        set_backend(None)


def test_show_gives_programs_a_query(capsys: Capture, workspace: Path) -> None:
    """All that hangs on it, whichever form its project data have."""
    get_backend().save_query("kafka", {"id": "bare"})
    set_backend(None)
    scopes = []
    for ids in (("kafka", "12w"), ("kafka", "bare"), ("zh", "offen")):
        found = in_json(capsys, "show", *ids)
        backend = get_backend()
        query = backend.get_query(*ids)
        assert query is not None
        data = backend.get_project_data(*ids) or {}
        scope = data.get("project_scope", data)
        assert without_ages(found) == {
            **summary(query),
            **{key: query[key] for key in ("jql", "description", "created_at", "last_used")},
            "project_scope": {
                key: scope.get(key)
                for key in ("total_items", "completed_items", "total_points", "completed_points")
            },
            "snapshots": [
                {
                    "snapshot_date": snapshot["snapshot_date"],
                    "metric_type": snapshot["metric_type"],
                    "metrics": sorted(snapshot["metrics"]),
                }
                for snapshot in backend.get_metrics_snapshots(*ids, limit=None)
            ],
        }
        scopes.append(found["project_scope"]["total_items"])
        set_backend(None)
    assert scopes == [12, None, 40]


def test_show_marks_what_is_active(capsys: Capture, workspace: Path) -> None:
    """Just one profile and one query of it."""
    output = printed(capsys, "show")
    assert "Kafka (kafka), active" in output
    assert "Last 12 weeks, active" in output
    assert output.count(", active") == 2


def test_show_tells_live_answers_from_expired_ones(capsys: Capture, workspace: Path) -> None:
    backend = get_backend()
    backend.save_query("kafka", {"id": "new"})
    moment = datetime.now(UTC)
    backend.save_jira_cache("kafka", "new", "a", {"issues": [{}]}, moment + timedelta(days=9))
    backend.save_jira_cache("kafka", "new", "b", {"issues": []}, moment - timedelta(days=9))
    set_backend(None)
    for arguments in (["show"], ["show", "kafka"], ["show", "kafka", "new"]):
        output = printed(capsys, *arguments)
        assert re.search(r"\b1\b.*\blive\b", output)
        assert re.search(r"\b0\b.*\bexpired\b", output)


def test_show_of_a_profile_tells_what_it_is(capsys: Capture, workspace: Path) -> None:
    output = printed(capsys, "show", "kafka")
    assert output.startswith("Kafka (kafka)\n")
    assert "Jira: https://jira.example.com, with a token\n" in output
    assert "pert_factor 1.2" in output
    for text in ("Last 12 weeks", "Bugs", "Delivery of the project KAFKA"):
        assert text in output


def test_show_of_a_query_tells_all_that_hangs_on_it(capsys: Capture, workspace: Path) -> None:
    """Each week with its metrics, each answer with its age, and how far the project is."""
    output = printed(capsys, "show", "kafka", "12w")
    assert output.startswith("Last 12 weeks (12w)\n")
    assert "JQL: project = KAFKA AND updated >= -12w\n" in output
    assert re.search(r"^Scope: total_items 12, ", output, re.MULTILINE)
    assert "Changelogs: 12 issues\n" in output
    backend = get_backend()
    for snapshot in backend.get_metrics_snapshots("kafka", "12w", limit=None):
        row = rf"^[│|] {snapshot['snapshot_date']} [│|] {snapshot['metric_type']} +[│|]"
        assert re.search(row, output, re.MULTILINE)


def test_an_empty_database_is_shown_as_such(capsys: Capture, tmp_path: Path) -> None:
    with SQLiteBackend(tmp_path / "profiles/burndown.db") as backend:
        backend.set_app_state("key", "value")
    assert printed(capsys, "show").splitlines()[-1] == "No profiles"
    found = in_json(capsys, "show")
    assert found["profiles"] == found["tasks"] == []
    assert found["active_profile_id"] is None


@pytest.mark.parametrize("command", ["show", "check"])
def test_looking_makes_no_file(capsys: Capture, command: str, tmp_path: Path) -> None:
    """Without a database it is an error that says how to get one, and there is still none."""
    for options in ([], ["--json"], ["--profiles", "other"]):
        line = refused(capsys, command, *options)
        assert "There is no database at " in line
        assert "burndown migrate" in line
    assert not files_below(tmp_path)


def test_looking_changes_nothing(capsys: Capture, workspace: Path) -> None:
    before = files_below(workspace)
    for arguments in (["show"], ["show", "kafka"], ["show", "kafka", "12w"], ["check"]):
        printed(capsys, *arguments)
    after = files_below(workspace)
    assert after.keys() == before.keys()
    assert after == before


def test_what_looks_like_markup_is_shown_as_it_stands(capsys: Capture, tmp_path: Path) -> None:
    """Brackets, emoji codes and links in any text that is stored, and in an id asked for."""
    with SQLiteBackend(tmp_path / "profiles/burndown.db") as backend:
        odd = {"id": ODD_ID, "name": ODD_NAME, "description": ODD_NAME}
        backend.save_profile(odd)
        backend.save_query(ODD_ID, {**odd, "jql": ODD_NAME})
        backend.save_jira_cache(ODD_ID, ODD_ID, "[b]k[/b]", {}, datetime.now(UTC))
        backend.save_metrics_snapshot(ODD_ID, ODD_ID, "2025-W12", "dora", {ODD_NAME: 1})
        backend.save_task_progress(ODD_ID, 1, "running", ODD_NAME)
        backend.set_app_state("active_profile_id", ODD_ID)
    everywhere = printed(capsys, "show")
    assert f"{ODD_NAME} ({ODD_ID}), active" in everywhere
    assert everywhere.count(ODD_NAME) == 3
    assert everywhere.count(ODD_ID) == 3
    profile = printed(capsys, "show", ODD_ID)
    assert profile.startswith(f"{ODD_NAME} ({ODD_ID})\n{ODD_NAME}\n")
    assert profile.count(ODD_NAME) == 3
    query = printed(capsys, "show", ODD_ID, ODD_ID)
    assert query.startswith(f"{ODD_NAME} ({ODD_ID})\n{ODD_NAME}\nJQL: {ODD_NAME}\n")
    assert query.count(ODD_NAME) == 4
    assert "[b]k[/b]" in query
    assert refused(capsys, "show", ODD_NAME) == f"Profile '{ODD_NAME}' not found"


def test_files_that_look_like_markup_are_named_as_they_are(capsys: Capture, tmp_path: Path) -> None:
    """In the tables, in the lines below them and in an error."""
    root = tmp_path / "[red]root[b]"
    write(many_queries(1), root)
    left_out = root / "profiles/p/[i]:smile:.json.tmp"
    left_out.write_text("")
    output = printed(capsys, "migrate", "--profiles", str(root / "profiles"))
    assert "profiles/p/[i]:smile:.json.tmp" in output
    assert f"Moved into {root / 'profiles/burndown.db'}\n" in output
    assert str(tmp_path / "[red]none") in refused(capsys, "show", "--profiles", "[red]none")


# --- check -----------------------------------------------------------------------------------


def test_check_finds_nothing_wrong_with_a_whole_database(capsys: Capture, workspace: Path) -> None:
    assert printed(capsys, "check") == "The database is whole\n"
    assert in_json(capsys, "check") == {"ok": True, "errors": []}


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
def test_check_finds_a_damaged_database(
    capsys: Capture, workspace: Path, damage: Callable[[Path], None]
) -> None:
    """It exits with 1, says what is wrong line by line, and never shows a trace."""
    damage(workspace / "profiles/burndown.db")
    assert run(["check"]) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    lines = errors.splitlines()
    assert lines
    assert "The database is whole" not in errors
    assert "Traceback" not in errors
    assert lines[0].startswith("Error: ")
    found = in_json(capsys, "check", code=1)
    assert found["ok"] is False
    assert found["errors"]
    assert all(problem in errors for problem in found["errors"])
    assert CANARY not in errors + json.dumps(found)


def test_check_finds_a_row_that_belongs_to_nothing(capsys: Capture, workspace: Path) -> None:
    """It names the table, the row and where its owner should be."""
    with closing(sqlite3.connect(workspace / "profiles/burndown.db")) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        cursor = connection.execute("INSERT INTO queries (profile_id, id) VALUES ('gone', 'q')")
        row = cursor.lastrowid
        connection.commit()
    line = refused(capsys, "check")
    assert line == f"row {row} of queries belongs to a row of profiles that is not there"
    assert in_json(capsys, "check", code=1) == {"ok": False, "errors": [line]}


def test_the_program_says_by_its_code_whether_a_database_is_whole(workspace: Path) -> None:
    assert start("check").returncode == 0
    overwritten_pages(workspace / "profiles/burndown.db")
    ended = start("check")
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"Error: ")
    assert b"Traceback" not in ended.stderr


# --- the token -------------------------------------------------------------------------------

BROKEN: dict[str, Callable[[Any], Any]] = {
    "other value": lambda jira: {**jira, "api_version": "v9"},
    "list": lambda jira: {**jira, "token": [CANARY]},
    "object": lambda jira: {**jira, "token": {"value": CANARY}},
    "number": lambda jira: {**jira, "token": CANARY + "\ud800"},
    "in the URL": lambda jira: {**jira, "base_url": f"https://user:{CANARY}@jira.example.com"},
    "in a list": lambda jira: [jira],
}


def all_that_is_shown(capsys: Capture, arguments: Sequence[str]) -> tuple[int, str]:
    """The code, and what is printed with the trace of an error that gets through."""
    try:
        code, trace = run(arguments), ""
    except PersistenceError:
        code, trace = 1, traceback.format_exc()
    output, errors = capsys.readouterr()
    return code, output + errors + trace


@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"], ["--json", "--debug"]])
@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_no_error_shows_a_token(
    capsys: Capture, old: Path, change: Callable[[Any], Any], options: list[str]
) -> None:
    """Not even where the token is what is wrong, nor in the trace."""
    path = old / "profiles/kafka/profile.json"
    profile = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**profile, "jira_config": change(profile["jira_config"])}))
    code, shown = all_that_is_shown(capsys, ["migrate", *options])
    assert code == 1
    assert "profile.json" in shown
    assert CANARY not in shown


@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"]])
def test_no_command_shows_a_token(capsys: Capture, old: Path, options: list[str]) -> None:
    """Though the database holds it."""
    for arguments in (
        ["migrate", "--dry-run"],
        ["migrate"],
        ["show"],
        ["show", "kafka"],
        ["show", "kafka", "12w"],
        ["check"],
    ):
        code, shown = all_that_is_shown(capsys, [*arguments, *options])
        assert code == 0
        assert shown
        assert CANARY not in shown
    with SQLiteBackend(old / "profiles/burndown.db") as backend:
        found = backend.get_profile("kafka")
    assert found is not None
    assert found["jira_config"]["token"] == CANARY


def test_the_program_shows_no_token_in_a_trace(old: Path) -> None:
    """The file is cut off behind the token."""
    path = old / "profiles/kafka/profile.json"
    text = path.read_text("utf-8")
    path.write_text(text[: text.index(CANARY) + len(CANARY) + 1], "utf-8")
    ended = start("migrate", "--debug")
    assert ended.returncode == 1
    assert b"Traceback" in ended.stderr
    assert CANARY.encode() not in ended.stdout + ended.stderr


@pytest.mark.parametrize("command", ["migrate", "show", "check"])
@pytest.mark.parametrize("options", [[], ["--debug"]])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:{}@127.0.0.1:1/db",
        "mysql://user:{}@host/db",
        "://user:{}@host",
        "x://:{}@:",
    ],
)
def test_no_command_shows_the_password_of_a_database(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, command: str, options: list[str], url: str
) -> None:
    monkeypatch.setenv("BURNDOWN_DATABASE_URL", url.format(CANARY))
    code, shown = all_that_is_shown(capsys, [command, *options])
    assert code == 1
    assert CANARY not in shown


# --- other locales ---------------------------------------------------------------------------

LOCALES = {
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("environment", LOCALES.values(), ids=LOCALES)
def test_a_locale_without_unicode_shows_the_rest(
    workspace: Path, environment: dict[str, str]
) -> None:
    """What it cannot say is shown as something else."""
    ended = start("show", **environment)
    assert ended.stderr == b""
    assert ended.returncode == 0
    assert b"Kafka (kafka), active" in ended.stdout
    assert b"(zh)" in ended.stdout
    assert b"| offen |" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["demo", "new", "--issues", "1"], 0),
        (["show", "zh", "offen"], 0),
        (["show", "Zürich ✓"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_command_works_in_a_locale_without_unicode(
    workspace: Path, arguments: list[str], code: int
) -> None:
    ended = start(*arguments, **LOCALES["ascii"])
    assert b"Traceback" not in ended.stderr
    assert ended.returncode == code
    assert ended.stdout if code == 0 else ended.stderr.startswith(b"Error: ")


@pytest.mark.parametrize("environment", LOCALES.values(), ids=LOCALES)
def test_json_is_the_same_in_every_locale(workspace: Path, environment: dict[str, str]) -> None:
    found = json.loads(start("show", "--json", **environment).stdout)
    assert "Zürich ✓ 中" in {profile["name"] for profile in found["profiles"]}


@pytest.mark.parametrize("environment", [LOCALES["ascii"], LOCALES["C"]], ids=["ascii", "C"])
def test_a_folder_may_have_a_name_that_the_locale_cannot_say(
    old: Path, environment: dict[str, str]
) -> None:
    """Neither what is done there nor an error about it ends in a trace."""
    (old / "profiles").rename(old / "Größe ✓")
    for arguments in (["migrate"], ["show"]):
        ended = start(*arguments, "--profiles", "Größe ✓", **environment)
        assert ended.stderr == b""
        assert ended.returncode == 0
    ended = start("check", "--profiles", "Größe ✗", **environment)
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"Error: There is no database at ")
    assert ended.stderr.count(b"\n") == 1

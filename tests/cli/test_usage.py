"""Help, versions, usage errors and other errors."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from burndown import (
    ImportExportError,
    ProfileNotFoundError,
    QueryNotFoundError,
    SQLiteBackend,
    StorageError,
    get_backend,
    set_backend,
)
from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from tests.support.command_line import (
    CANARY,
    COMMANDS,
    MODULE,
    SCRIPT,
    Capture,
    files_below,
    printed,
    refused,
    start,
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(
    capsys: Capture, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It describes the command and each of its options; the overview has its first line uncut."""
    monkeypatch.setenv("COLUMNS", "80")
    text = printed(capsys, command, "--help")
    assert text.startswith(f"Usage: burndown {command} ")
    options = re.findall(r"^  (--[a-z-]+|\[?[A-Z]+\]?)( .*)?$", text, re.MULTILINE)
    assert options
    assert not re.search(r"\[default: [^]]*required\]", text)
    for name, help_text in options:
        assert help_text.strip(), name
    summary = text.split("\n\n")[1].strip()
    assert summary.endswith(".")
    overview = printed(capsys, "--help")
    assert overview.split("\n\n")[1].count("\n") == 0
    assert re.search(rf"^  {command} +{re.escape(summary)}$", overview, re.MULTILINE)


def test_the_version_is_that_of_the_package(capsys: Capture) -> None:
    assert printed(capsys, "--version") == f"burndown {version('burndown-store')}\n"


def test_shells_complete_commands(capsys: Capture) -> None:
    """With the script that the program shows for them."""
    script = printed(capsys, "--show-completion", "bash")
    assert "_BURNDOWN_COMPLETE=complete_bash" in script
    environment = {"COMP_WORDS": "burndown ta", "COMP_CWORD": "1"}
    completed = start(_BURNDOWN_COMPLETE="complete_bash", **environment)
    assert completed.stdout.decode().split() == ["tasks", "tables"]


def test_without_a_command_it_prints_help(capsys: Capture) -> None:
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
        ["export"],
        ["export", "kafka"],
        ["export", "kafka", "out", "--legacy", "old"],
        ["export", "kafka", "--legacy", "old"],
        ["export", "kafka", "out", "more"],
        ["clear"],
        ["clear", "kafka"],
        ["clear", "kafka", "12w"],
        ["clear", "--metrics"],
        ["clear", "kafka", "--responses", "--type", "dora"],
        ["clear", "kafka", "--responses", "--since", "2025-W12"],
        ["clear", "kafka", "--responses", "--until", "2025-W12"],
        ["compact", "kafka"],
        ["import"],
        ["import", "one.zip", "other.zip"],
        ["import", "one.zip", "--name"],
    ],
    ids=" ".join,
)
def test_a_usage_error_exits_with_2(capsys: Capture, arguments: list[str], tmp_path: Path) -> None:
    """The message is on stderr, and nothing is done."""
    assert run(arguments) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert "Error: " in errors or json.loads(errors)["error"]["exit_code"] == 2
    assert "Traceback" not in errors
    assert not files_below(tmp_path)


Patch = pytest.MonkeyPatch


def nothing(root: Path, patch: Patch) -> None:
    pass


def no_database(root: Path, patch: Patch) -> None:
    (root / "profiles/burndown.db").unlink()


def no_sqlite(root: Path, patch: Patch) -> None:
    patch.setenv("BURNDOWN_DATABASE_URL", f"mysql://user:{CANARY}@host/db")


def no_pyarrow(root: Path, patch: Patch) -> None:
    patch.setitem(sys.modules, "pyarrow", None)


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


ERRORS: dict[str, tuple[Callable[[Path, Patch], None], list[str], ExitCode, str]] = {
    "unknown profile": (nothing, ["show", "nope"], ExitCode.NOT_FOUND, "Profile 'nope' not found"),
    "unknown query": (
        nothing,
        ["show", "kafka", "nope"],
        ExitCode.NOT_FOUND,
        "Query 'nope' not found in profile 'kafka'",
    ),
    "query of an unknown profile": (
        nothing,
        ["show", "nope", "12w"],
        ExitCode.NOT_FOUND,
        "Profile 'nope' not found",
    ),
    "query of another profile": (
        nothing,
        ["show", "kafka", "offen"],
        ExitCode.NOT_FOUND,
        "Query 'offen' not found in profile 'kafka'",
    ),
    "nothing to show": (
        no_database,
        ["show"],
        ExitCode.NOT_FOUND,
        "`burndown init` makes an empty",
    ),
    "nothing to check": (no_database, ["check"], ExitCode.NOT_FOUND, "There is no database at "),
    "other folder": (nothing, ["show", "--profiles", "elsewhere"], ExitCode.NOT_FOUND, "elsewhere"),
    "other database": (no_sqlite, ["show"], ExitCode.NOT_VALID, "use sqlite"),
    "other database to migrate to": (no_sqlite, ["migrate"], ExitCode.NOT_VALID, "use sqlite"),
    "server away": (
        no_server,
        ["show"],
        ExitCode.UNAVAILABLE,
        "The database server 127.0.0.1 is out of reach",
    ),
    "server to migrate to away": (
        no_server,
        ["migrate"],
        ExitCode.UNAVAILABLE,
        "The database server 127.0.0.1 is out",
    ),
    "no URL": (no_url, ["show"], ExitCode.NOT_VALID, "URL"),
    "bad setting": (bad_setting, ["show"], ExitCode.NOT_VALID, "sqlite_synchronous"),
    "damaged database": (damaged, ["show"], ExitCode.DAMAGED, "is not a SQLite database"),
    "damaged database to migrate to": (
        damaged,
        ["migrate"],
        ExitCode.DAMAGED,
        "is not a SQLite database",
    ),
    "profiles in the way": (
        with_profiles,
        ["migrate"],
        ExitCode.NOT_VALID,
        "already holds profiles",
    ),
    "demo over something": (
        nothing,
        ["demo", "profiles"],
        ExitCode.NOT_VALID,
        "profiles already exists",
    ),
    "demo over a file": (in_the_way, ["demo", "file"], ExitCode.NOT_VALID, "file already exists"),
    "demo below a file": (in_the_way, ["demo", "file/demo"], ExitCode.UNAVAILABLE, "file"),
    "export of nothing": (
        no_database,
        ["export", "kafka", "out"],
        ExitCode.NOT_FOUND,
        "There is no database at ",
    ),
    "old files of nothing": (
        no_database,
        ["export", "--legacy", "out"],
        ExitCode.NOT_FOUND,
        "There is no database at ",
    ),
    "export of an unknown profile": (
        nothing,
        ["export", "nope", "out"],
        ExitCode.NOT_FOUND,
        "Profile 'nope' not found",
    ),
    "export over something": (
        nothing,
        ["export", "kafka", "profiles"],
        ExitCode.NOT_VALID,
        "profiles exists already",
    ),
    "export over a file": (
        in_the_way,
        ["export", "kafka", "file"],
        ExitCode.NOT_VALID,
        "file exists already",
    ),
    "export below a file": (
        in_the_way,
        ["export", "kafka", "file/out.zip"],
        ExitCode.NOT_VALID,
        "was not written",
    ),
    "old files over something": (
        nothing,
        ["export", "--legacy", "profiles"],
        ExitCode.NOT_VALID,
        "profiles exists already",
    ),
    "chart of an unknown profile": (
        nothing,
        ["chart", "nope", "12w"],
        ExitCode.NOT_FOUND,
        "Profile 'nope' not found",
    ),
    "clearing nothing": (
        no_database,
        ["clear", "kafka", "--metrics"],
        ExitCode.NOT_FOUND,
        "There is no database at ",
    ),
    "clearing an unknown profile": (
        nothing,
        ["clear", "nope", "--metrics"],
        ExitCode.NOT_FOUND,
        "Profile 'nope' not found",
    ),
    "clearing an unknown query": (
        nothing,
        ["clear", "kafka", "nope", "--metrics"],
        ExitCode.NOT_FOUND,
        "Query 'nope' not found in profile 'kafka'",
    ),
    "clearing no week": (
        nothing,
        ["clear", "kafka", "--responses", "--metrics", "--since", "2025-W53"],
        ExitCode.NOT_VALID,
        "since: input should be an ISO week such as 2025-W12, or a date, got '2025-W53'",
    ),
    "tables without the extra": (
        no_pyarrow,
        ["tables", "out.parquet"],
        ExitCode.FAILED,
        "Parquet needs pyarrow",
    ),
    "compacting nothing": (
        no_database,
        ["compact"],
        ExitCode.NOT_FOUND,
        "There is no database at ",
    ),
    "import of nothing": (
        nothing,
        ["import", "nope.zip"],
        ExitCode.NOT_FOUND,
        "There is no file or folder nope.zip",
    ),
    "restore of nothing": (
        nothing,
        ["restore", "nope.db"],
        ExitCode.NOT_FOUND,
        "There is no file or folder nope.db",
    ),
    "migration of nothing": (
        nothing,
        ["migrate", "--from", "nope.db"],
        ExitCode.NOT_FOUND,
        "There is no file or folder nope.db",
    ),
    "import of a file": (
        in_the_way,
        ["import", "file"],
        ExitCode.NOT_VALID,
        "file: it cannot be unpacked",
    ),
    "import of a database": (
        nothing,
        ["import", "profiles/burndown.db"],
        ExitCode.NOT_VALID,
        "`burndown migrate --from` reads one",
    ),
    "import of another folder": (
        nothing,
        ["import", "profiles"],
        ExitCode.NOT_VALID,
        "manifest.json: missing",
    ),
    "import before the migration": (
        no_database,
        ["import", "nope"],
        ExitCode.NOT_VALID,
        "`burndown migrate` first",
    ),
    "server to import to away": (
        no_server,
        ["import", "nope"],
        ExitCode.UNAVAILABLE,
        "The database server 127.0.0.1 is out",
    ),
}


@pytest.fixture(params=ERRORS.values(), ids=list(ERRORS))
def error(
    request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], ExitCode, str]:
    """Return the arguments of a command that fails, its exit code, and what its error contains."""
    prepare, arguments, code, said = request.param
    prepare(workspace, monkeypatch)
    return arguments, code, said


def test_an_error_is_one_line_and_has_its_exit_code(
    capsys: Capture, error: tuple[list[str], ExitCode, str], workspace: Path
) -> None:
    """The error is on stderr, nothing else is printed, and nothing changes."""
    arguments, code, said = error
    before = files_below(workspace)
    line = refused(capsys, *arguments, code=code)
    assert said in line
    assert CANARY not in line
    assert {path: content for path, content in files_below(workspace).items() if content} == {
        path: content for path, content in before.items() if content
    }


def test_an_error_of_a_migration_has_a_line_for_each_file(capsys: Capture, workspace: Path) -> None:
    """They follow a line that says that nothing was moved."""
    (workspace / "file").write_text("in the way")
    assert run(["migrate", "--profiles", "file"]) == ExitCode.NOT_VALID
    output, errors = capsys.readouterr()
    assert output == ""
    first, *lines = errors.splitlines()
    assert first == f"Error: The workspace in {workspace} was not moved"
    assert [line.split(": ")[0] for line in lines] == [f"  {workspace / 'file'}"]


def test_an_error_in_json_is_on_stderr(
    capsys: Capture, error: tuple[list[str], ExitCode, str]
) -> None:
    """A program cannot take it, or a part of a document, for a result."""
    arguments, code, said = error
    if arguments[0] != "demo":
        assert said in refused(capsys, *arguments, "--json", code=code)


@pytest.mark.parametrize("arguments", [["shwo"], ["show", "--nope"], ["export", "kafka"]])
def test_an_error_of_usage_is_in_json_as_well(
    capsys: Capture, workspace: Path, arguments: list[str]
) -> None:
    assert refused(capsys, *arguments, "--json", code=ExitCode.USAGE)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["show", "nope"], ProfileNotFoundError),
        (["show", "kafka", "nope"], QueryNotFoundError),
        (["demo", "profiles"], ImportExportError),
        (["check", "--profiles", "nope"], StorageError),
        (["export", "nope", "out"], ProfileNotFoundError),
        (["import", "nope"], FileNotFoundError),
    ],
)
def test_debug_lets_the_exception_through(
    workspace: Path, before: bool, arguments: list[str], kind: type[Exception]
) -> None:
    """The option may come before or after the command."""
    with pytest.raises(kind):
        run(["--debug", *arguments] if before else [*arguments, "--debug"])


@pytest.mark.parametrize("debug", ["before", "after", "not"])
def test_the_program_prints_a_traceback_only_with_debug(workspace: Path, debug: str) -> None:
    arguments = {
        "before": ["--debug", "show", "nope"],
        "after": ["show", "nope", "--debug"],
        "not": ["show", "nope"],
    }[debug]
    ended = start(*arguments)
    assert ended.returncode == (ExitCode.NOT_FOUND if debug == "not" else ExitCode.FAILED)
    assert ended.stdout == b""
    if debug == "not":
        assert ended.stderr == b"Error: Profile 'nope' not found\n"
    else:
        assert ended.stderr.startswith(b"Traceback ")
        assert ended.stderr.endswith(b"ProfileNotFoundError: Profile 'nope' not found\n")


@pytest.mark.parametrize("program", [MODULE, SCRIPT], ids=["module", "script"])
def test_the_program_has_the_exit_code_of_the_command(workspace: Path, program: list[str]) -> None:
    assert start("check", program=program).returncode == 0
    wrong = start("shwo", program=program)
    assert wrong.returncode == 2
    assert b"Usage: burndown" in wrong.stderr


def test_no_backend_is_in_use_after_a_command(workspace: Path) -> None:
    """Its database is closed, whether the command succeeded or not."""
    for arguments in (
        ["show"],
        ["show", "nope"],
        ["check"],
        ["import", "nope"],
        ["export", "kafka", "out"],
        ["demo", "other", "--issues", "1"],
    ):
        run([*arguments])
        assert not list(workspace.rglob("burndown.db-wal"))
        assert get_backend().describe()["location"] == str(workspace / "profiles/burndown.db")
        set_backend(None)


def test_a_closed_pipe_is_not_an_error(workspace: Path) -> None:
    """Such as in `burndown show --json | head`."""
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

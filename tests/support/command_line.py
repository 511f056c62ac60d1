"""The command line: called in process, run as a program, and run on a terminal."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import sysconfig
import termios
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from select import select
from typing import Any

import pytest

from burndown import (
    PersistenceError,
)
from burndown.__main__ import main
from burndown.cli import run
from burndown.cli.exit_codes import ExitCode
from burndown.testing.strategies.workspaces import Files
from tests.support.processes import PATIENCE, start_fresh

COMMANDS = [
    *(
        "demo",
        "init",
        "migrate",
        "show",
        "chart",
        "health",
        "check",
        "tasks",
        "backup",
        "copy",
        "export",
        "import",
        "tables",
    ),
    *("cleanup", "clear", "compact", "upgrade", "downgrade", "secrets"),
]
CANARY = "canary-7c1e"
ODD_NAME = "[red]x[/] [link=x]:smile: \\[b]"
ODD_ID = "[red]x[b] :smile:"

Capture = pytest.CaptureFixture[str]


def files_below(folder: Path) -> dict[Path, bytes | None]:
    """Return every file with its content, and every folder."""
    return {
        path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))
    }


def printed(capsys: Capture, *arguments: str, code: int = 0) -> str:
    """Return what a command prints that exits with this code and writes nothing to stderr."""
    assert run(arguments) == code
    output, errors = capsys.readouterr()
    assert errors == ""
    return output


def refused(capsys: Capture, *arguments: str, code: ExitCode | None = None) -> str:
    """Return the message of a command that fails, with this exit code or any but that of usage.

    It is one line, or is in a JSON document if the command has ``--json``.
    """
    ended = run(arguments)
    assert ended in (set(ExitCode) - {ExitCode.USAGE} if code is None else {code})
    output, errors = capsys.readouterr()
    assert output == ""
    if "--json" in arguments:
        error = json.loads(errors)["error"]
        assert error["exit_code"] == ended
        return str(error["message"])
    assert errors.startswith("Error: ")
    assert errors.endswith("\n")
    assert errors.count("\n") == 1
    return errors.removeprefix("Error: ").rstrip("\n")


def in_json(capsys: Capture, *arguments: str, code: int = 0) -> Any:
    return json.loads(printed(capsys, *arguments, "--json", code=code))


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


def start_command(
    *arguments: str, folder: Path = Path(), output: str = os.devnull, **environment: str
) -> BaseProcess:
    """Start the program in a fresh process, which has imported it already.

    Args:
        arguments: those of the program.
        folder: where it runs.
        output: the file or terminal to read from and write to.
        environment: variables to add.
    """
    return start_fresh(_run, arguments, folder, output, environment)


def _run(arguments: list[str], folder: Path, output: str, environment: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.update(environment)
    opened = os.open(output, os.O_RDWR | os.O_NOCTTY)
    for descriptor in range(3):
        os.dup2(opened, descriptor)
    sys.argv = ["burndown", *arguments]
    with os.fdopen(1, "w", buffering=1, encoding="utf-8") as written:
        sys.stdout = sys.stderr = written
        main()


def exit_code(process: BaseProcess) -> int | None:
    """Return the exit code; ``None`` if the process does not end."""
    process.join(PATIENCE)
    return process.exitcode


@dataclass
class TerminalRun:
    """The result of a program on a terminal."""

    code: int | None
    raw: str
    """All that it wrote, including control sequences except colors."""
    screen: list[str]
    """The lines on the screen at the end."""


def on_a_terminal(*arguments: str, columns: int = 100) -> TerminalRun:
    """Run the program on a new terminal until it ends."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = start_command(*arguments, output=os.ttyname(its), TERM="xterm")
    written = b""
    while process.is_alive() or select([ours], [], [], 0)[0]:
        if select([ours], [], [], 0.01)[0]:
            written += os.read(ours, 65536)
    os.close(its)
    os.close(ours)
    code = exit_code(process)
    raw = re.sub(r"\x1b\[[0-9;]*m", "", written.decode())
    return TerminalRun(code, raw, screen_of(raw))


def screen_of(raw: str) -> list[str]:
    """Return the lines that a terminal displays after it received this."""
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


def without_ages(document: Any) -> Any:
    """Return the document without the ages of cached responses; check those on the way."""
    if isinstance(document, list):
        return [without_ages(item) for item in document]
    if not isinstance(document, dict):
        return document
    if "created_at" in document and "age_seconds" in document:
        created_at = datetime.fromisoformat(document["created_at"])
        age = datetime.now(UTC) - created_at
        assert 0 <= document["age_seconds"] <= age.total_seconds()
    return {key: without_ages(item) for key, item in document.items() if key != "age_seconds"}


def all_output_of(capsys: Capture, arguments: Sequence[str]) -> tuple[int, str]:
    """Return the code, and the output with the traceback of an error that is not caught."""
    try:
        code, trace = run(arguments), ""
    except PersistenceError:
        code, trace = 1, traceback.format_exc()
    output, errors = capsys.readouterr()
    return code, output + errors + trace


def many_queries(count: int) -> Files:
    """Return a workspace with this many queries."""
    return {
        "profiles/p/profile.json": {"name": "P", "jira_config": {"token": CANARY}},
        **{
            f"profiles/p/queries/q{number}/query.json": {"name": f"Q{number}", "jql": "a = b"}
            for number in range(count)
        },
    }

"""The command line as people and programs meet it: in process, as a program, on a terminal."""

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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from burndown import (
    PersistenceError,
)
from burndown.cli import run
from tests.support.legacy_workspaces import Files

COMMANDS = ["demo", "migrate", "show", "check", "backup", "copy", "export", "import"]
CANARY = "canary-7c1e"
ODD_NAME = "[red]x[/] [link=x]:smile: \\[b]"
ODD_ID = "[red]x[b] :smile:"

Capture = pytest.CaptureFixture[str]


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


def all_that_is_shown(capsys: Capture, arguments: Sequence[str]) -> tuple[int, str]:
    """The code, and what is printed with the trace of an error that gets through."""
    try:
        code, trace = run(arguments), ""
    except PersistenceError:
        code, trace = 1, traceback.format_exc()
    output, errors = capsys.readouterr()
    return code, output + errors + trace


def many_queries(count: int) -> Files:
    """A workspace with as many queries."""
    return {
        "profiles/p/profile.json": {"name": "P", "jira_config": {"token": CANARY}},
        **{
            f"profiles/p/queries/q{number}/query.json": {"name": f"Q{number}", "jql": "a = b"}
            for number in range(count)
        },
    }

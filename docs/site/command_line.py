"""The page of the command line, from the help of its commands."""

import re
import subprocess
import sys

__all__ = ["command_line"]

_INTRODUCTION = """# Command line

`burndown --install-completion` installs the completion of commands and options for your shell, and
`--show-completion` prints it.

## Exit codes

<!-- README: In scripts -->

"""
_COMMANDS = re.compile(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n")


def command_line() -> str:
    """Return Markdown with each command, its arguments and its options."""
    printed = subprocess.run(
        [sys.executable, "-m", "typer", "burndown.cli", "utils", "docs", "--name", "burndown"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    # Below the title of the page, and without lists of what follows, in which help is cut.
    return _INTRODUCTION + _COMMANDS.sub("", printed).replace("# `", "## `")

"""The command line: parse, call, print."""

from burndown.cli.commands import app, run

__all__ = ["app", "run"]

"""The command line: parse arguments, call the package, print the result."""

from burndown.cli.app import app, run

__all__ = ["app", "run"]

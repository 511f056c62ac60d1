"""The command line: parse arguments, call the package, print the result.

Each command imports what it needs when it runs: ``--help`` and ``--version`` load no storage, which
takes ten times as long as reading the arguments.
"""

from burndown.cli.app import app, run

__all__ = ["app", "run"]

"""The application of the command line, with its commands and error handling."""

import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from burndown.cli import secrets
from burndown.cli.deletion import cleanup, clear, compact
from burndown.cli.options import Debug
from burndown.cli.transfer import backup, copy, export, import_, restore, salvage
from burndown.cli.versions import downgrade, upgrade
from burndown.cli.workspace import check, demo, migrate, show, tasks
from burndown.distribution import DISTRIBUTION

__all__ = ["app", "run"]

app = typer.Typer(
    help="Typed, crash-safe storage for dashboards that measure delivery from Jira.",
    no_args_is_help=True,
    add_completion=False,
    # Typer's own traces print local variables, which may contain a token.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for _command in (
    *(demo, migrate, show, check, salvage, tasks),
    *(backup, restore, copy, export, import_),
    *(cleanup, clear, compact, upgrade, downgrade),
):
    app.command(name=_command.__name__.rstrip("_"))(_command)
app.add_typer(secrets.app, name="secrets")


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code, which is 0 on success."""
    debug = "--debug" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # In a locale without Unicode, a name that it cannot encode must not end a command.
            stream.reconfigure(errors="replace")
    try:
        # --debug is accepted before and after the command, so it is removed before parsing.
        app([argument for argument in arguments if argument != "--debug"], prog_name="burndown")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except Exception as error:
        # Not at the top, since most of it is for commands that have run; see `burndown.cli`.
        from burndown import printing
        from burndown.errors import PersistenceError

        if debug or not isinstance(error, PersistenceError | OSError):
            raise
        printing.error(str(error))
        return 1
    return 0


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # takes as long as the rest of `--help`

        typer.echo(f"burndown {version(DISTRIBUTION)}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    debug: Debug = False,
) -> None:
    """Define the options of the program itself."""

"""The application of the command line, with its commands and error handling."""

import io
import json
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any

import typer

from burndown.cli import secrets
from burndown.cli.charts import chart
from burndown.cli.deletion import cleanup, clear, compact
from burndown.cli.exit_codes import ExitCode, exit_code_of
from burndown.cli.operation import health, init
from burndown.cli.options import Debug
from burndown.cli.tables import tables
from burndown.cli.transfer import backup, copy, export, import_, restore, salvage
from burndown.cli.versions import downgrade, upgrade
from burndown.cli.workspace import check, demo, migrate, show, tasks
from burndown.distribution import DISTRIBUTION

__all__ = ["app", "run"]

app = typer.Typer(
    help="Typed, crash-safe storage for dashboards that measure delivery from Jira.",
    no_args_is_help=True,
    # Typer's own traces print local variables, which may contain a token.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for _command in (
    *(demo, init, migrate, show, chart, health, check, salvage, tasks),
    *(backup, restore, copy, export, import_, tables),
    *(cleanup, clear, compact, upgrade, downgrade),
):
    app.command(name=_command.__name__.rstrip("_"))(_command)
app.add_typer(secrets.app, name="secrets")


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code, which is 0 on success (:class:`ExitCode`)."""
    debug, as_json = "--debug" in arguments, "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # In a locale without Unicode, a name that it cannot encode must not end a command.
            stream.reconfigure(errors="replace")
    try:
        # --debug is accepted before and after the command, so it is removed before parsing. By
        # itself, typer prints an error of usage for people.
        given = [argument for argument in arguments if argument != "--debug"]
        ended = _program()(given, prog_name="burndown", standalone_mode=not as_json)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.FAILED
    except typer.TyperException as error:
        return _failed(error, error.format_message(), ExitCode.USAGE, as_json)
    except Exception as error:
        # Not at the top, since most of it is for commands that have run; see `burndown.cli`.
        from burndown.errors import PersistenceError

        if debug or not isinstance(error, PersistenceError | OSError):
            raise
        return _failed(error, str(error), exit_code_of(error), as_json)
    return ended if isinstance(ended, int) else 0


@cache
def _program() -> Callable[..., Any]:
    """Return the parser of all commands, which typer makes anew for each call of an application."""
    return typer.main.get_command(app)  # unlike `get_group`, with the completion of the shell


def _failed(error: Exception, message: str, code: ExitCode, as_json: bool) -> int:
    """Print an error on stderr, also as JSON, and return the exit code."""
    if as_json:
        described = {"type": type(error).__name__, "message": message, "exit_code": code}
        typer.echo(json.dumps({"error": described}, indent=2), err=True)
    else:
        from burndown import printing

        printing.error(message)
    return code


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

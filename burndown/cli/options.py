"""Options that several commands have, and the printing of a result as they demand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "AsJson",
    "DatabaseURL",
    "Debug",
    "DryRun",
    "PassphraseFile",
    "ProfilesDir",
    "passphrase_in",
    "print_json",
    "print_result",
    "require",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, without writing anything.")
]
ProfilesDir = Annotated[
    Path | None,
    typer.Option(
        "--profiles",
        metavar="DIR",
        help="Folder of the workspace, which contains its database [default: profiles].",
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="File with a passphrase that seals the secrets of the export.",
    ),
]
DatabaseURL = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Store to use: a path, a URL, or json:DIR. Overrides the environment.",
    ),
]


def print_result(
    result: dict[str, Any], for_people: Callable[[dict[str, Any]], None], as_json: bool
) -> None:
    """Print the result of a command as JSON, or with a function for people."""
    if as_json:
        print_json(result)
    else:
        for_people(result)


def print_json(result: Any) -> None:
    """Print the result of a command as JSON."""
    typer.echo(json.dumps(result, indent=2))


def require(path: Path) -> Path:
    """Return the path of a file or folder that an argument names.

    Raises:
        FileNotFoundError: there is none.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}")
    return path


def passphrase_in(file: Path | None) -> str | None:
    """Return the passphrase in a file, without the line break at its end; ``None`` for no file.

    Raises:
        typer.BadParameter: the file cannot be read, or is empty.
    """
    if file is None:
        return None
    try:
        passphrase = file.read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise typer.BadParameter(f"{file} cannot be read: {reason}") from None
    if not passphrase:
        raise typer.BadParameter(f"{file} holds no passphrase")
    return passphrase

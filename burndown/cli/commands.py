"""The commands."""

import io
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from burndown import printing
from burndown.cli.stores import DatabaseURL, ProfilesDir, in_use, settings_of, to_read
from burndown.copying import copy_store
from burndown.database import SCHEMA_VERSION, open_database
from burndown.demo import write_demo_workspace
from burndown.distribution import DISTRIBUTION
from burndown.errors import ImportExportError, PersistenceError, StorageError
from burndown.import_export import (
    export_profile,
    export_workspace,
    read_manifest,
    run_import,
)
from burndown.legacy import has_workspace
from burndown.migration import run_migration_if_needed
from burndown.overview import profile_overview, query_overview, workspace_overview
from burndown.persistence import Document, PersistenceBackend, open_backend, set_backend
from burndown.schema import VERSIONS
from burndown.settings import DATABASE_NAME, Settings

__all__ = ["app", "run"]

app = typer.Typer(
    help="Typed, validated, crash-safe storage for dashboards that measure delivery from Jira.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")]


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code: 0 if all went well."""
    debug = "--debug" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # for a locale that cannot say every name
    try:
        app([argument for argument in arguments if argument != "--debug"], prog_name="burndown")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except (PersistenceError, OSError) as error:
        if debug:
            raise
        printing.error(str(error))
        return 1
    finally:
        set_backend(None)
    return 0


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"burndown {version(DISTRIBUTION)}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
    debug: Debug = False,
) -> None:
    """The options of every command."""


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")] = Path("burndown-demo"),
    issues: Annotated[int, typer.Option(min=1, help="Issues in the largest query.")] = 150,
) -> None:
    """Write a sample workspace of the old dashboard, move it in, and show what is there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(f"{folder} is there already; name another folder")
    write_demo_workspace(folder, issues=issues)
    printing.line(f"Wrote a sample workspace into {folder / 'profiles'}")
    with in_use(folder / "profiles" / DATABASE_NAME) as backend:
        with printing.progress(quiet=False) as progress:
            report = run_migration_if_needed(folder / "profiles", progress=progress)
        printing.migration(report)
        printing.workspace(workspace_overview(backend))


@app.command()
def migrate(
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done; write nothing.")
    ] = False,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Go on without files that cannot be read.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move the JSON files of the old dashboard into the database, whole or not at all.

    The files are backed up first, and stay as they are. --profiles names their folder, --database
    or BURNDOWN_DATABASE_URL a database elsewhere.
    """
    settings = settings_of(profiles, database, is_source=True)
    with (
        in_use(settings.database, read_only=dry_run),
        printing.progress(quiet=as_json) as progress,
    ):
        report = run_migration_if_needed(
            settings.profiles_dir, dry_run=dry_run, skip_damaged=skip_damaged, progress=progress
        )
    if as_json:
        _print_json(report.to_document())
    else:
        printing.migration(report)


@app.command()
def show(
    profile: Annotated[str | None, typer.Argument(help="Id of a profile.")] = None,
    query: Annotated[str | None, typer.Argument(help="Id of a query of it.")] = None,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: Json = False,
) -> None:
    """Show what is stored: all profiles, one of them, or one query. Nothing is changed."""
    with to_read(settings_of(profiles, database)) as backend:
        if profile is None:
            found, show_it = workspace_overview(backend), printing.workspace
        elif query is None:
            found, show_it = profile_overview(backend, profile), printing.profile
        else:
            found, show_it = query_overview(backend, profile, query), printing.query
    _tell(found, show_it, as_json)


@app.command()
def check(
    profiles: ProfilesDir = None, database: DatabaseURL = None, as_json: Json = False
) -> None:
    """Check that the database is intact; exits with 1 if it is not. Nothing is changed."""
    with to_read(settings_of(profiles, database)) as backend:
        is_whole, problems = backend.check_integrity()
    if as_json:
        _print_json({"ok": is_whole, "errors": problems})
    else:
        printing.integrity(is_whole, problems)
    if not is_whole:
        raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[
        Path, typer.Argument(help="File to make; a folder for a workspace of JSON files.")
    ],
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: Json = False,
) -> None:
    """Copy the store to a new file while it is in use, and check the copy.

    It appears complete or not at all, and holds what was committed when the command began.
    """
    with to_read(settings_of(profiles, database)) as backend:
        made = backend.backup(file)
    _tell({"backup": str(made)}, printing.backed_up, as_json)


@app.command()
def copy(
    source: Annotated[str, typer.Argument(help="Path or URL of the store to copy.")],
    target: Annotated[str, typer.Argument(help="Path or URL of an empty one.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete what the target holds.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy a store, such as a SQLite file to PostgreSQL, and compare both sides.

    All of it is copied or nothing. Tables and columns that others added are not; they are listed.
    A folder is a store of JSON files of the old dashboard.
    """
    with (
        open_backend(source, read_only=True) as one,
        open_backend(target) as other,
        printing.copy_progress(quiet=as_json) as progress,
    ):
        counts = copy_store(one, other, replace=replace, progress=progress)
        told = {
            "source": one.describe()["location"],
            "target": other.describe()["location"],
            "copied": counts,
            "not_copied": one.foreign_objects(),
        }
    _tell(told, printing.copied, as_json)


@app.command(name="export")
def export_(
    profile: Annotated[str | None, typer.Argument(help="Id of a profile.")] = None,
    folder: Annotated[
        Path | None, typer.Argument(help="Folder to make, or one file that ends in .zip.")
    ] = None,
    legacy: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write all that is stored as a workspace of the old dashboard instead.",
        ),
    ] = None,
    include_cache: Annotated[
        bool, typer.Option("--include-cache", help="Also cached answers of Jira and changelogs.")
    ] = False,
    include_secrets: Annotated[
        bool, typer.Option("--include-secrets", help="Also the Jira token, in clear.")
    ] = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: Json = False,
) -> None:
    """Write a profile to files that people can read, or all to those of the old dashboard."""
    if legacy is not None and profile is None:
        export, show_it = partial(_export_workspace, legacy), printing.exported_workspace
    elif legacy is None and profile is not None and folder is not None:
        export = partial(_export_profile, profile, folder, include_cache=include_cache)
        show_it = printing.exported
    else:
        raise typer.BadParameter("give PROFILE and FOLDER, or --legacy DIR")
    with to_read(settings_of(profiles, database)):
        told = export(include_secrets=include_secrets)
    _tell(told, show_it, as_json)


@app.command(name="import")
def import_(
    source: Annotated[Path, typer.Argument(help="Folder or .zip file of an export.")],
    name: Annotated[str | None, typer.Option(help="A name in place of the exported one.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete the profile that has its id or name.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done; write nothing.")
    ] = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: Json = False,
) -> None:
    """Add a profile from an export, whole or not at all."""
    settings = settings_of(profiles, database)
    with in_use(settings.database, read_only=dry_run) as backend:
        _refuse_before_migration(backend, settings.profiles_dir)
        report = run_import(source, name, replace=replace, dry_run=dry_run)
    if as_json:
        _print_json({"dry_run": dry_run, **asdict(report), "warnings": report.warnings})
    else:
        printing.imported(report, planned=dry_run)


def _refuse_before_migration(backend: PersistenceBackend, folder: Path) -> None:
    """A store that holds a profile cannot be migrated into any more."""
    if not backend.exists() and has_workspace(folder):
        raise ImportExportError(
            f"The workspace in {folder} has not been moved in; `burndown migrate` does it"
        )


Version = Annotated[str, typer.Option("--to", metavar="VERSION", help="The version to go to.")]
OnlySQL = Annotated[bool, typer.Option("--dry-run", help="Print the SQL; change nothing.")]


@app.command()
def upgrade(
    to: Version = SCHEMA_VERSION,
    dry_run: OnlySQL = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: Json = False,
) -> None:
    """Bring the tables of the database to a newer version, as opening it does by itself."""
    _change_version(
        to, settings_of(profiles, database), is_upgrade=True, dry_run=dry_run, as_json=as_json
    )


@app.command()
def downgrade(
    to: Version,
    dry_run: OnlySQL = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: Json = False,
) -> None:
    """Bring the tables of the database to an older version, for an older release of burndown.

    Nothing is lost by it; a version that cannot hold what is stored is refused. This release brings
    the database up again as soon as it opens it.
    """
    _change_version(
        to, settings_of(profiles, database), is_upgrade=False, dry_run=dry_run, as_json=as_json
    )


def _change_version(
    version: str, settings: Settings, *, is_upgrade: bool, dry_run: bool, as_json: bool
) -> None:
    with closing(open_database(settings.database, read_only=dry_run)) as database:
        sql = database.sql_of_change(version)
        present = str(database.schema_version())
        if is_upgrade != (_order(version) >= _order(present)):
            other = "downgrade" if is_upgrade else "upgrade"
            raise StorageError(f"{database.location} is of version {present}: use `{other}`")
        if dry_run:
            for each in (sql or f"-- Nothing to do: the version is {present}").splitlines():
                printing.line(each)
            return
        database.change_version(version)
        told = {"location": database.location, "from": present, "to": version}
    _tell(told, printing.changed_version, as_json)


def _order(version: str) -> int:
    return list(VERSIONS).index(version)


def _export_profile(
    profile: str, path: Path, *, include_cache: bool, include_secrets: bool
) -> dict[str, Any]:
    export_profile(profile, path, include_cache=include_cache, include_secrets=include_secrets)
    return {"path": str(path), **read_manifest(path).to_content()}


def _export_workspace(path: Path, *, include_secrets: bool) -> dict[str, Any]:
    export_workspace(path, include_secrets=include_secrets)
    return {"path": str(path), "includes_secrets": include_secrets}


def _tell(found: Document, show_it: Callable[[Document], None], as_json: bool) -> None:
    """Show what was found to people, or print it for programs."""
    if as_json:
        _print_json(found)
    else:
        show_it(found)


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2))

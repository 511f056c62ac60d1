"""Commands that fill, show and check a store, and its tasks."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from burndown.cli.exit_codes import ExitCode
from burndown.cli.options import (
    AsJson,
    DatabaseURL,
    DryRun,
    ProfilesDir,
    print_json,
    print_result,
    require,
)

__all__ = ["check", "demo", "migrate", "show", "tasks"]


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder to create.")] = Path("burndown-demo"),
    issues: Annotated[int, typer.Option(min=1, help="Issues in the largest query.")] = 150,
    as_json: AsJson = False,
) -> None:
    """Create a sample workspace, and show it.

    It is a workspace of the old dashboard, which is then migrated; a budget and a finished task,
    which the old dashboard did not have, are added to it.
    """
    from burndown import printing
    from burndown.cli.stores import open_store
    from burndown.demo import add_newer_data, write_demo_workspace
    from burndown.errors import ImportExportError
    from burndown.migration import run_migration_if_needed
    from burndown.overview import workspace_overview
    from burndown.settings import DATABASE_NAME

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ImportExportError(f"{folder} already exists; choose another folder")
    write_demo_workspace(folder, issues=issues)
    if not as_json:
        printing.line(f"Wrote a sample workspace to {folder / 'profiles'}")
    # The database of the folder, whatever the environment names: a real store is not touched.
    with open_store(folder / "profiles" / DATABASE_NAME) as backend:
        with printing.migration_progress(quiet=as_json) as progress:
            report = run_migration_if_needed(folder / "profiles", progress=progress)
        add_newer_data(backend)
        if not as_json:
            printing.migration(report)
        print_result(workspace_overview(backend), printing.workspace, as_json)


def migrate(
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Database file of the published dashboard; it is not changed."),
    ] = None,
    dry_run: DryRun = False,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Continue without files that cannot be read.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Migrate the data of an older dashboard.

    These are its JSON files, or the database of the published dashboard, burndown.db in the same
    folder. They are moved into the database completely or not at all. The files are backed up first
    and never changed; where the new database takes the place of the old one, that is kept as
    burndown.db.published. --profiles is their folder; --database or BURNDOWN_DATABASE_URL chooses a
    database outside of it.
    """
    from burndown import printing
    from burndown.cli.stores import open_store, settings_for
    from burndown.migration import run_migration_if_needed

    settings = settings_for(profiles, database, is_source=True)
    with (
        open_store(settings.database, read_only=dry_run),
        printing.migration_progress(quiet=as_json) as progress,
    ):
        report = run_migration_if_needed(
            settings.profiles_dir,
            published=source and require(source),
            dry_run=dry_run,
            skip_damaged=skip_damaged,
            progress=progress,
        )
    if as_json:
        print_json(report.to_document())
    else:
        printing.migration(report)


def show(
    profile: Annotated[str | None, typer.Argument(help="Id of a profile.")] = None,
    query: Annotated[str | None, typer.Argument(help="Id of a query of the profile.")] = None,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Show all profiles, one profile or one query.

    Nothing is changed.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.overview import profile_overview, query_overview, workspace_overview

    with open_existing(settings_for(profiles, database)) as backend:
        if profile is None:
            overview, for_people = workspace_overview(backend), printing.workspace
        elif query is None:
            overview, for_people = profile_overview(backend, profile), printing.profile
        else:
            overview, for_people = query_overview(backend, profile, query), printing.query
    print_result(overview, for_people, as_json)


def check(
    accept: Annotated[
        bool, typer.Option("--accept", help="Take records that were edited elsewhere for intact.")
    ] = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Check that the database is intact.

    The exit code is 6 if it is not intact. Records that another program has edited are noted, and
    are no damage; secrets in plain text are reported. Nothing is changed without --accept.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.errors import ForeignDatabaseError, SchemaTooNewError, StorageError
    from burndown.sealing import secrets_status

    settings = settings_for(profiles, database)
    if accept:
        with open_existing(settings, read_only=False) as backend:
            print_result({"accepted": backend.accept_edits()}, printing.accepted, as_json)
        return
    with open_existing(settings) as backend:
        try:
            backend.list_profiles()
        except (ForeignDatabaseError, SchemaTooNewError):  # is no damage
            raise
        except StorageError:  # is described below
            pass
        is_intact, problems = backend.check_integrity()
        notes = backend.integrity_notes() if is_intact else []
        secrets = None
        if is_intact:
            with suppress(StorageError):  # it has to be upgraded before it can be read
                secrets = secrets_status(backend)
    if as_json:
        print_json({"ok": is_intact, "errors": problems, "notes": notes})
    else:
        printing.integrity(is_intact, problems, notes)
        if secrets is not None:
            printing.plain_text_warning({**secrets})
    if not is_intact:
        raise typer.Exit(ExitCode.DAMAGED)


def tasks(
    cancel: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask the owner of this task to end it.")
    ] = None,
    clear: Annotated[
        str | None, typer.Option(metavar="NAME", help="Delete the progress of this task.")
    ] = None,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Show tasks, cancel one, or clear its progress.

    A task that runs is lost if its progress is cleared, and another process can begin it.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.errors import NotFoundError

    read_only = cancel is None and clear is None
    with open_existing(settings_for(profiles, database), read_only=read_only) as backend:
        if cancel is not None and not backend.cancel_task(cancel):
            raise NotFoundError(f"No process runs a task {cancel!r} that it can be asked to end")
        if clear is not None:
            if backend.get_task_progress(clear) is None:
                raise NotFoundError(f"There is no task {clear!r}")
            backend.clear_task_progress(clear)
        found = {"tasks": backend.list_task_progress()}
    print_result(found, printing.tasks, as_json)

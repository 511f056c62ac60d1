"""Commands that copy data out of a store and into one."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from burndown.cli.options import (
    AsJson,
    DatabaseURL,
    DryRun,
    PassphraseFile,
    ProfilesDir,
    passphrase_in,
    print_json,
    print_result,
    require,
)

__all__ = ["backup", "copy", "export", "import_", "restore"]


def backup(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="File to create; a folder for a store of JSON files, or with --keep. With "
            "--drill, an existing backup.",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Name the backup after the time, and delete all but the newest N in the folder.",
        ),
    ] = None,
    drill: Annotated[
        bool,
        typer.Option(
            "--drill",
            help="Restore the backup, or one of the store, into a temporary store and compare.",
        ),
    ] = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Back up the store while it is in use.

    The backup is checked, and appears complete or not at all. It contains what was committed when
    the command began. On PostgreSQL, pg_dump makes it.
    """
    from burndown import backups, printing
    from burndown.cli.stores import open_existing, settings_for

    if drill and keep is not None:
        raise typer.BadParameter("--drill deletes no backups; leave out --keep")
    if drill and path is not None:
        compared = backups.drill(path)
        print_result({"backup": str(path), "compared": compared}, printing.drilled, as_json)
        return
    with open_existing(settings_for(profiles, database)) as backend:
        if drill:
            found = {
                "backup": backend.describe()["location"],
                "compared": backups.drill(backend=backend),
            }
            print_result(found, printing.drilled, as_json)
        elif path is None:
            raise typer.BadParameter("give the path of the backup, or --drill")
        else:
            created = backend.backup(path, keep=keep)
            print_result({"backup": str(created)}, printing.backed_up, as_json)


def restore(
    backup: Annotated[Path, typer.Argument(help="Backup to restore.")],
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Replace everything that is stored by the content of a backup.

    It is replaced completely or not at all, and the current content is kept next to the store.
    Others may use the store: they wait to write, and then see the restored content.
    """
    from burndown import printing
    from burndown.cli.stores import open_store, settings_for

    with open_store(settings_for(profiles, database).database) as backend:
        kept = backend.restore(require(backup))
        location = backend.describe()["location"]
    result = {
        "backup": str(backup),
        "location": location,
        "kept": None if kept is None else str(kept),
    }
    print_result(result, printing.restored, as_json)


def copy(
    source: Annotated[str, typer.Argument(help="Path or URL of the store to copy.")],
    target: Annotated[str, typer.Argument(help="Path or URL of an empty store.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete the content of the target first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy a store to another one.

    The target may be of another kind, such as PostgreSQL for a SQLite file. The store is copied
    completely or not at all, and compared value by value. Tables and columns that were added by
    others are not copied, but listed. A folder is a store of JSON files of the old dashboard.
    """
    from burndown import printing
    from burndown.copying import copy_store
    from burndown.persistence import open_backend

    with (
        open_backend(source, read_only=True) as copied_from,
        open_backend(target) as copied_to,
        printing.copy_progress(quiet=as_json) as progress,
    ):
        counts = copy_store(copied_from, copied_to, replace=replace, progress=progress)
        result = {
            "source": copied_from.describe()["location"],
            "target": copied_to.describe()["location"],
            "copied": counts,
            "not_copied": copied_from.foreign_objects(),
        }
    print_result(result, printing.copied, as_json)


def salvage(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="Path of the damaged store, or json:DIR.")
    ],
    target: Annotated[str, typer.Argument(metavar="TO", help="Path or URL of an empty store.")],
    backups: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="BACKUP", help="Backup or export for what is damaged, newest first."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy what is intact in a damaged store to a new one.

    What is damaged is taken from the newest backup that has it, unless Jira has it. The output
    names each such record, and each that is lost. The damaged store is not changed.
    """
    from burndown import printing
    from burndown.persistence import open_backend
    from burndown.salvage import salvage

    with open_backend(target) as filled:
        report = salvage(source, filled, backups or [])
    print_result(report.to_document(), printing.salvaged, as_json)


def export(
    profile: Annotated[str | None, typer.Argument(help="Id of a profile.")] = None,
    folder: Annotated[
        Path | None, typer.Argument(help="Folder to create, or a file that ends in .zip.")
    ] = None,
    legacy: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Export all profiles as a workspace of the old dashboard instead."
        ),
    ] = None,
    include_cache: Annotated[
        bool, typer.Option("--include-cache", help="Include cached responses and changelogs.")
    ] = False,
    include_secrets: Annotated[
        bool, typer.Option("--include-secrets", help="Include the Jira token, in plain text.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Export a profile to readable files.

    With --legacy, export all profiles to files of the old dashboard. With --passphrase-file, the
    export includes secrets, sealed with the passphrase.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for

    passphrase = passphrase_in(passphrase_file)
    if legacy is not None and profile is None and passphrase is None:
        run_export, for_people = partial(_export_workspace, legacy), printing.exported_workspace
    elif legacy is None and profile is not None and folder is not None:
        run_export = partial(
            _export_profile, profile, folder, include_cache=include_cache, passphrase=passphrase
        )
        for_people = printing.exported
    else:
        raise typer.BadParameter("give PROFILE and FOLDER, or --legacy DIR")
    with open_existing(settings_for(profiles, database)):
        result = run_export(include_secrets=include_secrets)
    print_result(result, for_people, as_json)


def _export_profile(
    profile: str,
    path: Path,
    *,
    include_cache: bool,
    include_secrets: bool,
    passphrase: str | None,
) -> dict[str, Any]:
    from burndown.import_export import export_profile, read_manifest

    export_profile(
        profile,
        path,
        include_cache=include_cache,
        include_secrets=include_secrets,
        passphrase=passphrase,
    )
    # From the file and not from memory: what is printed is what has been written.
    return {"path": str(path), **read_manifest(path).to_content()}


def _export_workspace(path: Path, *, include_secrets: bool) -> dict[str, Any]:
    from burndown.import_export import export_workspace
    from burndown.sealing import secrets_status

    export_workspace(path, include_secrets=include_secrets)
    secrets = secrets_status()["secrets"] if include_secrets else []
    locked = [each for each in secrets if each["state"] == "locked"]
    return {"path": str(path), "includes_secrets": include_secrets, "locked": locked}


def import_(
    source: Annotated[
        Path, typer.Argument(help="Folder or .zip file of an export, or exchange file.")
    ],
    name: Annotated[str | None, typer.Option(help="Name that replaces the exported one.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete the profile with the same id or name first.")
    ] = False,
    dry_run: DryRun = False,
    passphrase_file: PassphraseFile = None,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Import a profile from an export or an exchange file.

    It is imported completely or not at all. The published dashboard exports exchange files.
    """
    from burndown import printing
    from burndown.cli.stores import open_store, settings_for
    from burndown.errors import ImportExportError
    from burndown.import_export import run_import
    from burndown.legacy import has_workspace

    settings, passphrase = settings_for(profiles, database), passphrase_in(passphrase_file)
    with open_store(settings.database, read_only=dry_run) as backend:
        # A migration needs an empty database, so an import would make it impossible.
        if not backend.exists() and has_workspace(settings.profiles_dir):
            raise ImportExportError(
                f"The workspace in {settings.profiles_dir} has not been migrated; "
                "run `burndown migrate` first"
            )
        report = run_import(
            require(source), name, replace=replace, dry_run=dry_run, passphrase=passphrase
        )
    if as_json:
        print_json({"dry_run": dry_run, **report.to_document()})
    else:
        printing.imported(report, source, planned=dry_run)

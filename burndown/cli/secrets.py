"""Commands that report, seal and unseal secrets."""

import typer

from burndown.cli.options import AsJson, DatabaseURL, ProfilesDir, print_result

__all__ = ["app"]

app = typer.Typer(help="Report, seal and unseal the secrets of a store.", no_args_is_help=True)


@app.command()
def status(
    profiles: ProfilesDir = None, database: DatabaseURL = None, as_json: AsJson = False
) -> None:
    """Report the keys in use, and which secrets are sealed.

    No secret is printed, and nothing is changed.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.sealing import secrets_status

    with open_existing(settings_for(profiles, database)) as backend:
        found = secrets_status(backend)
    print_result({**found}, printing.secrets_status, as_json)


@app.command()
def seal(
    profiles: ProfilesDir = None, database: DatabaseURL = None, as_json: AsJson = False
) -> None:
    """Seal all secrets that are stored in plain text, and erase that.

    Whatever is saved from now on is sealed by itself. Backups and exports made before are not
    changed.
    """
    _change("seal", profiles, database, as_json)


@app.command()
def rotate(
    profiles: ProfilesDir = None, database: DatabaseURL = None, as_json: AsJson = False
) -> None:
    """Seal all secrets with the first key.

    The keys that sealed them before have to follow it, and can be removed afterwards. The exit code
    is 1 if no key opens one of them.
    """
    _change("rotate", profiles, database, as_json)


@app.command()
def unseal(
    profiles: ProfilesDir = None, database: DatabaseURL = None, as_json: AsJson = False
) -> None:
    """Store all secrets in plain text.

    Remove the key afterwards: with it, what is saved is sealed again. The exit code is 1 if no key
    opens one of them.
    """
    _change("unseal", profiles, database, as_json)


def _change(change: str, profiles: ProfilesDir, database: DatabaseURL, as_json: bool) -> None:
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.sealing import Resealing, change_secrets

    with open_existing(settings_for(profiles, database), read_only=False) as backend:
        changed = change_secrets(Resealing(change), backend)
    print_result({**changed}, printing.changed_secrets, as_json)
    if changed["locked"]:
        raise typer.Exit(1)

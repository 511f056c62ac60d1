"""Commands that change the schema version of a database."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from burndown.cli.options import AsJson, DatabaseURL, ProfilesDir, print_result

__all__ = ["downgrade", "upgrade"]

OnlySQL = Annotated[
    bool, typer.Option("--dry-run", help="Print the SQL, without changing anything.")
]


def upgrade(
    to: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="The target version.", show_default="the newest"),
    ] = None,
    dry_run: OnlySQL = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Upgrade the schema of the database.

    Opening a database does the same automatically.
    """
    _change_version(to, profiles, database, dry_run=dry_run, as_json=as_json, is_upgrade=True)


def downgrade(
    to: Annotated[str, typer.Option(metavar="VERSION", help="The target version.")],
    dry_run: OnlySQL = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Downgrade the schema of the database.

    This is needed for an older release of burndown; this release upgrades the database again when
    it opens it. If the older version cannot store all data, the command fails; a lease or the time
    of a cached changelog, which last for hours at most, is dropped with a warning.
    """
    _change_version(to, profiles, database, dry_run=dry_run, as_json=as_json, is_upgrade=False)


def _change_version(
    version: str | None,
    profiles: Path | None,
    database_url: str | None,
    *,
    dry_run: bool,
    as_json: bool,
    is_upgrade: bool,
) -> None:
    from burndown import printing
    from burndown.cli.stores import settings_for
    from burndown.database import SCHEMA_VERSION, open_database
    from burndown.errors import ValidationError
    from burndown.schema import VERSIONS

    version = version or SCHEMA_VERSION
    order = list(VERSIONS).index
    settings = settings_for(profiles, database_url)
    with closing(open_database(settings.database, read_only=dry_run)) as database:
        # First, since it raises for an unknown version, whose order cannot be compared.
        sql = database.sql_of_change(version)
        current = str(database.schema_version())
        if is_upgrade != (order(version) >= order(current)):
            order_of, command = ("older", "downgrade") if is_upgrade else ("newer", "upgrade")
            expected = (
                f"input should not be {order_of} than the version {current} of "
                f"{database.location} (use `burndown {command}`)"
            )
            raise ValidationError.of("Schema version", "", expected, version)
        result = {"location": database.location, "from": current, "to": version}
        if dry_run:
            print_result({**result, "sql": sql}, printing.sql_of_change, as_json)
        else:
            database.change_version(version)
            print_result(result, printing.changed_version, as_json)

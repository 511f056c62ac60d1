"""Commands that change the schema version of a database."""

from contextlib import closing
from typing import Annotated

import typer

from burndown import printing
from burndown.cli.options import AsJson, DatabaseURL, ProfilesDir, print_result
from burndown.cli.stores import settings_for
from burndown.database import SCHEMA_VERSION, open_database
from burndown.errors import StorageError
from burndown.schema import VERSIONS
from burndown.settings import Settings

__all__ = ["downgrade", "upgrade"]

Version = Annotated[str, typer.Option("--to", metavar="VERSION", help="The target version.")]
OnlySQL = Annotated[
    bool, typer.Option("--dry-run", help="Print the SQL, without changing anything.")
]


def upgrade(
    to: Version = SCHEMA_VERSION,
    dry_run: OnlySQL = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Upgrade the schema of the database.

    Opening a database does the same automatically.
    """
    _change_version(
        to, settings_for(profiles, database), is_upgrade=True, dry_run=dry_run, as_json=as_json
    )


def downgrade(
    to: Version,
    dry_run: OnlySQL = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Downgrade the schema of the database.

    This is needed for an older release of burndown; this release upgrades the database again when
    it opens it. No data is lost: if the older version cannot store all data, the command fails.
    """
    _change_version(
        to, settings_for(profiles, database), is_upgrade=False, dry_run=dry_run, as_json=as_json
    )


def _change_version(
    version: str, settings: Settings, *, is_upgrade: bool, dry_run: bool, as_json: bool
) -> None:
    with closing(open_database(settings.database, read_only=dry_run)) as database:
        # First, since it raises for an unknown version, whose order cannot be compared.
        sql = database.sql_of_change(version)
        current = str(database.schema_version())
        if is_upgrade != (_order(version) >= _order(current)):
            command = "downgrade" if is_upgrade else "upgrade"
            raise StorageError(
                f"{database.location} has schema version {current}; use `burndown {command}`"
            )
        if dry_run:
            for each in (sql or f"-- Nothing to do: the version is {current}").splitlines():
                printing.line(each)
            return
        database.change_version(version)
        result = {"location": database.location, "from": current, "to": version}
    print_result(result, printing.changed_version, as_json)


def _order(version: str) -> int:
    return list(VERSIONS).index(version)

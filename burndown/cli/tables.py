"""The command that writes tables for analysts."""

from pathlib import Path
from typing import Annotated

import typer

from burndown.cli.options import AsJson, DatabaseURL, ProfilesDir, print_result

__all__ = ["tables"]


def tables(
    out: Annotated[
        Path,
        typer.Argument(
            help="File that ends in .db or .sqlite; or folder that ends in .csv or .parquet."
        ),
    ],
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Write flat tables for analysts, without secrets.

    They are a SQLite database, or a folder of CSV or Parquet files. If they exist, only what has
    changed is written. Readers of a database see all of the old rows, or all of the new ones. A
    file next to it describes the columns, for Datasette.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.tables import write_tables

    with open_existing(settings_for(profiles, database)) as backend, backend.transaction():
        changes = write_tables(out, backend=backend)
    print_result({"path": str(out), "tables": changes}, printing.tables_written, as_json)

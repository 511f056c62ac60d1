"""The command that limits the size of cached data."""

from datetime import timedelta
from typing import Annotated

import typer

from burndown.cli.options import AsJson, DatabaseURL, ProfilesDir, print_result

__all__ = ["cleanup"]


def cleanup(
    max_mb: Annotated[
        int | None,
        typer.Option(min=0, help="Limit of the store, in place of that of each profile."),
    ] = None,
    max_stale: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="DAYS", help="First delete all that expired at least this long ago."
        ),
    ] = None,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Delete cached responses and changelogs above a limit.

    Each profile has a limit, cache_size_mb. What expired longest ago is deleted first, then what
    was saved longest ago. The file does not shrink, but has space for new data.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for

    with open_existing(settings_for(profiles, database), read_only=False) as backend:
        deleted = 0
        if max_stale is not None:
            deleted += backend.cleanup_expired_cache(timedelta(days=max_stale))
        deleted += backend.cleanup(None if max_mb is None else max_mb * 2**20)
    print_result({"deleted": deleted}, printing.cleaned, as_json)

"""Commands that delete data, and give its space back."""

from datetime import timedelta
from typing import Annotated

import typer

from burndown.cli.options import AsJson, DatabaseURL, ProfilesDir, print_result

__all__ = ["cleanup", "clear", "compact"]


def cleanup(
    max_mb: Annotated[
        int | None,
        typer.Option(min=0, help="Limit of the store, in place of that of each profile."),
    ] = None,
    max_stale: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=timedelta.max.days,
            metavar="DAYS",
            help="First delete all that expired at least this long ago.",
        ),
    ] = None,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Delete cached responses and changelogs above a limit.

    Each profile has a limit, cache_size_mb. What expired longest ago is deleted first, then what
    was saved longest ago. The space is for new data; run `burndown compact` to give it back.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for

    with open_existing(settings_for(profiles, database), read_only=False) as backend:
        deleted = 0
        if max_stale is not None:
            deleted += backend.cleanup_expired_cache(timedelta(days=max_stale))
        deleted += backend.cleanup(None if max_mb is None else max_mb * 2**20)
    print_result({"deleted": deleted}, printing.cleaned, as_json)


def clear(
    profile: Annotated[str, typer.Argument(help="Id of a profile.")],
    query: Annotated[
        str | None, typer.Argument(help="Id of a query of the profile.", show_default="all")
    ] = None,
    responses: Annotated[
        bool, typer.Option("--responses", help="Delete cached responses of Jira.")
    ] = False,
    changelogs: Annotated[
        bool, typer.Option("--changelogs", help="Delete cached changelogs.")
    ] = False,
    project_data: Annotated[
        bool, typer.Option("--project-data", help="Delete the project data.")
    ] = False,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Delete the snapshots of metrics.")
    ] = False,
    metric_type: Annotated[
        str | None, typer.Option("--type", help="Delete only metrics of this type, such as flow.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WEEK", help="Delete only metrics from this week on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WEEK", help="Delete only metrics up to this week.")
    ] = None,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Delete data of a query, or of all queries of a profile.

    The options choose what is deleted: all of it or, on an error, nothing. The profile and its
    queries remain. A week is written as 2025-W12. Run `burndown compact` to give the space back.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.errors import ProfileNotFoundError, QueryNotFoundError

    if not (responses or changelogs or project_data or metrics):
        raise typer.BadParameter(
            "name what to delete: --responses, --changelogs, --project-data or --metrics"
        )
    if not metrics and (metric_type or since or until):
        raise typer.BadParameter("--type, --since and --until choose metrics; give --metrics")
    deleted = {}
    with (
        open_existing(settings_for(profiles, database), read_only=False) as backend,
        backend.transaction(),
    ):
        if backend.get_profile(profile) is None:
            raise ProfileNotFoundError(profile)
        if query is not None and backend.get_query(profile, query) is None:
            raise QueryNotFoundError(profile, query)
        if responses:
            deleted["cached responses"] = backend.delete_jira_caches(profile, query)
        if changelogs:
            deleted["changelogs"] = backend.delete_jira_changelogs(profile, query)
        if project_data:
            deleted["project data"] = backend.delete_project_data(profile, query)
        if metrics:
            deleted["metrics snapshots"] = backend.delete_metrics_snapshots(
                profile, query, metric_type, since, until
            )
    print_result({"deleted": deleted}, printing.cleared, as_json)


def compact(
    profiles: ProfilesDir = None, database: DatabaseURL = None, as_json: AsJson = False
) -> None:
    """Give the space of deleted data back, while the store is in use.

    A SQLite file that an earlier release made is rewritten the first time: others can read it
    meanwhile, and wait to write.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for

    with open_existing(settings_for(profiles, database), read_only=False) as backend:
        given_back = backend.compact()
        described = backend.describe()
    result = {
        "location": described["location"],
        "size_bytes": described["size_bytes"],
        "given_back_bytes": given_back,
    }
    print_result(result, printing.compacted, as_json)

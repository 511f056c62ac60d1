"""Charts on the terminal."""

from typing import Annotated

import typer

from burndown.cli.options import AsJson, DatabaseURL, ProfilesDir, print_result

__all__ = ["chart"]


def chart(
    profile: Annotated[str, typer.Argument(help="Id of a profile.")],
    query: Annotated[str, typer.Argument(help="Id of a query of the profile.")],
    weeks: Annotated[int, typer.Option(min=1, help="The last weeks to show.")] = 26,
    points: Annotated[
        bool, typer.Option("--points", help="Show story points in place of issues.")
    ] = False,
    profiles: ProfilesDir = None,
    database: DatabaseURL = None,
    as_json: AsJson = False,
) -> None:
    """Show the remaining work of a query, week by week.

    It is calculated from the project data. A terminal without Unicode shows it in ASCII.
    """
    from burndown import printing
    from burndown.cli.stores import open_existing, settings_for
    from burndown.profile_manager import get_profile
    from burndown.query_manager import get_query
    from burndown.remaining_work import remaining_work

    with open_existing(settings_for(profiles, database)) as backend:
        get_profile(profile, backend=backend)  # the error for a query names only that
        name = get_query(profile, query, backend=backend)["name"]
        work = remaining_work(backend.get_project_data(profile, query))
    result = {
        "title": name,
        "unit": "points" if points else "issues",
        "weeks": work["weeks"][-weeks:],
        "values": work["points" if points else "items"][-weeks:],
    }
    print_result(result, printing.remaining, as_json)

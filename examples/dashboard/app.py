"""A delivery dashboard in Dash: ``python -m examples.dashboard.app``.

Whichever worker serves a page, it shows the same: the state of a fetch is in the store, and so is
what was fetched last. A fetch can be cancelled from any page, and its worker can be killed.

It shows the query ``12w`` of the profile ``kafka``, which a workspace of ``burndown demo`` has:
``BURNDOWN_DATABASE_URL=burndown-demo/profiles/burndown.db`` chooses that one.
"""

from contextlib import suppress
from datetime import timedelta
from threading import Thread
from typing import Any

from dash import Dash, Input

from burndown import TaskCancelledError, TaskRunningError, get_backend, jira_cache_key
from burndown.jira import issues_of
from burndown.models import JiraConfig
from examples.dashboard import layout
from examples.dashboard.jira_client import FIELDS, search

PROFILE, QUERY, TASK = "kafka", "12w", "fetch-issues"
ACTIVE = ["In Progress", "In Review"]
LEASE, LIFETIME = timedelta(seconds=3), timedelta(hours=1)

app = Dash(__name__, title="Delivery")
server = app.server
backend = get_backend()
app.layout = layout.page()
# The page registers its scripts. A worker can be asked for a script before it has served the page.
server.test_client().get("/")


@app.callback(Input("fetch", "n_clicks"), prevent_initial_call=True)
def start_fetch(_clicks: int) -> None:
    """Fetch in the background, unless a worker does so already."""
    Thread(target=fetch, daemon=True).start()


def fetch() -> None:
    """Fetch all issues, and cache them as one response."""
    ends = suppress(TaskRunningError, TaskCancelledError, OSError)  # as the task reports
    with ends, backend.task(TASK, lease=LEASE, message="Asking Jira") as task:
        profile, query = backend.get_profile(PROFILE), backend.get_query(PROFILE, QUERY)
        if profile is None or query is None:
            raise LookupError(f"There is no query {QUERY!r} in a profile {PROFILE!r}")
        jira = JiraConfig.model_validate(profile["jira_config"])
        issues: list[Any] = []
        for page in search(jira, query["jql"]):
            issues += page["issues"]
            percent = 100 * len(issues) / max(page["total"], 1)
            task.progress(percent, f"{len(issues)} of {page['total']} issues")
            task.renew()  # so that the report is stored now: the next page may take a while
        key = jira_cache_key(query["jql"], FIELDS, jira.base_url)
        found = {"issues": issues, "total": len(issues)}
        backend.save_jira_cache(PROFILE, QUERY, key, found, LIFETIME)


@app.callback(Input("cancel", "n_clicks"), prevent_initial_call=True)
def cancel(_clicks: int) -> None:
    """Ask whichever worker is fetching to stop."""
    backend.cancel_task(TASK)


@app.callback(*layout.OUTPUTS, Input("tick", "n_intervals"))
def refresh(_ticks: int) -> tuple[Any, ...]:
    """Show the newest response, whichever fields it has, and whoever saved it."""
    keys = [each["cache_key"] for each in backend.list_jira_caches(PROFILE, QUERY)]
    found = backend.find_jira_cache(PROFILE, QUERY, keys[0]) if keys else None
    issues = issues_of(found, backend.get_profile(PROFILE))
    days = [
        (issue.resolved, issue.history.time_in(ACTIVE, backend.now()) / timedelta(days=1))
        for issue in issues
        if issue.resolved and issue.history.is_known
    ]
    return (
        layout.badge(found),
        *layout.progress(backend.get_task_progress(TASK)),
        layout.issue_rows(issues),
        layout.cycle_times(days),
        layout.trend(backend.get_series(PROFILE, QUERY, "dora.lead_time_days")),
    )


if __name__ == "__main__":
    app.run()

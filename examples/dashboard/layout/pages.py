"""The frame of all pages, and the page of a query without its data."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from dash import Output, dcc, html, page_container
from dash.development.base_component import Component

from burndown import ProfileDocument, QueryDocument, QueryStatus, TaskProgressDocument
from examples.dashboard.layout.labels import labelled, plural

__all__ = ["STATUS", "frame", "missing", "overview", "status"]

STATUS = (
    Output("badge", "children"),
    Output("badge", "className"),
    Output("progress", "children"),
    Output("bar", "value"),
    Output("fetching", "className"),
    Output("fetch", "disabled"),
    Output("cancel", "hidden"),
)
"""What :func:`status` fills, in this order."""

FAILURES = {
    "HTTPError": "Jira has refused the request; is the token valid?",
    "JSONDecodeError": "the response is not that of a Jira server",
    "LookupError": "the query has been deleted",
    "TimeoutError": "Jira does not respond",
    "URLError": "Jira cannot be reached",
    "ValueError": "the profile has no address of Jira",
}
"""What an error means, by its name, which is all that a task has of it."""


def frame() -> Component:
    """Return what all pages have around them."""
    return html.Div([dcc.Location(id="url", refresh="callback-nav"), page_container])


def header(*content: Any) -> Component:
    """Return the head of a page."""
    theme = html.Button("◐", id="theme", title="Light or dark", **labelled("Light or dark"))
    home = dcc.Link([html.Span(className="mark"), "Delivery"], href="/", className="home")
    return html.Header([home, *content, theme])


def overview(
    profiles: Sequence[ProfileDocument],
    queries: Sequence[QueryDocument],
    selected: Mapping[str, str | None],
) -> Component:
    """Return the page of a query, which refreshes itself every second."""
    pickers = html.Div(
        [
            _picker("Profile", "profile", profiles, selected["profile"]),
            _picker("Query", "query", queries, selected["query"]),
        ],
        className="pickers",
    )
    known = selected["profile"] in [each["id"] for each in profiles]
    href = f"/settings?{urlencode({'profile': selected['profile'] or ''})}"
    links = [dcc.Link("Settings", href=href, className="button")] if known else []
    top = [header(pickers, *links), dcc.Store(id="selected", data=dict(selected))]
    if selected["query"] is None:
        return html.Div([*top, html.Main(_welcome(selected["profile"], known))])
    [name] = [each["name"] for each in queries if each["id"] == selected["query"]] or ["Delivery"]
    return html.Div(
        [
            *top,
            html.Main(
                [
                    html.Section(
                        [
                            html.H1(name),
                            html.Span("…", id="badge", role="status"),
                            html.Div(
                                [
                                    html.Progress(
                                        id="bar",
                                        max="100",
                                        value="0",
                                        **labelled("Progress of the fetch"),
                                    ),
                                    html.Span(id="progress", role="status"),
                                    html.Button("Cancel", id="cancel", hidden=True),
                                ],
                                id="fetching",
                            ),
                            html.Button("Fetch from Jira", id="fetch", className="primary"),
                        ],
                        className="state",
                        **labelled("Freshness of the data"),
                    ),
                    html.Div(id="content"),
                ]
            ),
            dcc.Interval(id="tick", interval=1000),
            dcc.Store(id="version", data=""),
        ]
    )


def _picker(
    label: str, name: str, options: Sequence[Mapping[str, Any]], value: str | None
) -> Component:
    choices = [{"label": each["name"], "value": each["id"]} for each in options]
    picker = dcc.Dropdown(
        choices, value, id=name, clearable=False, searchable=len(choices) > 10, placeholder="None"
    )
    title = html.Label(label, htmlFor=name, id=f"{name}-label")
    return html.Div([title, picker], className="picker")


def missing(what: str) -> Component:
    """Return the page for an address where there is nothing."""
    return html.Div([header(), html.Main(html.H1(f"There is no such {what}"))])


def _welcome(profile: str | None, known: bool) -> list[Component]:
    if profile and not known:
        return [html.H1("There is no such profile"), html.P("Choose another one.")]
    missing = "query in this profile" if profile else "profile"
    return [
        html.H1(f"There is no {missing} yet"),
        html.P(
            [
                "Create one with ",
                html.Code("burndown.query_manager" if profile else "burndown.profile_manager"),
                ", or move a workspace in with ",
                html.Code("burndown migrate"),
                ".",
            ]
        ),
    ]


def status(
    found: Sequence[QueryStatus], now: datetime, task: TaskProgressDocument | None
) -> tuple[Any, ...]:
    """Return what is shown of the newest response of a query, and of a task that fetches."""
    badge = _badge(found[0] if found else None, now)
    if task is None:
        return *badge, "", "0", "", False, True
    state = "cancelling" if task["cancel_requested"] else task["status"]
    runs = state in ("running", "cancelling")
    text = f"{state}: {FAILURES.get(task['message'], task['message'])}"
    if not runs:
        text += f", {_approximate(now - datetime.fromisoformat(task['updated_at']))}"
    return *badge, text, str(task["progress_percent"]), state, runs, not runs


def _badge(found: QueryStatus | None, now: datetime) -> tuple[str, str]:
    if found is None or found["created_at"] is None:
        return "No data yet", "badge"
    age = _approximate(now - datetime.fromisoformat(found["created_at"]))
    issues = plural(found["issue_count"] or 0, "issue")
    return f"{issues}, {found['state']}, {age}", f"badge {found['state']}"


def _approximate(age: timedelta) -> str:
    for unit, name in (
        (timedelta(days=1), "d"),
        (timedelta(hours=1), "h"),
        (timedelta(minutes=1), "min"),
    ):
        if age >= unit:
            return f"{age // unit} {name} ago"
    return "just now"

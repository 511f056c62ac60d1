"""The page: freshness, progress of a fetch, issues, cycle times and a trend with its forecast."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import Output, dcc, html
from dash.development.base_component import Component

from burndown.jira import Issue

__all__ = ["OUTPUTS", "badge", "cycle_times", "issue_rows", "page", "progress", "trend"]

OUTPUTS = (
    Output("badge", "children"),
    Output("status", "children"),
    Output("bar", "value"),
    Output("issues", "children"),
    Output("cycle-times", "figure"),
    Output("trend", "figure"),
)
"""What a refresh fills, in this order."""

_BAND = "rgba(70, 130, 180, 0.2)"


def page() -> Component:
    """Return the page, which refreshes itself twice a second."""
    return html.Main(
        [
            html.H1("Delivery"),
            html.P(id="badge", role="status"),
            html.Button("Fetch from Jira", id="fetch"),
            html.Button("Cancel", id="cancel"),
            html.Progress(id="bar", max="100", value="0"),
            html.Span(id="status", role="status"),
            dcc.Graph(id="cycle-times"),
            dcc.Graph(id="trend"),
            html.Table(
                [
                    html.Thead(html.Tr([html.Th(name) for name in ("Issue", "Status", "Summary")])),
                    html.Tbody(id="issues"),
                ],
                style={"textAlign": "left"},
            ),
            dcc.Interval(id="tick", interval=500),
        ],
        style={"maxWidth": "60rem", "margin": "auto", "fontFamily": "sans-serif"},
    )


def badge(found: Mapping[str, Any] | None) -> str:
    """Return how fresh a cached response is."""
    if found is None:
        return "No data yet"
    age = timedelta(seconds=round(found["age"]))
    return f"{found['issue_count']} issues, {found['state']}, fetched {age} ago"


def progress(task: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the state of a task, and the value of the bar."""
    if task is None:
        return "", "0"
    status = "cancelling" if task["cancel_requested"] else task["status"]
    return f"{status}: {task['message']}", str(task["progress_percent"])


def issue_rows(issues: Iterable[Issue]) -> list[Component]:
    """Return a row for each issue."""
    return [
        html.Tr([html.Td(issue.key), html.Td(issue.status), html.Td(issue.summary)])
        for issue in issues
    ]


def cycle_times(days: Sequence[tuple[datetime, float]]) -> dict[str, Any]:
    """Return the chart of the days that issues were worked on, by the time of their resolution."""
    dots = {"x": [at for at, _ in days], "y": [each for _, each in days], "mode": "markers"}
    return _figure("Cycle time, days", [dots], xaxis={"type": "date"})


def trend(series: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chart of a metric by week, with its forecast and the range of that."""
    weeks, invisible = series["weeks"], {"width": 0}
    band = {"x": weeks, "line": invisible, "showlegend": False}
    return _figure(
        "Lead time, days",
        [
            {**band, "y": series["lower"]},
            {**band, "y": series["upper"], "fill": "tonexty", "fillcolor": _BAND},
            {"x": weeks, "y": series["forecast"], "name": "forecast", "line": {"dash": "dot"}},
            {
                "x": weeks,
                "y": series["values"],
                "name": "measured",
                "mode": "lines+markers",
                "connectgaps": True,  # a week without a value is no end of the line
            },
        ],
    )


def _figure(title: str, traces: list[dict[str, Any]], **layout: Any) -> dict[str, Any]:
    return {"data": traces, "layout": {"title": {"text": title}, "height": 300, **layout}}

"""The figures of Plotly. Their colours are readable on light and on dark ground.

The text and the lines of the grid have those of the page, which ``style.css`` gives them.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from burndown import MetricSeries, Week
from burndown.jira import Issue
from examples.dashboard.delivery import Delivery
from examples.dashboard.layout.labels import labelled

__all__ = ["burndown", "cycle_times", "percentile", "throughput", "trend"]

BLUE, TEAL, GREY = "#4f7cff", "#12a08c", "#8791a0"
BAND, AREA = "rgba(79, 124, 255, 0.18)", "rgba(79, 124, 255, 0.10)"
VALUE = "%{y:,.1~f}"
"""A value next to the pointer, in the format of D3."""
FEW = 5
"""Up to this value, the axis has a line for each whole number, and none between them."""
MARGIN = timedelta(weeks=26)
"""The time after the forecast in which a deadline is shown."""

SHORTEST, ROOM = timedelta(weeks=8), timedelta(days=4)
"""The time that a chart shows at least, and the room for a dot at either end of it."""
BAR = timedelta(days=5)
"""The width of the bar of a week."""

Figure = dict[str, Any]


def burndown(delivery: Delivery) -> Component:
    """Return the chart of the remaining work, with its forecast and the dates to meet."""
    ahead = delivery.forecast
    weeks = [week.sunday for week in ahead.weeks]
    settings = delivery.profile.forecast_settings
    days = [("deadline", settings.deadline)]
    if delivery.profile.show_milestone:
        days.append(("milestone", settings.milestone))
    # A chart up to a day that is far away would show nothing else.
    first, last = delivery.work[0][0].monday, max(weeks, default=delivery.today) + MARGIN
    dates = [each for each in days if each[1] and str(first) <= str(each[1]) <= str(last)]
    traces = [
        _line(
            [week.sunday for week, _ in delivery.work], [n for _, n in delivery.work], "remaining"
        )
        | {"fill": "tozeroy", "fillcolor": AREA},
        *_band(weeks, ahead.remaining[15], ahead.remaining[85], "70 % of runs"),
        _dotted(weeks, ahead.remaining[50], "forecast"),
    ]
    shown = _axis([week.sunday for week, _ in delivery.work]) if not weeks and not dates else None
    dates.sort(key=lambda each: str(each[1]))
    label = f"Chart of the remaining {delivery.unit} by week, with their forecast"
    return _graph("burndown", label, traces, 320, shown, dates=dates)


def throughput(delivery: Delivery) -> Component:
    """Return the chart of the work that was completed in each week."""
    weeks = [week.monday for week, _ in delivery.completed]
    # The current week is not over.
    opacity = [0.45 if week == Week.of(delivery.today) else 1 for week, _ in delivery.completed]
    bars = {
        "type": "bar",
        "x": weeks,
        "y": [done for _, done in delivery.completed],
        "name": "completed",
        "width": BAR / timedelta(milliseconds=1),
        "marker": {"color": TEAL, "opacity": opacity},
        "hovertemplate": f"week of %{{x|%-d %b}}: {VALUE} {delivery.unit}<extra></extra>",
    }
    label = f"Chart of the {delivery.unit} that were completed in each week"
    return _graph("throughput", label, [bars], 240, _axis(weeks))


def cycle_times(found: Sequence[tuple[Issue, float]]) -> Component:
    """Return the chart of the days of work on each issue, by the time of its resolution."""
    days = [each for _, each in found]
    dots = {
        "x": [issue.resolved for issue, _ in found],
        "y": days,
        # Plotly interprets tags.
        "text": [escape(f"{issue.key}: {issue.summary}") for issue, _ in found],
        "mode": "markers",
        "marker": {"color": BLUE, "opacity": 0.7, "size": 7},
        "hovertemplate": "%{text}<br>%{y:.1f} days<extra></extra>",
    }
    levels = [(f"{each} %", percentile(days, each)) for each in (50, 85)]
    days_of_resolution = [issue.resolved.date() for issue, _ in found if issue.resolved]
    label = "Chart of the days of work on each issue, by the day of its resolution"
    return _graph("cycle-times", label, [dots], 240, _axis(days_of_resolution), levels=levels)


def trend(name: str, title: str, series: MetricSeries, factor: float) -> Component:
    """Return the chart of a metric by week, with the range of its forecast."""
    weeks = [Week.of(week).monday for week in series["weeks"]]
    scaled = {
        key: [None if each is None else each * factor for each in series[key]]
        for key in ("values", "forecast", "lower", "upper")
    }
    traces = [
        *_band(weeks, scaled["lower"], scaled["upper"], "range"),
        _dotted(weeks, scaled["forecast"], "forecast"),
        _line(weeks, scaled["values"], "measured") | {"connectgaps": True},
    ]
    # Each metric has the same weeks, also if the first ones have no value.
    label = f"Chart of the metric {title} by week, with its forecast"
    return _graph(f"trend-{name}", label, traces, 130, _axis(weeks))


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that as many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)]


def _axis(days: Sequence[date]) -> Figure:
    """Return the range of an axis with all days: without it, few of them have an axis of hours."""
    first, last = min(days), max(days)
    return {"range": [min(first, last - SHORTEST) - ROOM, last + ROOM]}


def _line(x: Sequence[date], y: Sequence[float | None], name: str) -> Figure:
    line = {"color": BLUE, "width": 2}
    return {
        "x": x,
        "y": y,
        "name": name,
        "line": line,
        "mode": "lines+markers",
        "marker": {"size": 4},
        "cliponaxis": False,
        "hovertemplate": f"{name}, %{{x|%-d %b %Y}}: {VALUE}<extra></extra>",
    }


def _dotted(x: Sequence[date], y: Sequence[float | None], name: str) -> Figure:
    line = {"color": GREY, "width": 2, "dash": "dot"}
    shown = f"{name}, %{{x|%-d %b %Y}}: {VALUE}<extra></extra>"
    return {"x": x, "y": y, "line": line, "mode": "lines", "hovertemplate": shown}


def _band(
    x: Sequence[date], lower: Sequence[float | None], upper: Sequence[float | None], name: str
) -> list[Figure]:
    edge = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        {**edge, "y": lower},
        {**edge, "y": upper, "fill": "tonexty", "fillcolor": BAND, "name": name},
    ]


def _graph(
    name: str,
    label: str,
    traces: list[Figure],
    height: int,
    days: Figure | None = None,
    dates: Sequence[tuple[str, Any]] = (),
    levels: Sequence[tuple[str, float]] = (),
) -> Component:
    """Return a chart, with vertical lines at dates and horizontal ones at levels."""
    line = {"color": GREY, "width": 1, "dash": "dash"}
    shapes = [
        *({"x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line} for _, at in dates),
        *({"x0": 0, "x1": 1, "xref": "paper", "y0": y, "y1": y, "line": line} for _, y in levels),
    ]
    # Two lines can be close: their labels are on different sides, or at different ends.
    sides = ("right", "left") if len(dates) > 1 else ("center",)
    ends = ((0, "left"), (1, "right"))
    annotations = [
        *(
            {"x": at, "y": 1, "yref": "paper", "text": text, "yanchor": "bottom", "xanchor": side}
            for (text, at), side in zip(dates, sides, strict=False)
        ),
        *(
            {"x": x, "xref": "paper", "y": y, "text": text, "xanchor": end, "yanchor": "bottom"}
            for (text, y), (x, end) in zip(levels, ends, strict=False)
        ),
    ]
    axis = {"fixedrange": True, "zeroline": False, "automargin": True}
    highest = max((y for each in traces for y in each["y"] if y is not None), default=0)
    ticks: Figure = {"nticks": 5} if highest > FEW else {"dtick": 1}
    if highest <= 1:
        ticks["range"] = [0, 1]
    graph = dcc.Graph(
        id=name,
        figure={
            "data": traces,
            "layout": {
                "autosize": True,
                "height": height,
                "margin": {"l": 8, "r": 8, "t": 18 if dates else 8, "b": 8},
                "paper_bgcolor": "transparent",
                "plot_bgcolor": "transparent",
                "font": {"family": "inherit", "size": 12},
                "showlegend": False,
                "hovermode": "closest",
                "shapes": shapes,
                "annotations": [{**each, "showarrow": False} for each in annotations],
                "xaxis": {
                    **axis,
                    "type": "date",
                    "showgrid": False,
                    "nticks": 6,
                    # A month is named once, also if a chart has several ticks in it.
                    "tickformatstops": [
                        {"dtickrange": [None, "M1"], "value": "%-d %b\n%Y"},
                        {"dtickrange": ["M1", None], "value": "%b\n%Y"},
                    ],
                    "tickangle": 0,
                    # The first label would touch that of the other axis.
                    "ticks": "outside",
                    "ticklen": 4,
                    "tickcolor": "transparent",
                    **(days or {}),
                },
                "yaxis": {**axis, "rangemode": "tozero", **ticks},
            },
        },
        config={"displayModeBar": False, "responsive": True},
        style={"height": height},
    )
    return html.Div(graph, role="img", **labelled(label))

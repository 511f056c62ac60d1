"""The data of a query: figures in tiles, charts, the budget, and the issues in progress."""

from datetime import date
from typing import Any

from dash import html
from dash.development.base_component import Component

from burndown import Week
from burndown.jira import Issue
from examples.dashboard.delivery import Budget, Delivery
from examples.dashboard.layout import charts
from examples.dashboard.layout.labels import labelled, plural

__all__ = ["delivery"]

METRICS = {
    "DORA metrics": {
        "deployment_frequency": ("Deployments", "a week", 1),
        "lead_time_days": ("Lead time", "days", 1),
        "change_failure_rate": ("Change failure rate", "%", 100),
        "mttr_hours": ("Time to restore", "hours", 1),
    },
    "Flow metrics": {
        "flow_velocity": ("Velocity", "issues a week", 1),
        "flow_time": ("Flow time", "days", 1),
        "flow_efficiency": ("Efficiency", "%", 1),
        "flow_load": ("Load", "issues", 1),
    },
}
"""The title of each metric, its unit here, and the factor from the unit of the store."""
ROWS = 12
"""The number of issues in progress that are listed."""
NONE = "\N{EN DASH}"
"""In place of a value that there is not."""


def delivery(found: Delivery | None) -> list[Component]:
    """Return everything that is shown of a query."""
    if found is None:
        return [html.P("This query has been deleted. Choose another one.", className="empty")]
    return [
        html.Div(_tiles(found), className="tiles"),
        html.Div(
            [
                _card("Burndown and forecast", _work(found), "wide"),
                _card("Budget", _budget(found.budget)),
                _card("Throughput", _throughput(found)),
                _card("Cycle time", _cycle_times(found), "wide"),
            ],
            className="cards",
        ),
        *(part for title, names in METRICS.items() for part in _trends(found, title, names)),
        _card("In progress, longest first", _in_progress(found)),
    ]


def _card(title: str, content: list[Any], kind: str = "") -> Component:
    return html.Section([html.H2(title), *content], className=f"card {kind}")


# --- tiles -----------------------------------------------------------------------------------


def _tiles(found: Delivery) -> list[Component]:
    past = found.throughput
    days = [each for _, each in found.cycle_times]
    remaining = found.work[-1][1] if found.work else None
    return [
        _tile("Remaining", _number(remaining), found.unit, _change(found)),
        _tile("Done by", *_done(found)),
        _tile(
            "Throughput",
            _number(sum(past) / len(past) if past else None),
            f"{found.unit} a week",
            f"mean of {plural(len(past), 'week')}" if past else "",
        ),
        _tile(
            "Cycle time",
            _number(charts.percentile(days, 85) if any(days) else None),
            "days",
            f"or less, for 85 % of {plural(len(days), 'issue')}" if any(days) else "",
        ),
        _tile("Budget", *_used(found.budget)),
    ]


def _tile(title: str, number: str, unit: str, note: str, kind: str = "") -> Component:
    return html.Section(
        [html.H2(title), _value(number, unit), html.P(note, className=f"note {kind}")],
        className="tile",
    )


def _value(number: str, unit: str) -> Component:
    if number == "1":
        first, *rest = unit.split(" ")
        unit = " ".join([first.removesuffix("s"), *rest])
    return html.P([html.Strong(number), f" {unit}"], className="value")


def _change(found: Delivery) -> str:
    if found.work and found.work[-1][0] < Week.of(found.today) - 1:
        return f"as of {_day(found.work[-1][0].sunday)}"
    if len(found.work) < 5:
        return ""
    change = found.work[-1][1] - found.work[-5][1]
    if not change:
        return "unchanged in 4 weeks"
    return f"{_number(abs(change))} {'more' if change > 0 else 'fewer'} than 4 weeks ago"


def _done(found: Delivery) -> tuple[str, str, str, str]:
    """Return the day by which everything is done in 85 % of the runs, next to the deadline."""
    week, deadline = found.forecast.done(85), found.profile.forecast_settings.deadline
    if found.work and found.work[-1][1] == 0:
        return NONE, "", "nothing remains", "good"
    if week is None:
        return NONE, "", "not within a year" if found.forecast.weeks else "no forecast", ""
    day = date.fromisoformat(str(deadline)) if deadline else None
    if day is None:
        return _day(week.sunday), "", "85 % likely", ""
    if week.sunday <= day:
        return _day(week.sunday), "", f"85 % likely, before {_day(day)}", "good"
    return _day(week.sunday), "", f"85 % likely, after {_day(day)}", "bad"


def _used(budget: Budget | None) -> tuple[str, str, str, str]:
    if budget is None:
        return NONE, "", "no budget", ""
    total = budget.document["budget_total"] or 0
    note = f"of {_money(budget, total)} spent"
    return f"{100 * budget.spent / total:,.0f}", "%", note, "bad" if budget.spent > total else ""


# --- cards -----------------------------------------------------------------------------------


def _work(found: Delivery) -> list[Component]:
    if not found.work:
        return [_empty("No statistics yet. Fetch from Jira.")]
    return [charts.burndown(found), html.P(_outlook(found), className="note")]


def _outlook(found: Delivery) -> str:
    """Return what the forecast says, or why there is none."""
    likely, late = found.forecast.done(50), found.forecast.done(85)
    last, remaining = found.work[-1]
    if likely:
        text = f"Half of 1,000 simulated futures are done by {_day(likely.sunday)}"
        return text + (f", 85 % by {_day(late.sunday)}." if late else ", some not within a year.")
    if found.forecast.weeks:
        return "Less than half of 1,000 simulated futures are done within a year."
    if remaining == 0:
        return "Nothing remains."
    if not any(found.throughput):
        return "Nothing was completed in the past weeks: there is no forecast."
    return f"The statistics end on {_day(last.sunday)}: for a forecast, fetch from Jira."


def _throughput(found: Delivery) -> list[Component]:
    return [charts.throughput(found)] if found.completed else [_empty("No statistics yet.")]


def _cycle_times(found: Delivery) -> list[Component]:
    if not found.cycle_times:
        return [_empty("No resolved issue has a known history.")]
    if not any(days for _, days in found.cycle_times):
        return [_empty("No resolved issue was in an active status. The settings name these.")]
    note = "Days in active statuses, by the day of the resolution."
    return [charts.cycle_times(found.cycle_times), html.P(note, className="note")]


def _budget(budget: Budget | None) -> list[Component]:
    if budget is None:
        return [_empty("This query has no budget with a total and a weekly cost.")]
    total, cost = budget.document["budget_total"] or 0, budget.document["team_cost_per_week"] or 0
    needed = budget.needed
    rows = {
        "Total": _money(budget, total),
        "Spent": _money(budget, budget.spent),
        "Each week": _money(budget, cost),
        "Needed until done": NONE if needed is None else _money(budget, needed),
        "Lasts": plural(max(total - budget.spent, 0) / cost, "more week") if cost else NONE,
    }
    revisions = [each["reason"] for each in budget.document["revisions"] if each.get("reason")]
    percent = 100 * budget.spent / total
    bar = html.Div(
        html.Div(style={"width": f"{min(percent, 100):.0f}%"}),
        className="meter over" if budget.spent > total else "meter",
        role="img",
        **labelled(f"{percent:.0f} % of the budget is spent"),
    )
    excess = max(budget.spent, needed or 0) - total
    likely = "Likely" if (needed or 0) > budget.spent else "Already"
    warning = f"{likely} {_money(budget, excess)} over the budget." if excess > 0 else ""
    return [
        bar,
        html.Dl([each for key, value in rows.items() for each in (html.Dt(key), html.Dd(value))]),
        html.P(warning, className="note bad"),
        html.P(f"Last revision: {revisions[-1]}" if revisions else "", className="note"),
    ]


def _trends(
    found: Delivery, title: str, metrics: dict[str, tuple[str, str, int]]
) -> list[Component]:
    cards = []
    for name, (label, unit, factor) in metrics.items():
        series = found.metrics[name]
        latest = next((each for each in reversed(series["values"]) if each is not None), None)
        number = _number(None if latest is None else latest * factor)
        has_values = any(each is not None for each in (*series["values"], *series["forecast"]))
        chart = (
            charts.trend(name, label, series, factor) if has_values else _empty("Not measured yet.")
        )
        content = [html.H3(label), _value(number, unit), chart]
        cards.append(html.Section(content, className="card trend"))
    note = "Latest value. The band is the range that was forecast."
    return [
        html.Div([html.H2(title), html.P(note, className="note")], className="heading"),
        html.Div(cards, className="trends"),
    ]


def _in_progress(found: Delivery) -> list[Component]:
    if not found.in_progress:
        return [_empty("Nothing with a known history is in progress.")]
    names = ("Issue", "Summary", "Status", "Active days")
    base, more = found.profile.jira_config.base_url, len(found.in_progress) - ROWS
    return [
        html.Table(
            [
                html.Thead(html.Tr([html.Th(name, scope="col") for name in names])),
                html.Tbody([_row(base, *each) for each in found.in_progress[:ROWS]]),
            ]
        ),
        html.P(f"and {plural(more, 'other issue')}" if more > 0 else "", className="note"),
    ]


def _row(base_url: str, issue: Issue, days: float) -> Component:
    key = (
        html.A(issue.key, href=f"{base_url.rstrip('/')}/browse/{issue.key}")
        if base_url
        else issue.key
    )
    return html.Tr(
        [
            html.Th(key, scope="row"),
            html.Td(html.Div(issue.summary, className="summary")),
            html.Td(html.Span(issue.status, className="chip")),
            html.Td(_number(days)),
        ]
    )


# --- values ----------------------------------------------------------------------------------


def _empty(text: str) -> Component:
    return html.P(text, className="empty")


def _number(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.1f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _money(budget: Budget, amount: float) -> str:
    return f"{budget.document['currency_symbol']} {amount:,.0f}"

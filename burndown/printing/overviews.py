"""Overviews of a store, a profile and a query."""

from rich.table import Table
from rich.text import Text

from burndown.persistence import Document
from burndown.printing.charts import sparkline
from burndown.printing.console import add_row, line, literal, print_table, size

__all__ = ["profile", "query", "tasks", "workspace"]

_KEY_WIDTH = 16
"""Characters of a cache key that are printed: enough to distinguish digests of 64."""


def workspace(found: Document) -> None:
    """Print all profiles with their queries, and the tasks."""
    database = found["database"]
    line(
        f"{database['location']}: {size(database['size_bytes'])}, "
        f"schema version {database['schema_version']}"
    )
    for version in database["schema_history"]:
        line(f"  {version['version']}: {version['description']}")
        for backup in version["backups"]:
            line(f"       backup from before the upgrade: {backup}")
    for item in found["profiles"]:
        is_active = item["id"] == found["active_profile_id"]
        _queries(
            f"{item['name']} ({item['id']}){', active' if is_active else ''}",
            item["queries"],
            found["active_query_id"] if is_active else None,
        )
    if not found["profiles"]:
        line("No profiles")
    if found["tasks"]:
        tasks(found)


def tasks(found: Document) -> None:
    """Print the progress of tasks."""
    if not found["tasks"]:
        line("No tasks")
    table = Table("task", "progress", "status", "message", "owner", "heartbeat", title="Tasks")
    for task in found["tasks"]:
        is_asked = task["status"] == "running" and task["cancel_requested"]
        add_row(
            table,
            task["task_name"],
            f"{task['progress_percent']:g} %",
            task["status"] + (", asked to end" if is_asked else ""),
            task["message"],
            task["owner"] or "-",
            task["heartbeat_at"] or "-",
        )
    print_table(table)


def profile(found: Document) -> None:
    """Print one profile."""
    jira = found["jira_config"]
    access = "with a token" if jira["token"]["is_set"] else "without a token"
    if "sealed_token" in jira:
        access = "with a sealed token that no key opens"
    _heading(found)
    line(f"Jira: {jira.get('base_url') or 'not configured'}, {access}")
    settings = [f"{key} {value}" for key, value in found["forecast_settings"].items() if value]
    line(f"Forecast: {', '.join(settings) or 'defaults'}")
    _times(found)
    _queries("Queries", found["queries"], None)


def query(found: Document) -> None:
    """Print one query."""
    _heading(found)
    line(f"JQL: {found['jql']}")
    _times(found)
    scope = found["project_scope"]
    if any(value is not None for value in scope.values()):
        line("Scope: " + ", ".join(f"{name} {value}" for name, value in scope.items()))
    if found["budget"] is not None:
        line(f"Budget: {_budget(found['budget'])}")
    table = Table("key", "age", "issues", "state", "expires", title="Cached responses")
    for cache in found["cached_responses"]:
        age = _age(cache["age_seconds"])
        issues = f"{cache['issue_count']}{', not all' if cache['is_complete'] is False else ''}"
        key = cache["cache_key"][:_KEY_WIDTH]
        add_row(table, key, age, issues, _state(cache), cache["expires_at"])
    print_table(table)
    line(f"Changelogs: {found['changelog_count']} issues")
    # Without the outer blanks, half a year fits on a terminal of 80 columns.
    titles = ("metric", "by week", "latest", "unit")
    table = Table(*titles, title=_weeks_of(found["trends"]), pad_edge=False)
    for trend in found["trends"]:
        latest = next(value for value in reversed(trend["values"]) if value is not None)
        unit = trend["unit"] or ""
        add_row(table, trend["metric"], sparkline(trend["values"]), _short(latest), unit)
    print_table(table)
    _forecasts(found["trends"])
    _snapshots(found["snapshots"])


def _snapshots(found: list[Document]) -> None:
    """Print a row for all snapshots with the same metrics."""
    weeks: dict[tuple[str, str], list[str]] = {}
    for snapshot in found:
        metrics = ", ".join(snapshot["metrics"])
        weeks.setdefault((snapshot["metric_type"], metrics), []).append(snapshot["snapshot_date"])
    table = Table("type", "number", "weeks", "metrics", title="Snapshots")
    for (metric_type, metrics), each in weeks.items():
        span = " to ".join(sorted({each[-1], each[0]}))
        add_row(table, metric_type, str(len(each)), span, metrics)
    print_table(table)


def _forecasts(trends: list[Document]) -> None:
    """Print the forecasts of the last week next to what was measured in it so far."""
    week = trends[0]["weeks"][-1] if trends else ""
    table = Table("metric", "measured", "forecast", "range", "unit", title=f"Forecasts, {week}")
    for trend in trends:
        value, forecast = trend["values"][-1], trend["forecast"][-1]
        bounds = trend["lower"][-1], trend["upper"][-1]
        if forecast is not None:
            span = "-" if None in bounds else " to ".join(map(_short, bounds))
            measured = "-" if value is None else _short(value)
            add_row(table, trend["metric"], measured, _short(forecast), span, trend["unit"] or "")
    print_table(table)


def _short(value: float) -> str:
    """Return a number with three digits, or with all of those before the point."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1_000_000 else f"{value:.3g}"


def _weeks_of(trends: list[Document]) -> str:
    weeks = trends[0]["weeks"] if trends else []
    return f"Trends, {weeks[0]} to {weeks[-1]}" if weeks else "Trends"


def _budget(budget: Document) -> str:
    currency, count = budget["currency_symbol"], budget["revision_count"]
    amounts = {
        "{:g} weeks": budget["time_allocated_weeks"],
        "{:,.2f} {} a week": budget["team_cost_per_week"],
        "{:,.2f} {} in total": budget["budget_total"],
        "from {}": budget["effective_from"],
    }
    known = [text.format(each, currency) for text, each in amounts.items() if each is not None]
    return ", ".join([*known, f"{count} revision{'' if count == 1 else 's'}"])


def _heading(found: Document) -> None:
    line(f"{found['name']} ({found['id']})")
    if found["description"]:
        line(found["description"])


def _times(found: Document) -> None:
    line(f"Created {found['created_at']}, last used {found['last_used']}")


def _queries(title: str, queries: list[Document], active: str | None) -> None:
    table = Table(title=literal(title))
    for heading in ("query", "id", "cached responses", "changelogs", "weeks of metrics"):
        table.add_column(heading, overflow="fold")  # never cut: ids are needed to call `show`
    for item in queries:
        weeks = f"{item['week_count']}, to {item['latest_week']}" if item["week_count"] else "-"
        add_row(
            table,
            item["name"] + (", active" if item["id"] == active else ""),
            item["id"],
            Text("\n".join(map(_cache_line, item["cached_responses"])) or "-"),
            str(item["changelog_count"] or "-"),
            weeks,
        )
    print_table(table, even_if_empty=True)


def _cache_line(cache: Document) -> str:
    return f"{cache['issue_count']} issues, {_age(cache['age_seconds'])} old, {_state(cache)}"


def _state(cache: Document) -> str:
    return "expired" if cache["expired"] else "valid"


def _age(seconds: int) -> str:
    # Negative if the clock of the process that stored the response is ahead.
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"

"""What the command line shows to people: tables, and how far a task is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import progress as progress_bar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from burndown.copying import CopyProgress
from burndown.escaping import escaped
from burndown.import_export import ImportReport
from burndown.legacy import Finding
from burndown.migration import MigrationReport, Progress
from burndown.persistence import Document

__all__ = [
    "backed_up",
    "changed_version",
    "copied",
    "copy_progress",
    "error",
    "exported",
    "exported_workspace",
    "imported",
    "integrity",
    "line",
    "migration",
    "profile",
    "progress",
    "query",
    "workspace",
]

_PLAIN_STEPS = 5
"""How many lines tell of progress where there is no terminal."""


def line(text: str) -> None:
    """Print one line; line breaks in the text are escaped."""
    _console().print(_as_text(text), soft_wrap=True)


def error(text: str) -> None:
    """Print a message, which may have several lines: errors escape those of others themselves."""
    lines = map(_as_text, f"Error: {text}".split("\n"))
    Console(stderr=True).print(Text("\n").join(lines), style="red", soft_wrap=True)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress | None]:
    """A bar on a terminal, a few plain lines elsewhere, nothing if quiet."""
    if quiet:
        yield None
    elif not sys.stdout.isatty():
        yield _print_progress
    else:
        columns = TextColumn("Moving"), BarColumn(), MofNCompleteColumn(), TextColumn("queries")
        with progress_bar.Progress(*columns) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)


@contextmanager
def copy_progress(*, quiet: bool) -> Iterator[CopyProgress | None]:
    """A growing number for each kind on a terminal, nothing elsewhere or if quiet."""
    if quiet or not sys.stdout.isatty():
        yield None
        return
    columns = SpinnerColumn(), TextColumn("Copied {task.completed} {task.description}")
    with progress_bar.Progress(*columns, transient=True) as bar:
        task = bar.add_task("")
        yield lambda what, done: bar.update(task, description=what, completed=done)


def backed_up(found: Document) -> None:
    """Where a backup is."""
    line(f"Backed up to {found['backup']}, and checked")


def copied(found: Document) -> None:
    """What was copied, and what was not."""
    _counts("Copied", found["copied"])
    line(f"All of it is the same on both sides: {found['source']} and {found['target']}")
    if found["not_copied"]:
        line(
            f"Not copied, since others added it: {', '.join(found['not_copied'])}; "
            f"it is only in {found['source']}"
        )


def exported(found: Document) -> None:
    """What an export holds, and what not."""
    line(f"Exported {found['profile_name']} ({found['profile_id']}) to {found['path']}")
    _counts("What it holds", found["counts"])
    left_out = found["left_out"]
    if left_out["kinds"]:
        line(f"Left out: {', '.join(left_out['kinds'])} (--include-cache takes them along)")
    if left_out["secrets"]:
        line(f"Left out, since it is secret: {', '.join(left_out['secrets'])}")


def exported_workspace(found: Document) -> None:
    """Where the old dashboard finds the workspace."""
    line(f"Wrote all that is stored; start the old dashboard in {found['path']}")
    if not found["includes_secrets"]:
        line("Left out, since it is secret: the Jira tokens (--include-secrets takes them along)")


def changed_version(found: Document) -> None:
    """From which version of the schema a database came to which."""
    if found["from"] == found["to"]:
        line(f"Nothing to do: {found['location']} has the schema version {found['to']}")
    else:
        line(f"{found['location']}: schema version {found['from']} is now {found['to']}")


def imported(report: ImportReport, *, planned: bool) -> None:
    """What came in, what it replaced, and what is to be done."""
    verb = "Would import" if planned else "Imported"
    line(f"{verb} {report.profile_name} ({report.profile_id})")
    _counts("What would come in" if planned else "What came in", report.imported)
    if report.replaced is not None:
        verb = "Would replace" if planned else "Replaced"
        had = ", ".join(f"{count} {name}" for name, count in report.removed.items())
        line(f"{verb} the profile {report.replaced}" + (f", which had {had}" if had else ""))
        for query_id in report.removed_queries:
            line(f"Without the query {query_id}, which is not in the export")
    for warning in report.warnings:
        line(f"Note: {warning}")


def migration(report: MigrationReport) -> None:
    """What moved, what was converted and what was skipped."""
    if report.outcome == "already migrated":
        line(f"Nothing to do: {report.database} has been migrated before")
        return
    if report.outcome == "nothing to migrate":
        line(f"Nothing to do: there is no workspace of the old dashboard in {report.profiles_dir}")
        return
    planned = report.outcome == "dry run"
    _counts("Would move" if planned else "Moved", report.moved)
    root = report.profiles_dir.parent
    _findings("Converted", "what", report.findings.converted, root)
    _findings("Skipped", "why", report.findings.skipped, root)
    if report.backup:
        line(f"The files are as they were; a copy of them is in {report.backup}")
    line(f"{'Would move' if planned else 'Moved'} into {report.database}")


def workspace(found: Document) -> None:
    """All profiles and queries."""
    database = found["database"]
    line(
        f"{database['location']}: {_size(database['size_bytes'])}, "
        f"schema version {database['schema_version']}"
    )
    for version in database["schema_history"]:
        line(f"  {version['version']}: {version['description']}")
        for backup in version["backups"]:
            line(f"       as it was before the upgrade: {backup}")
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
        table = Table("task", "progress", "status", "message", title="Tasks", title_justify="left")
        for task in found["tasks"]:
            percent = f"{task['progress_percent']:g} %"
            _add_row(table, task["task_name"], percent, task["status"], task["message"])
        _console().print(table)


def profile(found: Document) -> None:
    """One profile."""
    token = "with a token" if found["jira"]["has_token"] else "without a token"
    line(f"{found['name']} ({found['id']})")
    if found["description"]:
        line(found["description"])
    line(f"Jira: {found['jira']['base_url'] or 'not configured'}, {token}")
    settings = [f"{key} {value}" for key, value in found["forecast_settings"].items() if value]
    line(f"Forecast: {', '.join(settings) or 'defaults'}")
    line(f"Made {found['created_at']}, last used {found['last_used']}")
    _queries("Queries", found["queries"], None)


def query(found: Document) -> None:
    """One query."""
    line(f"{found['name']} ({found['id']})")
    if found["description"]:
        line(found["description"])
    line(f"JQL: {found['jql']}")
    line(f"Made {found['created_at']}, last used {found['last_used']}")
    scope = found["project_scope"]
    if any(value is not None for value in scope.values()):
        line("Scope: " + ", ".join(f"{name} {value}" for name, value in scope.items()))
    table = Table("key", "age", "issues", "state", "expires", title="Cached responses")
    for cache in found["cached_responses"]:
        state = "expired" if cache["expired"] else "live"
        age = _age(cache["age_seconds"])
        issues = f"{cache['issue_count']}{', not all' if cache['is_complete'] is False else ''}"
        _add_row(table, cache["cache_key"][:16], age, issues, state, cache["expires_at"])
    _print_unless_empty(table)
    line(f"Changelogs: {found['changelog_count']} issues")
    table = Table("week", "type", "metrics", title="Snapshots")
    for snapshot in found["snapshots"]:
        metrics = ", ".join(snapshot["metrics"])
        _add_row(table, snapshot["snapshot_date"], snapshot["metric_type"], metrics)
    _print_unless_empty(table)


def integrity(is_whole: bool, problems: list[str]) -> None:
    """The outcome of a check."""
    if is_whole:
        line("The database is whole")
    for problem in problems:
        error(problem)


def _queries(title: str, queries: list[Document], active: str | None) -> None:
    table = Table(title=_as_text(title), title_justify="left")
    for heading in ("query", "id", "cached responses", "changelogs", "weeks of metrics"):
        table.add_column(heading, overflow="fold")
    for item in queries:
        weeks = f"{item['week_count']}, to {item['latest_week']}" if item["week_count"] else "-"
        _add_row(
            table,
            item["name"] + (", active" if item["id"] == active else ""),
            item["id"],
            Text("\n".join(map(_cache_line, item["cached_responses"])) or "-"),
            str(item["changelog_count"] or "-"),
            weeks,
        )
    _console().print(table)


def _cache_line(cache: Document) -> str:
    state = "expired" if cache["expired"] else "live"
    return f"{cache['issue_count']} issues, {_age(cache['age_seconds'])} old, {state}"


def _counts(title: str, counts: dict[str, int]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("number", justify="right")
    for what, number in counts.items():
        _add_row(table, what, str(number))
    _console().print(table)


def _findings(title: str, column: str, findings: list[Finding], root: Path) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("file", overflow="fold", ratio=2)
    table.add_column(column, overflow="fold", ratio=3)
    for found in findings:
        is_below = found.path.is_relative_to(root)
        _add_row(table, str(found.path.relative_to(root) if is_below else found.path), found.what)
    _print_unless_empty(table)


def _add_row(table: Table, *cells: str | Text) -> None:
    """Add a row; a ``Text`` is taken as it is, and may have several lines."""
    table.add_row(*(_as_text(cell) if isinstance(cell, str) else cell for cell in cells))


def _as_text(text: str) -> Text:
    """Return the text without rich's markup and with nothing that moves the cursor.

    It may come from the export of a stranger.
    """
    return Text(escaped(text))


def _print_unless_empty(table: Table) -> None:
    if table.row_count:
        table.title_justify = "left"
        _console().print(table)


def _print_progress(done: int, of: int) -> None:
    if done * _PLAIN_STEPS // of > (done - 1) * _PLAIN_STEPS // of:
        line(f"moving: {done} of {of} queries")


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def _size(number: int) -> str:
    return f"{number / 1024:.0f} KB" if number < 1024**2 else f"{number / 1024**2:.1f} MB"


def _age(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"

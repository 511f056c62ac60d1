"""Outcomes of commands."""

from pathlib import Path

from rich.table import Table

from burndown.conversion import Finding
from burndown.import_export import ImportReport
from burndown.migration import MigrationReport
from burndown.persistence import Document
from burndown.printing.console import add_row, error, line, print_counts, print_table, size
from burndown.printing.secrets import secrets_table

__all__ = [
    "backed_up",
    "changed_version",
    "cleaned",
    "cleared",
    "compacted",
    "copied",
    "drilled",
    "exported",
    "exported_workspace",
    "health",
    "imported",
    "initialized",
    "integrity",
    "migration",
    "restored",
    "sql_of_change",
    "tables_written",
]


def initialized(found: Document) -> None:
    """Print whether a store was created, and where it is."""
    done = "Created a store" if found["created"] else "There is a store"
    line(f"{done} at {found['location']}, schema version {found['schema_version']}")


def health(found: Document) -> None:
    """Print the health of a store."""
    line(f"{found['location']} can be used: {size(found['size_bytes'])}")
    line(f"Schema version {found['schema_version']}, {found['profiles']} profiles")
    if not found["is_current"]:
        line("The schema is that of an earlier release; the first write upgrades it")
    for name in found["running_tasks"]:
        line(f"The task {name!r} is running")


def backed_up(found: Document) -> None:
    """Print the location of a backup."""
    line(f"Backed up to {found['backup']}, and checked")


def drilled(found: Document) -> None:
    """Print what a drill has compared."""
    line(f"{found['backup']} can be restored: the copy has equal values")
    print_counts("Compared", found["compared"])


def restored(found: Document) -> None:
    """Print what was restored, and where the earlier content is."""
    line(f"Restored {found['backup']} to {found['location']}")
    if found["kept"] is not None:
        line(f"The earlier content is kept as {found['kept']}")


def cleaned(found: Document) -> None:
    """Print how much was deleted from the cache."""
    line(f"Deleted {found['deleted']} cached responses and changelogs")


def cleared(found: Document) -> None:
    """Print what was deleted."""
    print_counts("Deleted", found["deleted"])


def compacted(found: Document) -> None:
    """Print the space that was given back, and the size of the store."""
    line(
        f"{found['location']}: gave {size(found['given_back_bytes'])} back, and has "
        f"{size(found['size_bytes'])} now"
    )


def copied(found: Document) -> None:
    """Print what was copied, and what was not."""
    print_counts("Copied", found["copied"])
    line(f"Both stores have equal content: {found['source']} and {found['target']}")
    if found["not_copied"]:
        line(
            f"Not copied, since they were added by others: {', '.join(found['not_copied'])}; "
            f"they exist only in {found['source']}"
        )


def exported(found: Document) -> None:
    """Print what an export contains, and what it omits."""
    line(f"Exported {found['profile_name']} ({found['profile_id']}) to {found['path']}")
    print_counts("Contents", found["counts"])
    omitted = found["left_out"]
    if omitted["kinds"]:
        line(f"Omitted: {', '.join(omitted['kinds'])} (--include-cache adds them)")
    if omitted["secrets"]:
        missing = ", ".join(omitted["secrets"])
        line(f"Omitted secrets: {missing} (--include-secrets adds all that are not locked)")


def exported_workspace(found: Document) -> None:
    """Print the folder in which to start the old dashboard."""
    line(f"Exported all profiles; start the old dashboard in {found['path']}")
    if not found["includes_secrets"]:
        line("Omitted secrets: the Jira tokens (--include-secrets adds them)")
    secrets_table("Exported sealed, since no key opens them", found["locked"])


def changed_version(found: Document) -> None:
    """Print the schema version of a database before and after an upgrade or downgrade."""
    if found["from"] == found["to"]:
        line(f"Nothing to do: {found['location']} has schema version {found['to']}")
    else:
        line(f"{found['location']}: changed from schema version {found['from']} to {found['to']}")


def sql_of_change(planned: Document) -> None:
    """Print the SQL of an upgrade or downgrade, as a script for the shell of the database."""
    nothing = f"-- Nothing to do: the version is {planned['from']}"
    for each in (planned["sql"] or nothing).splitlines():
        line(each)


def imported(report: ImportReport, source: Path, *, planned: bool) -> None:
    """Print what was imported, what it replaced, and what remains to be done."""
    verb = "Would import" if planned else "Imported"
    line(f"{verb} {report.profile_name} ({report.profile_id})")
    print_counts("Contents", report.imported)
    _findings("Converted", "conversion", report.converted, source.parent)
    _findings("Skipped", "reason", report.skipped, source.parent)
    if report.replaced is not None:
        verb = "Would replace" if planned else "Replaced"
        had = ", ".join(f"{count} {name}" for name, count in report.removed.items())
        line(f"{verb} the profile {report.replaced}" + (f", which had {had}" if had else ""))
        verb = "Would delete" if planned else "Deleted"
        for query_id in report.removed_queries:
            line(f"{verb} the query {query_id}, which is not in the export")
    for warning in report.warnings:
        line(f"Warning: {warning}")


def migration(report: MigrationReport) -> None:
    """Print what was moved, converted and skipped."""
    if report.outcome == "already migrated":
        line(f"Nothing to do: {report.database} was migrated before")
        return
    if report.outcome == "nothing to migrate":
        line(f"Nothing to do: there is no data of an older dashboard in {report.profiles_dir}")
        return
    planned = report.outcome == "dry run"
    verb = "Would move" if planned else "Moved"
    print_counts(verb, report.moved)
    root = report.profiles_dir.parent
    _findings("Converted", "conversion", report.findings.converted, root)
    _findings("Skipped", "reason", report.findings.skipped, root)
    if report.restored:
        print_counts("Restored from JSON files in backups", report.restored)
    if report.backup:
        line(f"The files are unchanged, and backed up to {report.backup}")
    line(f"{verb} into {report.database}")
    if report.kept:
        line(f"The old database is kept as {report.kept}")


def integrity(is_intact: bool, problems: list[str], notes: list[str]) -> None:
    """Print the result of an integrity check."""
    if is_intact:
        line("The database is intact")
    for note in notes:
        line(f"Note: {note}")
    for problem in problems:
        error(problem)


def salvaged(result: Document) -> None:
    """Print what a salvage has kept, restored, dropped and lost."""
    print_counts("Kept", result["kept"])
    for title in ("restored", "dropped", "lost"):
        for each in result[title]:
            line(f"{title.capitalize()}: {each}")
    for each in result["notes"]:
        line(f"Note: {each}")


def tables_written(found: Document) -> None:
    """Print what has changed in each table."""
    table = Table(title=f"Tables in {found['path']}")
    table.add_column("table")
    for column in ("rows", "added", "changed", "removed"):
        table.add_column(column, justify="right")
    for name, changes in found["tables"].items():
        add_row(table, name, *map(str, changes.values()))
    print_table(table)


def accepted(result: Document) -> None:
    """Print the number of records that were accepted."""
    line(f"Accepted {result['accepted']} edited records")


def _findings(title: str, column: str, findings: list[Finding], root: Path) -> None:
    table = Table(title=title)
    # Folded and never cut: the paths and reasons are what the user needs to find the values.
    table.add_column("file", overflow="fold", ratio=2)
    table.add_column(column, overflow="fold", ratio=3)
    for found in findings:
        is_below = found.path.is_relative_to(root)
        add_row(table, str(found.path.relative_to(root) if is_below else found.path), found.what)
    print_table(table)

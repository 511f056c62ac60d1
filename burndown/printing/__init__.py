"""Output of the command line for people: lines, tables and progress.

Functions are named after what they print: ``printing.migration(report)`` prints the report of a
migration. Each is loaded with its module when it is first used: the printing of an import loads the
import.
"""

from typing import TYPE_CHECKING

from burndown.lazy_names import LazyNames

if TYPE_CHECKING:
    from burndown.printing.charts import remaining
    from burndown.printing.console import error, line
    from burndown.printing.outcomes import (
        accepted,
        backed_up,
        changed_version,
        cleaned,
        cleared,
        compacted,
        copied,
        drilled,
        exported,
        exported_workspace,
        health,
        imported,
        initialized,
        integrity,
        migration,
        restored,
        salvaged,
        sql_of_change,
        tables_written,
    )
    from burndown.printing.overviews import profile, query, tasks, workspace
    from burndown.printing.progress import copy_progress, migration_progress
    from burndown.printing.secrets import changed_secrets, plain_text_warning, secrets_status

_NAMES = LazyNames(
    __name__,
    {
        "charts": ("remaining",),
        "console": ("error", "line"),
        "outcomes": (
            "accepted",
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
            "salvaged",
            "sql_of_change",
            "tables_written",
        ),
        "overviews": ("profile", "query", "tasks", "workspace"),
        "progress": ("copy_progress", "migration_progress"),
        "secrets": ("changed_secrets", "plain_text_warning", "secrets_status"),
    },
)

__all__ = [
    "accepted",
    "backed_up",
    "changed_secrets",
    "changed_version",
    "cleaned",
    "cleared",
    "compacted",
    "copied",
    "copy_progress",
    "drilled",
    "error",
    "exported",
    "exported_workspace",
    "health",
    "imported",
    "initialized",
    "integrity",
    "line",
    "migration",
    "migration_progress",
    "plain_text_warning",
    "profile",
    "query",
    "remaining",
    "restored",
    "salvaged",
    "secrets_status",
    "sql_of_change",
    "tables_written",
    "tasks",
    "workspace",
]


def __getattr__(name: str) -> object:
    return _NAMES.load(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

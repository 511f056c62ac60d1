"""Typed, validated, crash-safe storage for dashboards that measure delivery from Jira.

The public names are loaded when they are first used: importing the package takes less than 1 ms, so
that programs which import it and seldom use it start fast.
"""

from importlib import import_module

# Type checkers treat any variable of this name as true; `typing` would take longer to import than
# everything else here. Jedi completes the names because of the annotation: without it, Jedi infers
# that nothing below is reached.
TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from burndown.errors import (
        BudgetNotFoundError,
        DatabaseCorruptionError,
        FetchFailedError,
        ForeignDatabaseError,
        ImportExportError,
        MigrationError,
        PersistenceError,
        ProfileNotFoundError,
        PublishedDatabaseError,
        QueryNotFoundError,
        RevisionConflictError,
        SchemaTooNewError,
        StorageError,
        TaskCancelledError,
        TaskLostError,
        TaskRunningError,
        TransactionAbortedError,
        TransactionConflictError,
        ValidationError,
    )
    from burndown.models import (
        AppState,
        Budget,
        BudgetDocument,
        BudgetRevision,
        BudgetRevisionDocument,
        FieldMappings,
        FlowTypeMappings,
        ForecastSettings,
        FoundChangelog,
        FoundResponse,
        JiraCache,
        JiraCacheEntry,
        JiraChangelog,
        JiraChangelogEntry,
        JiraConfig,
        MetricSeries,
        MetricsSnapshot,
        MetricsSnapshotDocument,
        Profile,
        ProfileDocument,
        ProjectClassification,
        ProjectData,
        Query,
        QueryDocument,
        QueryStatus,
        TaskProgress,
        TaskProgressDocument,
        Week,
        jira_cache_key,
        public_document,
    )
    from burndown.persistence import (
        PersistenceBackend,
        get_backend,
        open_backend,
        set_backend,
    )
    from burndown.persistence.sqlite_backend import SQLiteBackend
    from burndown.persistence.task import Task

_NAMES = {
    "burndown.errors": (
        "BudgetNotFoundError",
        "DatabaseCorruptionError",
        "FetchFailedError",
        "ForeignDatabaseError",
        "ImportExportError",
        "MigrationError",
        "PersistenceError",
        "ProfileNotFoundError",
        "PublishedDatabaseError",
        "QueryNotFoundError",
        "RevisionConflictError",
        "SchemaTooNewError",
        "StorageError",
        "TaskCancelledError",
        "TaskLostError",
        "TaskRunningError",
        "TransactionAbortedError",
        "TransactionConflictError",
        "ValidationError",
    ),
    "burndown.models": (
        "AppState",
        "Budget",
        "BudgetDocument",
        "BudgetRevision",
        "BudgetRevisionDocument",
        "FieldMappings",
        "FlowTypeMappings",
        "ForecastSettings",
        "FoundChangelog",
        "FoundResponse",
        "JiraCache",
        "JiraCacheEntry",
        "JiraChangelog",
        "JiraChangelogEntry",
        "JiraConfig",
        "MetricSeries",
        "MetricsSnapshot",
        "MetricsSnapshotDocument",
        "Profile",
        "ProfileDocument",
        "ProjectClassification",
        "ProjectData",
        "Query",
        "QueryDocument",
        "QueryStatus",
        "TaskProgress",
        "TaskProgressDocument",
        "Week",
        "jira_cache_key",
        "public_document",
    ),
    "burndown.persistence": ("PersistenceBackend", "get_backend", "open_backend", "set_backend"),
    "burndown.persistence.sqlite_backend": ("SQLiteBackend",),
    "burndown.persistence.task": ("Task",),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "AppState",
    "Budget",
    "BudgetDocument",
    "BudgetNotFoundError",
    "BudgetRevision",
    "BudgetRevisionDocument",
    "DatabaseCorruptionError",
    "FetchFailedError",
    "FieldMappings",
    "FlowTypeMappings",
    "ForecastSettings",
    "ForeignDatabaseError",
    "FoundChangelog",
    "FoundResponse",
    "ImportExportError",
    "JiraCache",
    "JiraCacheEntry",
    "JiraChangelog",
    "JiraChangelogEntry",
    "JiraConfig",
    "MetricSeries",
    "MetricsSnapshot",
    "MetricsSnapshotDocument",
    "MigrationError",
    "PersistenceBackend",
    "PersistenceError",
    "Profile",
    "ProfileDocument",
    "ProfileNotFoundError",
    "ProjectClassification",
    "ProjectData",
    "PublishedDatabaseError",
    "Query",
    "QueryDocument",
    "QueryNotFoundError",
    "QueryStatus",
    "RevisionConflictError",
    "SQLiteBackend",
    "SchemaTooNewError",
    "StorageError",
    "Task",
    "TaskCancelledError",
    "TaskLostError",
    "TaskProgress",
    "TaskProgressDocument",
    "TaskRunningError",
    "TransactionAbortedError",
    "TransactionConflictError",
    "ValidationError",
    "Week",
    "get_backend",
    "jira_cache_key",
    "open_backend",
    "public_document",
    "set_backend",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'burndown' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

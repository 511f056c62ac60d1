"""Typed, validated, crash-safe storage for dashboards that measure delivery from Jira.

The names here are loaded when they are first used.
"""

from importlib import import_module

TYPE_CHECKING = (
    False  # as type checkers know it; importing `typing` takes longer than all else here
)
if TYPE_CHECKING:
    from burndown.errors import (
        DatabaseCorruptionError,
        ForeignDatabaseError,
        ImportExportError,
        MigrationError,
        PersistenceError,
        ProfileNotFoundError,
        QueryNotFoundError,
        SchemaTooNewError,
        StorageError,
        TransactionAbortedError,
        TransactionConflictError,
        ValidationError,
    )
    from burndown.models import (
        AppState,
        FieldMappings,
        FlowTypeMappings,
        ForecastSettings,
        JiraCache,
        JiraChangelog,
        JiraConfig,
        MetricsSnapshot,
        Profile,
        ProjectClassification,
        ProjectData,
        Query,
        TaskProgress,
        jira_cache_key,
    )
    from burndown.persistence import PersistenceBackend, get_backend, set_backend
    from burndown.persistence.sqlite_backend import SQLiteBackend

_HOMES = {
    "burndown.errors": (
        "DatabaseCorruptionError",
        "ForeignDatabaseError",
        "ImportExportError",
        "MigrationError",
        "PersistenceError",
        "ProfileNotFoundError",
        "QueryNotFoundError",
        "SchemaTooNewError",
        "StorageError",
        "TransactionAbortedError",
        "TransactionConflictError",
        "ValidationError",
    ),
    "burndown.models": (
        "AppState",
        "FieldMappings",
        "FlowTypeMappings",
        "ForecastSettings",
        "JiraCache",
        "JiraChangelog",
        "JiraConfig",
        "MetricsSnapshot",
        "Profile",
        "ProjectClassification",
        "ProjectData",
        "Query",
        "TaskProgress",
        "jira_cache_key",
    ),
    "burndown.persistence": ("PersistenceBackend", "get_backend", "set_backend"),
    "burndown.persistence.sqlite_backend": ("SQLiteBackend",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AppState",
    "DatabaseCorruptionError",
    "FieldMappings",
    "FlowTypeMappings",
    "ForecastSettings",
    "ForeignDatabaseError",
    "ImportExportError",
    "JiraCache",
    "JiraChangelog",
    "JiraConfig",
    "MetricsSnapshot",
    "MigrationError",
    "PersistenceBackend",
    "PersistenceError",
    "Profile",
    "ProfileNotFoundError",
    "ProjectClassification",
    "ProjectData",
    "Query",
    "QueryNotFoundError",
    "SQLiteBackend",
    "SchemaTooNewError",
    "StorageError",
    "TaskProgress",
    "TransactionAbortedError",
    "TransactionConflictError",
    "ValidationError",
    "get_backend",
    "jira_cache_key",
    "set_backend",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'burndown' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

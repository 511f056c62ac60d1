"""The stored entities: one module for each, with its nested sections.

Each is loaded when it is first used: the class of a table takes 4 ms to create, and most processes
need few of them.
"""

from typing import TYPE_CHECKING

from burndown.lazy_names import LazyNames

if TYPE_CHECKING:
    from burndown.models.app_state import AppState
    from burndown.models.budget import (
        Budget,
        BudgetDocument,
        BudgetRevision,
        BudgetRevisionDocument,
    )
    from burndown.models.documents import Document
    from burndown.models.entity import Entity
    from burndown.models.jira_cache import (
        FoundResponse,
        JiraCache,
        JiraCacheEntry,
        QueryStatus,
        jira_cache_key,
    )
    from burndown.models.jira_changelog import FoundChangelog, JiraChangelog, JiraChangelogEntry
    from burndown.models.metric_series import MetricSeries
    from burndown.models.metrics_snapshot import (
        DoraMetrics,
        FlowMetrics,
        MetricForecast,
        MetricsSnapshot,
        MetricsSnapshotDocument,
    )
    from burndown.models.named_entity import NamedEntity as NamedEntity
    from burndown.models.profile import (
        DoraFieldMappings,
        FieldMappings,
        FlowFieldMappings,
        FlowTypeMapping,
        FlowTypeMappings,
        ForecastSettings,
        JiraConfig,
        Profile,
        ProjectClassification,
    )
    from burndown.models.profile_document import ProfileDocument
    from burndown.models.project_data import ProjectData, ProjectScope, WeeklyStatistics
    from burndown.models.public_documents import public_document
    from burndown.models.query import Query, QueryDocument
    from burndown.models.query_data import QueryData
    from burndown.models.registry import ENTITIES, EXPIRING_ENTITIES, METADATA, OPEN_ENTITIES
    from burndown.models.submodel import Submodel
    from burndown.models.task_progress import TaskProgress, TaskProgressDocument
    from burndown.models.unknown_keys import OpenEntity as OpenEntity
    from burndown.models.version import SCHEMA_VERSION
    from burndown.models.week import Week

_NAMES = LazyNames(
    __name__,
    {
        "app_state": ("AppState",),
        "budget": (
            "Budget",
            "BudgetDocument",
            "BudgetRevision",
            "BudgetRevisionDocument",
        ),
        "documents": ("Document",),
        "entity": ("Entity",),
        "jira_cache": (
            "FoundResponse",
            "JiraCache",
            "JiraCacheEntry",
            "QueryStatus",
            "jira_cache_key",
        ),
        "jira_changelog": (
            "FoundChangelog",
            "JiraChangelog",
            "JiraChangelogEntry",
        ),
        "metric_series": ("MetricSeries",),
        "metrics_snapshot": (
            "DoraMetrics",
            "FlowMetrics",
            "MetricForecast",
            "MetricsSnapshot",
            "MetricsSnapshotDocument",
        ),
        "named_entity": ("NamedEntity",),
        "profile": (
            "DoraFieldMappings",
            "FieldMappings",
            "FlowFieldMappings",
            "FlowTypeMapping",
            "FlowTypeMappings",
            "ForecastSettings",
            "JiraConfig",
            "Profile",
            "ProjectClassification",
        ),
        "profile_document": ("ProfileDocument",),
        "project_data": (
            "ProjectData",
            "ProjectScope",
            "WeeklyStatistics",
        ),
        "public_documents": ("public_document",),
        "query": (
            "Query",
            "QueryDocument",
        ),
        "query_data": ("QueryData",),
        "registry": (
            "ENTITIES",
            "EXPIRING_ENTITIES",
            "METADATA",
            "OPEN_ENTITIES",
        ),
        "submodel": ("Submodel",),
        "task_progress": (
            "TaskProgress",
            "TaskProgressDocument",
        ),
        "unknown_keys": ("OpenEntity",),
        "version": ("SCHEMA_VERSION",),
        "week": ("Week",),
    },
)

__all__ = [
    "ENTITIES",
    "EXPIRING_ENTITIES",
    "METADATA",
    "OPEN_ENTITIES",
    "SCHEMA_VERSION",
    "AppState",
    "Budget",
    "BudgetDocument",
    "BudgetRevision",
    "BudgetRevisionDocument",
    "Document",
    "DoraFieldMappings",
    "DoraMetrics",
    "Entity",
    "FieldMappings",
    "FlowFieldMappings",
    "FlowMetrics",
    "FlowTypeMapping",
    "FlowTypeMappings",
    "ForecastSettings",
    "FoundChangelog",
    "FoundResponse",
    "JiraCache",
    "JiraCacheEntry",
    "JiraChangelog",
    "JiraChangelogEntry",
    "JiraConfig",
    "MetricForecast",
    "MetricSeries",
    "MetricsSnapshot",
    "MetricsSnapshotDocument",
    "Profile",
    "ProfileDocument",
    "ProjectClassification",
    "ProjectData",
    "ProjectScope",
    "Query",
    "QueryData",
    "QueryDocument",
    "QueryStatus",
    "Submodel",
    "TaskProgress",
    "TaskProgressDocument",
    "Week",
    "WeeklyStatistics",
    "jira_cache_key",
    "public_document",
]


def __getattr__(name: str) -> object:
    return _NAMES.load(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

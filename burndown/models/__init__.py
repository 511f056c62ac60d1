"""The stored entities: one module for each, with its nested sections."""

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
from burndown.models.submodel import Submodel
from burndown.models.task_progress import TaskProgress, TaskProgressDocument
from burndown.models.unknown_keys import OpenEntity
from burndown.models.version import SCHEMA_VERSION
from burndown.models.week import Week

__all__ = [
    "ENTITIES",
    "EXPIRING_ENTITIES",
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

ENTITIES: tuple[type[Entity], ...] = (
    Profile,
    Query,
    JiraCache,
    JiraChangelog,
    ProjectData,
    MetricsSnapshot,
    Budget,
    AppState,
    TaskProgress,
)
"""All stored entities, owners before what belongs to them."""

OPEN_ENTITIES: tuple[type[OpenEntity], ...] = tuple(
    entity for entity in ENTITIES if issubclass(entity, OpenEntity)
)
"""The entities with unknown keys, which can hold secrets."""

EXPIRING_ENTITIES: tuple[type[QueryData], ...] = tuple(
    entity for entity in ENTITIES if issubclass(entity, QueryData) and entity.CONTENT_FIELD
)
"""The entities whose rows expire."""

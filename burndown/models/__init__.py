"""The stored entities: one module for each, with its nested sections."""

from burndown.models.app_state import AppState
from burndown.models.base import Entity, Submodel
from burndown.models.documents import Document
from burndown.models.jira_cache import JiraCache, jira_cache_key
from burndown.models.jira_changelog import JiraChangelog
from burndown.models.metrics_snapshot import (
    DoraMetrics,
    FlowMetrics,
    MetricForecast,
    MetricsSnapshot,
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
from burndown.models.project_data import ProjectData, ProjectScope, WeeklyStatistics
from burndown.models.query import Query
from burndown.models.query_data import QueryData
from burndown.models.task_progress import TaskProgress
from burndown.models.version import SCHEMA_VERSION

__all__ = [
    "ENTITIES",
    "SCHEMA_VERSION",
    "AppState",
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
    "JiraCache",
    "JiraChangelog",
    "JiraConfig",
    "MetricForecast",
    "MetricsSnapshot",
    "Profile",
    "ProjectClassification",
    "ProjectData",
    "ProjectScope",
    "Query",
    "QueryData",
    "Submodel",
    "TaskProgress",
    "WeeklyStatistics",
    "jira_cache_key",
]

ENTITIES: tuple[type[Entity], ...] = (
    Profile,
    Query,
    JiraCache,
    JiraChangelog,
    ProjectData,
    MetricsSnapshot,
    AppState,
    TaskProgress,
)
"""All stored entities, owners before what belongs to them."""

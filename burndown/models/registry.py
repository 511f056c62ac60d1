"""The registry of all entities."""

from burndown.models.app_state import AppState
from burndown.models.budget import Budget
from burndown.models.entity import Entity
from burndown.models.jira_cache import JiraCache
from burndown.models.jira_changelog import JiraChangelog
from burndown.models.metrics_snapshot import MetricsSnapshot
from burndown.models.profile import Profile
from burndown.models.project_data import ProjectData
from burndown.models.query import Query
from burndown.models.query_data import QueryData
from burndown.models.task_progress import TaskProgress
from burndown.models.unknown_keys import OpenEntity

__all__ = ["ENTITIES", "EXPIRING_ENTITIES", "METADATA", "OPEN_ENTITIES"]

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

METADATA = Entity.metadata
"""The tables of all entities; ``Entity.metadata`` has those of entities that are loaded."""

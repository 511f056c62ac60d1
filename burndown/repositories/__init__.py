"""How what is stored is read and written: one class for each entity, over a session given to it."""

from typing import Any, overload

from burndown.models import Entity
from burndown.models.query_data import QueryData
from burndown.repositories.app_state import AppStateRepository
from burndown.repositories.base import Repository, records
from burndown.repositories.connections import DriverConnection
from burndown.repositories.jira_cache import JiraCacheRepository
from burndown.repositories.jira_changelog import JiraChangelogRepository
from burndown.repositories.metrics_snapshot import MetricsSnapshotRepository
from burndown.repositories.profile import ProfileRepository
from burndown.repositories.project_data import ProjectDataRepository
from burndown.repositories.query import QueryRepository
from burndown.repositories.query_data import QueryDataRepository
from burndown.repositories.task_progress import TaskProgressRepository

__all__ = [
    "AppStateRepository",
    "DriverConnection",
    "JiraCacheRepository",
    "JiraChangelogRepository",
    "MetricsSnapshotRepository",
    "ProfileRepository",
    "ProjectDataRepository",
    "QueryRepository",
    "TaskProgressRepository",
    "records",
    "repository_of",
]

_REPOSITORIES: dict[type[Entity], type[Repository[Any]]] = {
    repository.model: repository
    for repository in (
        ProfileRepository,
        QueryRepository,
        JiraCacheRepository,
        JiraChangelogRepository,
        ProjectDataRepository,
        MetricsSnapshotRepository,
        AppStateRepository,
        TaskProgressRepository,
    )
}


@overload
def repository_of(model: type[QueryData]) -> type[QueryDataRepository[Any]]: ...
@overload
def repository_of(model: type[Entity]) -> type[Repository[Any]]: ...
def repository_of(model: type[Entity]) -> type[Repository[Any]]:
    """The repository of what is stored as this model."""
    return _REPOSITORIES[model]

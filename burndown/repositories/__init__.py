"""Reading and writing stored entities in a session: one module for each entity."""

from burndown.repositories.app_state import AppStateRepository
from burndown.repositories.budget import BudgetRepository
from burndown.repositories.jira_cache import JiraCacheRepository
from burndown.repositories.jira_changelog import JiraChangelogRepository
from burndown.repositories.metrics_snapshot import MetricsSnapshotRepository
from burndown.repositories.profile import ProfileRepository
from burndown.repositories.project_data import ProjectDataRepository
from burndown.repositories.query import QueryRepository
from burndown.repositories.task_progress import TaskProgressRepository

__all__ = [
    "AppStateRepository",
    "BudgetRepository",
    "JiraCacheRepository",
    "JiraChangelogRepository",
    "MetricsSnapshotRepository",
    "ProfileRepository",
    "ProjectDataRepository",
    "QueryRepository",
    "TaskProgressRepository",
]

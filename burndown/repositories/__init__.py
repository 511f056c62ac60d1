"""Reading and writing stored entities in a session: one module for each entity.

Each is loaded when it is first used, with its entity.
"""

from typing import TYPE_CHECKING

from burndown.lazy_names import LazyNames

if TYPE_CHECKING:
    from burndown.repositories import cache_size as cache_size
    from burndown.repositories import revisions as revisions
    from burndown.repositories.app_state import AppStateRepository
    from burndown.repositories.budget import BudgetRepository
    from burndown.repositories.jira_cache import JiraCacheRepository
    from burndown.repositories.jira_changelog import JiraChangelogRepository
    from burndown.repositories.metrics_snapshot import MetricsSnapshotRepository
    from burndown.repositories.profile import ProfileRepository
    from burndown.repositories.project_data import ProjectDataRepository
    from burndown.repositories.query import QueryRepository
    from burndown.repositories.task_progress import TaskProgressRepository

_NAMES = LazyNames(
    __name__,
    {
        "app_state": ("AppStateRepository",),
        "budget": ("BudgetRepository",),
        "cache_size": (),
        "jira_cache": ("JiraCacheRepository",),
        "jira_changelog": ("JiraChangelogRepository",),
        "metrics_snapshot": ("MetricsSnapshotRepository",),
        "profile": ("ProfileRepository",),
        "project_data": ("ProjectDataRepository",),
        "query": ("QueryRepository",),
        "revisions": (),
        "task_progress": ("TaskProgressRepository",),
    },
)

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


def __getattr__(name: str) -> object:
    return _NAMES.load(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

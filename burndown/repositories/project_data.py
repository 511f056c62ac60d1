"""The project data of a query."""

from burndown.models import ProjectData
from burndown.models.project_data import ProjectDataDocument
from burndown.repositories.base import Repository
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = ["ProjectDataRepository", "get_project_data"]

_TABLE = ProjectData.__table__
_GET: Statement[ProjectDataDocument] = Statement(
    select_documents(_TABLE).where(*key_conditions(_TABLE))
)


def get_project_data(
    executor: Executor, profile_id: str, query_id: str
) -> ProjectDataDocument | None:
    """Return the project data, or ``None``."""
    return _GET.first(executor, profile_id=profile_id, query_id=query_id)


class ProjectDataRepository(Repository[ProjectData]):
    """Project data."""

    entity = ProjectData

    def get(self, profile_id: str, query_id: str) -> ProjectData | None:
        """Return the project data, or ``None``."""
        return self._typed(get_project_data(self._executor, profile_id, query_id))

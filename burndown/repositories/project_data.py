"""The project data of a query."""

from typing import Any

from burndown.models import ProjectData
from burndown.repositories.query_data import QueryDataRepository
from burndown.repositories.statements import Statement, documents, key_of

__all__ = ["ProjectDataRepository"]

_GET = Statement(documents(ProjectData).where(*key_of(ProjectData)))


class ProjectDataRepository(QueryDataRepository[ProjectData]):
    """Project data."""

    model = ProjectData

    def get(self, profile_id: str, query_id: str) -> ProjectData | None:
        """The project data, or ``None``."""
        return self._entity(self.get_document(profile_id, query_id))

    def get_document(self, profile_id: str, query_id: str) -> dict[str, Any] | None:
        """The same as a dict."""
        return self._document(_GET, profile_id=profile_id, query_id=query_id)

"""How far tasks are."""

from typing import Any

from sqlalchemy import delete

from burndown.models import TaskProgress
from burndown.repositories.base import Repository
from burndown.repositories.statements import (
    Documents,
    Statement,
    columns_of,
    documents,
    key_of,
)

__all__ = ["TaskProgressRepository"]

_C = columns_of(TaskProgress)
_KEY = key_of(TaskProgress)
_GET = Statement(documents(TaskProgress).where(*_KEY))
_LIST = Statement(documents(TaskProgress).order_by(_C.task_name))
_DELETE = Statement(delete(_C.task_name.table).where(*_KEY))


class TaskProgressRepository(Repository[TaskProgress]):
    """Progress of tasks."""

    model = TaskProgress
    of_profile = None

    def get(self, task_name: str) -> TaskProgress | None:
        """The progress, or ``None``."""
        return self._entity(self.get_document(task_name))

    def get_document(self, task_name: str) -> dict[str, Any] | None:
        """The same as a dict."""
        return self._document(_GET, task_name=task_name)

    def list_documents(self) -> Documents:
        """The progress of all tasks, by name."""
        return self._documents(_LIST)

    def delete(self, task_name: str) -> None:
        """Forget the task, if it is known."""
        _DELETE.count(self._connection, task_name=task_name)

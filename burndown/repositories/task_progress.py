"""The progress of running tasks."""

from collections.abc import Sequence

from sqlalchemy import delete

from burndown.models import TaskProgress
from burndown.models.task_progress import TaskProgressDocument
from burndown.repositories.base import Repository
from burndown.sql import Executor, Statement, key_conditions, select_documents

__all__ = [
    "TaskProgressRepository",
    "delete_task_progress",
    "get_task_progress",
    "list_task_progress",
]

_TABLE = TaskProgress.__table__
_KEY = key_conditions(_TABLE)
_ALL = select_documents(_TABLE)
_GET: Statement[TaskProgressDocument] = Statement(_ALL.where(*_KEY))
_LIST: Statement[TaskProgressDocument] = Statement(_ALL.order_by(_TABLE.c.task_name))
_DELETE = Statement(delete(_TABLE).where(*_KEY))


def get_task_progress(executor: Executor, task_name: str) -> TaskProgressDocument | None:
    """Return the progress of a task, or ``None``."""
    return _GET.first(executor, task_name=task_name)


def list_task_progress(executor: Executor) -> list[TaskProgressDocument]:
    """Return the progress of all tasks, by name."""
    return _LIST.documents(executor)


def delete_task_progress(executor: Executor, task_name: str) -> None:
    """Delete the progress of a task, if there is one."""
    _DELETE.delete(executor, task_name=task_name)


class TaskProgressRepository(Repository[TaskProgress]):
    """The progress of tasks."""

    entity = TaskProgress

    def get(self, task_name: str) -> TaskProgress | None:
        """Return the progress of a task, or ``None``."""
        return self._typed(get_task_progress(self._executor, task_name))

    def list(self) -> Sequence[TaskProgress]:
        """Return the progress of all tasks, by name."""
        return self._all_typed(list_task_progress(self._executor))

    def delete(self, task_name: str) -> None:
        """Delete the progress of a task, if there is one."""
        delete_task_progress(self._executor, task_name)

"""The progress of running tasks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect

from burndown.models import TaskProgress
from burndown.models.digests import DIGEST
from burndown.models.documents import Document
from burndown.models.task_progress import TaskProgressDocument
from burndown.repositories.base import Repository, save_documents
from burndown.repositories.deletion import delete_keys
from burndown.sql import Executor, Statement, Upsert, key_conditions, select_documents

__all__ = [
    "TaskProgressRepository",
    "change_task_progress",
    "get_task_progress",
    "list_task_progress",
    "save_task_report",
]

_TABLE = TaskProgress.__table__
_KEY = key_conditions(_TABLE)
_ALL = select_documents(_TABLE)
_GET: Statement[TaskProgressDocument] = Statement(_ALL.where(*_KEY))
_LIST: Statement[TaskProgressDocument] = Statement(_ALL.order_by(_TABLE.c.task_name))


_HAS_LEASE = f"{_TABLE.name}.lease_until > excluded.updated_at"
"""SQL of a condition without which nothing else is calculated."""


class _ReportUpsert(Upsert):
    """An upsert of a report, which keeps the lease of the task until that has run out."""

    def _new_value(self, name: str, dialect: Dialect) -> str:
        new = super()._new_value(name, dialect)
        if name not in TaskProgress.LEASE_FIELDS:
            return new
        # As `is_held` compares them, exactly: a lease can last for microseconds.
        columns = f"{_TABLE.name}.lease_until", f"{_TABLE.name}.heartbeat_at", "excluded.updated_at"
        until, renewed_at, now = (_microseconds(each, dialect) for each in columns)
        is_held = f"{renewed_at} - {now} < {until} - {renewed_at}"
        return (
            f"CASE WHEN {_HAS_LEASE} THEN CASE WHEN {is_held} THEN {_TABLE.name}.{name} "
            f"ELSE {new} END ELSE {new} END"
        )

    def _new_digest(self, values: Mapping[str, str], dialect: Dialect) -> str:
        new = super()._new_digest(values, dialect)
        return f"CASE WHEN {_HAS_LEASE} THEN {new} ELSE excluded.{DIGEST} END"


def _microseconds(timestamp: str, dialect: Dialect) -> str:
    """Return SQL of a timestamp as what can be subtracted, without rounding."""
    if dialect.name != "sqlite":
        return timestamp
    # The functions of SQLite round to milliseconds, so the fraction is added to the seconds.
    seconds = f"strftime('%s', substr({timestamp}, 1, 19))"
    return f"({seconds} * 1000000 + substr({timestamp}, 21, 6))"


_SAVE_REPORT = _ReportUpsert(_TABLE)


def get_task_progress(executor: Executor, task_name: str) -> TaskProgressDocument | None:
    """Return the progress of a task, or ``None``."""
    return _GET.first(executor, task_name=task_name)


def list_task_progress(executor: Executor) -> list[TaskProgressDocument]:
    """Return the progress of all tasks, by name."""
    return _LIST.documents(executor)


def save_task_report(executor: Executor, row: Mapping[str, Any]) -> None:
    """Save the row of a report without a lease; a lease that has not run out is kept."""
    _SAVE_REPORT.run(executor, [row])


def change_task_progress(
    executor: Executor,
    task_name: str,
    change: Callable[[TaskProgressDocument | None], Document | None],
) -> Mapping[str, Any] | None:
    """Save what a function makes of the progress of a task, unless that is ``None``.

    Returns:
        The document that was saved, or the stored one if none was.
    """
    stored = get_task_progress(executor, task_name)
    changed = change(stored)
    if changed is None:
        return stored
    save_documents(executor, TaskProgress, [changed])
    return changed


class TaskProgressRepository(Repository[TaskProgress]):
    """The progress of tasks, each with its stored status: it has no clock by which one is dead."""

    entity = TaskProgress

    def get(self, task_name: str) -> TaskProgress | None:
        """Return the progress of a task, or ``None``."""
        return self._typed(get_task_progress(self._executor, task_name))

    def list(self) -> Sequence[TaskProgress]:
        """Return the progress of all tasks, by name."""
        return self._all_typed(list_task_progress(self._executor))

    def delete(self, task_name: str) -> None:
        """Delete the progress of a task, if there is one."""
        delete_keys(self._executor, TaskProgress, [(task_name,)])

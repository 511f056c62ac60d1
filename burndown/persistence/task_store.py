"""The part of a backend that stores the progress of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from burndown import models
from burndown.models import Document
from burndown.persistence.task import Task, TaskRecords, is_held, reported, task_report

__all__ = ["TaskStore"]


class TaskStore(TaskRecords):
    """A store of the progress of tasks."""

    def get_task_progress(self, task_name: str) -> models.TaskProgressDocument | None:
        """Return the progress of a task, or ``None`` if there is none.

        It has ``task_name``, ``progress_percent`` (0 to 100), ``status``, ``message`` and
        ``updated_at``; of a task that :meth:`task` runs also ``owner``, ``started_at``,
        ``heartbeat_at`` (when it last renewed its lease), ``lease_until`` (``None`` once it has
        ended) and ``cancel_requested``. Its status is ``running``; ``completed``, ``cancelled`` or
        ``failed`` when it has ended; and ``dead`` when its lease has run out before.
        """
        tasks = self.list_task_progress()
        return next((each for each in tasks if each["task_name"] == task_name), None)

    def save_task_progress(
        self, task_name: str, progress_percent: float, status: str, message: str = ""
    ) -> None:
        """Save the progress of a task, in place of an earlier report.

        The lease of a task that :meth:`task` runs is kept as long as it lasts.

        Args:
            task_name: an id, such as ``fetch_jira_issues``.
            progress_percent: 0 to 100.
            status: a lower-case word, such as ``running``.
            message: what the task is doing, for people.
        """
        now = self.now()
        report = task_report(task_name, progress_percent, status, message, now)

        def saved(stored: Mapping[str, Any] | None) -> Document:
            if stored is None or not is_held(stored, now):
                return report
            return {**report, **{name: stored[name] for name in models.TaskProgress.LEASE_FIELDS}}

        self._change_task(task_name, saved)

    def list_task_progress(self) -> list[models.TaskProgressDocument]:
        """Return the progress of all tasks as :meth:`get_task_progress` does, by name."""
        now = self.now()
        records = cast("list[models.TaskProgressDocument]", list(self.records(models.TaskProgress)))
        return [reported(each, now) for each in records]

    def clear_task_progress(self, task_name: str) -> None:
        """Delete the progress of a task, if there is any.

        A task that :meth:`task` runs is lost by that, and the next one can begin.
        """
        self._delete_keys(models.TaskProgress, [(task_name,)])

    def task(
        self, task_name: str, lease: timedelta = timedelta(seconds=30), message: str = ""
    ) -> Task:
        """Return a task that runs in a ``with`` block, in one process at a time.

            with backend.task("fetch") as task:
                for number, page in enumerate(pages):
                    task.progress(100 * number / len(pages), f"page {number}")

        The block begins with a report of 0 % and ``running``. When it ends, the status is
        ``completed`` with 100 %; ``cancelled`` after a :class:`~burndown.TaskCancelledError`; or
        ``failed`` after any other error, with the name of its class as the message. The error
        passes through. If the process is killed, the status is ``dead`` when the lease has run out,
        and the next block of this name can begin.

        Args:
            task_name: an id, such as ``fetch_jira_issues``.
            lease: the time from each stored report to the end of the lease; longer than the longest
                time without a report, and than the clocks of processes differ.
            message: what the task is doing first, for people.

        Raises:
            TaskRunningError: on entering: another one of this name is running.
            StorageError: on entering: the caller is within a transaction.
            ValidationError: an argument is not valid.
        """
        return Task(self, task_name, lease, message)

    def cancel_task(self, task_name: str) -> bool:
        """Ask the owner of a running task to end it.

        Its next stored report raises :class:`~burndown.TaskCancelledError` there.

        Returns:
            Whether there is one to ask; ``False`` for a task that has ended, is dead, or was
            reported with :meth:`save_task_progress` only.
        """
        now = self.now()

        def cancelled(stored: Mapping[str, Any] | None) -> Document | None:
            is_running = stored is not None and is_held(stored, now)
            return {**stored, "cancel_requested": True} if stored and is_running else None

        found = self._change_task(task_name, cancelled)
        return found is not None and is_held(found, now)

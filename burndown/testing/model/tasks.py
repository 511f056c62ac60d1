"""The model of tasks."""

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from burndown.models import TaskProgress
from burndown.persistence.task import TaskChange
from burndown.testing.controlled_store import Document, in_utc
from burndown.testing.model.records import RecordModel
from burndown.testing.model.refusals import check

__all__ = ["UNLEASED", "TaskModel"]

UNLEASED: Mapping[str, Any] = {
    "owner": None,
    "started_at": None,
    "heartbeat_at": None,
    "lease_until": None,
    "cancel_requested": False,
}
"""The fields of a task that nobody holds."""


class TaskModel(RecordModel):
    """Tasks, which are dead when their lease has run out."""

    def get_task_progress(self, task_name: str) -> Any:
        found = self._find(TaskProgress, task_name)
        return found if found is None or self._is_alive(found) else {**found, "status": "dead"}

    def save_task_progress(
        self, task_name: str, progress_percent: float, status: str, message: str = ""
    ) -> None:
        task = {"task_name": task_name, "progress_percent": progress_percent, "status": status}
        check("task", task)
        before = self._find(TaskProgress, task_name)
        is_kept = before is not None and before["lease_until"] and self._is_alive(before)
        lease = {key: before[key] for key in UNLEASED} if before and is_kept else UNLEASED
        progress = {"progress_percent": float(progress_percent), "message": message}
        self._keep(TaskProgress, {**task, **progress, "updated_at": self._now(), **lease})

    def list_task_progress(self) -> Any:
        names = [each["task_name"] for each in self._below(TaskProgress)]
        return [self.get_task_progress(name) for name in names]

    def cancel_task(self, task_name: str) -> bool:
        found = self._find(TaskProgress, task_name)
        if found is None or not found["lease_until"] or not self._is_alive(found):
            return False
        self._keep(TaskProgress, {**found, "cancel_requested": True})
        return True

    def _change_task(self, task_name: str, change: TaskChange) -> Mapping[str, Any] | None:
        stored = self._find(TaskProgress, task_name)
        changed = change(copy.deepcopy(stored))
        if changed is None:
            return stored
        document = {
            **UNLEASED,
            **{key: in_utc(at) if isinstance(at, datetime) else at for key, at in changed.items()},
            "progress_percent": float(changed["progress_percent"]),
        }
        self._keep(TaskProgress, document)
        return document

    def _is_alive(self, task: Document) -> bool:
        if task["lease_until"] is None:
            return True
        if task["heartbeat_at"] is None:
            return False
        until, renewed_at, now = (
            datetime.fromisoformat(each)
            for each in (task["lease_until"], task["heartbeat_at"], self._now())
        )
        return now < until and renewed_at - now < until - renewed_at

    def clear_task_progress(self, task_name: str) -> None:
        self.kept[TaskProgress].pop((task_name,), None)

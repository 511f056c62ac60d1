"""Running a task under a lease, which is the right of one process to run it.

The lease runs out unless the process renews it, so that a process that was killed blocks the next
one no longer than that, and everybody sees that its task is dead.
"""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeGuard

from burndown import models
from burndown.errors import (
    PersistenceError,
    StorageError,
    TaskCancelledError,
    TaskLostError,
    TaskRunningError,
    ValidationError,
)
from burndown.models import Document
from burndown.models.codec import codec_of
from burndown.models.timestamps import EARLIEST, after, to_utc
from burndown.persistence.record_store import RecordStore

__all__ = ["Task", "TaskChange", "TaskRecords", "is_held", "reported", "task_report"]

LONGEST_SILENCE = timedelta(seconds=1)
"""The maximum time for which a report of progress is not stored after another one."""

TaskChange = Callable[[Mapping[str, Any] | None], Document | None]
"""Returns the record of a task in place of the stored one; ``None`` to change nothing."""


class TaskRecords(RecordStore):
    """A store whose records of tasks are each changed in one transaction."""

    def _change_task(self, task_name: str, change: TaskChange) -> Mapping[str, Any] | None:
        """Change the record of a task in one transaction.

        Args:
            task_name: the task.
            change: makes the new record of the stored one. It may be called again.

        Returns:
            The record that was saved, or the stored one if none was; ``None`` if there is none.
        """
        with self.transaction():
            found = (
                each for each in self.records(models.TaskProgress) if each["task_name"] == task_name
            )
            stored = next(found, None)
            changed = change(stored)
            if changed is None:
                return stored
            self.save_records(models.TaskProgress, [changed])
            return changed


class Task:
    """A task that runs in a ``with`` block; :meth:`PersistenceBackend.task` returns it.

    Any thread of the process can report its progress. A process that was forked within the block
    cannot, and leaves the task to its parent.

    Args:
        store: the backend.
        name: the name of the task.
        lease: the time from each stored report to the end of the lease.
        message: the message of the first report.

    Attributes:
        name: the name of the task.
        owner: host, process id and random digits, separated by colons; of each block other ones.
    """

    def __init__(self, store: TaskRecords, name: str, lease: timedelta, message: str) -> None:
        if not isinstance(lease, timedelta) or lease <= timedelta():
            raise ValidationError.of(
                f"Task {name!r}", "lease", "input should be a timedelta above 0", lease
            )
        self.name = name
        self.owner = ""
        self._store = store
        self._lease = lease
        self._silence = min(lease / 10, LONGEST_SILENCE)
        self._message = message
        self._pending: Document = {}
        """The last report, if it is not stored yet."""
        self._renewed_at = EARLIEST
        self._process: int | None = None
        """The process that is within the block."""
        self._is_cancelled = False

    def progress(self, progress_percent: float, message: str | None = None) -> None:
        """Report the progress, and renew the lease.

        It can be called often. A report is stored if it is one of 100 %, or if a tenth of the lease
        or a second has passed since one was stored, whichever is shorter. If not, it is stored with
        the next :meth:`renew` or the end of the block, unless another report follows.

        Args:
            progress_percent: 0 to 100.
            message: what the task is doing, for people; ``None`` keeps the last message.

        Raises:
            TaskCancelledError: somebody has asked to end the task, with
                :meth:`PersistenceBackend.cancel_task`.
            TaskLostError: the lease had run out, and another owner has taken it; or the progress of
                the task was cleared.
            ValidationError: a value is not valid.
        """
        self._require_own()
        self._pending = self._report(progress_percent, message)
        silence = self._store.now() - self._renewed_at
        # A negative one is that of a clock that was set back.
        if progress_percent == 100 or not timedelta() <= silence < self._silence:
            self.renew()

    def renew(self) -> None:
        """Renew the lease immediately, and store the last report if it is not stored yet.

        Raises:
            TaskCancelledError: as :meth:`progress`.
            TaskLostError: as :meth:`progress`.
        """
        self._require_own()
        report = self._pending
        found = self._change(lambda now: {**report, **self._lease_from(now)})
        if not self._owns(found):
            raise TaskLostError(self.name)
        if self._pending is report:
            self._pending = {}
        if found["cancel_requested"]:
            self._is_cancelled = True
            raise TaskCancelledError(self.name)

    def __enter__(self) -> Self:
        report = self._report(0, None)
        if self._store.in_transaction():
            raise StorageError(
                f"Task {self.name!r} cannot begin within a transaction, which would hide it from "
                "others; begin the task first"
            )
        owner = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(8)}"

        def begun(stored: Mapping[str, Any] | None) -> Document:
            now = self._store.now()
            if stored is not None and is_held(stored, now):
                raise TaskRunningError(self.name, stored["owner"], stored["started_at"])
            return {**report, "started_at": now, "owner": owner, **self._lease_from(now)}

        self._store._change_task(self.name, begun)
        self.owner, self._process = owner, os.getpid()
        self._pending, self._is_cancelled = {}, False
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process != os.getpid():  # never begun, or begun by the parent of this process
            return
        report = {**self._pending, **self._outcome(exception)}
        self._process = None
        try:
            self._change(
                lambda now: {
                    **report,
                    "updated_at": now,
                    "heartbeat_at": now,
                    "lease_until": None,
                    "cancel_requested": False,
                }
            )
        except PersistenceError as error:
            if exception is None:
                raise
            exception.add_note(f"The end of task {self.name!r} could not be stored: {error}")

    def _require_own(self) -> None:
        """Check that this process is within the block.

        Raises:
            TaskLostError: it is not.
        """
        if self._process != os.getpid():
            raise TaskLostError(self.name)

    def _report(self, progress_percent: float, message: str | None) -> Document:
        """Return the fields of a report, validated; a new message is kept for further ones."""
        message = self._message if message is None else message
        report = task_report(self.name, progress_percent, "running", message, self._store.now())
        [row] = codec_of(models.TaskProgress).rows([report])
        self._message = message
        return {name: row[name] for name in report}

    def _outcome(self, exception: BaseException | None) -> Document:
        if isinstance(exception, TaskCancelledError) or (exception is None and self._is_cancelled):
            return {"status": "cancelled"}
        if exception is not None:  # without its message, which may quote a secret
            return {"status": "failed", "message": type(exception).__name__}
        return {"status": "completed", "progress_percent": 100}

    def _lease_from(self, now: datetime) -> Document:
        self._renewed_at = now
        return {"heartbeat_at": now, "lease_until": after(now, self._lease)}

    def _change(self, changes: Callable[[datetime], Document]) -> Mapping[str, Any] | None:
        """Change fields of the record, if it is still that of this owner; return the record."""

        def changed(stored: Mapping[str, Any] | None) -> Document | None:
            return {**stored, **changes(self._store.now())} if self._owns(stored) else None

        return self._store._change_task(self.name, changed)

    def _owns(self, record: Mapping[str, Any] | None) -> TypeGuard[Mapping[str, Any]]:
        return (
            record is not None
            and record["owner"] == self.owner
            and record["lease_until"] is not None
        )


def task_report(
    task_name: str, progress_percent: float, status: str, message: str, now: datetime
) -> Document:
    """Return the record of a report that is made now, without a lease."""
    return {
        "task_name": task_name,
        "progress_percent": progress_percent,
        "status": status,
        "message": message,
        "updated_at": now,
    }


def is_held(record: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a process holds the lease of a task.

    If the clock was set back by more than the lease, nobody does: or else the lease of a process
    that was killed would last until the clock shows the same time again.
    """
    if record["lease_until"] is None or record["heartbeat_at"] is None:
        return False
    until, renewed_at = to_utc(record["lease_until"]), to_utc(record["heartbeat_at"])
    return now < until and renewed_at - now < until - renewed_at


def reported(record: models.TaskProgressDocument, now: datetime) -> models.TaskProgressDocument:
    """Return the progress of a task with its status now: ``dead`` once its lease has run out."""
    is_dead = record["lease_until"] is not None and not is_held(record, now)
    return {**record, "status": "dead"} if is_dead else record

"""Rules for tasks."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from burndown import PersistenceError, Task, TaskCancelledError
from burndown.testing.controlled_store import Document
from burndown.testing.machine.comparison import ComparingMachine
from burndown.testing.machine.outcomes import error_text
from burndown.testing.machine.values import LEASES, TASKS, some_tasks, sometimes_invalid

__all__ = ["TaskRules"]


class TaskRules(ComparingMachine):
    """Calls of tasks, some of which hold a lease."""

    @rule(name=st.sampled_from(TASKS))
    def get_task_progress(self, name: str) -> None:
        self.ask("get_task_progress", name)

    @rule(task=sometimes_invalid("task", some_tasks))
    def save_task_progress(self, task: Document) -> None:
        self.ask("save_task_progress", **task)

    @rule()
    def list_task_progress(self) -> None:
        self.ask("list_task_progress")

    @rule(name=st.sampled_from(TASKS))
    def clear_task_progress(self, name: str) -> None:
        self.ask("clear_task_progress", name)

    @rule(name=st.sampled_from(TASKS))
    def cancel_task(self, name: str) -> None:
        self.ask("cancel_task", name)

    @rule(name=st.sampled_from(TASKS), lease=st.sampled_from(LEASES))
    def begin_task(self, name: str, lease: timedelta) -> None:
        """Begin it on all backends, with the same owner."""
        self.begun += 1
        tasks = {
            key: each.task(name, lease, f"message {self.begun}")
            for key, each in (*self.backends.items(), ("model", self.model))
        }
        with patch("burndown.persistence.task.secrets.token_hex", return_value=str(self.begun)):
            if self.ask_tasks(tasks, lambda task: task.__enter__().owner):
                self.tasks.append(tasks)

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), percent=st.sampled_from([0, 30, 30.5, 100, 101]))
    def report_progress(self, data: st.DataObject, percent: float) -> None:
        tasks = data.draw(st.sampled_from(self.tasks))
        self.ask_tasks(tasks, lambda task: task.progress(percent))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def renew_task(self, data: st.DataObject) -> None:
        self.ask_tasks(data.draw(st.sampled_from(self.tasks)), lambda task: task.renew())

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), kind=st.sampled_from([None, LookupError, TaskCancelledError]))
    def end_task(self, data: st.DataObject, kind: type[Exception] | None) -> None:
        tasks = data.draw(st.sampled_from(self.tasks))
        error = None if kind is None else kind("k")
        self.ask_tasks(tasks, lambda task: task.__exit__(kind, error, None))
        self.tasks.remove(tasks)

    def ask_tasks(self, tasks: Mapping[str, Task], call: Callable[[Task], object]) -> bool:
        """Call a task on all backends and the model; return whether it was accepted."""
        found = []
        for task in tasks.values():
            try:
                found.append(call(task))
            except PersistenceError as error:
                found.append(error_text(error))
        assert all(each == found[-1] for each in found)
        self.looked_at = False
        return not isinstance(found[-1], tuple)

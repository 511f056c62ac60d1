"""Task progress and application state come back until they are deleted."""

from typing import Any

from hypothesis import strategies as st

from burndown.testing.contract.drawn import identifiers, keys, lines, tasks
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import START, Store, in_utc, same
from burndown.testing.model.tasks import UNLEASED

__all__ = ["ProgressContract"]


class ProgressContract(ContractPart):
    """The contract of task progress and app state."""

    @given(tasks)
    def test_the_progress_of_a_task_comes_back_as_it_was_saved(
        self, shared: Store, task: dict[str, Any]
    ) -> None:
        """A task has its last progress, with its time, until it is cleared."""
        shared.clear().save_task_progress(**task)
        expected = {**UNLEASED, "message": "", **task, "updated_at": in_utc(START)}
        found = shared.get_task_progress(task["task_name"])
        assert found == expected
        assert isinstance(found["progress_percent"], float)
        assert shared.list_task_progress() == [expected]
        shared.clear_task_progress(task["task_name"])
        assert shared.get_task_progress(task["task_name"]) is None
        assert shared.list_task_progress() == []

    @given(st.sets(identifiers, max_size=6))
    def test_tasks_are_listed_by_name(self, shared: Store, known: set[str]) -> None:
        """Names are compared by code points."""
        with shared.clear().transaction():
            for name in known:
                shared.save_task_progress(name, 0, "running")
        assert [each["task_name"] for each in shared.list_task_progress()] == sorted(known)

    @given(keys, lines, lines)
    def test_app_state_comes_back_until_it_is_deleted(
        self, shared: Store, key: str, value: str, other: str
    ) -> None:
        """A value is stored unchanged, including an empty one."""
        for text in (value, other):
            shared.set_app_state(key, text)
            assert same(shared.get_app_state(key), text)
        shared.set_app_state(key, None)
        assert shared.get_app_state(key) is None
        shared.set_app_state(key, None)

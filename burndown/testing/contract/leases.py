"""A task is dead when its lease has run out, and its reports renew it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import TaskRunningError
from burndown.models import TaskProgress
from burndown.testing.contract.drawn import tasks, words
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.contract.tasks import LEASE, SHORT, status
from burndown.testing.controlled_store import START, Store, in_utc
from burndown.testing.model.tasks import UNLEASED

__all__ = ["LeaseContract"]


class LeaseContract(ContractPart):
    """The contract of leases, by which others know that a task is alive."""

    def test_a_task_is_dead_when_its_lease_has_run_out(self, store: Store) -> None:
        """To the microsecond, for readers and for the next owner."""
        running = store.task("fetch", LEASE)
        running.__enter__()
        running.progress(30, "page 3")
        running.renew()
        store.clock.now = START + LEASE - timedelta(microseconds=1)
        assert status(store) == ("running", 30.0, "page 3")
        store.clock.now = START + LEASE
        assert status(store) == ("dead", 30.0, "page 3")
        assert [each["status"] for each in store.list_task_progress()] == ["dead"]
        assert not store.cancel_task("fetch")
        assert [each["status"] for each in store.records(TaskProgress)] == ["running"]
        with store.task("fetch"):
            assert status(store) == ("running", 0.0, "")

    def test_a_dead_task_that_nobody_has_taken_lives_again(self, store: Store) -> None:
        """Its process was slow, not killed."""
        with store.task("fetch", LEASE) as task:
            store.clock.now += 2 * LEASE
            assert status(store)[0] == "dead"
            task.renew()
            assert status(store)[0] == "running"
        assert status(store)[0] == "completed"

    def test_progress_may_be_reported_often(self, store: Store) -> None:
        """One is stored in each tenth of the lease, or second, and one of 100 %."""
        for lease, silence in ((SHORT, SHORT / 10), (LEASE, timedelta(seconds=1))):
            store.clear()
            with store.task("fetch", lease, "begun") as task:
                for _ in range(2):
                    stored = status(store)
                    store.clock.now += silence - timedelta(microseconds=1)
                    task.progress(10, "not stored")
                    assert status(store) == stored
                    store.clock.now += timedelta(microseconds=1)
                    task.progress(20)
                    assert status(store) == ("running", 20.0, "not stored")
                task.progress(100, "all")
                assert status(store) == ("running", 100.0, "all")
                task.progress(30, "last")
                assert status(store) == ("running", 100.0, "all")
                task.renew()
                assert status(store) == ("running", 30.0, "last")
                task.progress(40, "unstored")
            assert status(store) == ("completed", 100.0, "unstored")

    def test_a_report_keeps_the_shortest_lease(self, store: Store) -> None:
        """Times are compared to the microsecond."""
        task = store.task("fetch", timedelta(microseconds=1)).__enter__()
        store.save_task_progress("fetch", 50, "running")
        assert store.get_task_progress("fetch")["owner"] == task.owner

    def test_a_clock_that_was_set_back_stops_no_reports(self, store: Store) -> None:
        with store.task("fetch") as task:
            store.clock.now -= timedelta(hours=1)
            task.progress(10)
            assert status(store) == ("running", 10.0, "")

    def test_a_clock_that_was_set_back_ends_the_lease_of_a_killed_process(
        self, store: Store
    ) -> None:
        """Or else nobody could begin the task until the clock shows the same time again."""
        store.task("fetch", LEASE).__enter__()
        store.clock.now = START - LEASE + timedelta(microseconds=1)
        assert status(store)[0] == "running"
        with pytest.raises(TaskRunningError), store.task("fetch"):
            pass
        store.clock.now = START - LEASE
        assert status(store)[0] == "dead"
        assert not store.cancel_task("fetch")
        with store.task("fetch"):
            assert status(store)[0] == "running"
        store.task("fetch", LEASE).__enter__()
        store.clock.now = START - 3 * LEASE
        store.save_task_progress("fetch", 10, "running")
        assert status(store) == ("running", 10.0, "")

    def test_a_lease_is_renewed_with_each_stored_report(self, store: Store) -> None:
        with store.task("fetch", LEASE) as task:
            for number in range(5):
                store.clock.now += 0.9 * LEASE
                task.progress(number) if number % 2 else task.renew()
                assert status(store)[0] == "running"
                found = store.get_task_progress("fetch")
                assert found["heartbeat_at"] == in_utc(store.clock.now)
                assert found["started_at"] == in_utc(START)
                assert found["updated_at"] <= found["heartbeat_at"]

    @given(tasks, st.booleans())
    def test_a_report_without_a_lease_keeps_that_of_the_task(
        self, shared: Store, task: dict[str, Any], has_run_out: bool
    ) -> None:
        """Until it has run out: then the report is of a task without one."""
        shared.clear()
        name = task["task_name"]
        running = shared.task(name, LEASE)
        running.__enter__()
        shared.cancel_task(name)
        lease = {key: shared.get_task_progress(name)[key] for key in TaskProgress.LEASE_FIELDS}
        shared.clock.now += LEASE if has_run_out else LEASE - timedelta(microseconds=1)
        shared.save_task_progress(**task)
        expected = {"message": "", **task, "updated_at": in_utc(shared.clock.now)}
        assert shared.get_task_progress(name) == {
            **(UNLEASED if has_run_out else lease),
            **expected,
        }

    @given(words.filter(lambda status: status != "dead"))
    def test_a_task_without_a_lease_never_dies(self, shared: Store, status: str) -> None:
        shared.clear().save_task_progress("fetch", 30, status)
        shared.clock.now += timedelta(days=1000)
        assert shared.get_task_progress("fetch")["status"] == status

    def test_a_lease_may_last_for_ever(self, store: Store) -> None:
        with store.task("fetch", timedelta.max):
            store.clock.now += timedelta(days=100_000)
            assert status(store)[0] == "running"

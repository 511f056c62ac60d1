"""A task runs in one process at a time, and everybody sees how far it is and how it ended."""

import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from burndown import (
    PersistenceBackend,
    StorageError,
    TaskCancelledError,
    TaskLostError,
    TaskRunningError,
    ValidationError,
)
from burndown.testing.contract.drawn import identifiers, lines, percents
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import START, Store, in_utc

__all__ = ["TaskContract"]

LEASE = timedelta(seconds=30)

SHORT = timedelta(milliseconds=1)

THREADS = 8


def status(store: Store, name: str = "fetch") -> tuple[str, float, str]:
    found = store.get_task_progress(name)
    return found["status"], found["progress_percent"], found["message"]


class TaskContract(ContractPart):
    """The contract of tasks that one process at a time holds."""

    @pytest.fixture
    @staticmethod
    def other(store: Store) -> Iterator[PersistenceBackend]:
        """Open the store as another process does."""
        with store.another() as opened:
            yield opened

    @given(identifiers, lines, percents, lines)
    def test_everybody_sees_a_task_from_its_beginning_to_its_end(
        self, shared: Store, name: str, first: str, percent: float, message: str
    ) -> None:
        """One sees who runs it, since when, and how far it is; then that it has ended."""
        shared.clear()
        with shared.task(name, LEASE, first) as task:
            expected: dict[str, Any] = {
                "task_name": name,
                "progress_percent": 0.0,
                "status": "running",
                "message": first,
                "updated_at": in_utc(START),
                "owner": task.owner,
                "started_at": in_utc(START),
                "heartbeat_at": in_utc(START),
                "lease_until": in_utc(START + LEASE),
                "cancel_requested": False,
            }
            assert shared.get_task_progress(name) == expected
            shared.clock.now += LEASE / 2
            task.progress(percent, message)
            later = dict.fromkeys(("updated_at", "heartbeat_at"), in_utc(shared.clock.now))
            expected.update(later, progress_percent=percent, message=message)
            expected["lease_until"] = in_utc(shared.clock.now + LEASE)
            assert shared.list_task_progress() == [expected]
        expected.update(status="completed", progress_percent=100.0, lease_until=None)
        assert shared.get_task_progress(name) == expected

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (None, ("completed", 100.0, "half")),
            (ValueError("token abc"), ("failed", 50.0, "ValueError")),
            (KeyboardInterrupt(), ("failed", 50.0, "KeyboardInterrupt")),
            (TaskCancelledError("fetch"), ("cancelled", 50.0, "half")),
        ],
    )
    def test_a_task_says_how_it_ended(
        self, store: Store, error: BaseException | None, expected: tuple[str, float, str]
    ) -> None:
        """An error passes through, and its message, which may be secret, is not stored."""

        def run() -> None:
            with store.task("fetch") as task:
                task.progress(50, "half")
                if error is not None:
                    raise error

        if error is None:
            run()
        else:
            with pytest.raises(type(error)) as caught:
                run()
            assert caught.value is error
        assert status(store) == expected
        with store.task("fetch"):  # the next one begins anew
            assert status(store) == ("running", 0.0, "")

    def test_a_task_runs_once_at_a_time(self, store: Store, other: PersistenceBackend) -> None:
        """The error names the owner and since when; it can be pickled, as between processes."""
        with store.task("fetch") as task, store.task("other"):
            for backend in (store, other):
                with pytest.raises(TaskRunningError, match=task.owner) as refused:
                    backend.task("fetch").__enter__()
                copy = pickle.loads(pickle.dumps(refused.value))
                assert (copy.task_name, copy.owner) == ("fetch", task.owner)
                assert (copy.started_at, str(copy)) == (in_utc(START), str(refused.value))
            assert status(store) == ("running", 0.0, "")
        with other.task("fetch"):
            pass

    def test_a_task_is_cancelled_by_its_next_report(
        self, store: Store, other: PersistenceBackend
    ) -> None:
        """The caller learns whether there was a task to cancel; another task is not affected."""
        assert not store.cancel_task("fetch")
        store.save_task_progress("fetch", 0, "running")
        assert not store.cancel_task("fetch")
        with store.task("another") as another:
            task = store.task("fetch")
            task.__enter__()
            assert other.cancel_task("fetch")
            assert store.get_task_progress("fetch")["cancel_requested"]
            assert status(store)[0] == "running"
            task.progress(50, "not stored yet")
            with pytest.raises(TaskCancelledError, match="'fetch' was cancelled") as raised:
                task.renew()
            assert not isinstance(raised.value, TaskLostError)
            task.__exit__(TaskCancelledError, raised.value, None)
            another.progress(100)
        assert status(store) == ("cancelled", 50.0, "not stored yet")
        assert not store.get_task_progress("fetch")["cancel_requested"]
        assert not store.cancel_task("fetch")
        with store.task("fetch") as task:
            task.renew()

    @pytest.mark.parametrize("is_noticed", [False, True])
    def test_a_task_that_ends_after_its_cancellation(self, store: Store, is_noticed: bool) -> None:
        """It has completed if it never noticed, and is cancelled if it left the block then."""
        with store.task("fetch") as task:
            store.cancel_task("fetch")
            if is_noticed:
                with pytest.raises(TaskCancelledError):
                    task.progress(100)
        assert status(store)[0] == ("cancelled" if is_noticed else "completed")

    @pytest.mark.parametrize("how", ["taken", "ended", "cleared", "reported"])
    @pytest.mark.parametrize("error", [None, ValueError])
    def test_a_task_that_was_lost_changes_nothing(
        self, store: Store, other: PersistenceBackend, how: str, error: type[Exception] | None
    ) -> None:
        """Another process has taken it, or somebody has cleared it; its owner learns that."""
        running = store.task("fetch", LEASE)
        running.__enter__()
        store.clock.now += LEASE
        if how == "cleared":
            store.clear_task_progress("fetch")
        elif how == "reported":
            store.save_task_progress("fetch", 10, "running")
        else:
            taken = other.task("fetch", LEASE)
            taken.__enter__()
            if how == "ended":
                taken.__exit__(None, None, None)
        before = store.list_task_progress()
        for report in (running.renew, lambda: running.progress(100)):
            with pytest.raises(
                TaskLostError, match="'fetch' does not belong to this process any more"
            ):
                report()
        running.__exit__(error, error and error(), None)
        assert store.list_task_progress() == before

    def test_reports_outside_of_the_block_are_refused(self, store: Store) -> None:
        task = store.task("fetch")
        for _ in range(2):
            with pytest.raises(TaskLostError):
                task.progress(10)
            with pytest.raises(TaskLostError):
                task.renew()
            with task:
                task.renew()
                with pytest.raises(TaskRunningError):
                    task.__enter__()
                task.renew()
        assert status(store) == ("completed", 100.0, "")

    def test_a_task_begins_outside_of_transactions(self, store: Store) -> None:
        """In one, nobody else would see it; its progress may be reported there, and is undone."""
        refused = pytest.raises(StorageError, match="cannot begin within a transaction")
        with store.transaction(), refused:
            store.task("fetch").__enter__()
        assert store.get_task_progress("fetch") is None
        with store.task("fetch") as task:
            transaction = store.transaction()
            transaction.__enter__()
            task.progress(100)
            transaction.__exit__(LookupError, LookupError(), None)
            assert status(store) == ("running", 0.0, "")
            with store.transaction():
                task.progress(100)
            assert status(store) == ("running", 100.0, "")

    @pytest.mark.parametrize(
        ("arguments", "path"),
        [
            (("../up",), "task_name"),
            (("fetch", timedelta()), "lease"),
            (("fetch", timedelta(seconds=-1)), "lease"),
            (("fetch", 30), "lease"),
            (("fetch", LEASE, None), "message"),
            (("fetch", LEASE, "\0"), "message"),
        ],
    )
    def test_invalid_arguments_begin_no_task(self, store: Store, arguments: Any, path: str) -> None:
        with pytest.raises(ValidationError) as refused:
            store.task(*arguments).__enter__()
        assert [each.path for each in refused.value.problems] == [path]
        assert store.list_task_progress() == []

    @pytest.mark.parametrize(
        "report", [(101,), (-1,), (float("nan"),), ("50",), (50, 3), (50, "\0")]
    )
    def test_an_invalid_report_changes_nothing(self, store: Store, report: Any) -> None:
        with store.task("fetch", message="begun") as task:
            task.progress(100)
            with pytest.raises(ValidationError):
                task.progress(*report)
            task.renew()
            assert status(store) == ("running", 100.0, "begun")
            task.progress(100)
            assert status(store) == ("running", 100.0, "begun")

    def test_one_of_many_threads_begins_a_task(self, store: Store) -> None:
        """All others are told that it runs."""
        together = threading.Barrier(THREADS)

        def begin(backend: PersistenceBackend) -> str | None:
            task = backend.task("fetch")
            together.wait()
            try:
                return task.__enter__().owner
            except TaskRunningError:
                return None

        with ExitStack() as opened, ThreadPoolExecutor(THREADS) as pool:
            backends = [opened.enter_context(store.another()) for _ in range(THREADS)]
            owners = [each for each in pool.map(begin, backends) if each is not None]
        assert owners == [store.get_task_progress("fetch")["owner"]]

    def test_an_error_of_the_block_passes_though_its_end_cannot_be_stored(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It notes that; without one, the end raises the error of the storage."""

        def fail(*_: object) -> None:
            raise StorageError("the disk is full")

        for error in (None, LookupError("mine")):
            task = store.task("fetch", SHORT)
            task.__enter__()
            with monkeypatch.context() as patch:
                patch.setattr(store.backend, "_change_task", fail)
                if error is None:
                    with pytest.raises(StorageError, match="the disk is full"):
                        task.__exit__(None, None, None)
                else:
                    task.__exit__(type(error), error, None)
                    assert "the disk is full" in error.__notes__[0]
            store.clock.now += SHORT
            assert status(store)[0] == "dead"

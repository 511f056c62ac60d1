"""A task runs in one process at a time, and everybody sees how far it is and how it ended."""

import pickle
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from burndown import (
    TaskCancelledError,
    TaskRunningError,
)
from burndown.models import TaskProgress
from tests.support.store import START, Store, in_utc
from tests.support.strategies import identifiers, lines, percents

LEASE = timedelta(seconds=30)
SHORT = timedelta(milliseconds=1)


def status(store: Store, name: str = "fetch") -> tuple[str, float, str]:
    found = store.get_task_progress(name)
    return found["status"], found["progress_percent"], found["message"]


@given(identifiers, lines, percents, lines)
def test_everybody_sees_a_task_from_its_beginning_to_its_end(
    shared: Store, name: str, first: str, percent: float, message: str
) -> None:
    """Another process sees who runs it, since when, and how far it is; then that it has ended."""
    shared.clear()
    other: Any = shared.another()
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
        assert other.get_task_progress(name) == expected
        shared.clock.now += LEASE / 2
        task.progress(percent, message)
        later = dict.fromkeys(("updated_at", "heartbeat_at"), in_utc(shared.clock.now))
        expected.update(later, progress_percent=percent, message=message)
        expected["lease_until"] = in_utc(shared.clock.now + LEASE)
        assert other.list_task_progress() == [expected]
    expected.update(status="completed", progress_percent=100.0, lease_until=None)
    assert other.get_task_progress(name) == expected
    other.close()


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
    store: Store, error: BaseException | None, expected: tuple[str, float, str]
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


def test_a_task_runs_once_at_a_time(store: Store) -> None:
    """The error names the owner and since when; it can be pickled, as between processes."""
    other = store.another()
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
    other.close()


def test_a_task_is_dead_when_its_lease_has_run_out(store: Store) -> None:
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


def test_a_dead_task_that_nobody_has_taken_lives_again(store: Store) -> None:
    """Its process was slow, not killed."""
    with store.task("fetch", LEASE) as task:
        store.clock.now += 2 * LEASE
        assert status(store)[0] == "dead"
        task.renew()
        assert status(store)[0] == "running"
    assert status(store)[0] == "completed"

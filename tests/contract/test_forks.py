"""A forked process leaves the transactions and tasks of its parent alone."""

import threading
from functools import partial

import pytest

from burndown import StorageError, TaskLostError, TransactionAbortedError
from burndown.testing.contract.ownership import both, in_transaction, set_both
from burndown.testing.contract.tasks import status
from burndown.testing.controlled_store import Store
from tests.support.processes import in_child, needs_fork


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_was_forked_within_a_transaction_is_refused(store: Store) -> None:
    """The transaction belongs to the parent, which neither waits for the child nor is affected."""

    def refused() -> None:
        for call in (both, lambda store: set_both(store, "child")):
            with pytest.raises(StorageError, match="forked"):
                call(store)
        with pytest.raises(TransactionAbortedError, match="forked"):
            block.__exit__(None, None, None)

    block = store.transaction()
    with block:
        store.set_app_state("one", "parent")
        in_child(refused)
        store.set_app_state("two", "parent")
    assert both(store) == {"parent"}
    in_child(lambda: set_both(store, "child"))
    assert both(store) == {"child"}


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_that_are_forked_while_a_thread_writes_can_write(store: Store) -> None:
    """Parent and children keep all acknowledged changes."""
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            in_transaction(store, "parent", str(len(written)))
            written.append(len(written))

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(10):
            in_child(partial(store.set_app_state, f"child-{number}", "x"))
    finally:
        stop.set()
        writing.join()
    assert store.get_app_state("parent") == str(written[-1])
    assert {store.get_app_state(f"child-{number}") for number in range(10)} == {"x"}
    assert store.check_integrity() == (True, [])


@needs_fork
def test_a_forked_process_leaves_the_task_to_its_parent(store: Store) -> None:
    with store.task("fetch") as task:
        task.progress(100)

        def end_in_child() -> None:
            with pytest.raises(TaskLostError):
                task.progress(50)
            with pytest.raises(TaskLostError):
                task.renew()
            task.__exit__(None, None, None)

        in_child(end_in_child)
        assert status(store)[0] == "running"
        task.renew()
    assert status(store)[0] == "completed"

"""Writers of different profiles on a server do not wait; those of the same lose nothing."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from burndown import QueryNotFoundError, StorageError
from burndown.models import Profile
from burndown.persistence import open_backend
from burndown.persistence.sql_backend import SQLBackend
from burndown.repositories.app_state import get_app_state
from burndown.sql import Executor
from tests.support.processes import FRESH, run_all

TIMES = 12


@pytest.fixture
def backend(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with open_backend(postgres_url) as new:
        for profile_id in ("a", "b"):
            new.save_profile({"id": profile_id})
            new.save_query(profile_id, {"id": "q"})
            new.save_budget(profile_id, "q", {})
            new.save_jira_cache(profile_id, "q", "key", {}, timedelta(days=1))
        monkeypatch.setenv("BURNDOWN_BUSY_TIMEOUT", "0.1")
        yield new


@pytest.fixture
def other(backend: SQLBackend, postgres_url: str) -> Iterator[Any]:
    """Open the store again, as another process does, which waits shortly for locks."""
    with open_backend(postgres_url) as opened:
        yield opened


def transaction(backend: SQLBackend) -> None:
    with backend.transaction():
        backend.get_app_state("key")


Write = Callable[[SQLBackend], object]
OF_A: dict[str, Write] = {
    "its profile": lambda b: b.save_profile({"id": "a"}),
    "a patch": lambda b: b.patch_profile("a", {"description": "new"}),
    "a query": lambda b: b.save_query("a", {"id": "new"}),
    "metrics": lambda b: b.patch_metrics("a", "q", "2025-W12", "flow", {"a": 1}),
    "a budget": lambda b: b.add_budget_revision("a", "q", {}),
    "a deletion": lambda b: b.delete_query("a", "q"),
    "its cache": lambda b: b.cleanup(0, "a"),
}
OF_OTHERS: dict[str, Write] = {
    "a profile": lambda b: b.save_profile({"id": "b"}),
    "a patch": lambda b: b.patch_profile("b", {"description": "new"}),
    "a patch of a query": lambda b: b.patch_query("b", "q", {"description": "new"}),
    "metrics": lambda b: b.patch_metrics("b", "q", "2025-W12", "flow", {"a": 1}),
    "a deletion": lambda b: b.delete_profile("b"),
    "app state": lambda b: b.set_app_state("key", "value"),
    "a task": lambda b: b.save_task_progress("task", 1, "running"),
}
OF_ALL: dict[str, Write] = {
    "a transaction": transaction,
    "two profiles": lambda b: b.save_records(Profile, [{"id": "a"}, {"id": "b"}]),
    "all caches": lambda b: b.cleanup_expired_cache(),
}


def while_writing(backend: SQLBackend, scope: str | None, call: Callable[[], None]) -> None:
    """Make a call while another one has the lock of a scope."""

    def hold(executor: Executor) -> None:
        get_app_state(executor, "key")  # and so begin
        call()

    backend.database.write_scoped(scope, hold)


@pytest.mark.parametrize("write", OF_OTHERS.values(), ids=OF_OTHERS)
def test_a_writer_of_something_else_does_not_wait(
    backend: SQLBackend, other: SQLBackend, write: Write
) -> None:
    while_writing(backend, "profile a", lambda: write(other) and None)


@pytest.mark.parametrize("write", [*OF_A.values(), *OF_ALL.values()], ids=[*OF_A, *OF_ALL])
def test_a_writer_of_the_same_profile_waits(
    backend: SQLBackend, other: SQLBackend, write: Write
) -> None:
    def refused() -> None:
        with pytest.raises(StorageError, match="locked"):
            write(other)

    while_writing(backend, "profile a", refused)
    write(other)


@pytest.mark.parametrize("write", [*OF_A.values(), *OF_OTHERS.values()], ids=[*OF_A, *OF_OTHERS])
def test_all_writers_wait_for_a_transaction(
    backend: SQLBackend, other: SQLBackend, write: Write
) -> None:
    with backend.transaction():
        backend.get_profile("a")
        with pytest.raises(StorageError, match="locked"):
            write(other)
    write(other)


def fails(executor: Executor) -> None:
    raise KeyError("before any statement")


FIRST: dict[str, Callable[[SQLBackend, Session], object]] = {
    "a read": lambda b, _: b.get_profile("a"),
    "a read of what cannot be stored": lambda b, _: b.get_app_state("\0"),
    "a read that fails": lambda b, _: suppressing(KeyError, b.database.read, fails),
    "a write": lambda b, _: b.set_app_state("key", "value"),
    "a write that fails": lambda b, _: suppressing(KeyError, b.database.write, fails),
    "a write that breaks a constraint": lambda b, _: suppressing(
        QueryNotFoundError, b.save_project_data, "a", "other", {}
    ),
    "a part": lambda b, _: part(b),
    "SQL": lambda _, session: session.connection().exec_driver_sql("SELECT 1"),
    "the driver": lambda _, session: session.connection().connection.cursor().execute("SELECT 1"),
}
"""What can come first in a transaction, or next, of which the statements are sent together."""


def suppressing(error: type[Exception], call: Callable[..., object], *arguments: Any) -> None:
    with pytest.raises(error):
        call(*arguments)


def part(backend: SQLBackend) -> None:
    with backend.transaction():
        backend.set_app_state("part", "value")


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
def test_a_transaction_has_its_lock_and_is_whole_in_whatever_way_it_begins(
    backend: SQLBackend, other: SQLBackend, first: Callable[[SQLBackend, Session], object]
) -> None:
    for second in FIRST.values():
        with pytest.raises(ZeroDivisionError), backend.database.session() as session:  # noqa: PT012
            first(backend, session)
            second(backend, session)
            with pytest.raises(StorageError, match="locked"):
                other.set_app_state("key", "other")
            backend.set_app_state("key", "undone")
            raise ZeroDivisionError
        assert other.get_app_state("key") is None
        with backend.database.session() as session:
            first(backend, session)
            backend.set_app_state("key", "kept")
            second(backend, session)
        assert other.get_app_state("key") is not None
        backend.set_app_state("key", None)


def test_readers_do_not_wait(backend: SQLBackend, other: SQLBackend) -> None:
    with backend.transaction():
        backend.patch_profile("a", {"description": "new"})
        found = other.get_profile("a")
    assert found is not None
    assert found["description"] == ""


def write_in_several_ways(url: str, number: int) -> None:
    """Count in a transaction, in a metric of a shared week, and in the revisions of a profile."""
    with open_backend(url) as backend:
        for count in range(1, TIMES + 1):
            with backend.transaction():
                total = int(backend.get_app_state("total") or 0)
                profile: Any = backend.get_profile("a")
                backend.set_app_state("total", str(total + 1))
                backend.patch_profile("a", {"counted": profile.get("counted", 0) + 1})
            backend.patch_metrics("a", "q", "2025-W12", "flow", {f"writer_{number}": count})
            backend.patch_profile("a", {f"writer_{number}": count})
            backend.add_budget_revision("b", "q", {"reason": f"{number} {count}"})


def test_processes_that_write_in_several_ways_lose_nothing(
    backend: SQLBackend, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BURNDOWN_BUSY_TIMEOUT")
    writers = range(3)
    run_all(FRESH, write_in_several_ways, *[(postgres_url, number) for number in writers])
    profile: Any = backend.get_profile("a")
    budget: Any = backend.get_budget("b", "q")
    [snapshot] = backend.get_metrics_snapshots("a", "q")
    assert backend.get_app_state("total") == str(len(writers) * TIMES)
    assert profile["counted"] == len(writers) * TIMES
    assert profile["revision"] == 1 + 2 * len(writers) * TIMES
    assert snapshot["metrics"] == {f"writer_{number}": TIMES for number in writers}
    assert {each: profile[f"writer_{each}"] for each in writers} == dict.fromkeys(writers, TIMES)
    assert len({each["reason"] for each in budget["revisions"]}) == len(writers) * TIMES

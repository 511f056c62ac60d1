"""A cleanup deletes in short transactions, so that others can write meanwhile."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from burndown import SQLiteBackend, StorageError
from burndown.models import JiraCache
from burndown.persistence import sql_backend
from burndown.testing import Clock

COUNT = 450
Cleanup = Callable[[SQLiteBackend], int]
CLEANUPS: dict[str, Cleanup] = {
    "expired": lambda backend: backend.cleanup_expired_cache(),
    "above a limit": lambda backend: backend.cleanup(0),
    "of a profile above a limit": lambda backend: backend.cleanup(0, "p"),
}
of_each_cleanup = pytest.mark.parametrize("cleanup", CLEANUPS.values(), ids=CLEANUPS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "burndown.db"


@pytest.fixture
def backend(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SQLiteBackend]:
    """A store of three queries with expired responses, whose cleanup takes no time at all."""
    monkeypatch.setattr(sql_backend, "_DELETION_SECONDS", 0)
    clock = Clock()
    with SQLiteBackend(path, clock=clock) as opened:
        opened.save_profile({"id": "p"})
        for query_id in ("a", "b", "c"):
            opened.save_query("p", {"id": query_id})
        expiry = {"expires_at": clock(), "response": {}}
        opened.save_records(
            JiraCache,
            [
                {"profile_id": "p", "query_id": "abc"[at % 3], "cache_key": str(at), **expiry}
                for at in range(COUNT)
            ],
        )
        clock.tick(hours=1)
        yield opened


def left(backend: SQLiteBackend) -> int:
    return sum(1 for _ in backend.records(JiraCache))


@of_each_cleanup
def test_others_write_meanwhile(
    backend: SQLiteBackend, path: Path, cleanup: Cleanup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they save then is not deleted."""
    counts = []
    with SQLiteBackend(path) as other:

        def pause(_: float) -> None:
            counts.append(left(other))
            other.save_jira_cache("p", "c", "new", {}, timedelta(hours=1))

        monkeypatch.setattr(time, "sleep", pause)
        assert cleanup(backend) == COUNT
    assert len(counts) >= 2
    assert COUNT > counts[0] > counts[1] > 1
    assert [each["cache_key"] for each in backend.records(JiraCache)] == ["new"]


@of_each_cleanup
def test_a_failed_cleanup_keeps_what_it_has_deleted(
    backend: SQLiteBackend, cleanup: Cleanup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one deletes the rest."""

    def fail(_: float) -> None:
        raise StorageError("full")

    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", fail)
        with pytest.raises(StorageError, match="full"):
            cleanup(backend)
    assert 0 < (rest := left(backend)) < COUNT
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert cleanup(backend) == rest


@of_each_cleanup
def test_a_cleanup_within_a_transaction_is_a_part_of_it(
    backend: SQLiteBackend, cleanup: Cleanup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not pause, since nobody else can write, and is undone with it."""
    monkeypatch.setattr(time, "sleep", None)

    def clean_and_fail() -> None:
        with backend.transaction():
            assert cleanup(backend) == COUNT
            raise StorageError("full")

    with pytest.raises(StorageError, match="full"):
        clean_and_fail()
    assert left(backend) == COUNT


def test_nobody_waits_for_a_cleanup_of_nothing(backend: SQLiteBackend, path: Path) -> None:
    with SQLiteBackend(path) as other, other.transaction():
        other.set_app_state("theme", "dark")
        assert backend.cleanup(10**6) == backend.cleanup(10**6, "p") == 0

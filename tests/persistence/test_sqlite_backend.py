"""SQLite files beyond the contract, read without the code under test."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from burndown import (
    PersistenceBackend,
    ProfileNotFoundError,
    QueryNotFoundError,
    SQLiteBackend,
    ValidationError,
)
from burndown.repositories import JiraCacheRepository, JiraChangelogRepository
from burndown.testing.calls import ORPHANS, REFUSED, SAVES_OF_A_VALUE, Save
from burndown.testing.contract.drawn import aware_timestamps
from burndown.testing.controlled_store import Store, fill, same
from tests.support.database_rows import everything


def store_on(path: Path) -> Store:
    return Store(lambda clock: SQLiteBackend(path, clock=clock))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    new = store_on(tmp_path_factory.mktemp("shared") / "burndown.db")
    yield new
    new.close()


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    new = store_on(path)
    yield new.empty()
    new.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "burndown.db"


@pytest.mark.parametrize("save", REFUSED.values(), ids=REFUSED)
def test_a_refused_call_writes_no_row(store: Store, path: Path, save: Save) -> None:
    """Every table is unchanged."""
    before = everything(path)
    with pytest.raises(ValidationError):
        save(store.backend)
    assert everything(path) == before


@pytest.mark.parametrize("save", SAVES_OF_A_VALUE.values(), ids=SAVES_OF_A_VALUE)
def test_an_invalid_value_writes_no_row(
    store: Store, path: Path, save: Callable[[PersistenceBackend, Any], None]
) -> None:
    """If one value of a document is refused, none is written."""
    before = everything(path)
    with pytest.raises(ValidationError):
        save(store.backend, [{"k": float("nan")}])
    assert everything(path) == before


@pytest.mark.parametrize("save", ORPHANS.values(), ids=ORPHANS)
def test_data_without_their_query_write_no_row(
    store: Store, path: Path, save: Callable[[PersistenceBackend, str, str], None]
) -> None:
    """Nothing is written below a profile or query that does not exist."""
    before = everything(path)
    for of in (("p", "nope"), ("nope", "q")):
        with pytest.raises((ProfileNotFoundError, QueryNotFoundError)):
            save(store.backend, *of)
    assert everything(path) == before


def test_a_deleted_profile_leaves_no_row(store: Store, path: Path) -> None:
    """No table has a row of a deleted profile, and the file is intact."""
    before = everything(path)
    for query_id in ("a", "b"):
        fill(store, "one", query_id)
    store.delete_query("one", "a")
    assert not [rows for rows in everything(path).values() if "'a'" in repr(rows)]
    store.delete_profile("one")
    assert everything(path) == before
    assert store.database.check_integrity() == (True, [])


def test_no_row_of_a_transaction_is_seen_before_its_end(store: Store, path: Path) -> None:
    """A reader of the file sees all of a transaction or nothing."""
    before = everything(path)
    with store.transaction():
        fill(store, "new", "q")
        store.set_app_state("key", "value")
        assert everything(path) == before
    after = everything(path)
    changed = {table for table in after if after[table] != before[table]}
    assert changed == after.keys() - {"task_progress", "burndown_version"}


@given(aware_timestamps, aware_timestamps)
def test_stored_timestamps_compare_with_those_of_sqlite(
    shared: Store, expires_at: datetime, now: datetime
) -> None:
    """SQL that is written manually can compare timestamps with those that SQLite formats."""
    now = now.replace(microsecond=0)
    shared.empty().save_jira_cache("p", "q", "k", {}, expires_at)
    with closing(sqlite3.connect(shared.database.path)) as connection:
        [text] = connection.execute(
            "SELECT datetime(?)", (now.astimezone(UTC).isoformat(sep=" "),)
        ).fetchone()
        assert text == now.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
        [alive] = connection.execute("SELECT expires_at > ? FROM jira_cache", (text,)).fetchone()
    if expires_at != now:
        assert bool(alive) is (expires_at > now)


@pytest.mark.parametrize(("hours", "alive"), [(-1, 0), (1, 1)])
def test_an_expiry_compares_with_the_current_time_of_sqlite(
    store: Store, path: Path, hours: int, alive: int
) -> None:
    """SQL that is written manually can select what has expired."""
    expires_at = datetime.now() + timedelta(hours=hours)  # as callers write it
    store.save_jira_cache("p", "q", "k", {}, expires_at)
    store.save_jira_changelog("p", "q", "K-1", {}, expires_at)
    with closing(sqlite3.connect(path)) as connection:
        for table in ("jira_cache", "jira_changelog_cache"):
            [found] = connection.execute(
                f"SELECT count(*) FROM {table} WHERE expires_at > datetime('now')"
            ).fetchone()
            assert found == alive


def test_the_data_are_in_the_file(store: Store, path: Path) -> None:
    """The location is the file, and the size at least that of the file."""
    described = store.describe()
    assert described["location"] == str(path)
    assert described["size_bytes"] >= path.stat().st_size > 0


def test_closing_leaves_only_the_file(store: Store, path: Path) -> None:
    """Closing writes the log back to the file."""
    store.set_app_state("key", "value")
    store.close()
    assert list(path.parent.glob("burndown.db*")) == [path]
    assert store.get_app_state("key") == "value"


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    """Of the file."""
    with SQLiteBackend(tmp_path / "burndown.db") as one:
        one.save_profile({"id": "p", "unknown": [1, 2.0, True]})
    with SQLiteBackend(str(tmp_path / "burndown.db")) as other:
        profile: Any = other.get_profile("p")
        assert same(profile["unknown"], [1, 2.0, True])


def test_repositories_return_what_has_expired_where_no_time_is_given(
    backend: SQLiteBackend,
) -> None:
    """With a time they return what is valid then."""
    backend.save_profile({"id": "p"})
    backend.save_query("p", {"id": "q"})
    now = backend.now()
    backend.save_jira_cache("p", "q", "k", {"issues": [1]}, now)
    backend.save_jira_changelog("p", "q", "K-1", {"histories": [1]}, now)
    with backend.database.session() as session:
        responses, changelogs = JiraCacheRepository(session), JiraChangelogRepository(session)
        assert responses.get("p", "q", "k", now) is None
        assert changelogs.get("p", "q", "K-1", now) is None
        assert changelogs.list("p", "q", now) == []
        response = responses.get("p", "q", "k", None)
        changelog = changelogs.get("p", "q", "K-1", None)
        assert response is not None
        assert changelog is not None
        assert (response.issues, changelog.histories) == ([1], [1])
        assert changelogs.list("p", "q", None, ["K-1", "K-2"]) == [changelog]

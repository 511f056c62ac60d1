"""A call on JSON files reads only the files that it needs, each as it is then."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from burndown.files import reading
from burndown.legacy.reading import json_files
from burndown.models import JiraCache, JiraChangelog, Query
from burndown.persistence.json_backend import JSONBackend

DAY = timedelta(days=1)


def filled(folder: Path, query_count: int) -> JSONBackend:
    """Return a store of a profile with queries, each with a response and a changelog."""
    store = JSONBackend(folder)
    with store.transaction():
        store.save_profile({"id": "p"})
        queries = [f"q{number}" for number in range(query_count)]
        store.save_records(Query, [{"profile_id": "p", "id": each} for each in queries])
        for each in queries:
            store.save_jira_cache("p", each, "k", {"issues": []}, DAY)
            store.save_jira_changelog("p", each, "K-1", {})
    return store


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read, in their order."""
    read: list[Path] = []

    def read_below(root: Path, path: Path) -> bytes:
        read.append(path)
        return reading.read_below(root, path)

    monkeypatch.setattr(json_files, "read_below", read_below)
    return read


CALLS_ON_ONE: dict[str, Callable[[JSONBackend], Any]] = {
    "get_profile": lambda store: store.get_profile("p"),
    "list_profiles": lambda store: store.list_profiles(),
    "get_app_state": lambda store: store.get_app_state("key"),
    "set_app_state": lambda store: store.set_app_state("key", "value"),
    "save_task_progress": lambda store: store.save_task_progress("task", 1, "running"),
    "list_jira_caches": lambda store: store.list_jira_caches("p", "q1"),
    "get_jira_changelogs": lambda store: store.get_jira_changelogs("p", "q1"),
}


def reads_of(
    call: Callable[[JSONBackend], Any], folder: Path, files_read: list[Path]
) -> tuple[int, int]:
    """Return how many files a call reads in a store with 2 queries, and in one with 20."""
    counts = []
    for query_count in (2, 20):
        store = filled(folder / str(query_count), query_count)
        files_read.clear()
        call(store)
        counts.append(len(files_read))
    return counts[0], counts[1]


@pytest.mark.parametrize("call", CALLS_ON_ONE.values(), ids=CALLS_ON_ONE)
def test_other_queries_are_not_read(
    tmp_path: Path, files_read: list[Path], call: Callable[[JSONBackend], Any]
) -> None:
    """However many there are."""
    few, many = reads_of(call, tmp_path, files_read)
    assert few == many > 0


CALLS_ON_ALL: dict[str, Callable[[JSONBackend], Any]] = {
    "list_queries": lambda store: store.list_queries("p"),
    "records": lambda store: list(store.records(JiraChangelog, "p")),
    "records of all profiles": lambda store: list(store.records(JiraCache)),
    "query_status": lambda store: store.query_status("p"),
    "cleanup": lambda store: store.cleanup(0),
}


@pytest.mark.parametrize("call", CALLS_ON_ALL.values(), ids=CALLS_ON_ALL)
def test_a_query_is_not_read_for_each_other(
    tmp_path: Path, files_read: list[Path], call: Callable[[JSONBackend], Any]
) -> None:
    """Ten times as many queries take at most ten times as many reads, and some for the rest."""
    few, many = reads_of(call, tmp_path, files_read)
    assert few < many <= 10 * few


def test_each_query_is_read_as_it_is_then(tmp_path: Path) -> None:
    """Data that another process changes meanwhile are yielded if their turn comes later."""
    store, other = filled(tmp_path, 4), JSONBackend(tmp_path)
    found = store.records(JiraCache, "p")
    assert next(found)["query_id"] == "q0"
    other.save_jira_cache("p", "q1", "new", {"issues": []}, DAY)
    other.delete_query("p", "q2")
    assert [(each["query_id"], each["cache_key"]) for each in found] == [
        *(("q1", "k"), ("q1", "new")),
        ("q3", "k"),
    ]


def test_a_transaction_reads_its_own_changes_between_two_queries(tmp_path: Path) -> None:
    """The first change of a transaction makes the copy that it reads from then on."""
    store = filled(tmp_path, 3)
    with store.transaction():
        for each in store.records(JiraCache, "p"):
            assert each["query_id"] != "q2"
            if each["query_id"] == "q0":
                store.delete_query("p", "q2")
    assert {each["id"] for each in store.list_queries("p")} == {"q0", "q1"}

"""Stores with any content, and the rows of written tables."""

import csv
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown import PersistenceBackend
from burndown.models import Document
from burndown.tables import TABLES, TableChanges
from burndown.testing.controlled_store import HOUR
from burndown.testing.strategies import (
    budgets,
    changelogs,
    jira_issues,
    metrics_snapshots,
    profiles,
    queries,
)

Rows = dict[str, list[tuple[Any, ...]]]

_KEYS = ["KAFKA-1", "KAFKA-2", "KAFKA-3"]
_statistics = st.fixed_dictionaries(
    {"date": st.sampled_from(["2026-01-05", "2026-01-13", "2026-01-26", "NaT"])},
    optional={
        "created_items": st.integers(0, 9),
        "completed_items": st.integers(0, 9) | st.none(),
        "created_points": st.floats(0, 99),
    },
)


def contents() -> SearchStrategy[Document]:
    """Draw the content of a store: a profile with a query and its data."""
    issues = st.sampled_from(_KEYS).flatmap(lambda key: changelogs(issue=jira_issues(key=key)))
    snapshots = metrics_snapshots(
        metric_type=st.sampled_from(["dora", "flow"]),
        snapshot_date=st.sampled_from(["2026-W01", "2026-W02", "2020-W53"]),
    )
    return st.fixed_dictionaries(
        {
            "profile": profiles(id=st.sampled_from(["p", "other"])),
            "query": queries(id=st.sampled_from(["q", "another"])),
            "issues": st.lists(issues, max_size=3),
            "snapshots": st.lists(snapshots, max_size=3),
            "data": st.fixed_dictionaries({"statistics": st.lists(_statistics, max_size=3)}),
            "budget": st.none() | budgets(),
        }
    )


def replace_content(backend: PersistenceBackend, content: Mapping[str, Any]) -> None:
    """Delete all that is stored, and save the content."""
    for profile in backend.list_profiles():
        backend.delete_profile(profile["id"])
    backend.save_profile(content["profile"])
    ids = content["profile"]["id"], content["query"]["id"]
    backend.save_query(ids[0], content["query"])
    backend.save_jira_cache(*ids, "key", {"issues": content["issues"]}, HOUR)
    for snapshot in content["snapshots"]:
        backend.save_metrics_snapshot(*ids, **snapshot)
    backend.save_project_data(*ids, content["data"])
    if content["budget"] is not None:
        backend.save_budget(*ids, content["budget"])


def rows_in(path: Path) -> Rows:
    """Return the rows of all tables of a database, ordered by key."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            table.name: connection.execute(
                f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}"
            ).fetchall()
            for table in TABLES
        }


def cells_in(folder: Path) -> Rows:
    """Return the rows of a folder of CSV files, with strings in place of all values."""
    found: Rows = {}
    for table in TABLES:
        with (folder / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = csv.reader(file)
        assert header == [each.name for each in table.columns]
        found[table.name] = list(map(tuple, lines))
    return found


def has_changed(changes: Mapping[str, TableChanges]) -> bool:
    """Return whether a run has written a row, or deleted one."""
    return any(each["added"] or each["changed"] or each["removed"] for each in changes.values())

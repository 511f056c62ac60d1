"""A backend with a clock that tests control, and functions that return all that it stores."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from burndown import PersistenceBackend
from burndown.models import (
    AppState,
    Budget,
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
    TaskProgress,
)
from burndown.testing.clocks import Clock

Document = dict[str, Any]
Open = Callable[[Callable[[], datetime]], PersistenceBackend]
"""Opens a backend with this clock on one storage; each further one acts as of another process."""
OpenBackend = Callable[[Path, Callable[[], datetime]], PersistenceBackend]
"""Opens a backend on the storage of a folder, which is empty at first, with this clock."""

START = datetime(2025, 12, 23, 10, tzinfo=UTC)
HOUR = START + timedelta(hours=1)
GOOD = {"snapshot_date": "2025-W12", "metric_type": "dora", "metrics": {"k": 1}}

KEYS: dict[type[Entity], tuple[str, ...]] = {
    Profile: ("id",),
    Query: ("profile_id", "id"),
    JiraCache: ("profile_id", "query_id", "cache_key"),
    JiraChangelog: ("profile_id", "query_id", "issue_key"),
    ProjectData: ("profile_id", "query_id"),
    MetricsSnapshot: ("profile_id", "query_id", "metric_type", "snapshot_date"),
    Budget: ("profile_id", "query_id"),
    AppState: ("key",),
    TaskProgress: ("task_name",),
}
"""The key of every model, with the ids of parents first."""


OF_THE_STORE_ITSELF = ("schema_version", "migration_complete")
"""Keys of the application state that a store sets itself."""


class Store:
    """A backend with a controlled clock, emptied by each example; it has all calls of the backend.

    Args:
        open_backend: opens the backend on its storage.
    """

    def __init__(self, open_backend: Open) -> None:
        self.clock = Clock(START)
        self._open = open_backend
        self.backend = self.another()

    def __getattr__(self, name: str) -> Any:
        """Return a method of the backend."""
        return getattr(self.backend, name)

    def another(self) -> PersistenceBackend:
        """Open another backend on the same storage, as another process does."""
        return self._open(self.clock)

    def clear(self) -> "Store":
        """Delete everything except the state of the backend itself."""
        self.clock.now = START
        with self.backend.transaction():
            for profile in self.backend.list_profiles():
                self.backend.delete_profile(profile["id"])
            for task in self.backend.list_task_progress():
                self.backend.clear_task_progress(task["task_name"])
            for state in list(self.backend.records(AppState)):
                if state["key"] != "schema_version":
                    self.backend.set_app_state(state["key"], None)
        return self

    def empty(self) -> "Store":
        """Delete everything, and save the profile ``p`` with the query ``q``."""
        with self.backend.transaction():
            self.clear()
            self.backend.save_profile({"id": "p", "name": "the profile of the query"})
            self.backend.save_query("p", {"id": "q", "name": "the query"})
        return self

    def everything(self) -> dict[type[Entity], str]:
        """Return all that is stored, as strings."""
        return everything(self.backend)


@contextmanager
def new_storage(open_backend: OpenBackend) -> Iterator[Open]:
    """Make a storage, which is removed at the end."""
    with TemporaryDirectory() as folder:
        yield partial(open_backend, Path(folder))


def everything(backend: PersistenceBackend) -> dict[type[Entity], str]:
    """Return all records of every model, as strings: the types of numbers and all orders count."""
    return {model: json.dumps(list(backend.records(model))) for model in KEYS}


def in_order(model: type[Entity], documents: Iterable[Document]) -> list[Document]:
    """Return the documents by key, strings compared by code points."""
    return sorted(documents, key=lambda each: [each[name] for name in KEYS[model]])


def same(one: Any, other: Any) -> bool:
    """Return whether both are equal as JSON text, with key order and types of numbers."""
    return json.dumps(one) == json.dumps(other)


def in_utc(timestamp: datetime | str) -> str:
    """Return the timestamp as backends return it."""
    if isinstance(timestamp, str):
        timestamp = datetime.fromisoformat(timestamp)
    return timestamp.astimezone(UTC).isoformat()


def as_returned(document: Document, now: datetime = START) -> Document:
    """Return a saved profile or query as backends are expected to return it."""
    created_at = in_utc(document.get("created_at", now))
    return {
        "name": document["id"],
        "description": "",
        "revision": 1,
        **document,
        "created_at": created_at,
        "last_used": in_utc(document.get("last_used", created_at)),
        **{key: in_utc(document[key]) for key in ("updated_at",) if document.get(key)},
    }


def fill(store: Store, profile_id: str, query_id: str) -> None:
    """Save every entity below a query, and the profile if it does not exist."""
    if store.get_profile(profile_id) is None:
        store.save_profile({"id": profile_id})
    store.save_query(profile_id, {"id": query_id})
    store.save_jira_cache(profile_id, query_id, "k", {"issues": []}, HOUR)
    store.save_jira_changelog(profile_id, query_id, "K-1", {})
    store.save_project_data(profile_id, query_id, {})
    store.save_metrics_snapshots(profile_id, query_id, [GOOD])
    store.save_budget(profile_id, query_id, {"revisions": [{"reason": "scope"}]})


def stored_records(backend: PersistenceBackend) -> dict[type[Entity], list[str]]:
    """Return all records as strings, except the state of the store itself."""
    return {
        model: [
            json.dumps(record)
            for record in backend.records(model)
            if model is not AppState or record["key"] not in OF_THE_STORE_ITSELF
        ]
        for model in KEYS
    }

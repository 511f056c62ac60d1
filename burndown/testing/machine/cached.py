"""Rules for cached responses and changelogs."""

import copy
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from burndown.testing.controlled_store import Document
from burndown.testing.machine.comparison import ComparingMachine
from burndown.testing.machine.values import (
    TASKS,
    Ids,
    expiries,
    issue_keys,
    issues,
    lifetimes,
    of_profile,
    of_query,
    responses,
    some_caches,
    some_changelogs,
    sometimes_invalid,
    staleness,
)
from burndown.testing.model.refusals import FetchError

__all__ = ["CacheRules"]


class CacheRules(ComparingMachine):
    """Calls of cached responses and changelogs."""

    @rule(ids=of_query, key=st.sampled_from(["a", "b"]))
    def get_jira_cache(self, ids: Ids, key: str) -> None:
        self.ask("get_jira_cache", *ids, key)

    @rule(ids=of_query, cache=sometimes_invalid("cache", some_caches))
    def save_jira_cache(self, ids: Ids, cache: Document) -> None:
        self.ask("save_jira_cache", *ids, **cache)

    @rule(
        ids=of_query,
        key=st.sampled_from(["a", "b"]),
        changed=st.lists(issues, max_size=3),
        removed=st.lists(st.sampled_from(["K-1", "K-2", "3"]), max_size=2),
        expires_at=lifetimes,
    )
    def merge_jira_cache(
        self, ids: Ids, key: str, changed: list[Document], removed: list[str], expires_at: Any
    ) -> None:
        self.ask("merge_jira_cache", *ids, key, changed, removed, expires_at)

    @rule(ids=of_query)
    def list_jira_caches(self, ids: Ids) -> None:
        self.ask("list_jira_caches", *ids)

    @rule(ids=of_query, key=st.sampled_from(["a", "b"]), max_stale=staleness)
    def find_jira_cache(self, ids: Ids, key: str, max_stale: timedelta | None) -> None:
        self.ask("find_jira_cache", *ids, key, max_stale)

    @precondition(lambda self: not self.open)
    @rule(
        ids=of_query,
        key=st.sampled_from(["a", "b"]),
        response=st.none() | responses,
        ttl=st.timedeltas(timedelta(), timedelta(days=1)),
        allowed=staleness,
    )
    def cached(
        self, ids: Ids, key: str, response: Document | None, ttl: timedelta, allowed: Any
    ) -> None:
        """Fetch what is not cached; ``None`` is an error, whose task is then cleared."""

        def fetch() -> Document:
            if response is None:
                raise FetchError
            return copy.deepcopy(response)

        self.ask("cached", *ids, key, fetch, ttl, stale_if_error=allowed)
        for backend in self.backends.values():
            for task in backend.list_task_progress():
                if task["task_name"] not in TASKS:
                    backend.clear_task_progress(task["task_name"])

    @rule(profile_id=of_profile)
    def query_status(self, profile_id: str) -> None:
        self.ask("query_status", profile_id)

    @rule(
        ids=of_query,
        is_of_query=st.booleans(),
        key=st.none() | st.sampled_from(["a", "b", "none"]),
    )
    def delete_jira_caches(self, ids: Ids, is_of_query: bool, key: str | None) -> None:
        self.ask("delete_jira_caches", *(ids if is_of_query else (ids[0], None)), key)

    @rule()
    def cleanup_expired_cache(self) -> None:
        self.ask("cleanup_expired_cache")

    @rule(max_stale=staleness)
    def cleanup_stale_cache(self, max_stale: timedelta | None) -> None:
        self.ask("cleanup_expired_cache", max_stale)

    @rule(
        max_bytes=st.sampled_from([None, 0, 2**40, -1]),
        profile_id=st.none() | of_profile,
    )
    def cleanup(self, max_bytes: int | None, profile_id: str | None) -> None:
        """Delete all or none; stores differ in the bytes that they take for the same data."""
        self.ask("cleanup", max_bytes, profile_id)

    @rule(ids=of_query, key=issue_keys)
    def get_jira_changelog(self, ids: Ids, key: str) -> None:
        self.ask("get_jira_changelog", *ids, key)

    @rule(ids=of_query, key=issue_keys, max_stale=staleness)
    def find_jira_changelog(self, ids: Ids, key: str, max_stale: timedelta | None) -> None:
        self.ask("find_jira_changelog", *ids, key, max_stale)

    @rule(ids=of_query, keys=st.none() | st.lists(issue_keys, max_size=4), max_stale=staleness)
    def find_jira_changelogs(
        self, ids: Ids, keys: list[str] | None, max_stale: timedelta | None
    ) -> None:
        self.ask("find_jira_changelogs", *ids, keys, max_stale)

    @rule(ids=of_query, entry=some_changelogs, expires_at=expiries)
    def save_jira_changelog(self, ids: Ids, entry: Document, expires_at: Any) -> None:
        self.ask("save_jira_changelog", *ids, **entry, expires_at=expires_at)

    @rule(ids=of_query, keys=st.none() | st.lists(issue_keys, max_size=4))
    def get_jira_changelogs(self, ids: Ids, keys: list[str] | None) -> None:
        self.ask("get_jira_changelogs", *ids, keys)

    @rule(ids=of_query, entries=st.lists(some_changelogs, max_size=3), expires_at=expiries)
    def save_jira_changelogs(self, ids: Ids, entries: list[Document], expires_at: Any) -> None:
        changelogs = {entry["issue_key"]: entry["changelog"] for entry in entries}
        self.ask("save_jira_changelogs", *ids, changelogs, expires_at)

    @rule(ids=of_query)
    def list_jira_changelogs(self, ids: Ids) -> None:
        self.ask("list_jira_changelogs", *ids)

    @rule(
        ids=of_query,
        is_of_query=st.booleans(),
        keys=st.none() | st.lists(issue_keys, max_size=4),
    )
    def delete_jira_changelogs(self, ids: Ids, is_of_query: bool, keys: list[str] | None) -> None:
        self.ask("delete_jira_changelogs", *(ids if is_of_query else (ids[0], None)), keys)

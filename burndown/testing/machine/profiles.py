"""Rules for profiles, queries and the app state."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, multiple, rule

from burndown.testing.controlled_store import Document
from burndown.testing.machine.comparison import ComparingMachine
from burndown.testing.machine.values import (
    STATE_KEYS,
    Ids,
    changes_of_profiles,
    changes_of_queries,
    existing_profiles,
    existing_queries,
    of_profile,
    of_query,
    revisions,
    some_profiles,
    some_queries,
    sometimes_invalid,
    timestamps,
)

__all__ = ["ProfileRules"]


class ProfileRules(ComparingMachine):
    """Calls of profiles, queries and the app state."""

    @initialize(target=existing_profiles)
    def begin_with_a_profile(self) -> str:
        assert self.ask("save_profile", {"id": "p", "name": "Kafka"})
        return "p"

    @initialize(target=existing_queries)
    def begin_with_a_query(self) -> Ids:
        self.ask("save_profile", {"id": "p", "name": "Kafka"})
        assert self.ask("save_query", "p", {"id": "q"})
        return "p", "q"

    @rule(profile_id=of_profile)
    def get_profile(self, profile_id: str) -> None:
        self.ask("get_profile", profile_id)

    @rule(target=existing_profiles, profile=sometimes_invalid("profile", some_profiles))
    def save_profile(self, profile: Document) -> Any:
        return profile["id"] if self.ask("save_profile", profile) else multiple()

    @rule(
        profile_id=of_profile,
        changes=sometimes_invalid("profile", changes_of_profiles),
        if_revision=revisions,
    )
    def patch_profile(self, profile_id: str, changes: Document, if_revision: int | None) -> None:
        self.ask("patch_profile", profile_id, changes, if_revision)

    @rule()
    def list_profiles(self) -> None:
        self.ask("list_profiles")

    @rule(profile_id=of_profile)
    def delete_profile(self, profile_id: str) -> None:
        self.ask("delete_profile", profile_id)

    @rule(ids=of_query)
    def get_query(self, ids: Ids) -> None:
        self.ask("get_query", *ids)

    @rule(
        target=existing_queries,
        profile_id=of_profile,
        query=sometimes_invalid("query", some_queries),
    )
    def save_query(self, profile_id: str, query: Document) -> Any:
        accepted = self.ask("save_query", profile_id, query)
        return (profile_id, query["id"]) if accepted else multiple()

    @rule(
        ids=of_query,
        changes=sometimes_invalid("query", changes_of_queries),
        if_revision=revisions,
    )
    def patch_query(self, ids: Ids, changes: Document, if_revision: int | None) -> None:
        self.ask("patch_query", *ids, changes, if_revision)

    @rule(profile_id=of_profile)
    def list_queries(self, profile_id: str) -> None:
        self.ask("list_queries", profile_id)

    @rule(ids=of_query)
    def delete_query(self, ids: Ids) -> None:
        self.ask("delete_query", *ids)

    @rule(target=existing_queries, ids=existing_queries, last_used=timestamps)
    def save_returned_document(self, ids: Ids, last_used: Any) -> Any:
        """Read, change and save, as business logic does."""
        self.ask("get_query", *ids)
        found = self.model.get_query(*ids)
        if found is None:
            return multiple()
        assert self.ask("save_query", ids[0], {**found, "last_used": last_used})
        return ids

    @rule(key=st.sampled_from(STATE_KEYS))
    def get_app_state(self, key: str) -> None:
        self.ask("get_app_state", key)

    @rule(key=st.sampled_from(STATE_KEYS), value=st.sampled_from(["p", "", None, "\ud800"]))
    def set_app_state(self, key: str, value: str | None) -> None:
        self.ask("set_app_state", key, value)

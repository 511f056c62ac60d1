"""A profile comes back as it was saved, until it is replaced."""

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown.testing.contract.drawn import (
    PROFILE_SECTIONS,
    field_sources,
    identifiers,
    names,
    profiles,
)
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import START, Store, as_returned, same

__all__ = ["ProfileContract"]

PROFILE_DEFAULTS: dict[str, Any] = {
    **{section: {} for section in PROFILE_SECTIONS},
    "show_milestone": False,
    "show_points": False,
}


class ProfileContract(ContractPart):
    """The contract of profiles."""

    @given(profiles())
    def test_a_profile_comes_back_as_it_was_saved(
        self, shared: Store, document: dict[str, Any]
    ) -> None:
        """All keys come back, including unknown ones, with their order and the types of numbers."""
        shared.clear()
        before = repr(document)
        shared.save_profile(document)
        assert repr(document) == before
        found = shared.get_profile(document["id"])
        expected = {**PROFILE_DEFAULTS, **as_returned(document)}
        assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)
        assert all(same(found[key], expected[key]) for key in expected)
        assert shared.list_profiles() == [found]

    @pytest.mark.parametrize("section", PROFILE_SECTIONS)
    @given(data=st.data())
    def test_a_section_keeps_the_order_of_its_keys(
        self, shared: Store, section: str, data: st.DataObject
    ) -> None:
        """The keys of a section come back in the order in which they were given."""
        document = data.draw(PROFILE_SECTIONS[section])
        shared.empty().save_profile({"id": "p", section: document})
        found = shared.get_profile("p")
        assert same(found[section], document)
        shared.save_profile(found)
        assert shared.get_profile("p") == found
        assert same(shared.get_profile("p")[section], document)

    @given(field_sources)
    def test_a_field_source_comes_back_as_it_was_saved(self, shared: Store, source: Any) -> None:
        """A source is a string or an object, and is stored as given."""
        mappings = {"flow": {"status": source}, "dora": {"deployment_date": source}}
        shared.empty().save_profile({"id": "p", "field_mappings": mappings})
        assert same(shared.get_profile("p")["field_mappings"], mappings)

    @given(profiles(), profiles())
    def test_saving_replaces_the_complete_profile(
        self, shared: Store, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        """Only the timestamps and the token stay, if the later document has none."""
        shared.clear().save_profile(one)
        first = shared.get_profile(one["id"])
        shared.save_profile({**other, "id": one["id"]})
        expected = {**PROFILE_DEFAULTS, **as_returned({**other, "id": one["id"]})}
        for timestamp in ("created_at", "last_used"):
            if timestamp not in other:
                expected[timestamp] = first[timestamp]
        if "token" in first["jira_config"]:
            token = {"token": first["jira_config"]["token"]}
            expected["jira_config"] = {**token, **expected["jira_config"]}
        found = shared.get_profile(one["id"])
        expected["revision"] = found["revision"]  # tests of revisions predict it
        assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)

    @given(names, st.sets(identifiers, min_size=2, max_size=2))
    def test_the_name_of_a_profile_can_be_used_again(
        self, shared: Store, name: str, ids: set[str]
    ) -> None:
        """A name is free once its profile has another one or was deleted."""
        one, other = ids
        shared.clear().save_profile({"id": one, "name": name})
        shared.save_profile({"id": one, "name": f"not {name}"[:200]})
        shared.save_profile({"id": other, "name": name})
        shared.delete_profile(other)
        shared.save_profile({"id": one, "name": name})
        assert [profile["name"] for profile in shared.list_profiles()] == [name]

    def test_returned_documents_are_copies(self, store: Store) -> None:
        """Changing a returned document changes nothing that is stored."""
        store.save_profile({"id": "p", "jira_config": {"unknown": {"k": [1]}}})
        store.get_profile("p")["jira_config"]["unknown"]["k"].append(2)
        store.list_profiles()[0]["jira_config"].clear()
        assert store.get_profile("p")["jira_config"] == {"unknown": {"k": [1]}}

    def test_saved_documents_are_copied(self, store: Store) -> None:
        """Changing a document after it was saved changes nothing that is stored."""
        document: dict[str, Any] = {
            "id": "p",
            "jira_config": {"unknown": [1]},
            "unknown": {"k": [1]},
        }
        store.save_profile(document)
        document["jira_config"]["unknown"].append(2)
        document["unknown"]["k"].append(2)
        found = store.get_profile("p")
        assert (found["jira_config"], found["unknown"]) == ({"unknown": [1]}, {"k": [1]})

    @pytest.mark.parametrize("key", ["extra", "self", "cls", "document", "profile_id", "session"])
    def test_a_profile_may_have_any_unknown_key(self, store: Store, key: str) -> None:
        """No key conflicts with a name that the program uses itself."""
        store.save_profile({"id": "p", key: {"k": 1}})
        assert store.get_profile("p")[key] == {"k": 1}
        assert store.list_profiles()[0][key] == {"k": 1}

    def test_a_profile_keeps_its_creation_time(self, store: Store) -> None:
        """A new profile has the current time in its timestamps."""
        store.save_profile({"id": "new"})
        found = store.get_profile("new")
        assert found["created_at"] == found["last_used"] == START.isoformat()

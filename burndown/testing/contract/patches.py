"""Patches change what they name, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import (
    ForecastSettings,
    JiraConfig,
    Profile,
    ProfileNotFoundError,
    QueryNotFoundError,
    RevisionConflictError,
    ValidationError,
)
from burndown.merge_patch import merge_patch
from burndown.profile_manager import update_profile
from burndown.testing.contract.drawn import json_objects, json_values, profiles, strings
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import Store, everything

__all__ = ["PatchContract"]

TIMES = ("created_at", "last_used", "revision")


def without_times(document: dict[str, Any]) -> str:
    return json.dumps({key: document[key] for key in document if key not in TIMES}, sort_keys=True)


class PatchContract(ContractPart):
    """The contract of patches of profiles and queries."""

    @given(profiles(), st.dictionaries(strings.map("x{}".format), json_values, max_size=3))
    def test_a_patch_merges_into_what_is_stored(
        self, shared: Store, document: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        shared.clear().save_profile(document)
        stored = shared.get_profile(document["id"])
        returned = shared.patch_profile(document["id"], changes)
        assert shared.get_profile(document["id"]) == returned
        assert without_times(returned) == without_times(merge_patch(stored, changes))

    @given(json_objects)
    def test_a_patch_of_a_query_merges_into_what_is_stored(
        self, shared: Store, changes: dict[str, Any]
    ) -> None:
        shared.empty().save_query("p", {"id": "q", "unknown": {"a": [1], "b": {"c": 1}}})
        stored = shared.get_query("p", "q")
        returned = shared.patch_query("p", "q", {"unknown": changes})
        assert shared.get_query("p", "q") == returned
        assert without_times(returned) == without_times(merge_patch(stored, {"unknown": changes}))

    def test_a_section_is_merged(self, store: Store) -> None:
        """As a dict or as a model, of which only what was set is merged."""
        store.save_profile(
            {"id": "p", "forecast_settings": {"pert_factor": 2, "deadline": "2026-01-01"}}
        )
        for number, changes in enumerate(
            ({"data_points_count": 6}, ForecastSettings(data_points_count=7)), start=6
        ):
            found = store.patch_profile("p", {"forecast_settings": changes})
            expected = {"pert_factor": 2, "deadline": "2026-01-01", "data_points_count": number}
            assert found["forecast_settings"] == expected
        found = store.patch_profile("p", {"forecast_settings": {"deadline": None}})
        assert found["forecast_settings"] == {"pert_factor": 2, "data_points_count": 7}

    def test_none_resets_a_field(self, store: Store) -> None:
        """Without its name a profile has its id as the name; a time stays."""
        first = store.patch_profile("p", {"description": "text", "show_points": True, "theme": 1})
        changes = {"name": None, "description": None, "show_points": None, "theme": None}
        found = store.patch_profile("p", {**changes, "created_at": None, "jira_config": None})
        assert found == {
            **{key: first[key] for key in first if key != "theme"},
            "name": "p",
            "description": "",
            "show_points": False,
            "revision": first["revision"] + 1,
        }

    def test_a_patch_that_changes_nothing_leaves_the_revision(self, store: Store) -> None:
        for changes in ({}, {"name": "the query"}, {"unknown": None}):
            assert store.patch_query("p", "q", changes)["revision"] == 1
        for jira in ({}, {"token": None}):
            assert store.patch_profile("p", {"jira_config": jira})["revision"] == 1

    def test_a_stale_revision_is_refused(self, store: Store) -> None:
        """As an argument, or in the changes."""
        assert store.patch_profile("p", {"description": "a"}, if_revision=1)["revision"] == 2
        assert store.patch_profile("p", {"description": "b", "revision": 2})["revision"] == 3
        assert store.patch_query("p", "q", {"jql": "a"}, if_revision=1)["revision"] == 2
        before = everything(store.backend)
        for changes, if_revision in (({}, 2), ({"revision": 2}, None), ({"revision": 3}, 2)):
            with pytest.raises(RevisionConflictError) as caught:
                store.patch_profile("p", {"description": "c", **changes}, if_revision)
            assert (caught.value.given, caught.value.current) == (2, 3)
        for stale in (1, 3):
            with pytest.raises(RevisionConflictError):
                store.patch_query("p", "q", {"jql": "b"}, if_revision=stale)
        assert everything(store.backend) == before

    @pytest.mark.parametrize("section", [3, "token", ["token"]])
    def test_a_patch_with_something_else_than_a_section_keeps_the_token(
        self, store: Store, section: Any
    ) -> None:
        store.patch_profile("p", {"jira_config": {"token": "secret"}})
        with pytest.raises(ValidationError, match="jira_config: input should be"):
            store.patch_profile("p", {"jira_config": section})
        assert store.get_profile("p")["jira_config"] == {"token": "secret"}

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"id": "other"}, "id"),
            ({"id": None}, "id"),
            ({"name": " "}, "name"),
            ({"revision": "1"}, "revision"),
            ({"jira_config": {"base_url": "jira"}}, "jira_config.base_url"),
            ({"jira_config": 3}, "jira_config"),
            ({"unknown": {1: 2}}, "unknown"),
            ([], ""),
            ("name", ""),
            (Profile(id="p", description="changed"), ""),
        ],
    )
    def test_an_invalid_patch_changes_nothing(self, store: Store, changes: Any, path: str) -> None:
        """The other changes of it are not made either."""
        before = everything(store.backend)
        if isinstance(changes, dict):
            changes = {"description": "changed", **changes}
        with pytest.raises(ValidationError) as caught:
            store.patch_profile("p", changes)
        assert [problem.path for problem in caught.value.problems] == [path]
        if path == "":
            with pytest.raises(ValidationError, match="an object with the changes"):
                update_profile("p", changes, backend=store.backend)
        assert everything(store.backend) == before

    def test_a_patch_that_nests_too_deep_is_refused(self, store: Store) -> None:
        endless: dict[str, Any] = {}
        endless["k"] = endless
        with pytest.raises(ValidationError, match="nest at most 200 levels"):
            store.patch_profile("p", {"unknown": endless})

    def test_ids_of_a_query_never_change(self, store: Store) -> None:
        for changes in ({"id": "other"}, {"profile_id": "other"}, {"profile_id": None}):
            with pytest.raises(ValidationError, match="an id never changes"):
                store.patch_query("p", "q", changes)
        assert store.patch_query("p", "q", {"id": "q", "profile_id": "p"})["revision"] == 1

    def test_what_does_not_exist_cannot_be_patched(self, store: Store) -> None:
        with pytest.raises(ProfileNotFoundError):
            store.patch_profile("none", {})
        for ids in (("none", "q"), ("p", "none")):
            with pytest.raises(QueryNotFoundError):
                store.patch_query(*ids, {})

    def test_none_is_the_id_of_nothing(self, store: Store) -> None:
        """A page without a selection has no profile, not any one."""
        nothing: Any = None
        assert store.get_profile(nothing) is None
        assert store.get_query(nothing, "q") is store.get_query("p", nothing) is None
        with pytest.raises(ProfileNotFoundError):
            store.patch_profile(nothing, {"description": "changed"})
        for ids in ((nothing, "q"), ("p", nothing), (nothing, nothing)):
            with pytest.raises(QueryNotFoundError):
                store.patch_query(*ids, {"description": "changed"})

    def test_a_patch_does_not_change_its_arguments(self, store: Store) -> None:
        changes = {"jira_config": JiraConfig(cache_size_mb=50), "unknown": {"a": [None], "b": None}}
        before = repr(changes)
        store.patch_profile("p", changes, if_revision=1)
        assert repr(changes) == before

"""A refused call changes nothing, and reading what does not exist returns ``None`` or nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from burndown import (
    PersistenceBackend,
    PersistenceError,
    ProfileNotFoundError,
    QueryNotFoundError,
    ValidationError,
)
from burndown.models import AppState
from burndown.testing.calls import ORPHANS, REFUSED, SAVES_OF_A_LINE, SAVES_OF_A_VALUE, Save
from burndown.testing.contract.drawn import identifiers, keys, unstorable_values
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import Store

__all__ = ["RefusalContract"]


def nothing_below(store: Store, profile_id: str, query_id: str, key: str) -> None:
    """Assert that nothing is stored for the query."""
    if (profile_id, query_id) != ("p", "q"):
        assert store.get_query(profile_id, query_id) is None
    assert store.get_project_data(profile_id, query_id) is None
    assert store.get_jira_cache(profile_id, query_id, key) is None
    assert store.get_jira_changelog(profile_id, query_id, key) is None
    assert store.get_jira_changelogs(profile_id, query_id) == {}
    assert store.get_jira_changelogs(profile_id, query_id, [key, "K-1"]) == {}
    assert store.list_jira_caches(profile_id, query_id) == []
    assert store.list_jira_changelogs(profile_id, query_id) == []
    assert store.get_metrics_snapshots(profile_id, query_id) == []


class RefusalContract(ContractPart):
    """The contract of calls that are refused."""

    @pytest.mark.parametrize("save", SAVES_OF_A_VALUE.values(), ids=SAVES_OF_A_VALUE)
    @given(value=unstorable_values, divisor=4)
    def test_values_that_json_cannot_represent_are_refused(
        self, shared: Store, save: Callable[[PersistenceBackend, Any], None], value: Any
    ) -> None:
        """A value that would come back changed is refused, and nothing is written."""
        before = shared.empty().everything()
        with pytest.raises(ValidationError):
            save(shared.backend, value)
        assert shared.everything() == before

    @pytest.mark.parametrize("save", SAVES_OF_A_LINE.values(), ids=SAVES_OF_A_LINE)
    def test_strings_that_no_column_can_hold_are_refused(
        self, shared: Store, save: Callable[[PersistenceBackend, str], Any]
    ) -> None:
        """NUL and halves of surrogate pairs are refused outside JSON, and nothing is written."""
        before = shared.empty().everything()
        for text in ("a\0b", "\0", "\ud800", "a\udfffb"):
            with pytest.raises(ValidationError) as refused:
                save(shared.backend, text)
            assert refused.value.problems
            assert str(refused.value).encode()
        assert shared.everything() == before

    @pytest.mark.parametrize("save", REFUSED.values(), ids=REFUSED)
    def test_a_refused_call_changes_nothing(self, store: Store, save: Save) -> None:
        """The next call works."""
        before = store.everything()
        with pytest.raises(ValidationError):
            save(store.backend)
        assert store.everything() == before
        store.save_profile({"id": "p", "name": "still works"})

    @pytest.mark.parametrize("save", ORPHANS.values(), ids=ORPHANS)
    def test_saving_without_the_query_or_profile_is_refused(
        self, store: Store, save: Callable[[PersistenceBackend, str, str], None]
    ) -> None:
        """The error reports whether the query or its profile is missing."""
        before = store.everything()
        with pytest.raises(
            QueryNotFoundError, match="Query 'nope' not found in profile 'p'"
        ) as query:
            save(store.backend, "p", "nope")
        assert (query.value.profile_id, query.value.query_id) == ("p", "nope")
        with pytest.raises(ValueError, match="'nope'") as profile:
            save(store.backend, "nope", "q")
        if isinstance(profile.value, ProfileNotFoundError):
            assert profile.value.profile_id == "nope"
        else:
            assert isinstance(profile.value, QueryNotFoundError)
            assert save is ORPHANS["delete"]
        assert store.everything() == before

    def test_saving_a_query_without_its_profile_is_refused(self, store: Store) -> None:
        """So is deleting a profile that does not exist."""
        before = store.everything()
        calls: list[Callable[[], object]] = [
            lambda: store.save_query("nope", {"id": "q"}),
            lambda: store.delete_profile("nope"),
        ]
        for call in calls:
            with pytest.raises(ProfileNotFoundError, match="Profile 'nope' not found") as refused:
                call()
            assert isinstance(refused.value, ValueError | PersistenceError)
            assert refused.value.profile_id == "nope"
        assert store.everything() == before

    @given(identifiers.filter(lambda text: text not in ("p", "q")), keys)
    def test_reading_what_does_not_exist_returns_none_or_nothing(
        self, shared: Store, absent: str, key: str
    ) -> None:
        """It is not an error."""
        shared.empty()
        assert shared.get_profile(absent) is None
        assert shared.list_queries(absent) == []
        assert shared.get_task_progress(absent) is None
        assert shared.get_app_state(f"absent {key}") is None
        for of in ((absent, "q"), ("p", absent)):
            nothing_below(shared, *of, key)
        shared.clear_task_progress(absent)

    @pytest.mark.parametrize(
        "text", ["", "\0", "p\0", "\ud800", "p\udfff", "../../etc", ".", "a" * 10_000, "P", "p "]
    )
    def test_reading_by_an_invalid_key_returns_none_or_nothing(
        self, store: Store, text: str
    ) -> None:
        """Keys that no store can hold, and keys similar to a stored one, are not errors either."""
        assert store.get_profile(text) is None
        assert store.list_queries(text) == []
        assert store.get_query("p", text) is None
        assert store.get_app_state(text) is None
        assert store.get_task_progress(text) is None
        assert store.get_metrics_snapshots("p", "q", text) == []
        for of in ((text, "q"), ("p", text), ("p", "q")):
            nothing_below(store, *of, text)
        before = store.everything()
        store.clear_task_progress(text)
        store.set_app_state(text, None)
        with pytest.raises(ProfileNotFoundError) as profile:
            store.delete_profile(text)
        assert profile.value.profile_id == text
        for of in ((text, "q"), ("p", text)):
            with pytest.raises(QueryNotFoundError) as query:
                store.delete_query(*of)
            assert (query.value.profile_id, query.value.query_id) == of
        assert store.everything() == before

    def test_a_document_that_is_no_object_is_refused(self, store: Store) -> None:
        expected = "is not valid: input should be an object or instance of"
        with pytest.raises(
            ValidationError, match=f"^Profile {expected} Profile, got a value of type"
        ):
            store.save_profile([])
        with pytest.raises(ValidationError, match=f"^Query {expected} Query, got a value of type"):
            store.save_query("p", [])
        with pytest.raises(ValidationError, match=r"got a value of type str$"):
            store.save_profile('{"id": "p", "jira_config": {"token": "secret"}}')
        with pytest.raises(ValidationError, match=f"^AppState {expected} AppState, got 1"):
            store.save_records(AppState, [1])

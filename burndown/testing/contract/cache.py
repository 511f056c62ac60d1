"""Cached responses come back as they were saved."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import ValidationError
from burndown.jira import merge
from burndown.testing.contract.drawn import json_objects, keys, responses
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import HOUR, START, Store, in_utc, same

__all__ = ["CacheContract"]


numbered = st.builds(
    lambda number, fields: {"id": str(number), "key": f"K-{number}", "fields": fields},
    st.integers(1, 9),
    json_objects,
)


def states_completeness(response: dict[str, Any]) -> bool | None:
    """Return whether a response with distinct issues has all of them, as it states itself."""
    if "isLast" in response:
        is_last: bool = response["isLast"]
        return is_last
    return response["total"] == len(response["issues"]) if "total" in response else None


class CacheContract(ContractPart):
    """The contract of cached responses."""

    @given(keys, responses)
    def test_a_cached_response_comes_back_as_it_was_saved(
        self, shared: Store, key: str, response: dict[str, Any]
    ) -> None:
        """A response is stored unchanged, listed with its counts, and replaced by the next one."""
        shared.empty().save_jira_cache("p", "q", key, response, HOUR)
        assert same(shared.get_jira_cache("p", "q", key), response)
        [listed] = shared.list_jira_caches("p", "q")
        issues = response.get("issues")
        assert listed == {
            "cache_key": key,
            "created_at": in_utc(START),
            "expires_at": in_utc(HOUR),
            "expired": False,
            "issue_count": len(issues) if isinstance(issues, list) else 0,
            "is_complete": states_completeness(response),
        }
        shared.clock.now = START + timedelta(minutes=1)
        shared.save_jira_cache("p", "q", key, {"other": 1}, HOUR + timedelta(hours=1))
        assert shared.get_jira_cache("p", "q", key) == {"other": 1}
        [listed] = shared.list_jira_caches("p", "q")
        assert listed["created_at"] == in_utc(shared.clock.now)

    @given(st.dictionaries(keys, st.integers(0, 3), max_size=6))
    def test_cached_responses_are_listed_newest_first(
        self, shared: Store, made: dict[str, int]
    ) -> None:
        """Responses of the same time come by key, in the order of code points."""
        shared.empty()
        with shared.transaction():
            for key, days in made.items():
                shared.clock.now = START + timedelta(days=days)
                shared.save_jira_cache("p", "q", key, {}, HOUR)
        found = [each["cache_key"] for each in shared.list_jira_caches("p", "q")]
        assert found == sorted(made, key=lambda key: (-made[key], key))

    @given(
        st.lists(numbered, max_size=5),
        st.lists(numbered, max_size=3),
        st.lists(st.sampled_from(["K-1", "2", "K-3"]), max_size=2),
        st.booleans(),
    )
    def test_a_merge_equals_a_save_of_the_merged_response(
        self,
        shared: Store,
        issues: list[Any],
        changed: list[Any],
        removed: list[str],
        is_expired: bool,
    ) -> None:
        """Also of a response that has expired; it counts as saved by the merge."""
        response = {"startAt": 0, "issues": issues, "total": len(issues)}
        until = START if is_expired else HOUR
        shared.empty().save_jira_cache("p", "q", "merged", response, until)
        shared.clock.now = START + timedelta(minutes=1)
        later = HOUR + timedelta(hours=1)
        entry = shared.merge_jira_cache("p", "q", "merged", changed, removed, later)
        shared.save_jira_cache("p", "q", "saved", merge(response, changed, removed), later)
        merged, saved = shared.list_jira_caches("p", "q")
        assert merged == entry == {**saved, "cache_key": "merged"}
        both = [shared.get_jira_cache("p", "q", key) for key in ("merged", "saved")]
        assert same(*both)

    def test_nothing_is_merged_into_what_is_not_cached(self, store: Store) -> None:
        """The caller fetches all issues instead."""
        assert store.merge_jira_cache("p", "q", "k", [{"key": "K-1"}], [], HOUR) is None
        assert store.merge_jira_cache("p", "nobody", "k", [], [], HOUR) is None
        assert store.list_jira_caches("p", "q") == []

    @pytest.mark.parametrize("issues", ["no list", {}, None])
    def test_a_response_without_a_list_of_issues_is_not_merged(
        self, store: Store, issues: Any
    ) -> None:
        """The error names what it has in place of one."""
        store.save_jira_cache("p", "q", "k", {"issues": issues}, HOUR)
        with pytest.raises(ValidationError) as error:
            store.merge_jira_cache("p", "q", "k", [{"key": "K-1"}], [], timedelta(days=1))
        with pytest.raises(ValidationError) as expected:
            merge({"issues": issues}, [{"key": "K-1"}])
        assert error.value.problems == expected.value.problems
        assert store.get_jira_cache("p", "q", "k") == {"issues": issues}

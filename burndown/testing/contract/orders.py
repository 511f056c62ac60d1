"""Lists have the same order on all backends: by use, week or key, never by a language's rules."""

from datetime import timedelta

import pytest
from hypothesis import strategies as st

from burndown.testing.contract.drawn import identifiers
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import GOOD, HOUR, START, Store

__all__ = ["OrderContract"]

IDS = [
    *("B", "a", "A", "b", "a b", "a-b", "ab", "a_b", "aB", "Ab", "10", "9", "-1", "_", "~"),
    *("ä", "a\u0308", "Z", "z", "é", "e", "ß", "ss", "\u0131", "i", "I", "\u200fa", "\u200ba"),
    *("\uff21", "\uffee", "\U0001f600", "\U00010000", "\u4e2d", "\u0e01", "\ue000"),
]

"""Ids that languages sort in other ways than code points do; UTF-16 differs from both."""


class OrderContract(ContractPart):
    """The contract of the order of lists."""

    @given(st.dictionaries(identifiers, st.integers(0, 3), max_size=6))
    def test_lists_come_most_recently_used_first(self, shared: Store, used: dict[str, int]) -> None:
        """Profiles that were used at the same time come by id."""
        shared.clear()
        expected = sorted(used, key=lambda key: (-used[key], key))
        with shared.transaction():
            for key, days in used.items():
                shared.save_profile({"id": key, "last_used": START + timedelta(days=days)})
        assert [profile["id"] for profile in shared.list_profiles()] == expected
        shared.clear().save_profile({"id": "p"})
        with shared.transaction():
            for key, days in used.items():
                shared.save_query("p", {"id": key, "last_used": START + timedelta(days=days)})
        assert [query["id"] for query in shared.list_queries("p")] == expected

    @pytest.mark.parametrize("ids", [IDS, IDS[::-1]], ids=["forwards", "backwards"])
    def test_strings_are_compared_by_code_points(self, store: Store, ids: list[str]) -> None:
        """Neither a language, nor case, nor the order of saving decides the order."""
        store.clear().save_profile({"id": "p"})
        store.save_query("p", {"id": "q"})
        with store.transaction():
            for each in ids:
                store.save_query("p", {"id": each})
                store.save_jira_cache("p", "q", each, {}, HOUR)
                store.save_task_progress(each, 0, "running")
                store.save_jira_changelog("p", "q", each, {})
        expected = sorted(ids)
        assert [query["id"] for query in store.list_queries("p")] == sorted([*ids, "q"])
        assert [each["cache_key"] for each in store.list_jira_caches("p", "q")] == expected
        assert [each["task_name"] for each in store.list_task_progress()] == expected
        assert [each["issue_key"] for each in store.list_jira_changelogs("p", "q")] == expected
        assert list(store.get_jira_changelogs("p", "q")) == expected
        assert list(store.get_jira_changelogs("p", "q", reversed(expected))) == expected
        store.clear()
        with store.transaction():
            for each in ids:
                store.save_profile({"id": each})
        assert [profile["id"] for profile in store.list_profiles()] == expected

    def test_metric_types_are_compared_by_code_points(self, store: Store) -> None:
        """Digits come before the underscore, and that before letters."""
        kinds = ["b", "a_b", "ab", "a1", "a", "a__"]
        store.save_metrics_snapshots("p", "q", [{**GOOD, "metric_type": kind} for kind in kinds])
        found = [each["metric_type"] for each in store.get_metrics_snapshots("p", "q")]
        assert found == sorted(kinds)

    def test_weeks_of_four_digits_are_in_order(self, store: Store) -> None:
        """The first and the last year with weeks come last and first."""
        weeks = ["0001-W01", "0999-W52", "1970-W01", "2020-W53", "9999-W52"]
        store.save_metrics_snapshots("p", "q", [{**GOOD, "snapshot_date": week} for week in weeks])
        found = [each["snapshot_date"] for each in store.get_metrics_snapshots("p", "q")]
        assert found == weeks[::-1]

"""The calls that delete data delete what they name, and nothing else."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example
from hypothesis import strategies as st

from burndown import ValidationError, Week
from burndown.models import (
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    ProjectData,
    Query,
)
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import KEYS, START, Store, fill

__all__ = ["ForgettingContract"]

FORGETTING: dict[type[Entity], Callable[..., int]] = {
    JiraCache: lambda store, *ids: store.delete_jira_caches(*ids),
    JiraChangelog: lambda store, *ids: store.delete_jira_changelogs(*ids),
    ProjectData: lambda store, *ids: store.delete_project_data(*ids),
    MetricsSnapshot: lambda store, *ids: store.delete_metrics_snapshots(*ids),
}

"""The call that deletes all of an entity."""

IDS = [("p", "q"), ("p", "q2"), ("p2", "q")]

weeks = st.integers(-3, 3).map(lambda number: Week.of(START) + number)


class ForgettingContract(ContractPart):
    """The contract of what is deleted by the calls for it."""

    @pytest.mark.parametrize("entity", FORGETTING)
    @pytest.mark.parametrize("ids", [("p", "q"), ("p",)])
    def test_only_what_is_named_is_deleted(
        self, store: Store, entity: type[Entity], ids: tuple[str, ...]
    ) -> None:
        """Other entities, queries and profiles keep theirs."""
        for each in IDS:
            fill(store, *each)
        before = {model: list(store.records(model)) for model in KEYS}
        forgotten = [each for each in IDS if each[: len(ids)] == ids]
        assert FORGETTING[entity](store, *ids) == len(forgotten)
        for model in KEYS:
            assert list(store.records(model)) == [
                each
                for each in before[model]
                if model is not entity or (each["profile_id"], each["query_id"]) not in forgotten
            ]
        assert FORGETTING[entity](store, *ids) == 0

    @pytest.mark.parametrize("entity", FORGETTING)
    def test_nothing_is_deleted_where_there_is_nothing(
        self, store: Store, entity: type[Entity]
    ) -> None:
        """A missing profile or query is no error; neither is an id that cannot exist."""
        fill(store, "p", "q")
        before = store.everything()
        for ids in [
            ("none",),
            ("none", "q"),
            ("p", "none"),
            ("p", "a\0b"),
            ("\ud800",),
            ("P", "q"),
        ]:
            assert FORGETTING[entity](store, *ids) == 0
        assert store.everything() == before

    def test_expired_and_valid_responses_are_deleted_by_key(self, store: Store) -> None:
        for key in ("a", "ab", "b", "c"):
            store.save_jira_cache("p", "q", key, {}, timedelta(hours=1 if key == "a" else -1))
        assert store.delete_jira_caches("p", "q", "a") == 1
        assert store.delete_jira_caches("p", cache_key="b") == 1
        assert store.delete_jira_caches("p", "q", "") == 0
        assert [each["cache_key"] for each in store.list_jira_caches("p", "q")] == ["ab", "c"]

    @pytest.mark.parametrize("keys", ["K-1", b"K-1", [1], [None]])
    def test_what_is_no_list_of_issue_keys_is_refused(self, store: Store, keys: Any) -> None:
        """A single key would be one key for each of its characters."""
        store.save_jira_changelogs("p", "q", {"K-1": {}})
        for call in (
            store.delete_jira_changelogs,
            store.get_jira_changelogs,
            store.find_jira_changelogs,
        ):
            with pytest.raises(ValidationError, match="issue_keys: input should be a list of keys"):
                call("p", "q", keys)
        assert store.delete_jira_changelogs("p", "q", ["K-1"]) == 1

    @given(
        st.sets(st.sampled_from(["K-1", "K-10", "k-1", "ü"])),
        st.lists(st.sampled_from(["K-1", "K-10", "none", "", "\ud800", "a\0b"])),
    )
    def test_changelogs_of_issues_are_deleted(
        self, shared: Store, stored: set[str], deleted: list[str]
    ) -> None:
        """The keys may be any iterable, with repetitions; no key is no issue."""
        shared.empty().save_jira_changelogs("p", "q", {key: {} for key in stored})
        assert shared.delete_jira_changelogs("p", "q", iter(deleted)) == len(stored & set(deleted))
        assert shared.get_jira_changelogs("p", "q").keys() == stored - set(deleted)

    @given(
        st.sets(st.tuples(weeks, st.sampled_from(["dora", "dora_2"])), max_size=8),
        st.none() | st.sampled_from(["dora", "dora_2", "other"]),
        st.none() | weeks,
        st.none() | weeks,
    )
    @example({(Week.of(START), "dora")}, None, Week.of(START), Week.of(START))
    def test_weeks_are_read_and_deleted_by_the_same_conditions(
        self,
        shared: Store,
        stored: set[tuple[Week, str]],
        metric_type: str | None,
        since: Week | None,
        until: Week | None,
    ) -> None:
        """Both bounds are included; a range without weeks deletes nothing."""
        shared.empty().save_metrics_snapshots(
            "p",
            "q",
            [
                {"snapshot_date": str(week), "metric_type": kind, "metrics": {}}
                for week, kind in stored
            ],
        )

        def found(metric_type: str | None, *bounds: Week | None) -> set[tuple[Week, str]]:
            snapshots = shared.get_metrics_snapshots("p", "q", metric_type, None, *bounds)
            return {(Week.of(each["snapshot_date"]), each["metric_type"]) for each in snapshots}

        in_range = {
            (week, kind)
            for week, kind in stored
            if (since is None or since <= week) and (until is None or week <= until)
        }
        doomed = {(week, kind) for week, kind in in_range if metric_type in (None, kind)}
        assert found(metric_type, since, until) == doomed
        assert shared.delete_metrics_snapshots("p", "q", metric_type, since, until) == len(doomed)
        assert found(None) == stored - doomed

    def test_a_transaction_undoes_it(self, store: Store) -> None:
        fill(store, "p", "q")
        before = store.everything()
        with suppress(LookupError), store.transaction():
            for forget in FORGETTING.values():
                assert forget(store, "p") == 1
            assert not [each for model in FORGETTING for each in store.records(model)]
            raise LookupError
        assert store.everything() == before

    def test_every_entity_of_a_query_can_be_deleted(self, store: Store) -> None:
        """Records of each entity are deleted in the same way; the query remains."""
        fill(store, "p", "q")
        for model, key in KEYS.items():
            if key[:2] == ("profile_id", "query_id"):
                assert store.delete_records(model, "p", "q") == 1
                assert list(store.records(model)) == []
        assert [each["id"] for each in store.records(Query)] == ["q"]

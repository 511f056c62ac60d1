"""Metrics of a week come back as they were saved, newest week first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown.testing.contract.drawn import iso_weeks, json_values, snapshots, words
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import GOOD, HOUR, START, Store, in_utc, same

__all__ = ["MetricsContract"]

iso_weeks_of_2025 = st.integers(1, 52).map("2025-W{:02}".format)

numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)

patches = st.dictionaries(st.sampled_from("abc"), st.none() | json_values)


def patched(before: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    kept = {key: item for key, item in (before or {}).items() if key not in changes}
    return kept | {key: item for key, item in changes.items() if item is not None}


class MetricsContract(ContractPart):
    """The contract of metrics of weeks."""

    @given(snapshots)
    def test_a_snapshot_comes_back_as_it_was_saved(
        self, shared: Store, snapshot: dict[str, Any]
    ) -> None:
        """A snapshot has all that was saved, and its time."""
        shared.empty().save_metrics_snapshot("p", "q", **snapshot)
        expected = {
            "forecast": None,
            "forecasts": None,
            **snapshot,
            "profile_id": "p",
            "query_id": "q",
            "created_at": in_utc(START),
        }
        [found] = shared.get_metrics_snapshots("p", "q")
        assert found.keys() == expected.keys()
        assert all(same(found[key], expected[key]) for key in expected)
        assert shared.get_metrics_snapshots("p", "q", snapshot["metric_type"]) == [found]
        assert shared.get_metrics_snapshots("p", "q", snapshot["metric_type"] + "x") == []

    @given(st.lists(snapshots, max_size=5))
    def test_the_last_snapshot_of_a_week_and_type_is_kept(
        self, shared: Store, many: list[dict[str, Any]]
    ) -> None:
        """Each week has one snapshot of a type."""
        shared.empty().save_metrics_snapshots("p", "q", many)
        expected = {(each["snapshot_date"], each["metric_type"]): each["metrics"] for each in many}
        found = shared.get_metrics_snapshots("p", "q", limit=None)
        assert {
            (each["snapshot_date"], each["metric_type"]): each["metrics"] for each in found
        } == (expected)

    @given(st.sets(st.tuples(iso_weeks, words), max_size=8), st.integers(1, 8))
    def test_snapshots_come_newest_week_first_up_to_the_limit(
        self, shared: Store, kept: set[tuple[str, str]], limit: int
    ) -> None:
        """Snapshots of the same week come by type."""
        shared.empty().save_metrics_snapshots(
            "p",
            "q",
            [{"snapshot_date": week, "metric_type": kind, "metrics": {}} for week, kind in kept],
        )

        def found(**options: Any) -> list[tuple[str, str]]:
            return [
                (each["snapshot_date"], each["metric_type"])
                for each in shared.get_metrics_snapshots("p", "q", **options)
            ]

        expected = sorted(
            sorted(kept, key=lambda key: key[1]), key=lambda key: key[0], reverse=True
        )
        assert found() == expected
        assert found(limit=None) == expected
        assert found(limit=limit) == expected[:limit]
        for kind in {kind for _, kind in kept}:
            of_kind = [key for key in expected if key[1] == kind]
            assert found(metric_type=kind, limit=limit) == of_kind[:limit]

    @pytest.mark.parametrize("limit", [2**31, 2**63 - 1, 2**63, 10**30])
    def test_a_limit_may_be_any_number(self, store: Store, limit: int) -> None:
        """A limit larger than any integer of a database is no limit."""
        store.save_metrics_snapshots("p", "q", [GOOD])
        assert len(store.get_metrics_snapshots("p", "q", limit=limit)) == 1

    def test_the_default_limit_is_a_year_of_weeks(self, store: Store) -> None:
        """By default 52 snapshots come; with ``limit=None`` all of them."""
        weeks = [
            "{}-W{:02d}".format(*(START + timedelta(weeks=back)).isocalendar())
            for back in range(60)
        ]
        store.save_metrics_snapshots("p", "q", [{**GOOD, "snapshot_date": week} for week in weeks])
        assert len(store.get_metrics_snapshots("p", "q")) == 52
        assert len(store.get_metrics_snapshots("p", "q", limit=None)) == 60

    def test_a_similar_type_is_another_one(self, store: Store) -> None:
        """So is one that begins with it."""
        kinds = ["dor", "dora", "dora_2"]
        store.save_metrics_snapshots("p", "q", [{**GOOD, "metric_type": kind} for kind in kinds])
        for kind in kinds:
            found = store.get_metrics_snapshots("p", "q", kind)
            assert [each["metric_type"] for each in found] == [kind]
        for kind in kinds:
            assert store.delete_metrics_snapshots("p", "q", kind) == 1

    def test_a_snapshot_may_have_its_own_creation_time(self, store: Store) -> None:
        """It can be given for each of many snapshots."""
        made = START - timedelta(days=3)
        store.save_metrics_snapshots("p", "q", [{**GOOD, "created_at": made.isoformat()}])
        [found] = store.get_metrics_snapshots("p", "q")
        assert found["created_at"] == in_utc(made)

    @given(
        st.dictionaries(st.tuples(iso_weeks_of_2025, st.sampled_from(["dora", "flow"])), numbers),
        st.none() | iso_weeks_of_2025,
        st.none() | iso_weeks_of_2025,
    )
    def test_a_series_has_the_values_that_were_saved(
        self,
        shared: Store,
        saved: dict[tuple[str, str], float],
        since: str | None,
        until: str | None,
    ) -> None:
        """Several series come over the same weeks, and one of them as the only one of a list."""
        shared.empty().save_metrics_snapshots(
            "p",
            "q",
            [
                {"snapshot_date": week, "metric_type": kind, "metrics": {"n": number}}
                for (week, kind), number in saved.items()
            ],
        )
        several = shared.get_series("p", "q", ["dora.n", "flow.n", "other.n"], since, until)
        assert len({tuple(each["weeks"]) for each in several}) == 1
        for series in several:
            kind = series["metric"].partition(".")[0]
            assert series["values"] == [saved.get((week, kind)) for week in series["weeks"]]
        in_range = [week for week, _ in saved if (since or "") <= week <= (until or "9")]
        assert set(in_range) <= set(several[0]["weeks"])
        one = shared.get_series("p", "q", "dora.n", since, until)
        assert shared.get_series("p", "q", ["dora.n"], since, until) == [one]
        assert [each for each in one["values"] if each is not None] == [
            each
            for week, each in zip(several[0]["weeks"], several[0]["values"], strict=True)
            if each is not None
        ]

    def test_there_are_no_series_of_no_metrics(self, store: Store) -> None:
        store.save_metrics_snapshots("p", "q", [GOOD])
        assert store.get_series("p", "q", []) == []
        assert store.get_series("p", "none", "dora.k")["values"] == []
        assert (
            store.get_series("p", "none", "dora.k", "2025-W01", "2025-W02")["values"] == [None] * 2
        )

    @given(
        st.none() | patches,
        st.none() | patches,
        patches,
        st.none() | patches,
    )
    def test_a_patch_changes_the_metrics_that_it_names(
        self, shared: Store, before: Any, forecasts_before: Any, changes: Any, forecasts: Any
    ) -> None:
        """The others are kept, with the forecast of the snapshot; ``None`` removes one."""
        shared.empty()
        if before is not None:
            shared.save_metrics_snapshot(
                "p", "q", "2025-W12", "dora", before, {"k": 1}, forecasts_before
            )
        shared.save_metrics_snapshots("p", "q", [{**GOOD, "metric_type": "flow"}])
        shared.clock.now = HOUR
        shared.patch_metrics("p", "q", "2025-03-17", "dora", changes, forecasts)
        found, other = shared.get_metrics_snapshots("p", "q")
        assert found["metrics"] == patched(before, changes)
        kept = None if before is None else forecasts_before
        assert found["forecasts"] == (kept if forecasts is None else patched(kept, forecasts))
        assert found["forecast"] == (None if before is None else {"k": 1})
        assert found["created_at"] == in_utc(HOUR)
        assert (other["metrics"], other["created_at"]) == (GOOD["metrics"], in_utc(START))

    def test_no_patch_of_concurrent_ones_is_lost(self, store: Store) -> None:
        def patch(number: int) -> None:
            store.patch_metrics("p", "q", "2025-W12", "dora", {f"k{number}": number})

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(patch, range(40)))
        [found] = store.get_metrics_snapshots("p", "q")
        assert found["metrics"] == {f"k{number}": number for number in range(40)}

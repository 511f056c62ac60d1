"""Metrics of a week come back as they were saved, newest week first."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.store import GOOD, START, Store, in_utc, same
from tests.support.strategies import iso_weeks, snapshots, words


@given(snapshots)
def test_a_snapshot_comes_back_as_it_was_saved(shared: Store, snapshot: dict[str, Any]) -> None:
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
    shared: Store, many: list[dict[str, Any]]
) -> None:
    """Each week has one snapshot of a type."""
    shared.empty().save_metrics_snapshots("p", "q", many)
    expected = {(each["snapshot_date"], each["metric_type"]): each["metrics"] for each in many}
    found = shared.get_metrics_snapshots("p", "q", limit=None)
    assert {(each["snapshot_date"], each["metric_type"]): each["metrics"] for each in found} == (
        expected
    )


@given(st.sets(st.tuples(iso_weeks, words), max_size=8), st.integers(1, 8))
def test_snapshots_come_newest_week_first_up_to_the_limit(
    shared: Store, kept: set[tuple[str, str]], limit: int
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

    expected = sorted(sorted(kept, key=lambda key: key[1]), key=lambda key: key[0], reverse=True)
    assert found() == expected
    assert found(limit=None) == expected
    assert found(limit=limit) == expected[:limit]
    for kind in {kind for _, kind in kept}:
        of_kind = [key for key in expected if key[1] == kind]
        assert found(metric_type=kind, limit=limit) == of_kind[:limit]


@pytest.mark.parametrize("limit", [2**31, 2**63 - 1, 2**63, 10**30])
def test_a_limit_may_be_any_number(store: Store, limit: int) -> None:
    """A limit larger than any integer of a database is no limit."""
    store.save_metrics_snapshots("p", "q", [GOOD])
    assert len(store.get_metrics_snapshots("p", "q", limit=limit)) == 1


def test_the_default_limit_is_a_year_of_weeks(store: Store) -> None:
    """By default 52 snapshots come; with ``limit=None`` all of them."""
    weeks = [
        "{}-W{:02d}".format(*(START + timedelta(weeks=back)).isocalendar()) for back in range(60)
    ]
    store.save_metrics_snapshots("p", "q", [{**GOOD, "snapshot_date": week} for week in weeks])
    assert len(store.get_metrics_snapshots("p", "q")) == 52
    assert len(store.get_metrics_snapshots("p", "q", limit=None)) == 60


def test_a_snapshot_may_have_its_own_creation_time(store: Store) -> None:
    """It can be given for each of many snapshots."""
    made = START - timedelta(days=3)
    store.save_metrics_snapshots("p", "q", [{**GOOD, "created_at": made.isoformat()}])
    [found] = store.get_metrics_snapshots("p", "q")
    assert found["created_at"] == in_utc(made)

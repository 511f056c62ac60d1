"""Timestamps stay exact, and are returned in UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import strategies as st

from burndown import ValidationError, profile_manager, query_manager
from burndown.models import JiraCache
from burndown.testing.contract.drawn import timestamps
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.contract.time_zones import local_time_zone
from burndown.testing.controlled_store import HOUR, START, Store, in_utc

__all__ = ["TimeContract"]

FIRST = datetime(1, 1, 1, tzinfo=UTC)

LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)

odd_offsets = st.integers(-86_399, 86_399).map(lambda seconds: timedelta(seconds=seconds))
"""Python reads no offset with fractions of a second from a string."""


class TimeContract(ContractPart):
    """The contract of timestamps."""

    @pytest.mark.parametrize("zone", ["UTC0", "XXX8", "IST-5:30", "CET-1CEST,M3.5.0,M10.5.0/3"])
    def test_a_timestamp_without_an_offset_is_local_time(self, store: Store, zone: str) -> None:
        """Naive timestamps of callers mean local time."""
        with local_time_zone(zone):
            naive = datetime(2025, 7, 1, 12)
            utc = datetime.fromtimestamp(naive.timestamp(), UTC)
            store.save_profile({"id": "p", "created_at": naive, "last_used": naive.isoformat()})
            profile = store.get_profile("p")
            assert profile["created_at"] == profile["last_used"] == utc.isoformat()
            store.save_jira_cache("p", "q", "k", {}, naive)
            store.clock.now = utc - timedelta(microseconds=1)
            assert store.get_jira_cache("p", "q", "k") == {}
            store.clock.now = utc
            assert store.get_jira_cache("p", "q", "k") is None

    def test_saving_without_a_timestamp_keeps_the_stored_one(self, store: Store) -> None:
        """A stored row keeps its timestamps if none is given; a new one gets the current time."""
        store.clock.now = START + timedelta(days=1)
        for _ in range(2):
            store.save_profile({"id": "p"})
            store.save_query("p", {"id": "q"})
            for found in (store.get_profile("p"), store.get_query("p", "q")):
                assert (found["created_at"], found["last_used"]) == (in_utc(START), in_utc(START))
        later = in_utc(START + timedelta(days=2))
        store.save_profile({"id": "p", "last_used": later})
        store.save_query("p", {"id": "q", "last_used": later})
        for found in (store.get_profile("p"), store.get_query("p", "q")):
            assert (found["created_at"], found["last_used"]) == (in_utc(START), later)
        store.save_profile({"id": "new"})
        store.save_query("new", {"id": "q"})
        for found in (store.get_profile("new"), store.get_query("new", "q")):
            assert found["created_at"] == found["last_used"] == in_utc(store.clock.now)

    @given(timestamps)
    def test_every_timestamp_is_returned_in_utc(self, shared: Store, timestamp: datetime) -> None:
        """It is the same point in time, with the offset of UTC."""
        shared.clear().save_profile({"id": "p", "created_at": timestamp, "last_used": timestamp})
        found = shared.get_profile("p")
        assert found["created_at"] == found["last_used"] == in_utc(timestamp)

    @given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), odd_offsets.map(timezone))
    def test_a_timestamp_may_have_any_offset(
        self, shared: Store, naive: datetime, zone: timezone
    ) -> None:
        """Offsets with seconds and microseconds are exact."""
        timestamp = naive.replace(tzinfo=zone)
        shared.empty().save_profile(
            {"id": "p", "created_at": timestamp.isoformat(), "last_used": timestamp}
        )
        found = shared.get_profile("p")
        assert found["created_at"] == found["last_used"] == in_utc(timestamp)
        shared.save_jira_changelog("p", "q", "K-1", {}, timestamp)
        [listed] = shared.list_jira_changelogs("p", "q")
        assert listed["expires_at"] == in_utc(timestamp)

    @pytest.mark.parametrize("timestamp", [FIRST, LAST, LAST.replace(microsecond=0)], ids=str)
    def test_the_first_and_the_last_timestamp_are_kept(
        self, store: Store, timestamp: datetime
    ) -> None:
        """The ends of the calendar are valid timestamps, for the clock too."""
        store.save_profile({"id": "p", "created_at": timestamp, "last_used": timestamp.isoformat()})
        found = store.get_profile("p")
        assert found["created_at"] == found["last_used"] == in_utc(timestamp)
        store.save_jira_changelog("p", "q", "K-1", {"k": 1}, timestamp)
        alive = {"k": 1} if timestamp > START else None
        assert store.get_jira_changelog("p", "q", "K-1") == alive
        store.clock.now = timestamp
        store.save_task_progress("task", 0, "running")
        assert store.get_task_progress("task")["updated_at"] == in_utc(timestamp)
        store.save_jira_cache("p", "q", "k", {}, HOUR)
        [listed] = store.list_jira_caches("p", "q")
        assert (listed["created_at"], listed["expired"]) == (in_utc(timestamp), timestamp > HOUR)
        assert [each["created_at"] for each in store.records(JiraCache)] == [in_utc(timestamp)]
        assert store.cleanup_expired_cache() == (1 if timestamp == FIRST else 2)

    @pytest.mark.parametrize(
        "timestamp",
        [
            FIRST.replace(tzinfo=timezone(timedelta(minutes=1))),
            (LAST - timedelta(microseconds=1)).replace(tzinfo=timezone(timedelta(minutes=-1))),
            "0001-01-01T00:00:00+00:01",
            "0001-01-01 00:00:00+14",
            "10000-01-01T00:00:00+00:00",
            "0000-12-31T00:00:00+00:00",
        ],
        ids=str,
    )
    def test_a_timestamp_beyond_the_calendar_is_refused(
        self, store: Store, timestamp: datetime | str
    ) -> None:
        """A timestamp outside the years 1 to 9999 in UTC is refused, and nothing is written."""
        before = store.everything()
        with pytest.raises(ValidationError) as refused:
            store.save_profile({"id": "p", "last_used": timestamp})
        assert [problem.path for problem in refused.value.problems] == ["last_used"]
        with pytest.raises(ValidationError) as refused:
            store.save_jira_cache("p", "q", "k", {}, timestamp)
        [problem] = refused.value.problems
        assert problem.path == "expires_at"
        given = timestamp if isinstance(timestamp, str) else timestamp.isoformat()
        assert problem.got == repr(given)
        if isinstance(timestamp, datetime) or timestamp.startswith("0001"):
            assert "within the years 1 to 9999" in problem.expected
        assert store.everything() == before

    def test_the_clock_of_the_backend_decides_every_time_that_is_stored(self, store: Store) -> None:
        """Whichever method or manager stores a document that has none: no other time is found."""
        store.clear().clock.now = datetime(2200, 1, 1, tzinfo=UTC)
        backend = store.backend
        profile_id = profile_manager.create_profile("Team", backend=backend)
        query_id = query_manager.create_query(profile_id, "Bugs", "type = Bug", backend=backend)
        ids = (profile_id, query_id)
        week = {"snapshot_date": "2025-W12", "metric_type": "dora", "metrics": {}}
        for change in (
            lambda: profile_manager.rename_profile(profile_id, "Team A", backend=backend),
            lambda: profile_manager.update_profile(
                profile_id, {"show_points": True}, backend=backend
            ),
            lambda: query_manager.rename_query(*ids, "All bugs", backend=backend),
            lambda: query_manager.update_query(*ids, jql="status = Open", backend=backend),
            lambda: store.save_profile({"id": "plain"}),
            lambda: store.save_query("plain", {"id": "q"}),
            lambda: store.patch_profile("plain", {"description": "changed"}),
            lambda: store.patch_query("plain", "q", {"description": "changed"}),
            lambda: store.save_jira_cache(*ids, "k", {"issues": []}, timedelta(hours=1)),
            lambda: store.merge_jira_cache(*ids, "k", [{"key": "A-1"}], [], timedelta(hours=1)),
            lambda: store.cached(*ids, "fetched", lambda: {"issues": []}, timedelta(hours=1)),
            lambda: store.save_jira_changelog(*ids, "A-1", {}, timedelta(hours=1)),
            lambda: store.save_project_data(*ids, {}),
            lambda: store.save_metrics_snapshots(*ids, [week]),
            lambda: store.patch_metrics(*ids, "2025-W12", "dora", {"new": 1}),
            lambda: store.patch_metrics(*ids, "2025-W13", "dora", {"new": 1}),
            lambda: store.save_budget(*ids, {"budget_total": 1}),
            lambda: store.add_budget_revision(*ids, {"reason": "scope"}),
            lambda: store.save_task_progress("task", 50, "running"),
            lambda: profile_manager.duplicate_profile(profile_id, "Copy", backend=backend),
            lambda: query_manager.duplicate_query(*ids, "Copy", backend=backend),
            lambda: profile_manager.switch_profile(profile_id, backend=backend),
            lambda: query_manager.switch_query(*ids, backend=backend),
        ):
            store.clock.now += timedelta(minutes=1)
            change()
        with store.task("work") as task:
            task.progress(10)
        years = re.findall(r"(\d{4})-\d\d-\d\dT", str(store.everything()))
        assert len(years) > 40
        assert {*years} == {"2200"}

"""Entries are returned until they expire, to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown.testing.contract.drawn import aware_timestamps
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.contract.time_zones import local_time_zone
from burndown.testing.contract.timestamps import FIRST, LAST
from burndown.testing.controlled_store import START, Store, in_utc

__all__ = ["ExpiryContract"]

ZONES = [None, UTC, *(timezone(timedelta(hours=hours)) for hours in (-23, -5, 1, 14, 23))]


class ExpiryContract(ContractPart):
    """The contract of the expiry of cached responses and changelogs."""

    @given(st.lists(st.integers(-5, 5) | st.none(), max_size=6), st.integers(-5, 5))
    def test_entries_are_returned_until_they_expire_and_deleted_by_cleaning(
        self, shared: Store, expiries: list[int | None], now: int
    ) -> None:
        """An entry is valid up to the exact microsecond, and cleaning deletes it."""
        shared.empty()
        microsecond = timedelta(microseconds=1)
        timestamps_of = {
            f"K-{number}": None if expiry is None else START + expiry * microsecond
            for number, expiry in enumerate(expiries)
        }
        with shared.transaction():
            for key, timestamp in timestamps_of.items():
                shared.save_jira_changelog("p", "q", key, {"key": key}, timestamp)
                if timestamp is not None:
                    shared.save_jira_cache("p", "q", key, {"key": key}, timestamp)
        shared.clock.now = START + now * microsecond
        dead = {
            key
            for key, timestamp in timestamps_of.items()
            if timestamp and timestamp <= shared.clock.now
        }
        for key, timestamp in timestamps_of.items():
            alive = None if key in dead else {"key": key}
            assert shared.get_jira_changelog("p", "q", key) == alive
            if timestamp is not None:
                assert shared.get_jira_cache("p", "q", key) == alive
        assert shared.get_jira_changelogs("p", "q").keys() == timestamps_of.keys() - dead
        assert (
            shared.get_jira_changelogs("p", "q", timestamps_of).keys()
            == timestamps_of.keys() - dead
        )
        listed = {each["cache_key"]: each["expired"] for each in shared.list_jira_caches("p", "q")}
        assert listed == {key: key in dead for key, timestamp in timestamps_of.items() if timestamp}
        assert shared.list_jira_changelogs("p", "q") == [
            {
                "issue_key": key,
                "expires_at": None if timestamp is None else in_utc(timestamp),
                "is_complete": None,
                "expired": key in dead,
            }
            for key, timestamp in sorted(timestamps_of.items())
        ]
        assert shared.cleanup_expired_cache() == 2 * len(dead)
        assert shared.cleanup_expired_cache() == 0
        shared.clock.now = START - timedelta(days=1)
        assert shared.get_jira_changelogs("p", "q").keys() == timestamps_of.keys() - dead
        assert {each["cache_key"] for each in shared.list_jira_caches("p", "q")} == {
            key for key, timestamp in timestamps_of.items() if timestamp and key not in dead
        }

    @given(aware_timestamps, aware_timestamps)
    def test_an_expiry_may_have_any_offset(
        self, shared: Store, expires_at: datetime, now: datetime
    ) -> None:
        """Timestamps are compared as points in time, not as strings."""
        shared.empty().clock.now = now
        shared.save_jira_cache("p", "q", "k", {}, expires_at)
        assert (shared.get_jira_cache("p", "q", "k") is not None) is (expires_at > now)
        [listed] = shared.list_jira_caches("p", "q")
        assert listed["expires_at"] == in_utc(expires_at)
        assert listed["expired"] is (expires_at <= now)

    def test_a_clock_without_an_offset_is_local_time(self, store: Store) -> None:
        """A clock may return naive timestamps."""
        store.clock.now = datetime(2025, 7, 1)
        store.save_jira_cache("p", "q", "k", {}, datetime(2025, 7, 1, 0, 0, 1))
        store.save_jira_cache("p", "q", "l", {}, datetime(2025, 7, 1))
        assert store.get_jira_cache("p", "q", "k") == {}
        assert store.get_jira_cache("p", "q", "l") is None
        listed = {each["cache_key"]: each["expired"] for each in store.list_jira_caches("p", "q")}
        assert listed == {"k": False, "l": True}
        store.save_jira_changelog("p", "q", "K-1", {}, datetime(2025, 7, 1))
        assert [each["expired"] for each in store.list_jira_changelogs("p", "q")] == [True]
        assert store.cleanup_expired_cache() == 2

    @pytest.mark.parametrize("local", ["UTC0", "XXX11", "XXX-14"])
    @pytest.mark.parametrize("zone", ZONES, ids=str)
    def test_datetime_max_is_the_last_timestamp_in_every_time_zone(
        self, shared: Store, zone: timezone | None, local: str
    ) -> None:
        """It stays the last one, whatever its offset and the local time zone."""
        shared.empty()
        with local_time_zone(local):
            for number, given in enumerate([datetime.max.replace(tzinfo=zone)] * 2):
                expires_at: Any = given if number == 0 else given.isoformat()
                shared.save_jira_cache("p", "q", "k", {"k": 1}, expires_at)
                shared.save_jira_changelog("p", "q", "K-1", {"k": 1}, expires_at)
                listed = [
                    *shared.list_jira_caches("p", "q"),
                    *shared.list_jira_changelogs("p", "q"),
                ]
                assert {each["expires_at"] for each in listed} == {LAST.isoformat()}
                assert not any(each["expired"] for each in listed)
                shared.clock.now = LAST - timedelta(microseconds=1)
                assert shared.get_jira_cache("p", "q", "k") == {"k": 1}
                assert shared.get_jira_changelog("p", "q", "K-1") == {"k": 1}
                shared.clock.now = START

    @given(st.timedeltas() | st.sampled_from([timedelta.max, timedelta.min, timedelta()]))
    def test_an_expiry_can_be_a_lifetime(self, shared: Store, lifetime: timedelta) -> None:
        """It begins at the time of the backend's clock; one beyond the calendar never ends."""
        shared.empty()
        shared.save_jira_cache("p", "q", "k", {"k": 1}, lifetime)
        shared.save_jira_changelog("p", "q", "K-1", {"k": 1}, lifetime)
        shared.save_jira_changelogs("p", "q", {"K-2": {"k": 1}}, expires_at=lifetime)
        try:
            expiry = START + lifetime
        except OverflowError:
            expiry = LAST if lifetime > timedelta() else FIRST
        listed = [*shared.list_jira_caches("p", "q"), *shared.list_jira_changelogs("p", "q")]
        assert [each["expires_at"] for each in listed] == [expiry.isoformat()] * 3
        assert [each["expired"] for each in listed] == [lifetime <= timedelta()] * 3
        alive = lifetime > timedelta()
        assert (shared.get_jira_cache("p", "q", "k") is not None) is alive
        assert (shared.get_jira_changelog("p", "q", "K-2") is not None) is alive
        if alive and expiry < LAST:
            shared.clock.now = expiry
            assert shared.get_jira_cache("p", "q", "k") is None

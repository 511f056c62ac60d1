"""Cached data are found with their age, also after their expiry, and their size has a limit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import strategies as st

from burndown import PersistenceBackend
from burndown.models import JiraCache, JiraChangelog
from burndown.testing.contract.drawn import keys, responses
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import HOUR, START, Store, in_utc

__all__ = ["FreshnessContract"]

MICROSECOND = timedelta(microseconds=1)

some_staleness = st.none() | st.integers(0, 8).map(lambda number: number * MICROSECOND)


def state_of(expires_at: datetime | None, now: datetime) -> str:
    return "fresh" if expires_at is None or now < expires_at else "stale"


def may_be_found(expires_at: datetime | None, now: datetime, max_stale: timedelta | None) -> bool:
    return expires_at is None or max_stale is None or now - expires_at < max_stale


# --- the size of the cache -------------------------------------------------------------------
@contextmanager
def undone(store: Store) -> Iterator[None]:
    """Undo the block."""
    with suppress(LookupError), store.transaction():
        yield
        raise LookupError


def smallest(limit: int, is_enough: Callable[[int], bool]) -> int:
    """Return the smallest number up to the limit that is enough."""
    low = 0
    while low < limit:
        middle = (low + limit) // 2
        low, limit = (low, middle) if is_enough(middle) else (middle + 1, limit)
    return low


def stored_bytes(store: Store, profile_id: str | None = None) -> int:
    """Return the smallest limit that deletes nothing."""

    def is_enough(max_bytes: int) -> bool:
        with undone(store):
            deleted = store.cleanup(max_bytes, profile_id)
        return bool(deleted == 0)

    return smallest(2**22, is_enough)


CONTENT = {"k": "v" * 100}

entries = st.lists(
    st.tuples(
        st.sampled_from([JiraCache, JiraChangelog]),
        st.sampled_from(["p", "o"]),
        st.integers(0, 6),  # when it is saved, in hours
        st.integers(0, 6),  # for how many hours it is valid
    ),
    max_size=6,
)


def save_entry(store: Store, kind: type, profile_id: str, key: str, expires_at: datetime) -> None:
    if kind is JiraCache:
        store.save_jira_cache(profile_id, "q", key, CONTENT, expires_at)
    else:
        store.save_jira_changelog(profile_id, "q", key, CONTENT, expires_at)


def kept_entries(backend: PersistenceBackend) -> set[str]:
    """Return the keys of what is cached."""
    return {each["cache_key"] for each in backend.records(JiraCache)} | {
        each["issue_key"] for each in backend.records(JiraChangelog)
    }


class FreshnessContract(ContractPart):
    """The contract of the age and size of cached data."""

    @given(
        st.dictionaries(keys, st.none() | st.integers(-5, 5), max_size=5),
        st.integers(0, 5),
        some_staleness,
    )
    def test_what_is_not_too_stale_is_found_with_its_age(
        self, shared: Store, expiries: dict[str, int | None], now: int, max_stale: timedelta | None
    ) -> None:
        """Up to the exact microsecond, and cleaning with the same staleness keeps just that."""
        shared.empty()
        timestamps = {
            key: None if expiry is None else START + expiry * MICROSECOND
            for key, expiry in expiries.items()
        }
        with shared.transaction():
            for key, timestamp in timestamps.items():
                shared.save_jira_changelog("p", "q", key, {"key": key}, timestamp)
                if timestamp is not None:
                    shared.save_jira_cache("p", "q", key, {"issues": [{"key": key}]}, timestamp)
        clock = shared.clock.now = START + now * MICROSECOND
        found = {key for key, each in timestamps.items() if may_be_found(each, clock, max_stale)}
        for key, timestamp in timestamps.items():
            dates = {
                "created_at": in_utc(START),
                "expires_at": None if timestamp is None else in_utc(timestamp),
                "age": (now * MICROSECOND).total_seconds(),
                "state": state_of(timestamp, clock),
            }
            expected: Any = {"changelog": {"key": key}, "is_complete": None, **dates}
            changelog = shared.find_jira_changelog("p", "q", key, max_stale)
            assert changelog == (expected if key in found else None)
            if timestamp is not None:
                response = {"response": {"issues": [{"key": key}]}, "issue_count": 1}
                expected = {**response, "is_complete": None, **dates}
                cached = shared.find_jira_cache("p", "q", key, max_stale)
                assert cached == (expected if key in found else None)
        several = shared.find_jira_changelogs("p", "q", timestamps, max_stale)
        assert several == shared.find_jira_changelogs("p", "q", max_stale=max_stale)
        assert list(several) == sorted(found)
        before = shared.find_jira_changelogs("p", "q")
        assert before.keys() == timestamps.keys()
        deleted = shared.cleanup_expired_cache(max_stale=max_stale)
        assert deleted == sum(
            1 if timestamps[key] is None else 2 for key in timestamps.keys() - found
        )
        assert shared.find_jira_changelogs("p", "q") == several

    @given(responses)
    def test_a_response_that_is_found_is_the_one_that_is_listed(
        self, shared: Store, response: dict[str, Any]
    ) -> None:
        """It has the counts of the list, and the status of its query has the same."""
        shared.empty().save_jira_cache("p", "q", "k", response, HOUR)
        [listed] = shared.list_jira_caches("p", "q")
        found = shared.find_jira_cache("p", "q", "k")
        del listed["cache_key"]
        assert found == {
            **{key: item for key, item in listed.items() if key != "expired"},
            "response": response,
            "age": 0.0,
            "state": "fresh",
        }
        assert shared.query_status("p") == [
            {
                "query_id": "q",
                "name": "the query",
                "has_data": True,
                **{key: found[key] for key in found.keys() - {"response", "age"}},
            }
        ]

    def test_an_age_is_never_negative(self, store: Store) -> None:
        """The clock of another machine may be ahead."""
        store.save_jira_cache("p", "q", "k", {}, HOUR)
        store.clock.now = START - timedelta(minutes=1)
        assert store.find_jira_cache("p", "q", "k")["age"] == 0.0

    @pytest.mark.parametrize("max_stale", [timedelta.max, timedelta(days=800_000), None], ids=str)
    def test_any_staleness_may_be_allowed(self, store: Store, max_stale: timedelta | None) -> None:
        """Even one that reaches back beyond the first day of the calendar."""
        first = datetime.min.replace(tzinfo=START.tzinfo)
        store.save_jira_cache("p", "q", "k", {}, first)
        store.save_jira_changelog("p", "q", "K-1", {}, first)
        found = store.find_jira_cache("p", "q", "k", max_stale)
        assert found["state"] == "stale"
        assert store.find_jira_changelogs("p", "q", max_stale=max_stale).keys() == {"K-1"}
        assert store.cleanup_expired_cache(max_stale) == 0

    def test_a_changelog_without_a_time_has_no_age(self, store: Store) -> None:
        """Releases before 1.5 saved none."""
        ids = {"profile_id": "p", "query_id": "q", "issue_key": "K-1"}
        store.save_records(JiraChangelog, [{**ids, "changelog": {}, "created_at": None}])
        found = store.find_jira_changelog("p", "q", "K-1")
        assert (found["created_at"], found["age"], found["state"]) == (None, None, "fresh")

    def test_what_does_not_exist_is_not_found(self, store: Store) -> None:
        for ids in (("p", "q"), ("p", "x"), ("x", "q"), ("p", "")):
            assert store.find_jira_cache(*ids, "k") is None
            assert store.find_jira_changelog(*ids, "K-1") is None
            assert store.find_jira_changelogs(*ids) == {}
        assert store.query_status("x") == []
        assert store.cleanup(0, "x") == 0

    @given(
        st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(st.integers(0, 3), max_size=3))
    )
    def test_the_status_of_a_query_is_that_of_its_newest_response(
        self, shared: Store, saved: dict[str, list[int]]
    ) -> None:
        """Queries come as they are listed, those without a response included."""
        shared.empty()
        with shared.transaction():
            for query_id, days in saved.items():
                shared.save_query("p", {"id": query_id, "last_used": START + timedelta(len(days))})
                for number, day in enumerate(days):
                    shared.clock.now = START + timedelta(days=day)
                    issues = [{"key": f"K-{issue}"} for issue in range(number)]
                    response = {"issues": issues, "total": 1}
                    expires_at = START + timedelta(days=2)
                    shared.save_jira_cache("p", query_id, f"k{number}", response, expires_at)
        status = shared.query_status("p")
        assert [each["query_id"] for each in status] == [
            each["id"] for each in shared.list_queries("p")
        ]
        for each in status:
            days = saved.get(each["query_id"], [])
            newest = max(range(len(days)), key=lambda number: (days[number], -number), default=None)
            assert each["has_data"] is (newest is not None)
            if newest is None:
                assert (each["created_at"], each["state"], each["issue_count"]) == (
                    None,
                    None,
                    None,
                )
            else:
                assert each["created_at"] == in_utc(START + timedelta(days=days[newest]))
                assert each["state"] == (
                    "stale" if shared.clock.now >= START + timedelta(2) else "fresh"
                )
                assert each["issue_count"] == newest

    @given(entries, st.integers(0, 7), st.none() | st.sampled_from(["p", "o"]), divisor=3)
    def test_what_is_least_useful_is_deleted_first(
        self, shared: Store, saved: list[Any], room: int, profile_id: str | None
    ) -> None:
        """First by expiry, then by the time of saving, until the rest fits."""
        shared.empty()
        shared.save_profile({"id": "o"})
        shared.save_query("o", {"id": "q"})
        with undone(shared):
            shared.save_jira_cache("p", "q", "k", CONTENT, HOUR)
            size = stored_bytes(shared)
        assert size > 20
        ranks = {}
        with shared.transaction():
            for number, (kind, owner, created, lifetime) in enumerate(saved):
                shared.clock.now = START + timedelta(hours=created, minutes=number)
                expires_at = shared.clock.now + timedelta(hours=lifetime)
                save_entry(shared, kind, owner, f"K-{number}", expires_at)
                is_valid = expires_at > START + timedelta(hours=7)
                if profile_id in (None, owner):
                    ranks[f"K-{number}"] = (is_valid, shared.clock.now if is_valid else expires_at)
        shared.clock.now = START + timedelta(hours=7)
        before = kept_entries(shared.backend)
        lost = sorted(ranks, key=lambda key: ranks[key])[: max(0, len(ranks) - room)]
        with undone(shared):
            assert shared.cleanup((room + 1) * size - 1, profile_id) == len(lost)
            assert kept_entries(shared.backend) == before - set(lost)
        assert shared.cleanup(room * size, profile_id) == len(lost)
        assert kept_entries(shared.backend) == before - set(lost)
        assert stored_bytes(shared, profile_id) == size * min(room, len(ranks))
        assert shared.cleanup(room * size, profile_id) == 0

    def test_entries_that_were_saved_together_are_deleted_one_by_one(self, store: Store) -> None:
        """No more are deleted than needed, and those without a time first."""
        store.save_jira_changelogs("p", "q", {f"K-{number}": CONTENT for number in range(10)})
        total = stored_bytes(store)
        assert store.cleanup(total - 1) == 1
        assert store.cleanup(total // 2) == 4
        assert kept_entries(store.backend) == {f"K-{number}" for number in range(5, 10)}
        ids = {"profile_id": "p", "query_id": "q", "issue_key": "Z"}
        store.save_records(JiraChangelog, [{**ids, "changelog": CONTENT, "created_at": None}])
        assert store.cleanup(total // 2) == 1
        assert kept_entries(store.backend) == {f"K-{number}" for number in range(5, 10)}

    def test_each_profile_has_a_limit_of_its_own(self, store: Store) -> None:
        """It is ``cache_size_mb``, of 1,048,576 bytes each."""
        text = Random(0).randbytes(2**20).hex()
        for profile_id, size in (("p", 10), ("o", 11), ("n", None)):
            config = {} if size is None else {"cache_size_mb": size}
            store.save_profile({"id": profile_id, "jira_config": config})
            store.save_query(profile_id, {"id": "q"})
        ids = ("p", "q")
        store.save_jira_cache(*ids, "k", {"k": text}, HOUR)
        one = stored_bytes(store)
        count = 10 * 2**20 // one
        assert count > 1
        for number in range(1, count + 1):
            store.save_jira_cache(*ids, f"k{number}", {"k": text}, HOUR)
        records = list(store.records(JiraCache))
        for profile_id in ("o", "n"):
            store.save_records(JiraCache, ({**each, "profile_id": profile_id} for each in records))
        assert store.cleanup(profile_id="n") == 0
        expected = {"p": count, "o": min(11 * 2**20 // one, count + 1), "n": count + 1}
        assert store.cleanup() == 3 * (count + 1) - sum(expected.values())
        kept = [each["profile_id"] for each in store.records(JiraCache)]
        assert {owner: kept.count(owner) for owner in expected} == expected

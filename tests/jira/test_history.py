"""Histories are in the order of time, whatever order and form they were sent in."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown.jira import Change, History, Stay, history_of, issues_of
from burndown.testing.strategies.jira import sent
from tests.jira.material import TIMES, Json, histories, odd_changelogs

MONDAY = datetime(2025, 12, 1, 9, tzinfo=UTC)


def after(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def history(hours: float, old: str | None, new: str | None, **others: Any) -> Json:
    """A change of the status, some hours after Monday morning."""
    item = {"field": "status", "fromString": old, "toString": new}
    return {"created": sent(after(hours)), "items": [item], **others}


WORKFLOW = [
    history(2, "Open", "In Progress", id="7"),
    history(5, "In Progress", "In Review", id="8"),
    history(6, "In Review", "In Progress", id="9"),
    history(10, "In Progress", "Done", id="10"),
]


def issue(changes: list[Json], status: str = "Done", **page: Any) -> Json:
    """An issue that was created on Monday morning."""
    fields = {"created": sent(MONDAY), "status": {"name": status}}
    return {"key": "A-1", "fields": fields, "changelog": {"histories": changes, **page}}


def read_plainly(changes: list[Json], field: str) -> list[Change]:
    """The changes of a field in histories that are in order."""
    return [
        Change(datetime.fromisoformat(each["created"]), field, item["fromString"], item["toString"])
        for each in changes
        for item in each["items"]
        if item["field"] == field
    ]


SHAPES: list[Any] = [
    lambda found: found,
    lambda found: {"histories": found, "total": len(found)},
    lambda found: {"values": found, "isLast": True},
    lambda found: {"changelog": {"histories": found}},
    lambda found: {"key": "A-1", "changelog": {"changelog": {"histories": found}}},
    lambda found: {"changeHistories": found},
    lambda found: {"issueChangeLogs": [{"issueId": "1", "changeHistories": found}]},
]


@given(histories(), st.sampled_from(SHAPES), st.randoms(use_true_random=False), st.data())
def test_any_order_and_form_gives_the_same(
    found: list[Json], shape: Any, random: Any, data: st.DataObject
) -> None:
    """Also if histories were sent twice, as pages that overlap have them."""
    again = data.draw(st.lists(st.sampled_from(found), max_size=3)) if found else []
    mixed = [*found, *again]
    random.shuffle(mixed)
    for field in ("status", "labels", "Sprint"):
        assert list(history_of(shape(mixed)).changes(field)) == read_plainly(found, field)


@given(histories(with_ids=False), st.booleans())
def test_without_ids_the_order_of_the_changelog_decides(
    found: list[Json], is_newest_first: bool
) -> None:
    """The dashboard does not store them, and the cloud sends the newest history first."""
    unique = list({each["created"]: each for each in found}.values())
    given_order = unique[::-1] if is_newest_first else unique
    changes = history_of([*given_order, *given_order[:1]]).status_changes
    assert list(changes) == read_plainly(unique, "status")


def test_changes_of_the_same_time_are_in_the_order_of_their_ids() -> None:
    """Numbers are compared as numbers; without ids, the newest may be first."""
    by_id = [history(1, "B", "C", id="10"), history(1, "A", "B", id="9")]
    assert [change.new for change in history_of(by_id).status_changes] == ["B", "C"]
    newest_first = [history(3, "C", "D"), history(1, "B", "C"), history(1, "A", "B")]
    assert [change.new for change in history_of(newest_first).status_changes] == ["B", "C", "D"]


@given(odd_changelogs)
def test_odd_changelogs_have_the_promised_types(changelog: Any) -> None:
    found = history_of(changelog)
    assert found.is_complete in (True, False, None)
    assert isinstance(found.is_known, bool)
    for change in found.status_changes:
        assert change.at.tzinfo is UTC
        assert isinstance(change.old, str | None)
        assert isinstance(change.new, str | None)
    assert all(isinstance(stay.status, str) for stay in found.stays)
    assert found.time_in(["Open"], MONDAY) >= timedelta()
    assert repr(found)


def test_stays_follow_each_other_from_the_creation() -> None:
    assert history_of(issue(WORKFLOW[::-1])).stays == (
        Stay("Open", MONDAY, after(2)),
        Stay("In Progress", after(2), after(5)),
        Stay("In Review", after(5), after(6)),
        Stay("In Progress", after(6), after(10)),
        Stay("Done", after(10), None),
    )


@given(histories())
def test_stays_have_no_gaps(found: list[Json]) -> None:
    changes = history_of(found).status_changes
    known = changes[1:] if changes and changes[0].old is None else changes
    stays = history_of(found).stays
    assert len(stays) == len(known) + bool(changes)
    assert all(one.left == other.entered for one, other in pairwise(stays))
    assert [stay.left is None for stay in stays] == [False] * (len(stays) - 1) + [True] * bool(
        stays
    )


@given(histories(), TIMES)
def test_the_times_in_all_statuses_are_the_age(found: list[Json], now: datetime) -> None:
    """Until any time; before the creation, it is nothing."""
    document = issue(found)
    created = min([MONDAY, *(datetime.fromisoformat(each["created"]) for each in found)])
    document["fields"]["created"] = sent(created)
    view = history_of(document)
    if any(change.old is None for change in view.status_changes[:1]):
        return
    everywhere = {stay.status for stay in view.stays}
    assert view.time_in(everywhere, now) == max(now - created, timedelta())
    each = [view.time_in(status.upper(), now) for status in everywhere]
    assert sum(each, timedelta()) == view.time_in(everywhere, now)


def test_time_in_statuses_ends_now() -> None:
    view = history_of(issue(WORKFLOW[:3], status="In Progress"))
    assert view.time_in(["In Progress", "In Review"], after(8)) == timedelta(hours=6)
    assert view.time_in("in progress", after(5.5)) == timedelta(hours=3)
    assert view.time_in("Done", after(8)) == timedelta()
    assert view.time_in([], after(8)) == timedelta()


def test_an_issue_without_changes_has_been_in_its_status_from_the_beginning() -> None:
    assert history_of(issue([], "Open", total=0)).stays == (Stay("Open", MONDAY, None),)


def test_what_is_not_known_is_not_assumed() -> None:
    """Neither when the first stay began in a part of a changelog, nor when the only one did."""
    part = history_of(issue(WORKFLOW[2:], total=4))
    assert part.is_complete is False
    assert part.stays[0] == Stay("In Review", None, after(6))
    assert part.time_in("In Review", after(20)) == timedelta()
    bare = issue([])
    del bare["changelog"]
    assert history_of(bare).stays == (Stay("Done", None, None),)
    assert not history_of(bare).is_known
    assert history_of(WORKFLOW).stays[0] == Stay("Open", None, after(2))
    assert history_of(None).stays == ()


def test_a_history_without_a_valid_time_does_not_count() -> None:
    times: list[Any] = [None, "soon", "", [], True]
    broken = [history(1, "A", "B") | {"created": time} for time in times]
    assert history_of([*broken, *WORKFLOW]).status_changes == history_of(WORKFLOW).status_changes


def test_odd_ids_and_values_of_changes_are_tolerated() -> None:
    """Without a number in it, an id still tells histories apart."""
    same = [history(1, "A", "B", id=id_) for id_ in ("a", "b", "a", None, 5)]
    assert len(history_of(same).status_changes) == 4
    item = {"field": "status", "fromString": 5, "toString": ["Done"]}
    view = history_of([{"created": sent(MONDAY), "items": [item]}])
    assert view.status_changes == (Change(MONDAY, "status", None, None),)
    assert view.stays == ()


@pytest.mark.parametrize("unit", [1, 1000])
def test_bulk_fetches_have_unix_times(unit: int) -> None:
    found = history(2, "Open", "Done") | {"created": int(after(2).timestamp()) * unit}
    [change] = history_of({"changeHistories": [found]}).status_changes
    assert change == Change(after(2), "status", "Open", "Done")


def test_a_field_is_found_by_its_id_as_well() -> None:
    item = {"field": "Sprint", "fieldId": "customfield_10020", "fromString": "", "toString": "S 1"}
    view = history_of([{"created": sent(MONDAY), "items": [item]}])
    assert view.changes("customfield_10020") == (Change(MONDAY, "customfield_10020", "", "S 1"),)
    assert [change.new for change in view.changes("Sprint")] == ["S 1"]
    assert view.changes("status") == ()


@pytest.mark.parametrize(
    ("page", "expected"),
    [({"total": 4}, True), ({"total": 5}, False), ({}, None), ({"isLast": False}, False)],
)
def test_completeness_is_what_the_changelog_states(page: Json, expected: bool | None) -> None:
    assert history_of(issue(WORKFLOW, **page)).is_complete is expected


def test_changelogs_that_are_stored_apart_are_found_by_key() -> None:
    """They are newer than the one in the issue, which serves where there is none."""
    response = {"issues": [issue(WORKFLOW[:1]), {**issue(WORKFLOW[:2]), "key": "A-2"}]}
    first, second = issues_of(response, changelogs={"A-1": {"histories": WORKFLOW}})
    assert len(first.history.status_changes) == 4
    assert first.history.stays[0].entered == MONDAY
    assert len(second.history.status_changes) == 2
    assert history_of(first) is first.history


def test_a_history_can_be_read_without_an_issue() -> None:
    assert History({"histories": WORKFLOW}, created=MONDAY).stays[0].entered == MONDAY

"""Responses and changelogs are complete only if all their fields agree that nothing is missing."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import JiraChangelog
from burndown.models.completeness import changelog_counts, response_counts
from burndown.testing.contract.drawn import VALID, json_values

Document = dict[str, Any]


def issues(*numbers: int) -> list[Document]:
    return [{"key": f"K-{number}"} for number in numbers]


def is_complete(**page: Any) -> bool | None:
    complete: bool | None = response_counts(page)["is_complete"]
    return complete


# --- responses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"issues": issues(1, 2), "total": 2}, True),
        ({"issues": issues(1, 2), "total_issues": 2}, True),
        ({"issues": issues(1, 2), "startAt": 0, "maxResults": 50, "total": 2}, True),
        ({"issues": issues(1, 2), "isLast": True}, True),
        ({"issues": issues(1, 2), "nextPageToken": None}, True),
        ({"issues": issues(1, 2), "isLast": True, "nextPageToken": None, "total": 2}, True),
        ({"issues": [], "total": 0}, True),
        ({"isLast": True}, None),
        ({"issues": None, "total": 0}, None),
        # pages without the others
        ({"issues": issues(1, 2), "total": 3}, False),
        ({"issues": issues(3), "startAt": 2, "total": 3}, False),
        ({"issues": issues(1, 2), "isLast": False}, False),
        ({"issues": issues(1, 2), "nextPageToken": "abc"}, False),
        # joined pages with a duplicate issue and a missing one
        ({"issues": issues(1, 2, 2), "total": 3}, False),
        ({"issues": [{"id": "1"}, {"id": "2"}, {"id": "2"}], "total": 3}, False),
        ({"issues": [{"key": None, "id": "1"}, {"key": None, "id": "1"}], "total": 2}, False),
        ({"issues": issues(1, 2, 2), "total_issues": 3}, False),
        ({"issues": issues(1, 2, 2), "isLast": True, "total": 3}, False),
        # contradictions
        ({"issues": issues(1, 2), "isLast": True, "nextPageToken": "abc"}, False),
        ({"issues": issues(1, 2), "isLast": False, "nextPageToken": None}, False),
        ({"issues": issues(1, 2), "isLast": True, "total": 3}, False),
        ({"issues": issues(1, 2), "isLast": False, "total": 2}, False),
        ({"issues": issues(1, 2), "nextPageToken": "abc", "total": 2}, False),
        ({"issues": issues(1, 2), "startAt": 2, "total": 2}, False),
        ({"issues": issues(1, 2), "startAt": 2, "isLast": True}, False),
        ({"issues": issues(1, 2), "total": 1}, None),
        ({"issues": issues(1, 2), "total": 1, "isLast": True}, None),
        ({"issues": issues(1, 2), "total": 2, "total_issues": 1}, None),
        ({"issues": issues(1, 2), "total": -1}, None),
        # no field reports it
        ({"issues": issues(1, 2)}, None),
        ({"issues": issues(1, 2), "total": "2", "isLast": "yes", "nextPageToken": ""}, None),
        ({"issues": issues(1, 2), "total": True, "startAt": False}, None),
        ({"errorMessages": ["no"]}, None),
    ],
)
def test_completeness_depends_on_all_fields_of_a_response(
    page: Document, expected: bool | None
) -> None:
    assert is_complete(**page) is expected


@given(
    total=st.integers(0, 6),
    fetched=st.lists(st.integers(0, 5), max_size=8),
    more=st.fixed_dictionaries(
        {},
        optional={
            "isLast": st.booleans(),
            "nextPageToken": st.none() | st.just("abc"),
            "startAt": st.integers(0, 2),
        },
    ),
)
def test_joined_pages_are_complete_only_if_no_issue_is_missing(
    total: int, fetched: list[int], more: Document
) -> None:
    found = is_complete(issues=issues(*fetched), total=total, **more)
    missing = len(set(fetched)) < total
    has_more = not more.get("isLast", True) or more.get("nextPageToken") or more.get("startAt", 0)
    assert (found is False) == bool(missing or has_more)
    assert (found is True) == (len(set(fetched)) == total and not has_more)


@given(st.lists(st.integers(0, 9)), st.lists(json_values, max_size=3))
def test_issues_are_counted_once_for_each_key(numbers: list[int], others: list[Any]) -> None:
    odd = [other for other in others if not isinstance(other, dict)]
    counted = response_counts({"issues": [*issues(*numbers), *odd, {}, {"key": []}]})
    assert counted["issue_count"] == len(set(numbers)) + len(odd) + 2


# --- changelogs ------------------------------------------------------------------------------

HISTORIES = [{"id": str(number), "items": []} for number in range(100)]
SHAPES = {
    "issue with expanded changelog": lambda page: {
        "key": "K-1",
        "changelog": {"histories": HISTORIES, **page},
    },
    "expanded changelog": lambda page: {"histories": HISTORIES, **page},
    "page of changelogs": lambda page: {"values": HISTORIES, **page},
    "page below changelog": lambda page: {"key": "K-1", "changelog": {"values": HISTORIES, **page}},
    "of one issue in a bulk fetch": lambda page: {
        "issueId": "10",
        "changeHistories": HISTORIES,
        **page,
    },
    "bulk fetch": lambda page: {
        "issueChangeLogs": [{"issueId": "10", "changeHistories": HISTORIES}],
        **page,
    },
    "bulk fetch below changelog": lambda page: {
        "key": "K-1",
        "changelog": {
            "issueChangeLogs": [{"issueId": "10", "changeHistories": HISTORIES}],
            **page,
        },
    },
    "bulk fetch of two pages": lambda page: {
        "issueChangeLogs": [
            {"issueId": "10", "changeHistories": HISTORIES[:60]},
            {"issueId": "10", "changeHistories": HISTORIES[60:]},
        ],
        **page,
    },
    "bulk fetch of several issues": lambda page: {
        "id": "10",
        "changelog": {
            "issueChangeLogs": [
                {"issueId": "11", "changeHistories": [{"id": "other"}]},
                {"issueId": 10, "changeHistories": HISTORIES},
            ],
            **page,
        },
    },
}


def changelog(value: Document) -> JiraChangelog:
    return JiraChangelog(**{**VALID[JiraChangelog], "changelog": value})


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({}, None),
        ({"startAt": 0, "maxResults": 100, "total": 100}, True),
        ({"startAt": 0, "maxResults": 100, "total": 100, "isLast": True}, True),
        ({"nextPageToken": None}, True),
        ({"startAt": 0, "maxResults": 100, "total": 152}, False),
        ({"startAt": 0, "maxResults": 100, "total": 152, "isLast": False}, False),
        ({"startAt": 0, "maxResults": 100, "total": 152, "isLast": True}, False),
        ({"nextPage": "https://jira.example.com/2", "total": 100}, False),
        ({"nextPageToken": "abc"}, False),
        ({"startAt": 52, "total": 152, "isLast": True}, False),
        ({"total": 52}, None),
    ],
)
def test_histories_are_read_from_every_format_of_jira(
    shape: str, page: Document, expected: bool | None
) -> None:
    found = changelog(SHAPES[shape](page))
    assert found.histories == HISTORIES
    assert found.is_complete is expected
    assert changelog_counts(found.changelog) == {"is_complete": expected}


def test_an_empty_list_does_not_hide_a_full_one() -> None:
    page = {"histories": [], "values": [{"id": "1"}], "total": 1}
    assert changelog_counts(page) == {"is_complete": True}


def test_a_duplicate_history_counts_once() -> None:
    page = {"values": [*HISTORIES[:99], HISTORIES[0]], "total": 100}
    assert changelog(page).is_complete is False


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"changelog": None, "total": 0},
        {"changelog": {"histories": None}},
        {"histories": {}},
        {"issueChangeLogs": [{"issueId": "10"}, 3, {"changeHistories": 3}]},
        {
            "issueChangeLogs": [
                {"issueId": number, "changeHistories": HISTORIES} for number in ("10", "11")
            ]
        },
    ],
)
def test_changelogs_with_an_issue_without_histories_have_none(value: Document) -> None:
    found = changelog({**value, "nextPageToken": None})
    assert found.histories == []
    assert found.is_complete is None


@given(
    json_values,
    st.lists(
        st.sampled_from(["changelog", "histories", "values", "issueChangeLogs", "changeHistories"]),
        max_size=4,
    ),
)
def test_any_changelog_can_be_read(value: Any, keys: list[str]) -> None:
    for key in keys:
        value = {key: value, "total": 1}
    found = changelog({"changelog": value})
    assert list(chain(found.histories)) == found.histories
    assert found.is_complete in (True, False, None)

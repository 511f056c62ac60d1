"""Merging changed issues into a response, as values and as frames."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burndown import ValidationError
from burndown.jira import merge
from burndown.jira.merging import check_changes, merge_stored
from burndown.models.completeness import identity_of, response_counts
from burndown.models.compression import compress, decompress, decompress_object
from burndown.models.issue_frames import FramedResponse
from burndown.models.json_codec import encode
from burndown.testing.contract.drawn import json_objects, json_values, strings
from burndown.testing.controlled_store import same
from tests.support.frames import frames_of_size

names = st.sampled_from(["K-1", "K-2", "1", "2", 'ü"', "\n", "", 7])
issues = st.builds(
    lambda more, identity, last: {**more, **identity, **last},
    st.dictionaries(st.sampled_from(["expand", "self", "a b", 'k"']), strings | st.none()),
    st.fixed_dictionaries({}, optional={"id": names, "key": names}),
    json_objects,
)
changed_issues = issues.filter(lambda issue: identity_of(issue) != (None, None))
ids = st.sampled_from("123456")
keys = st.sampled_from(["A-1", "A-2", "B-7"])
projects = st.sampled_from("AB")
responses = st.builds(
    lambda before, issues, after: {**before, "issues": issues, **after},
    json_objects,
    st.lists(issues | json_values, max_size=6),
    json_objects.filter(lambda after: "issues" not in after)
    | st.fixed_dictionaries({"total": st.integers(0, 9)}, optional={"isLast": st.booleans()}),
)


def made(projects: dict[str, str]) -> list[dict[str, Any]]:
    """Return issues with these ids in these projects."""
    return [{"id": number, "key": f"{project}-{number}"} for number, project in projects.items()]


def identified(number: str, key: str) -> dict[str, str]:
    return {"id": number, "key": key}


removals = st.lists(
    names.filter(lambda name: isinstance(name, str)) | st.just("\ud800"), max_size=3
)


@given(responses, st.lists(changed_issues, max_size=3), removals, st.integers(1, 99), st.booleans())
@example({"issues": []}, [{"id": "1"}], [], 1, True)
@example({"issues": [{"id": "1"}, [], "a\nb"], "issues ": []}, [], ["1"], 1, True)
@example({"issues": [{"id": "1"}]}, [{"id": "2", "n": 2**64}], [], 99, True)
@example({"issues": [{"id": "1", "n": 2**64}]}, [{"id": "2"}], [], 1, True)
@example({"issues": [{"id": "1"}], "total": 2**64 - 1}, [{"id": "2"}], [], 1, True)
def test_frames_are_merged_as_values_are(
    response: dict[str, Any], changed: list[Any], removed: list[Any], size: int, is_framed: bool
) -> None:
    """The result is what a save of the merged response would store, with its counts."""
    merged = merge(response, changed, removed)
    with frames_of_size(size, from_issues=0 if is_framed else 100):
        stored, counts = merge_stored(compress(response), *check_changes(changed, removed))
    assert decompress(stored) == encode(merged)
    assert same(decompress_object(stored), merged)
    assert counts == response_counts(merged)


def test_only_frames_of_changed_issues_are_changed() -> None:
    """The other ones stay as they are stored, and so are neither read nor compressed."""
    response = {"issues": [{"key": f"K-{number}", "n": number} for number in range(120)]}
    changed, new = {"key": "K-45", "n": None}, {"key": "K-120"}
    with frames_of_size(10 * len('{"key":"K-10","n":10}')):
        stored = compress(response)
        merged, _ = merge_stored(stored, [changed, new], {"K-82"})
    before, after = (
        [frame.compressed for frame in FramedResponse.read(each).frames]
        for each in (stored, merged)
    )
    same = [old == new for old, new in zip(before, after, strict=True)]
    assert (len(same), same.count(False)) == (12, 3)


@given(st.dictionaries(ids, projects), st.dictionaries(ids, projects), st.sets(ids))
def test_the_merged_issues_are_the_stored_ones_updated(
    stored: dict[str, str], changed: dict[str, str], removed: set[str]
) -> None:
    """An issue keeps its place and its id; its key changes if it was moved."""
    response = {"total": len(stored), "issues": made(stored)}
    merged = merge(response, made(changed), (f"{stored.get(each, 'A')}-{each}" for each in removed))
    kept = {number: stored[number] for number in stored if number not in removed}
    assert merged == {"total": len({**kept, **changed}), "issues": made({**kept, **changed})}


@given(
    st.lists(st.builds(identified, ids, keys), max_size=4),
    st.lists(st.builds(identified, ids, keys), max_size=4),
    st.lists(ids | keys, max_size=2),
)
@example(made({"1": "A"}), [{"id": "1", "key": "B-7"}, {"id": "2", "key": "A-1"}], [])
def test_an_issue_takes_the_key_that_another_one_had(
    stored: list[dict[str, str]], changed: list[dict[str, str]], removed: list[str]
) -> None:
    """The result is as if each changed issue was compared with what the ones before have left."""
    merged = [issue for issue in stored if not set(issue.values()) & set(removed)]
    for issue in changed:
        same = [each for each in merged if each.items() & issue.items()]
        place = merged.index(same[0]) if same else len(merged)
        merged[place : place + 1] = [issue]
        merged = [each for each in merged if each is issue or each not in same]
    assert merge({"issues": stored}, changed, removed) == {"issues": merged}


def test_issues_are_replaced_in_place_moved_added_and_removed() -> None:
    """An issue with the same id and a new key was moved; what is not an issue remains."""
    response = {
        "total": 4,
        "issues": [
            {"id": "1", "key": "A-1"},
            {"id": "2", "key": "A-2"},
            {"id": "3", "key": "A-3"},
            {"id": "2", "key": "A-2"},
            None,
        ],
        "names": {},
    }
    changed = [{"id": "9", "key": "A-9"}, {"id": "2", "key": "B-7", "n": 1}]
    assert merge(response, changed, ["A-3", "A-8"]) == {
        "total": 4,
        "issues": [{"id": "1", "key": "A-1"}, {"id": "2", "key": "B-7", "n": 1}, None, changed[0]],
        "names": {},
    }
    assert response["total"] == 4
    assert merge(response, [{"key": "A-3"}], ["A-3"])["issues"][-1] == {"key": "A-3"}


def test_numbers_of_numpy_are_merged_as_json_values() -> None:
    """As in a response that is saved."""
    [issue] = merge({"issues": []}, [{"key": "K-1", "points": np.int64(3)}])["issues"]
    assert type(issue["points"]) is int


@pytest.mark.parametrize(
    ("changed", "removed", "path"),
    [
        ({"issues": []}, [], "changed"),
        ("K-1", [], "changed"),
        (["K-1"], [], "changed[0]"),
        ([{"key": "K-1"}, {"key": None, "id": []}], [], "changed[1].key"),
        ([{"key": "K-1", "fields": [{"n": math.nan}]}], [], "changed[0].fields[0].n"),
        ([], "K-1", "removed"),
        ([], [1], "removed[0]"),
    ],
)
def test_changes_that_cannot_be_merged_are_refused(changed: Any, removed: Any, path: str) -> None:
    """The error names the place."""
    with pytest.raises(ValidationError) as error:
        merge({"issues": []}, changed, removed)
    assert [each.path for each in error.value.problems] == [path]


@pytest.mark.parametrize("response", [{}, {"issues": None}, {"issues": {}}])
def test_a_response_without_a_list_of_issues_is_refused(response: dict[str, Any]) -> None:
    """Nothing would be known to be the same."""
    with pytest.raises(ValidationError, match="issues: input should be a list of issues"):
        merge(response, [])
    with pytest.raises(ValidationError, match="issues: input should be a list of issues"):
        merge_stored(compress(response), [], set())

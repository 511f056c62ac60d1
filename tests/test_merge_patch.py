"""A merge patch does what RFC 7396 says."""

import copy
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given

from burndown.merge_patch import merge_patch
from burndown.testing.contract.drawn import json_objects, json_values


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_the_standard(target: Any, patch: Any, expected: Any) -> None:
    assert merge_patch(target, patch) == expected


def test_any_mapping_is_an_object() -> None:
    patch = MappingProxyType({"a": MappingProxyType({"b": None, "c": 1})})
    assert merge_patch({"a": {"b": 1, "d": 2}}, patch) == {"a": {"d": 2, "c": 1}}


@given(json_values, json_values)
def test_a_patch_changes_no_argument_and_can_be_repeated(target: Any, patch: Any) -> None:
    before = copy.deepcopy((target, patch))
    merged = merge_patch(target, patch)
    assert (target, patch) == before
    assert merge_patch(merged, patch) == merged


@given(json_values, json_objects)
def test_each_key_is_merged_alone(target: Any, patch: dict[str, Any]) -> None:
    merged = merge_patch(target, patch)
    before = target if isinstance(target, dict) else {}
    assert merged.keys() == (before.keys() | patch.keys()) - {
        key for key, change in patch.items() if change is None
    }
    for key, value in merged.items():
        expected = merge_patch(before.get(key), patch[key]) if key in patch else before[key]
        assert value == expected

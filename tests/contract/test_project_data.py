"""Project data comes back as it was saved."""

from typing import Any

from hypothesis import given

from tests.support.store import Store, same
from tests.support.strategies import json_objects


@given(json_objects, json_objects)
def test_project_data_comes_back_as_it_was_saved(
    shared: Store, one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Each query has the project data that was saved last."""
    shared.empty().save_query("p", {"id": "r"})
    for data in (one, other):
        shared.save_project_data("p", "q", data)
        assert same(shared.get_project_data("p", "q"), data)
    shared.save_project_data("p", "r", one)
    assert same(shared.get_project_data("p", "q"), other)

"""The documents of the factories are valid, complete, and the same in every run."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import PersistenceBackend, testing
from burndown.jira import history_of, issues_of
from burndown.merge_patch import merge_patch
from burndown.testing import (
    make_budget,
    make_changelog,
    make_changelogs,
    make_profile,
    make_project_data,
    make_query,
    make_response,
    make_snapshot,
)
from burndown.testing.clocks import START
from burndown.testing.contract.drawn import json_values
from tests.support.strategies import plain_keys

Factory = Callable[..., dict[str, Any]]

FACTORIES: list[Factory] = [
    getattr(testing, name) for name in testing.__all__ if name.startswith("make_")
]
CHANGEABLE = [factory for factory in FACTORIES if factory is not make_changelogs]


def containers(value: object) -> Iterator[object]:
    """Yield all objects and lists in a document."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


def has(found: Mapping[str, Any] | None, made: dict[str, Any]) -> bool:
    """Return whether all of a document was found, next to what a store adds."""
    return found is not None and {**found, **made} == found


def test_what_is_made_can_be_saved_and_comes_back(burndown_store: PersistenceBackend) -> None:
    """All of it in one store, where it belongs together."""
    store = burndown_store
    profile, query, snapshot, budget = make_profile(), make_query(), make_snapshot(), make_budget()
    response, changelogs, data = make_response(), make_changelogs(), make_project_data()
    ids = (profile["id"], query["id"])
    store.save_profile(profile)
    store.save_query(profile["id"], query)
    store.save_jira_cache(*ids, "k", response, timedelta(hours=1))
    store.save_jira_changelogs(*ids, changelogs)
    store.save_project_data(*ids, data)
    store.save_metrics_snapshots(*ids, [snapshot])
    store.save_budget(*ids, budget)
    assert has(store.get_profile(profile["id"]), profile)
    assert has(store.get_query(*ids), query)
    assert store.get_jira_cache(*ids, "k") == response
    assert store.get_jira_changelogs(*ids) == changelogs
    assert store.get_project_data(*ids) == data
    [found] = store.get_metrics_snapshots(*ids)
    assert has(found, snapshot)
    assert has(store.get_budget(*ids), budget)


@pytest.mark.parametrize("factory", FACTORIES)
def test_each_document_is_a_new_one(factory: Factory) -> None:
    """Equal to the one before, but no object is in both, or in one of them twice."""
    one, other = factory(), factory()
    assert json.dumps(one) == json.dumps(other)
    found = [*containers(one), *containers(other)]
    assert len({id(each) for each in found}) == len(found)


@given(st.sampled_from(CHANGEABLE), st.data())
def test_changes_are_a_merge_patch(factory: Factory, data: st.DataObject) -> None:
    """At every depth, for keys that are there and for others."""
    made = factory()
    inner = st.sampled_from(["token", "median_hours", "histories"]) | plain_keys
    keys = st.sampled_from(sorted(made.keys() - {"id", "name", "issues"})) | plain_keys
    change = json_values | st.dictionaries(inner, json_values, max_size=3)
    changes = data.draw(st.dictionaries(keys, change, max_size=3))
    assert factory(**changes) == merge_patch(made, changes)


def test_a_change_of_a_section_keeps_its_other_settings() -> None:
    config = make_profile(jira_config={"token": "x", "points_field": None})["jira_config"]
    expected = {**make_profile()["jira_config"], "token": "x"}
    del expected["points_field"]
    assert config == expected


@pytest.mark.parametrize("factory", [make_profile, make_query])
def test_an_id_or_a_name_is_enough_to_distinguish_two(factory: Factory) -> None:
    made = [factory(), factory(id="streams"), factory(name="Team A"), factory(id="x", name="Y")]
    assert len({each["id"] for each in made}) == len({each["name"] for each in made}) == len(made)
    assert made[1]["name"] == "streams"
    assert made[2]["id"] == "team-a"
    assert (made[3]["id"], made[3]["name"]) == ("x", "Y")


@given(st.integers(0, 60), st.integers(0, 100))
def test_a_response_has_the_issues_that_were_asked_for(count: int, seed: int) -> None:
    """With their histories under the same arguments, none of them in the future."""
    response, changelogs = make_response(count, seed), make_changelogs(count, seed)
    issues = issues_of(response)
    assert response["total"] == len(issues) == count
    assert {issue.key for issue in issues} == changelogs.keys()
    for issue in issues:
        assert issue.created is not None
        assert issue.created <= START
        changes = history_of(changelogs[str(issue.key)]).status_changes
        assert all(issue.created <= change.at <= START for change in changes)


def test_another_seed_gives_other_issues() -> None:
    assert make_response(seed=1) != make_response(seed=2)
    assert make_project_data(seed=1) != make_project_data(seed=2)


def test_a_changelog_is_a_history_that_ends_resolved() -> None:
    changes = history_of(make_changelog()).status_changes
    assert [change.new for change in changes] == ["In Progress", "In Review", "Resolved"]


@pytest.mark.parametrize("make", [make_response, make_changelogs, make_project_data])
def test_a_negative_number_of_issues_is_refused(make: Factory) -> None:
    with pytest.raises(ValueError, match="issues should be 0 or more, got -1"):
        make(-1)

"""The shipped strategies draw what the models accept and every backend stores."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burndown import Week
from burndown.jira import History, issues_of
from burndown.jira.values import to_timestamp
from burndown.models import Budget, Document, Entity, JiraConfig, Profile, Query
from burndown.models.completeness import count_distinct
from burndown.models.jira_cache import response_counts
from burndown.testing.controlled_store import Store, in_utc
from burndown.testing.strategies import (
    budgets,
    changelogs,
    documents,
    identifiers,
    jira_issues,
    jira_responses,
    legacy_workspaces,
    metrics_snapshots,
    profiles,
    queries,
    tasks,
    weeks,
)
from burndown.testing.strategies.entities import ENTITIES
from burndown.testing.strategies.sections import SECTIONS
from tests.support.backends import BACKENDS
from tests.support.legacy_workspaces import migrated_records, write
from tests.support.store import one_store_on

EXAMPLES = [15, pytest.param(10_000, marks=pytest.mark.soak)]
"""How many examples each strategy draws."""

TIMES = {
    "created_at",
    "last_used",
    "updated_at",
    "expires_at",
    "started_at",
    "heartbeat_at",
    "lease_until",
}

shared = one_store_on(BACKENDS)


def check(strategy: st.SearchStrategy[Any], examples: int, holds: Callable[[Any], object]) -> None:
    """Call a function with examples of a strategy; the health checks of Hypothesis are on."""

    @settings(max_examples=examples, deadline=None, database=None)
    @given(strategy)
    def call(example: Any) -> None:
        holds(example)

    call()


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("model", [*ENTITIES, *SECTIONS])
def test_documents_are_accepted_by_their_model(model: Any, examples: int) -> None:
    """An entity or section is made of each of them."""
    check(documents(model), examples, model.model_validate)


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("model", ENTITIES)
def test_documents_are_read_as_they_were_saved(
    shared: Store, model: type[Entity], examples: int
) -> None:
    """Timestamps are in UTC, and all other values are unchanged."""

    def comes_back(document: Document) -> None:
        shared.clear() if model is Profile else shared.empty()
        shared.save_records(model, [document])
        [record] = [each for each in shared.records(model) if is_of(each, document)]
        assert {key: record[key] for key in document} == as_stored(document)

    key = dict.fromkeys({"profile_id", "query_id"} & ENTITIES[model].required.keys())
    of_query = {name: {"profile_id": "p", "query_id": "q"}[name] for name in key}
    check(documents(model, **of_query), examples, comes_back)


def is_of(record: Document, document: Document) -> bool:
    """Return whether a record has the ids of a document."""
    ids = {"id", "key", "cache_key", "issue_key", "task_name"} & document.keys()
    return all(record[name] == document[name] for name in ids)


def as_stored(document: Document) -> Document:
    """Return a document with its timestamps in UTC."""
    return {
        key: in_utc(value) if key in TIMES and value is not None else value
        for key, value in document.items()
    }


@pytest.mark.parametrize("examples", EXAMPLES)
def test_what_belongs_to_a_query_is_taken_by_the_calls_for_it(shared: Store, examples: int) -> None:
    """Queries, snapshots, budgets and tasks are documents without ids of their owners."""

    @st.composite
    def all_kinds(draw: st.DrawFn) -> list[Document]:
        return [draw(kind()) for kind in (queries, metrics_snapshots, budgets, tasks)]

    def are_taken(documents: list[Document]) -> None:
        query, snapshot, budget, task = documents
        shared.clear().save_profile({"id": "p"})
        shared.save_query("p", query)
        shared.save_metrics_snapshot("p", query["id"], **snapshot)
        shared.save_budget("p", query["id"], budget)
        shared.save_task_progress(**task)
        [found] = shared.get_metrics_snapshots("p", query["id"], snapshot["metric_type"])
        assert found["metrics"] == snapshot["metrics"]

    check(all_kinds(), examples, are_taken)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_legacy_workspaces_are_migrated(examples: int) -> None:
    """Each of them has at least one profile."""

    def is_migrated(files: Document) -> None:
        with tempfile.TemporaryDirectory() as root:
            assert migrated_records(write(files, Path(root)))[Profile]

    check(legacy_workspaces(), examples, is_migrated)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_histories_are_possible(examples: int) -> None:
    """Each change starts from the value that the one before it set, up to the present one."""

    def is_possible(issue: Document) -> None:
        fields, history = issue["fields"], History(issue)
        assert history.is_complete
        created, updated = to_timestamp(fields["created"]), to_timestamp(fields["updated"])
        assert created is not None
        assert updated is not None
        for field, name in (("status", "name"), ("priority", "name"), ("assignee", "displayName")):
            value = fields.get(field)
            times = [created]
            for change in history.changes(field)[:1]:
                present: Any = change.old
            for change in history.changes(field):
                assert change.old == present != change.new
                present = change.new
                times.append(change.at)
            assert [*times, updated] == sorted([*times, updated])
            if history.changes(field):
                assert present == (value and value[name])

    check(changelogs(), examples, is_possible)


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("cloud", [True, False])
def test_responses_state_whether_they_are_complete(cloud: bool, complete: bool) -> None:
    """Issues are distinct, and have what the views read."""

    def states_it(response: Document) -> None:
        counts = response_counts(response)
        assert counts == {"issue_count": len(response["issues"]), "is_complete": complete}
        assert count_distinct(response["issues"]) == len(response["issues"])
        assert ("total" in response) is not cloud
        for issue in issues_of(response, {"id": "kafka"}):
            assert issue.key
            assert issue.status
            assert (issue.resolved is not None) is (issue.status_category == "done")
            assert issue.created <= issue.updated  # type: ignore[operator]

    check(jira_responses(cloud=cloud, complete=complete), 15, states_it)


@given(st.data(), identifiers(), st.booleans())
def test_an_argument_is_a_strategy_or_a_value(
    data: st.DataObject, profile_id: str, flag: bool
) -> None:
    """Every example has it, as a copy."""
    config = {"base_url": "https://jira.example.com"}
    document = data.draw(profiles(id=st.just(profile_id), jira_config=config, show_points=flag))
    assert document["id"] == profile_id
    assert document["jira_config"] == config
    assert document["jira_config"] is not config
    assert document["show_points"] is flag
    issue = data.draw(jira_issues(key="A-1", priority=None, customfield_1=st.just(flag)))
    assert issue["key"] == "A-1"
    assert issue["fields"]["priority"] is None
    assert issue["fields"]["customfield_1"] is flag
    assert data.draw(changelogs(issue=issue))["fields"] == issue["fields"]
    [only] = data.draw(jira_responses(issues=st.just(issue), max_size=1))["issues"] or [issue]
    assert only == issue


@given(st.data(), weeks(), weeks())
def test_weeks_are_within_their_bounds(data: st.DataObject, one: str, other: str) -> None:
    """Both bounds are included."""
    first, last = sorted([one, other])
    assert first <= data.draw(weeks(first, last)) <= last
    assert data.draw(weeks(Week.of(one), one)) == one


@pytest.mark.parametrize(
    ("model", "key"), [(Profile, "nmae"), (Query, "profile"), (Budget, "id"), (JiraConfig, "url")]
)
def test_an_argument_that_is_no_key_is_refused(model: Any, key: str) -> None:
    """A typing error would narrow nothing."""
    with pytest.raises(TypeError, match=f"got '{key}'"):
        documents(model, **{key: "x"})

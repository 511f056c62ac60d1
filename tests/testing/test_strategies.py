"""The shipped strategies draw what the models accept and every backend stores."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burndown.jira import History, issues_of
from burndown.jira.values import to_timestamp
from burndown.models import (
    Budget,
    Document,
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
)
from burndown.models.completeness import count_distinct, response_counts
from burndown.persistence.json_backend import JSONBackend
from burndown.testing.contract.drawn import VALID
from burndown.testing.controlled_store import Store, in_utc, stored_records
from burndown.testing.strategies import (
    budgets,
    changelogs,
    days,
    documents,
    identifiers,
    issue_keys,
    jira_issues,
    jira_responses,
    json_objects,
    json_values,
    keys,
    legacy_workspaces,
    lines,
    metrics_snapshots,
    names,
    queries,
    strings,
    tasks,
    timestamps,
    weeks,
    words,
)
from burndown.testing.strategies.entities import ENTITIES, PROFILE_SECTIONS
from burndown.testing.strategies.sections import SECTIONS
from tests.support.backends import BACKENDS
from tests.support.legacy_workspaces import migrated_records, write
from tests.support.store import new_store_of

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

OF_QUERY = {"profile_id": "p", "query_id": "q"}

VALUES: list[tuple[st.SearchStrategy[Any], type[Entity], str]] = [
    (identifiers(), Profile, "id"),
    (names(), Profile, "name"),
    (lines(), Profile, "description"),
    (timestamps(), Profile, "created_at"),
    (keys(), JiraCache, "cache_key"),
    (issue_keys(), JiraChangelog, "issue_key"),
    (words(), MetricsSnapshot, "metric_type"),
    (weeks(), MetricsSnapshot, "snapshot_date"),
    (days(), Budget, "effective_from"),
    (json_objects(), ProjectData, "data"),
    (st.dictionaries(strings(), json_values()), ProjectData, "data"),
    (jira_issues(), ProjectData, "data"),
]
"""Strategies of single values, and a field that takes them."""


@pytest.fixture(scope="module")
def stores(request: pytest.FixtureRequest) -> Iterator[list[Store]]:
    """A store on each backend."""
    with ExitStack() as stack:
        yield [stack.enter_context(new_store_of(name, request)) for name in BACKENDS]


def check(strategy: st.SearchStrategy[Any], examples: int, holds: Callable[[Any], object]) -> None:
    """Call a function with examples of a strategy; the health checks of Hypothesis are on."""

    @settings(max_examples=examples, deadline=None, database=None)
    @given(strategy)
    def call(example: Any) -> None:
        holds(example)

    call()


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("section", SECTIONS)
def test_documents_of_sections_are_accepted(section: Any, examples: int) -> None:
    """A section is made of each of them."""
    check(documents(section), examples, section.model_validate)


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize(("values", "model", "key"), VALUES)
def test_values_are_accepted_by_the_model(
    values: st.SearchStrategy[Any], model: type[Entity], key: str, examples: int
) -> None:
    """Each of them is valid in a field of its kind."""
    document = VALID[model]
    check(values, examples, lambda value: model.model_validate({**document, key: value}))


DOCUMENTS = {
    **{model.__name__: (model, {}) for model in ENTITIES},
    "all sections": (Profile, PROFILE_SECTIONS),
}
"""A model, and the keys that its documents have in any case, besides those of the query."""


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize(("model", "given_keys"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_documents_are_read_as_they_were_saved(
    stores: list[Store], model: type[Entity], given_keys: dict[str, Any], examples: int
) -> None:
    """Each of them is JSON and valid; timestamps are in UTC, and other values are unchanged."""

    def comes_back(document: Document) -> None:
        assert json.loads(json.dumps(document)) == document
        model.model_validate(document)
        for store in stores:
            store.clear() if model is Profile else store.empty()
            store.save_records(model, [document])
            [record] = [each for each in store.records(model) if is_of(each, document)]
            assert {key: record[key] for key in document} == as_stored(document)

    of_query = {key: OF_QUERY[key] for key in OF_QUERY if key in model.model_fields}
    check(documents(model, **of_query, **given_keys), examples, comes_back)


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
def test_what_belongs_to_a_query_is_taken_by_the_calls_for_it(
    stores: list[Store], examples: int
) -> None:
    """Queries, snapshots, budgets and tasks are documents without ids of their owners."""

    def are_taken(drawn: tuple[Document, ...]) -> None:
        query, snapshot, budget, task = drawn
        for store in stores:
            store.clear().save_profile({"id": "p"})
            store.save_query("p", query)
            store.save_metrics_snapshot("p", query["id"], **snapshot)
            store.save_budget("p", query["id"], budget)
            store.save_task_progress(**task)
            [found] = store.get_metrics_snapshots("p", query["id"], snapshot["metric_type"])
            assert found["metrics"] == snapshot["metrics"]

    check(st.tuples(queries(), metrics_snapshots(), budgets(), tasks()), examples, are_taken)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_legacy_workspaces_are_migrated(examples: int) -> None:
    """What is migrated is equal to what the files are read as, with at least one profile."""

    def is_migrated(files: Document) -> None:
        with tempfile.TemporaryDirectory() as root:
            folder = write(files, Path(root))
            records = migrated_records(folder)
            assert records[Profile]
            assert records == stored_records(JSONBackend(folder))

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


@pytest.mark.parametrize("examples", EXAMPLES)
def test_responses_state_whether_they_are_complete(examples: int) -> None:
    """Issues are distinct, and have what the views read."""

    def states_it(drawn: tuple[bool, bool, Document]) -> None:
        cloud, complete, response = drawn
        counts = response_counts(response)
        assert counts == {"issue_count": len(response["issues"]), "is_complete": complete}
        assert count_distinct(response["issues"]) == len(response["issues"])
        assert ("total" in response) is not cloud
        for issue in issues_of(response, {"id": "kafka"}):
            assert issue.key
            assert issue.status
            assert (issue.resolved is not None) is (issue.status_category == "done")
            assert issue.created <= issue.updated  # type: ignore[operator]

    kinds = [
        st.tuples(st.just(cloud), st.just(complete), jira_responses(cloud=cloud, complete=complete))
        for cloud in (False, True)
        for complete in (False, True)
    ]
    check(st.one_of(kinds), examples, states_it)

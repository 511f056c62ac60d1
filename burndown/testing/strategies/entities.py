"""Documents of entities and sections."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.models import (
    AppState,
    Budget,
    BudgetRevision,
    Document,
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
    Submodel,
    TaskProgress,
)
from burndown.testing.strategies.histories import changelogs
from burndown.testing.strategies.jira import jira_responses
from burndown.testing.strategies.json_content import json_objects, strings
from burndown.testing.strategies.sections import SECTIONS
from burndown.testing.strategies.shapes import Shape
from burndown.testing.strategies.short_strings import identifiers, keys, lines, names, words
from burndown.testing.strategies.times import days, naive_timestamps, timestamps, weeks

__all__ = [
    "AMOUNTS",
    "ENTITIES",
    "PERCENTS",
    "PROFILE_SECTIONS",
    "budgets",
    "documents",
    "metrics_snapshots",
    "profiles",
    "queries",
    "tasks",
]

_times = (timestamps() | naive_timestamps()).map(lambda time: time.isoformat())
_optional_times = st.none() | _times

PROFILE_SECTIONS = {
    name: SECTIONS[field.annotation].documents()
    for name, field in Profile.model_fields.items()
    if field.annotation in SECTIONS
}
"""The documents of the sections of a profile, by their key."""

_query_ids = st.just("12w") | identifiers()
_PROFILE = Shape(
    {"id": identifiers()},
    {
        "name": names(),
        "description": lines(),
        "created_at": _times,
        "last_used": _times,
        "show_milestone": st.booleans(),
        "show_points": st.booleans() | st.lists(st.just("show") | strings(), max_size=2),
        **PROFILE_SECTIONS,
    },
)
_QUERY = Shape(
    {"id": _query_ids},
    {
        "name": names(),
        "jql": st.just("project = KAFKA") | lines(),
        "description": lines(),
        "created_at": _times,
        "last_used": _times,
        "updated_at": _optional_times,
    },
    reserved=frozenset({"profile_id"}),
)
_METRICS = (
    st.dictionaries(
        st.sampled_from(["lead_time_days", "deployment_frequency", "mttr_hours"]),
        st.floats(0, 100),
    )
    | st.fixed_dictionaries(
        {"flow_velocity": st.fixed_dictionaries({"completed_count": st.integers(0, 50)})}
    )
    | json_objects()
)
_SNAPSHOT = Shape(
    {
        "snapshot_date": weeks(),
        "metric_type": words(),
        "metrics": _METRICS,
    },
    {"forecast": st.none() | json_objects(), "forecasts": st.none() | json_objects()},
    unknown=None,
)
AMOUNTS = st.none() | st.floats(0, 2**53 - 1)
"""Amounts of budgets."""
PERCENTS = st.integers(0, 100) | st.floats(0, 100)
"""The progress of tasks."""

_BUDGET = Shape(
    optional={
        "time_allocated_weeks": AMOUNTS,
        "team_cost_per_week": AMOUNTS,
        "budget_total": AMOUNTS,
        "cost_rate_type": st.just("weekly") | words(),
        "currency_symbol": st.sampled_from(["€", "$", "CHF", "kr "]),
        "baseline_velocity_items": AMOUNTS,
        "baseline_velocity_points": AMOUNTS,
        "effective_from": st.none() | days(),
        "created_at": _times,
        "updated_at": _times,
        "revisions": st.lists(SECTIONS[BudgetRevision].documents(), max_size=3),
    },
    reserved=frozenset({"profile_id", "query_id"}),
)
_TASK = Shape(
    {
        "task_name": st.just("fetch") | identifiers(),
        "progress_percent": PERCENTS,
        "status": st.just("running") | words(),
    },
    {"message": lines()},
    unknown=None,
)
_OF_QUERY = {"profile_id": identifiers(), "query_id": _query_ids}

ENTITIES: dict[type[Entity], Shape] = {
    Profile: _PROFILE,
    Query: replace(_QUERY, required={"profile_id": identifiers(), **_QUERY.required}),
    AppState: Shape({"key": keys(), "value": lines()}, unknown=None),
    JiraCache: Shape(
        {**_OF_QUERY, "cache_key": keys(), "expires_at": _times, "response": jira_responses()},
        {"created_at": _times},
        unknown=None,
    ),
    JiraChangelog: Shape(
        {**_OF_QUERY, "issue_key": keys(), "changelog": changelogs()},
        {"expires_at": _optional_times, "created_at": _optional_times},
        unknown=None,
    ),
    ProjectData: Shape({**_OF_QUERY, "data": json_objects()}, {"updated_at": _times}, None),
    MetricsSnapshot: replace(
        _SNAPSHOT,
        required={**_OF_QUERY, **_SNAPSHOT.required},
        optional={"created_at": _times, **_SNAPSHOT.optional},
    ),
    Budget: replace(_BUDGET, required=_OF_QUERY),
    TaskProgress: replace(
        _TASK,
        optional={
            **_TASK.optional,
            "updated_at": _times,
            "owner": st.none() | lines(),
            "started_at": _optional_times,
            "heartbeat_at": _optional_times,
            "lease_until": _optional_times,
            "cancel_requested": st.booleans(),
        },
    ),
}
"""The shape of every entity."""


def documents(model: type[Entity] | type[Submodel], **keys: Any) -> SearchStrategy[Document]:
    """Return documents of an entity or section, with whatever else it keeps.

    Args:
        model: the class, such as ``Budget`` or ``JiraConfig``.
        keys: by key, a strategy or a value, which every document then has.

    Returns:
        Documents with all keys that are required, some of the others, and some unknown ones if
        the class keeps these. The first one has only what is required.

    Raises:
        TypeError: it is neither an entity nor a section, or has no such key.
        pydantic.ValidationError: a value is not valid; raised when a document is drawn.
    """
    shapes: dict[type[Any], Shape] = {**ENTITIES, **SECTIONS}
    if model not in shapes:
        raise TypeError(f"model should be an entity or a section such as Profile, got {model!r}")
    return _narrowed(model, shapes[model], keys)


def _narrowed(
    model: type[Entity] | type[Submodel], shape: Shape, keys: Mapping[str, Any]
) -> SearchStrategy[Document]:
    """Return documents that have these keys, checked if there are any."""
    drawn = shape.documents(keys)
    return drawn.map(partial(_checked, model)) if keys else drawn


def _checked(model: type[Entity] | type[Submodel], document: Document) -> Document:
    """Return a document after the model has accepted it, with owners if it has none."""
    owners = {key: "kafka" for key in _OF_QUERY if key in model.model_fields}
    model.model_validate({**owners, **document})
    return document


def profiles(**keys: Any) -> SearchStrategy[Document]:
    """Return documents of profiles, ``{"id": "kafka"}`` first; ``keys`` as in :func:`documents`."""
    return _narrowed(Profile, _PROFILE, keys)


def queries(**keys: Any) -> SearchStrategy[Document]:
    """Return documents of queries, as :meth:`PersistenceBackend.save_query` takes them.

    The first one is ``{"id": "12w"}``; ``keys`` as in :func:`documents`.
    """
    return _narrowed(Query, _QUERY, keys)


def metrics_snapshots(**keys: Any) -> SearchStrategy[Document]:
    """Return snapshots, as :meth:`PersistenceBackend.save_metrics_snapshot` takes them.

    The first one is of ``2026-W01``, of type ``dora`` and without metrics; ``keys`` as in
    :func:`documents`.
    """
    return _narrowed(MetricsSnapshot, _SNAPSHOT, keys)


def budgets(**keys: Any) -> SearchStrategy[Document]:
    """Return budgets, as :meth:`PersistenceBackend.save_budget` takes them, the empty one first.

    ``keys`` as in :func:`documents`.
    """
    return _narrowed(Budget, _BUDGET, keys)


def tasks(**keys: Any) -> SearchStrategy[Document]:
    """Return the progress of tasks, of ``fetch`` first; ``keys`` as in :func:`documents`."""
    return _narrowed(TaskProgress, _TASK, keys)

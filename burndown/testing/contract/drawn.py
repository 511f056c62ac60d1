"""Strategies and values of the contract: what can be stored, and what must be refused."""

import math
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from burndown.models import (
    AppState,
    Budget,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
    TaskProgress,
)
from burndown.testing import strategies as shipped
from burndown.testing.strategies import entities, sections, times

strings = shipped.strings()
floats = st.floats(allow_nan=False, allow_infinity=False)
json_values = shipped.json_values()
json_objects = shipped.json_objects()
lines = shipped.lines()
names = shipped.names()
keys = shipped.keys()
identifiers = shipped.identifiers()
words = shipped.words()
iso_weeks = shipped.weeks()
aware_timestamps = shipped.timestamps()
naive_timestamps = times.naive_timestamps()
long_years = times.LONG_YEARS
timestamps = aware_timestamps | naive_timestamps
given_timestamps = timestamps | timestamps.map(datetime.isoformat)
"""Timestamps as in documents."""
responses = shipped.jira_responses(max_size=2) | json_objects
profiles = shipped.profiles
queries = shipped.queries
documents = shipped.documents
snapshots = shipped.metrics_snapshots()
budgets = shipped.budgets()
tasks = shipped.tasks()
amounts = entities.AMOUNTS
percents = entities.PERCENTS
field_sources = sections.field_sources()
flow_types = sections.flow_types()
PROFILE_SECTIONS = entities.PROFILE_SECTIONS
SECTIONS: dict[type[Any], st.SearchStrategy[Any]] = {
    section: shipped.documents(section) for section in sections.SECTIONS
}
"""Documents of every section."""
ENTITIES: dict[type[Any], st.SearchStrategy[Any]] = {
    entity: shipped.documents(entity) for entity in entities.ENTITIES
}
"""Documents of every entity."""


def nested(depth: int) -> dict[str, Any]:
    """Return this many dicts within each other."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"k": value}
    return value


lone_surrogates = st.builds(
    lambda before, surrogate, after: before + surrogate + after,
    strings,
    st.characters(categories=["Cs"]),
    strings,
)
unstorable_leaves: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf]),
    lone_surrogates,
    st.tuples(st.integers()),
    st.sets(st.integers(), max_size=3),
    st.datetimes(),
    st.dates(),
    st.binary(max_size=3),
    st.builds(object),
    st.decimals(allow_nan=False, allow_infinity=False),
)
"""Values that are refused themselves, whatever is around them."""

unstorable_keys: st.SearchStrategy[Any] = st.one_of(
    st.integers(),
    st.booleans(),
    st.none(),
    floats,
    st.binary(max_size=3),
    st.tuples(strings),
    lone_surrogates,
)
unstorable_values: st.SearchStrategy[Any] = st.one_of(
    unstorable_leaves,
    unstorable_keys.map(lambda key: {key: 1}),
    st.integers(201, 400).map(nested),
    st.just(10**5000),
)
"""Values that JSON cannot represent exactly."""

VALID: dict[type[Any], dict[str, Any]] = {
    **{section: {} for section in SECTIONS},
    Profile: {"id": "kafka"},
    Query: {"profile_id": "kafka", "id": "12w"},
    AppState: {"key": "active_profile_id", "value": "kafka"},
    JiraCache: {
        "profile_id": "kafka",
        "query_id": "12w",
        "cache_key": "abc",
        "expires_at": "2025-12-23T10:00:00+00:00",
        "response": {"issues": [], "total": 0},
    },
    JiraChangelog: {
        "profile_id": "kafka",
        "query_id": "12w",
        "issue_key": "KAFKA-1",
        "changelog": {"histories": []},
    },
    ProjectData: {"profile_id": "kafka", "query_id": "12w", "data": {"statistics": []}},
    MetricsSnapshot: {
        "profile_id": "kafka",
        "query_id": "12w",
        "snapshot_date": "2025-W12",
        "metric_type": "dora",
        "metrics": {"lead_time_days": 4.2},
    },
    Budget: {"profile_id": "kafka", "query_id": "12w"},
    TaskProgress: {"task_name": "fetch", "progress_percent": 75.0, "status": "running"},
}
"""The smallest document of every model."""

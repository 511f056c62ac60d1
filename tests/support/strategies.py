"""Hypothesis strategies that only the tests of the package need: what must be refused.

What can be stored is drawn by the strategies that are shipped, which have short names here.
"""

import math
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from burndown.models import (
    AppState,
    Budget,
    BudgetRevision,
    DoraFieldMappings,
    FieldMappings,
    FlowFieldMappings,
    FlowTypeMapping,
    FlowTypeMappings,
    ForecastSettings,
    JiraCache,
    JiraChangelog,
    JiraConfig,
    MetricsSnapshot,
    Profile,
    ProjectClassification,
    ProjectData,
    Query,
    TaskProgress,
)
from burndown.testing import strategies as shipped
from burndown.testing.strategies import entities, sections, times

# --- what can be stored ----------------------------------------------------------------------

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

# --- what must be refused --------------------------------------------------------------------


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

plain_keys = st.text("abcxyz_", min_size=1, max_size=4)


@st.composite
def hidden(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> tuple[dict[str, Any], str]:
    """Draw an object that contains one of the values, and the path to it."""
    value, path = draw(values), ""
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            before = draw(st.lists(st.integers(), max_size=2))
            value, path = [*before, value], f"[{len(before)}]{path}"
        else:
            key = draw(plain_keys)
            value, path = {key: value}, f".{key}{path}"
    key = draw(plain_keys)
    return {"other": 1, key: value}, key + path


ASSIGNABLE_REFUSALS: list[tuple[type[Any], str, Any]] = [
    (JiraConfig, "base_url", "jira"),
    (JiraConfig, "base_url", "ftp://jira.example.com"),
    (JiraConfig, "base_url", "https://user:pass@jira.example.com"),
    (JiraConfig, "base_url", None),
    (JiraConfig, "api_version", "v4"),
    (JiraConfig, "token", "*****"),
    (JiraConfig, "token", 3),
    (JiraConfig, "token", "\ud800"),
    (JiraConfig, "cache_size_mb", 9),
    (JiraConfig, "cache_size_mb", 1001),
    (JiraConfig, "cache_size_mb", "100"),
    (JiraConfig, "cache_size_mb", True),
    (JiraConfig, "max_results_per_call", 0),
    (JiraConfig, "points_field", {"k": math.nan}),
    (JiraConfig, "points_field", "\ud800"),
    (JiraConfig, "configured", 1),
    (JiraConfig, "last_test_timestamp", "yesterday"),
    (JiraConfig, "last_test_success", "yes"),
    (JiraConfig, "unknown", math.inf),
    (DoraFieldMappings, "deployment_date", 3),
    (DoraFieldMappings, "deployment_date", {3: 4}),
    (DoraFieldMappings, "unknown", {3: 4}),
    (FlowFieldMappings, "status", [1]),
    (FieldMappings, "dora", 3),
    (FieldMappings, "unknown", math.nan),
    (ForecastSettings, "pert_factor", 0),
    (ForecastSettings, "pert_factor", -1.5),
    (ForecastSettings, "pert_factor", math.nan),
    (ForecastSettings, "pert_factor", math.inf),
    (ForecastSettings, "pert_factor", "1.2"),
    (ForecastSettings, "pert_factor", True),
    (ForecastSettings, "data_points_count", 0),
    (ForecastSettings, "deadline", "31.12.2025"),
    (ForecastSettings, "deadline", "2025-02-30"),
    (ForecastSettings, "deadline", 3),
    (ForecastSettings, "unknown", Decimal(1)),
    (ProjectClassification, "bug_types", "Bug"),
    (ProjectClassification, "bug_types", [1]),
    (ProjectClassification, "bug_types", ["\ud800"]),
    (FlowTypeMapping, "issue_types", "Bug"),
    (FlowTypeMappings, "feature", 3),
    (FlowTypeMappings, "unknown", 3),
    (Profile, "id", "../up"),
    (Profile, "id", ""),
    (Profile, "id", ".hidden"),
    (Profile, "id", "a\nb"),
    (Profile, "name", "  "),
    (Profile, "name", "a\0b"),
    (Profile, "name", "x" * 201),
    (Profile, "name", "\udfff"),
    (Profile, "description", None),
    (Profile, "created_at", "yesterday"),
    (Profile, "created_at", 1735689600),
    (Profile, "extra", {"k": math.nan}),
    (Profile, "extra", {"name": "a field of its own"}),
    (Profile, "extra", []),
    (Profile, "jira_config", 3),
    (Profile, "jira_config", {"base_url": "jira"}),
    (Profile, "show_milestone", 1),
    (Profile, "show_points", "show"),
    (Query, "jql", 3),
    (Query, "jql", "a\0b"),
    (Query, "profile_id", "a/b"),
    (AppState, "key", ""),
    (AppState, "value", 3),
    (JiraCache, "expires_at", "soon"),
    (JiraCache, "response", []),
    (JiraCache, "response", {"issues": [math.nan]}),
    (JiraChangelog, "changelog", None),
    (JiraChangelog, "created_at", "soon"),
    (ProjectData, "data", {1: 2}),
    (MetricsSnapshot, "snapshot_date", "2025-W60"),
    (MetricsSnapshot, "snapshot_date", "2025-W53"),
    (MetricsSnapshot, "metric_type", "DORA"),
    (MetricsSnapshot, "metrics", {"k": {"k": (1,)}}),
    (MetricsSnapshot, "forecast", [1]),
    (MetricsSnapshot, "forecasts", [1]),
    (MetricsSnapshot, "forecasts", {"k": {"k": math.nan}}),
    (Budget, "time_allocated_weeks", -1),
    (Budget, "time_allocated_weeks", "12"),
    (Budget, "time_allocated_weeks", True),
    (Budget, "team_cost_per_week", math.nan),
    (Budget, "budget_total", math.inf),
    (Budget, "budget_total", 2**53),
    (Budget, "budget_total", 10**400),
    (Budget, "cost_rate_type", "Weekly"),
    (Budget, "currency_symbol", ""),
    (Budget, "currency_symbol", "\0"),
    (Budget, "currency_symbol", "x" * 11),
    (Budget, "baseline_velocity_items", -0.5),
    (Budget, "baseline_velocity_points", []),
    (Budget, "effective_from", "5.1.2026"),
    (Budget, "effective_from", "2026-02-29"),
    (Budget, "effective_from", ""),
    (Budget, "effective_from", "2026-01-05T10:00:00"),
    (Budget, "created_at", None),
    (Budget, "revisions", {}),
    (Budget, "revisions", [3]),
    (Budget, "revisions", [{"reason": None}]),
    (Budget, "extra", {"revisions": []}),
    (BudgetRevision, "revision_date", "yesterday"),
    (BudgetRevision, "week_label", "2025-W53"),
    (BudgetRevision, "time_allocated_weeks_delta", None),
    (BudgetRevision, "team_cost_delta", "250"),
    (BudgetRevision, "budget_total_delta", math.nan),
    (BudgetRevision, "reason", "\ud800"),
    (BudgetRevision, "created_at", 1735689600),
    (BudgetRevision, "metadata", []),
    (BudgetRevision, "metadata", {"k": math.inf}),
    (BudgetRevision, "unknown", {1}),
    (TaskProgress, "progress_percent", 100.5),
    (TaskProgress, "progress_percent", -1),
    (TaskProgress, "progress_percent", math.nan),
    (TaskProgress, "progress_percent", True),
    (TaskProgress, "status", "Running"),
    (TaskProgress, "message", None),
    (TaskProgress, "owner", 3),
    (TaskProgress, "started_at", "yesterday"),
    (TaskProgress, "heartbeat_at", 1735689600),
    (TaskProgress, "lease_until", "soon"),
    (TaskProgress, "cancel_requested", 1),
    (TaskProgress, "cancel_requested", None),
]
"""A model, one of its attributes, and an invalid value for it."""

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

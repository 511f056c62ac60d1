"""Every Hypothesis strategy: what can be stored, and what must be refused."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
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

# --- JSON ------------------------------------------------------------------------------------

strings = st.text(st.characters(codec="utf-8"), max_size=12)
"""Any string that UTF-8 can encode, including NUL."""

integers = st.integers() | st.integers(-(10**400), 10**400)
floats = st.floats(allow_nan=False, allow_infinity=False)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | integers | floats | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(strings, json_values, max_size=5)


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
    st.tuples(integers),
    st.sets(integers, max_size=3),
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


# --- strings and timestamps ------------------------------------------------------------------

lines = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
"""Strings for a column of their own."""

names = lines.filter(str.strip)
keys = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20
) | st.from_regex(r"[A-Z]{1,8}-[1-9][0-9]{0,4}", fullmatch=True)
identifiers = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True) | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/\\"),
    min_size=1,
    max_size=20,
).filter(lambda text: text == text.strip() and not text.startswith("."))
words = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True) | st.sampled_from(["dora", "flow"])

long_years = [2004, 2009, 2015, 2020, 2026, 2032, 2037, 2043, 2048, 2054]
"""Years with 53 weeks."""

iso_weeks = st.dates().map(lambda day: "{:04d}-W{:02d}".format(*day.isocalendar())) | (
    st.sampled_from(long_years).map("{}-W53".format)
)

offsets = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(
    lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
)
aware_timestamps = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=offsets)
naive_timestamps = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1))
timestamps = aware_timestamps | naive_timestamps | st.datetimes(timezones=st.just(UTC))
given_timestamps = timestamps | timestamps.map(datetime.isoformat)
"""Timestamps as in documents."""
stored_timestamps = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
"""Timestamps as backends return them."""

# --- documents -------------------------------------------------------------------------------

special_keys = st.sampled_from(
    ["extra", "self", "copy", "model_config", "model_extra", "__dict__", ""]
)


@st.composite
def documents(
    draw: st.DrawFn,
    required: dict[str, Any],
    optional: dict[str, Any] | None = None,
    unknown: st.SearchStrategy[Any] | None = json_values,
    not_unknown: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Draw a document with some of its keys and some unknown ones, in any order."""
    document = draw(st.fixed_dictionaries(required, optional=optional or {}))
    if unknown is not None:
        taken = {*required, *(optional or {}), *not_unknown}
        fresh = (special_keys | strings).filter(lambda key: key not in taken)
        document |= draw(st.dictionaries(fresh, unknown, max_size=3))
    return dict(draw(st.permutations(list(document.items()))))


field_sources = (
    st.sampled_from(["", "customfield_10001", "fixVersions", "status:In Progress.DateTime"])
    | strings
    | json_objects
)
base_urls = st.sampled_from(
    ["", "https://jira.example.com", "https://jira.example.com/", "http://localhost:8080/jira"]
)
tokens = strings.filter(lambda token: not token or token.strip("*"))

jira_config = documents(
    {},
    {
        "base_url": base_urls,
        "api_version": st.sampled_from(["v2", "v3"]),
        "token": tokens,
        "cache_size_mb": st.integers(10, 1000),
        "max_results_per_call": st.integers(10, 1000),
        "points_field": field_sources,
        "configured": st.booleans(),
        "last_test_timestamp": st.none() | timestamps.map(datetime.isoformat),
        "last_test_success": st.none() | st.booleans(),
    },
)
dora_field_mappings = documents(
    {}, dict.fromkeys(DoraFieldMappings.model_fields, st.none() | field_sources)
)
flow_field_mappings = documents(
    {}, dict.fromkeys(FlowFieldMappings.model_fields, st.none() | field_sources)
)
field_mappings = documents({}, {"dora": dora_field_mappings, "flow": flow_field_mappings})
days = st.none() | st.just("") | st.dates().map(date.isoformat)
forecast_settings = documents(
    {},
    {
        "pert_factor": st.integers(1, 10**30)
        | st.floats(0, exclude_min=True, allow_infinity=False)
        | st.sampled_from([1, 1.0, 3, 3.0]),
        "deadline": days,
        "milestone": days,
        "data_points_count": st.integers(1, 10**30)
        | st.floats(1, allow_infinity=False)
        | st.sampled_from([1, 1.0, 12, 12.0]),
    },
)
project_classification = documents(
    {}, dict.fromkeys(ProjectClassification.model_fields, st.lists(strings, max_size=3))
)
flow_type_mapping = documents(
    {},
    {
        "issue_types": st.lists(strings, max_size=3),
        "effort_categories": st.lists(strings, max_size=3),
    },
)
flow_types = flow_type_mapping | st.lists(strings, max_size=3)
flow_type_mappings = documents(
    {},
    dict.fromkeys(["Feature", "Defect", "Technical Debt", "Risk"], flow_types),
    unknown=flow_types,
    not_unknown=frozenset(FlowTypeMappings.model_fields),
)

deltas = st.integers(-(10**30), 10**30) | floats
budget_revisions = documents(
    {},
    {
        "revision_date": st.none() | stored_timestamps,
        "week_label": st.none() | iso_weeks,
        "time_allocated_weeks_delta": deltas,
        "team_cost_delta": deltas,
        "budget_total_delta": deltas,
        "reason": strings,
        "created_at": st.none() | stored_timestamps,
        "metadata": st.none() | json_objects,
    },
)

SECTIONS: dict[type[Any], st.SearchStrategy[Any]] = {
    JiraConfig: jira_config,
    DoraFieldMappings: dora_field_mappings,
    FlowFieldMappings: flow_field_mappings,
    FieldMappings: field_mappings,
    ForecastSettings: forecast_settings,
    ProjectClassification: project_classification,
    FlowTypeMapping: flow_type_mapping,
    FlowTypeMappings: flow_type_mappings,
    BudgetRevision: budget_revisions,
}
"""Documents of every section."""

PROFILE_SECTIONS = {
    "jira_config": jira_config,
    "field_mappings": field_mappings,
    "forecast_settings": forecast_settings,
    "project_classification": project_classification,
    "flow_type_mappings": flow_type_mappings,
}


def profiles(ids: st.SearchStrategy[str] = identifiers) -> st.SearchStrategy[dict[str, Any]]:
    """Draw documents of profiles."""
    return documents(
        {"id": ids},
        {
            "name": names,
            "description": lines,
            "created_at": given_timestamps,
            "last_used": given_timestamps,
            "show_milestone": st.booleans(),
            "show_points": st.booleans() | st.lists(strings, max_size=2),
            **PROFILE_SECTIONS,
        },
    )


def queries(ids: st.SearchStrategy[str] = identifiers) -> st.SearchStrategy[dict[str, Any]]:
    """Draw documents of queries, as the backend accepts them."""
    return documents(
        {"id": ids},
        {
            "name": names,
            "jql": lines,
            "description": lines,
            "created_at": given_timestamps,
            "last_used": given_timestamps,
            "updated_at": st.none() | given_timestamps,
        },
        not_unknown=frozenset({"profile_id"}),
    )


snapshots = st.fixed_dictionaries(
    {"snapshot_date": iso_weeks, "metric_type": words, "metrics": json_objects},
    optional={"forecast": st.none() | json_objects, "forecasts": st.none() | json_objects},
)
"""Snapshots, as the backend accepts them."""

amounts = st.none() | st.floats(0, 2**53 - 1)
budgets = documents(
    {},
    {
        "time_allocated_weeks": amounts,
        "team_cost_per_week": amounts,
        "budget_total": amounts,
        "cost_rate_type": words,
        "currency_symbol": st.sampled_from(["€", "$", "CHF", "kr "]),
        "baseline_velocity_items": amounts,
        "baseline_velocity_points": amounts,
        "effective_from": st.none() | st.dates().map(date.isoformat),
        "created_at": given_timestamps,
        "updated_at": given_timestamps,
        "revisions": st.lists(budget_revisions, max_size=3),
    },
    not_unknown=frozenset({"profile_id", "query_id"}),
)
"""Budgets, as the backend accepts them."""

percents = st.integers(0, 100) | st.floats(0, 100)
tasks = st.fixed_dictionaries(
    {"task_name": identifiers, "progress_percent": percents, "status": words},
    optional={"message": lines},
)
leases = {
    "owner": st.none() | lines,
    "started_at": st.none() | given_timestamps,
    "heartbeat_at": st.none() | given_timestamps,
    "lease_until": st.none() | given_timestamps,
    "cancel_requested": st.booleans(),
}
"""Fields that only the owner of a task sets."""
responses = json_objects | st.fixed_dictionaries(
    {"issues": st.lists(json_objects, max_size=3), "total": st.integers(0, 10**6)}
)

_OF_QUERY = {"profile_id": identifiers, "query_id": identifiers}

ENTITIES: dict[type[Any], st.SearchStrategy[Any]] = {
    Profile: profiles(),
    Query: st.builds(
        lambda query, profile_id: {**query, "profile_id": profile_id}, queries(), identifiers
    ),
    AppState: st.fixed_dictionaries({"key": keys, "value": lines}),
    JiraCache: st.fixed_dictionaries(
        {**_OF_QUERY, "cache_key": keys, "expires_at": given_timestamps, "response": responses},
        optional={"created_at": given_timestamps},
    ),
    JiraChangelog: st.fixed_dictionaries(
        {**_OF_QUERY, "issue_key": keys, "changelog": json_objects},
        optional={
            "expires_at": st.none() | given_timestamps,
            "created_at": st.none() | given_timestamps,
        },
    ),
    ProjectData: st.fixed_dictionaries(
        {**_OF_QUERY, "data": json_objects}, optional={"updated_at": given_timestamps}
    ),
    MetricsSnapshot: st.builds(
        lambda snapshot, of: {**snapshot, **of},
        snapshots,
        st.fixed_dictionaries(_OF_QUERY, optional={"created_at": given_timestamps}),
    ),
    Budget: st.builds(
        lambda budget, of: {**budget, **of}, budgets, st.fixed_dictionaries(_OF_QUERY)
    ),
    TaskProgress: st.builds(
        lambda task, more: {**task, **more},
        tasks,
        st.fixed_dictionaries({}, optional={"updated_at": given_timestamps, **leases}),
    ),
}
"""Documents of every entity."""

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

"""The values that the machine saves: few of each kind, so that its calls meet each other."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle

from burndown import Week
from burndown.models import ENTITIES, Entity, QueryData
from burndown.testing.controlled_store import KEYS, START, Document
from burndown.testing.model.refusals import BAD
from burndown.testing.strategies import tasks

Ids = tuple[str, str]
Kept = tuple[type[Entity], list[Document]]

PROFILE_IDS = ["p", "P", "ü 1"]
QUERY_IDS = ["q", "Q"]
PAIRS = [(profile_id, query_id) for profile_id in PROFILE_IDS for query_id in QUERY_IDS]
NAMES = ["p", "q", "Kafka", "kafka"]
ISSUE_KEYS = ["K-1", "K-10", "K-2"]
STATE_KEYS = ["active_profile_id", "active_query_id"]
TASKS = ["fetch", "Fetch"]
LEASES = [timedelta(microseconds=1), timedelta(hours=1), timedelta(hours=6)]
WEEKS = ["2025-W01", "2025-W52", "2026-W01"]
OF_A_QUERY = [each for each in ENTITIES if issubclass(each, QueryData)]
METRIC_TYPES = ["dora", "flow"]

timestamps = st.builds(
    lambda hours, offset, form: form(
        (START + timedelta(hours=hours)).astimezone(timezone(timedelta(hours=offset)))
    ),
    st.integers(-3, 30),
    st.sampled_from([0, -8, 5.5]),
    st.sampled_from(
        [
            lambda timestamp: timestamp,
            lambda timestamp: timestamp.isoformat(),
            lambda timestamp: timestamp.astimezone().replace(tzinfo=None),  # local time
        ]
    ),
)
leaves: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 1, 1.0, -0.0, 10**30, "", "ü", "\0", [], {}]
)
objects = st.dictionaries(st.sampled_from(["k", "a", ""]), leaves, max_size=2)
issues = st.builds(
    lambda names, fields: {**names, **fields},
    st.sampled_from(
        [{"id": "1", "key": "K-1"}, {"id": "2", "key": "K-1"}, {"key": "K-2", "id": "1"}]
    )
    | st.sampled_from([{"key": "K-2"}, {"self": "ü", "id": "3", "key": "K-3"}]),
    objects,
)
responses = objects | st.builds(
    lambda issues, error_text, more: {"issues": issues, **error_text, **more},
    st.lists(objects | issues, max_size=3),
    st.sampled_from([{}, {"total": 1}, {"isLast": False}, {"total": 9, "isLast": True}]),
    objects,
)
profile_ids = st.sampled_from(PROFILE_IDS)
query_ids = st.sampled_from(QUERY_IDS)
pairs = st.sampled_from(PAIRS)
issue_keys = st.sampled_from(ISSUE_KEYS)
names = st.sampled_from(NAMES)
models = st.sampled_from(list(KEYS))


@st.composite
def sometimes_invalid(draw: st.DrawFn, kind: str, good: st.SearchStrategy[Document]) -> Document:
    """Return mostly valid documents, and some with one or two invalid values."""
    document = draw(good)
    if draw(st.integers(0, 7)) == 7:
        for key in draw(st.lists(st.sampled_from(list(BAD[kind])), min_size=1, max_size=2)):
            document[key] = BAD[kind][key][0]
    return document


revisions = st.sampled_from([None, 1, 2, 3])
tokens = st.sampled_from(["canary", "", None, "***", {"is_set": True}]).map(
    lambda token: {"token": token}
)
some_profiles = st.fixed_dictionaries(
    {"id": profile_ids},
    optional={
        "name": names,
        "description": st.sampled_from(["", "again"]),
        "created_at": timestamps,
        "last_used": timestamps,
        "revision": revisions,
        "jira_config": st.sampled_from([{}, {"k": 1, "base_url": ""}]) | tokens,
        "forecast_settings": st.sampled_from([{"pert_factor": 3}, {"pert_factor": 3.0}]),
        "show_points": st.sampled_from([True, ["show"], []]),
        "unknown": leaves,
        "password": st.sampled_from(["canary", {"is_set": True}]),
    },
)
some_queries = st.fixed_dictionaries(
    {"id": query_ids},
    optional={
        "name": names,
        "jql": st.sampled_from(["", "project = K"]),
        "created_at": timestamps,
        "last_used": timestamps,
        "updated_at": st.none() | timestamps,
        "unknown": leaves,
        "profile_id": profile_ids,
        "revision": revisions,
    },
)
changes_of_profiles = st.fixed_dictionaries(
    {},
    optional={
        "id": profile_ids,
        "name": st.none() | names,
        "description": st.sampled_from(["", "again", None]),
        "created_at": st.none() | timestamps,
        "last_used": st.none() | timestamps,
        "jira_config": st.sampled_from([None, {}, {"k": None}, {"k": {"a": None, "b": 1}}])
        | tokens,
        "forecast_settings": st.sampled_from([{"pert_factor": None}, {"pert_factor": 3}]),
        "show_points": st.sampled_from([None, True, ["show"]]),
        "unknown": leaves | st.sampled_from([{"k": {"a": 1}}, {"k": {"a": None}}]),
        "password": st.sampled_from([None, {"is_set": True}]),
        "revision": revisions,
    },
)
changes_of_queries = st.fixed_dictionaries(
    {},
    optional={
        "profile_id": profile_ids,
        "id": query_ids,
        "name": st.none() | names,
        "jql": st.sampled_from([None, "project = K"]),
        "updated_at": st.none() | timestamps,
        "unknown": leaves,
        "revision": revisions,
    },
)
staleness = st.sampled_from(
    [
        *(None, timedelta(), timedelta(hours=1), timedelta(days=1), timedelta.max),
        timedelta(microseconds=-1),
    ]
)
lifetimes = timestamps | st.timedeltas(timedelta(days=-2), timedelta(days=2))
some_caches = st.fixed_dictionaries(
    {"cache_key": st.sampled_from(["a", "b"]), "response": responses, "expires_at": lifetimes}
)
some_changelogs = sometimes_invalid(
    "changelog", st.fixed_dictionaries({"issue_key": issue_keys, "changelog": objects})
)
expiries = st.none() | lifetimes
single_snapshots = st.fixed_dictionaries(
    {
        "snapshot_date": st.sampled_from(WEEKS),
        "metric_type": st.sampled_from(METRIC_TYPES),
        "metrics": objects,
    },
    optional={
        "forecast": st.none() | objects,
        "forecasts": st.none() | objects,
        "created_at": timestamps,
    },
)
bounds = st.none() | st.sampled_from(
    [
        *(*WEEKS, Week(2025, 1), Week(2026, 1), date(2025, 12, 25)),
        *(datetime(2025, 1, 2, 23), "soon"),  # noqa: DTZ001 - local time
    ]
)
some_revisions = st.fixed_dictionaries(
    {},
    optional={
        "revision_date": st.none() | timestamps,
        "created_at": timestamps,
        "week_label": st.sampled_from(WEEKS),
        "team_cost_delta": st.sampled_from([250, -0.5]),
        "metadata": st.none() | objects,
        "unknown": leaves,
    },
)
some_budgets = st.fixed_dictionaries(
    {},
    optional={
        "time_allocated_weeks": st.sampled_from([None, 0, 12, 0.1]),
        "budget_total": st.sampled_from([None, 48_000, -0.0]),
        "currency_symbol": st.just("CHF"),
        "effective_from": st.sampled_from([None, "2026-01-05"]),
        "created_at": timestamps,
        "updated_at": timestamps,
        "revisions": st.lists(some_revisions, max_size=2),
        "unknown": leaves,
    },
)
some_tasks = tasks(
    task_name=st.sampled_from(TASKS),
    progress_percent=st.sampled_from([0, 33.3, 100]),
    status=st.sampled_from(["running", "failed"]),
)

existing_profiles: Bundle[str] = Bundle("existing_profiles")
existing_queries: Bundle[Ids] = Bundle("existing_queries")
read_records: Bundle[Kept] = Bundle("read_records")
of_profile = existing_profiles | profile_ids
of_query = existing_queries | pairs
"""Ids of which most exist."""

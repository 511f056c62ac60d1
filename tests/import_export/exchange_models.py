"""Profiles with only what the published dashboard can hold, as documents."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from burndown.models import (
    Budget,
    BudgetRevision,
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
)
from burndown.testing.contract.drawn import (
    SECTIONS,
    amounts,
    floats,
    iso_weeks,
    json_objects,
    json_values,
    keys,
    profiles,
    queries,
    strings,
    words,
)
from burndown.testing.strategies.shapes import Shape
from tests.support.strategies import plain_keys

Document = dict[str, Any]

optional_strings = st.none() | strings
numbers = st.none() | st.integers(-5, 500) | floats
lists = st.none() | st.lists(json_values, max_size=2)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    datetime.isoformat
)


def _without_nulls(document: Document) -> Document:
    """Return the document without nulls, which are columns that are not set."""
    return {key: value for key, value in document.items() if value is not None}


def _row(revision: Document) -> Document:
    """Return the revision as a row can hold it, which has one column of JSON."""
    return {
        key: value
        for key, value in _without_nulls(revision).items()
        if key == "metadata" or not isinstance(value, dict | list)
    }


def _named(key: str) -> st.SearchStrategy[Document | None]:
    return st.none() | strings.map(lambda name: {key: name})


issues = st.builds(
    lambda key, fields, custom: {"key": key, "fields": {**fields, **custom}},
    keys,
    st.fixed_dictionaries(
        {
            "summary": optional_strings,
            "status": _named("name"),
            "assignee": _named("displayName"),
            "issuetype": _named("name"),
            "priority": _named("name"),
            "resolution": _named("name"),
            "created": optional_strings,
            "updated": optional_strings,
            "resolutiondate": optional_strings,
            "project": st.none()
            | st.fixed_dictionaries({"key": strings, "name": optional_strings}),
            "fixVersions": lists,
            "labels": lists,
            "components": lists,
        }
    ),
    st.dictionaries(st.integers(1, 99).map("customfield_{}".format), json_values, max_size=3),
)
caches = st.builds(
    lambda key, times, issues: {
        "cache_key": key,
        "created_at": min(times),
        "expires_at": max(times),
        "response": {"issues": issues},
    },
    keys,
    st.tuples(times, times),
    st.lists(issues, min_size=1, max_size=3),
)
items = st.fixed_dictionaries(
    {
        "field": strings,
        "fieldtype": optional_strings,
        "fromString": optional_strings,
        "toString": optional_strings,
    }
)
histories = st.lists(
    st.fixed_dictionaries(
        {
            "created": optional_strings,
            "author": _named("displayName"),
            "items": st.lists(items, min_size=1, max_size=2),
        }
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda history: (history["created"], str(history["author"])),
)
changelogs = st.builds(
    lambda key, expires_at, found: {
        "issue_key": key,
        "expires_at": expires_at,
        "changelog": {"key": key, "changelog": {"histories": found}},
    },
    keys,
    times,
    histories,
)
weeks = st.lists(
    st.fixed_dictionaries(
        {"date": st.dates().map(str)},
        optional={
            "week_label": optional_strings,
            "remaining_items": numbers,
            "completed_points": numbers,
        },
    ),
    min_size=1,
    max_size=3,
).map(lambda rows: sorted(rows, key=lambda row: str(row["date"])))
project_data = st.builds(
    lambda updated_at, rows, scope: {
        "updated_at": updated_at,
        "data": {"statistics": [{**row, "recorded_at": updated_at} for row in rows], **scope},
    },
    times,
    weeks,
    st.fixed_dictionaries(
        {},
        optional={"project_scope": json_objects.filter(lambda scope: "updated_at" not in scope)},
    ),
)
plain_metrics = st.fixed_dictionaries(
    {
        "value": st.integers(0, 10**20)
        | floats
        | strings.filter(lambda text: text[:1] not in "{["),
        "unit": strings,
    }
)
metrics = st.builds(
    lambda metric, excluded, forecast: {**metric, "excluded_issue_count": excluded, **forecast},
    plain_metrics | st.dictionaries(plain_keys, json_values, max_size=3),
    st.integers(0, 9),
    st.just({})
    | st.fixed_dictionaries(
        {
            "forecast_value": floats,
            "forecast_confidence_low": numbers,
            "forecast_confidence_high": numbers,
        }
    ),
)


@st.composite
def snapshots(draw: st.DrawFn) -> Document:
    """Draw a snapshot whose metrics have the type in their names."""
    prefix = draw(st.sampled_from(["dora", "flow", "other"]))
    names = plain_keys if prefix == "other" else plain_keys.map(f"{prefix}_{{}}".format)
    return {
        "snapshot_date": draw(iso_weeks),
        "metric_type": prefix,
        "created_at": draw(times),
        "metrics": draw(st.dictionaries(names, metrics, min_size=1, max_size=3)),
    }


budgets = st.builds(
    lambda budget, created_at: {
        **budget,
        "created_at": created_at,
        "effective_from": created_at[:10],
    },
    Shape(
        {
            "time_allocated_weeks": amounts,
            "team_cost_per_week": amounts,
            "budget_total": amounts,
            "cost_rate_type": words,
            "currency_symbol": st.sampled_from(["€", "$", "CHF"]),
            "baseline_velocity_items": amounts,
            "baseline_velocity_points": amounts,
            "updated_at": times,
            "revisions": st.lists(SECTIONS[BudgetRevision].map(_row), max_size=3),
        },
        unknown=None,
    ).documents(),
    times,
)
ENTITIES: dict[type[Entity], st.SearchStrategy[Document]] = {
    JiraCache: caches,
    JiraChangelog: changelogs,
    ProjectData: project_data,
    MetricsSnapshot: snapshots(),
    Budget: budgets,
}
_KEYS: dict[type[Entity], tuple[str, ...]] = {
    JiraChangelog: ("issue_key",),
    MetricsSnapshot: ("snapshot_date", "metric_type"),
}
"""The key of those that a query can have several of."""


@st.composite
def stores(draw: st.DrawFn) -> dict[type[Entity], list[Document]]:
    """Draw a profile with some queries and all that the dashboard keeps for them."""
    profile = {**_without_nulls(draw(profiles())), "created_at": draw(times)}
    found = draw(
        st.lists(
            queries(),
            max_size=2,
            unique_by=(lambda query: query["id"], lambda query: query.get("name", query["id"])),
        )
    )
    content: dict[type[Entity], list[Document]] = {Profile: [profile], Query: []}
    for query in found:
        ids = {"profile_id": profile["id"], "query_id": query["id"]}
        content[Query].append(
            {**_without_nulls(query), "created_at": draw(times), "profile_id": profile["id"]}
        )
        for entity, strategy in ENTITIES.items():
            key = _KEYS.get(entity, ())
            some = draw(st.lists(strategy, max_size=2 if key else 1))
            unique = {tuple(each[name] for name in key): each for each in some}
            content.setdefault(entity, []).extend({**each, **ids} for each in unique.values())
    return content

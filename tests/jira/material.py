"""Issues and changelogs as Jira sends them, and odd ones."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from burndown.demo.jira import POINTS_FIELD
from burndown.testing.contract.drawn import json_values
from burndown.testing.strategies import jira_issues
from burndown.testing.strategies.jira import sent

Json = dict[str, Any]

PROFILE = {"id": "a", "jira_config": {"points_field": POINTS_FIELD}}

NAMES = st.sampled_from(["Open", "In Progress", "In Review", "Done", "Größe 1"])
KEYS = st.builds("{}-{}".format, st.sampled_from(["OPS", "WEB", "CORE"]), st.integers(1, 99))
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
)
OFFSETS = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))


timestamps = st.builds(lambda time, zone: sent(time.astimezone(zone)), TIMES, OFFSETS)


def rich_text(*lines: str) -> Json:
    """Return a document with paragraphs, as the cloud has it."""
    return {
        "type": "doc",
        "version": 1,
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines
        ],
    }


FIELDS = (
    "summary",
    "description",
    "issuetype",
    "status",
    "priority",
    "resolution",
    "assignee",
    "project",
    "parent",
    "labels",
    "components",
    "fixVersions",
    "created",
    "updated",
    "resolutiondate",
    "duedate",
    POINTS_FIELD,
)


def _requested(issue: Json, fields: set[str]) -> Json:
    """Return an issue as a request for some of its fields gets it."""
    found = {name: value for name, value in issue["fields"].items() if name in fields}
    return {**issue, "fields": found}


issues: st.SearchStrategy[Json] = (
    jira_issues()
    | st.builds(_requested, jira_issues(), st.sets(st.sampled_from(FIELDS)))
    | st.integers(1, 99).map(lambda number: {"id": str(number)})
)
"""Issues with all fields, with some of them, or requested without fields, which have only an id."""


@st.composite
def histories(draw: st.DrawFn, with_ids: bool = True) -> list[Json]:
    """Return histories with changes of several fields, oldest first."""
    times = sorted(draw(st.lists(TIMES, max_size=6)))
    items = st.lists(
        st.fixed_dictionaries(
            {
                "field": st.sampled_from(["status", "labels", "Sprint"]),
                "fromString": st.none() | NAMES,
                "toString": NAMES,
            }
        ),
        min_size=1,
        max_size=3,
    )
    found = []
    for number, time in enumerate(times, start=1):
        history: Json = {"created": sent(time), "items": draw(items)}
        found.append({"id": str(9 * number), **history} if with_ids else history)
    return found


def either(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a choice in which each has the same share, which ``|`` gives to each part of them."""
    return st.sampled_from(strategies).flatmap(lambda strategy: strategy)


def objects(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Return objects with some of these keys."""
    return st.fixed_dictionaries({}, optional=values)


_KEYS_OF_NAMES = ("name", "key", "value", "displayName", "statusCategory", "type", "releaseDate")
_odd_objects = objects(**dict.fromkeys(_KEYS_OF_NAMES, json_values))
odd_values = either(
    json_values,
    _odd_objects,
    st.lists(either(json_values, _odd_objects), max_size=3),
    st.just({"type": "doc", "content": 3}),
    st.builds(lambda value: {"type": "doc", "content": [{"type": value}, value]}, json_values),
)
"""Values that a field can have against all expectation."""

_odd_items = objects(
    field=st.just("status"), fromString=odd_values, toString=either(odd_values, NAMES)
)
_odd_histories = objects(
    id=either(odd_values, st.integers(), NAMES),
    created=either(odd_values, timestamps, st.integers()),
    items=either(odd_values, st.lists(either(odd_values, _odd_items), max_size=3)),
)
odd_changelogs = either(
    odd_values, objects(histories=st.lists(either(odd_values, _odd_histories), max_size=4))
)
_odd_fields = objects(**dict.fromkeys(FIELDS, either(odd_values, timestamps)))
odd_issues = objects(
    key=either(odd_values, KEYS),
    id=odd_values,
    fields=either(odd_values, _odd_fields),
    changelog=odd_changelogs,
)
"""Issues with odd values in them."""

_KINDS = (
    "field_value",
    "field_value_match",
    "changelog_event",
    "changelog_timestamp",
    "fixversion_releasedate",
    "calculated",
)
_FILTERS = ("project", "issuetype", "environment_field", "environment_value")
_odd_rules = objects(
    source=either(
        odd_values,
        objects(
            type=either(odd_values, st.sampled_from(_KINDS)),
            field=either(odd_values, st.sampled_from(FIELDS)),
            operator=either(odd_values, st.sampled_from(["equals", "not_in", "contains"])),
            value=odd_values,
            selector=either(odd_values, st.just("all")),
            condition=either(
                odd_values, objects(transition_to=odd_values, transition_from=odd_values)
            ),
        ),
    ),
    filters=either(odd_values, objects(**dict.fromkeys(_FILTERS, either(odd_values, NAMES)))),
)
odd_sources = either(
    json_values,
    st.text(st.sampled_from("*|.:= customfield_1OPSstaEDTim"), max_size=20),
    st.sampled_from(FIELDS),
    _odd_rules,
)
"""Field mappings that nobody would write."""

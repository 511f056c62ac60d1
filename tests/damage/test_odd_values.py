"""Odd values in the files of an old workspace and in its registry: what each of them comes to."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.damage.workspace import (
    CACHE,
    CANARY,
    CHANGELOG,
    DATA,
    FILES,
    METRICS,
    PROFILE,
    QUERY,
    REGISTRY,
    Stored,
    assert_all_else_is_there,
    assert_leaves_out,
    assert_stops,
    changed,
    migrate,
)


def active(stored: Stored) -> dict[str, str]:
    return {row["key"]: row["value"] for row in stored.get(REGISTRY, [])}


# --- values ----------------------------------------------------------------------------------

MADE_GOOD: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "sections that are null": (
        PROFILE,
        {"jira_config": None, "forecast_settings": None},
        "jira_config: null read as not set",
    ),
    "sections that are empty lists": (
        PROFILE,
        {"jira_config": [], "field_mappings": []},
        "jira_config: an empty list read as an empty object",
    ),
    "a token that is null": (PROFILE, {"jira_config/token": None}, "jira_config.token: null"),
    "points that are a list": (PROFILE, {"show_points": []}, None),
    "points that are null": (PROFILE, {"show_points": None}, "show_points: null"),
    "a description that is null": (PROFILE, {"description": None}, "description: null"),
    "a name that is null": (PROFILE, {"name": None}, "name: "),
    "a name of blanks": (PROFILE, {"name": " \t"}, "name: 'a' in place of"),
    "a name too long": (PROFILE, {"name": "x" * 5000}, "name: 'xxx"),
    "created null": (PROFILE, {"created_at": None}, "created_at: null read as not set"),
    "created as a number": (PROFILE, {"created_at": 1732398051}, "created_at: 1732398051 is no"),
    "created as a negative number": (PROFILE, {"created_at": -1e300}, "created_at: -1e.300 is no"),
    "created as an object": (PROFILE, {"created_at": {"$date": 1}}, "created_at: a value of type"),
    "created at no time": (PROFILE, {"created_at": "2025-02-30T25:61:00"}, "created_at: '2025-02"),
    "created in no year": (PROFILE, {"created_at": "+12025-01-01"}, "created_at: "),
    "used before all time": (
        PROFILE,
        {"last_used": "0001-01-01T00:00:00+14:00"},
        "last_used: .* is no date and time",
    ),
    "used after all time": (
        PROFILE,
        {"last_used": "9999-12-31T23:59:59-12:00"},
        "last_used: .* is no date and time",
    ),
    "used at a moment of Unix": (PROFILE, {"last_used": 1732398051.5}, "last_used: 1732398051.5"),
    "used in the oldest year": (PROFILE, {"last_used": "0001-01-02T00:00:00Z"}, None),
    "a query without a name": (QUERY, {"name": None}, "name: there is none; taken as 'q1'"),
    "a query without a JQL": (QUERY, {"jql": None}, "jql: there is none"),
    "a query made at no time": (QUERY, {"created_at": []}, "created_at: a value of type list"),
    "a query used at no time": (QUERY, {"last_used": "NaT"}, "last_used: 'NaT' is no date"),
    "a query of another id": (QUERY, {"id": "../../evil", "profile_id": 7}, None),
    "data of no time": (DATA, {"metadata/last_updated": "soon"}, None),
    "data with odd statistics": (
        DATA,
        {"statistics": [None, 5, {"date": "NaT", "completed_items": "70.5"}], "metadata": 3},
        None,
    ),
    "NUL in the keys of data": (DATA, {"k\0": "\0"}, None),
    "an answer of no time": (CACHE, {"timestamp": [2025]}, "timestamp: taken from the time"),
    "an answer at the end of time": (
        CACHE,
        {"timestamp": "9999-12-31T23:00:00+00:00"},
        "timestamp: taken from the time",
    ),
    "an answer without its JQL": (CACHE, {"jql_query": 5, "fields_requested": ["key"]}, None),
    "an issue three times": (
        CACHE,
        {"issues": [{"key": "K-1"}, {"key": "K-1", "fields": 1}, {"key": "k-1"}, None, 5, "x"]},
        None,
    ),
    "NUL in an issue": (CACHE, {"issues": [{"key": "K\0-1", "k\0": None}]}, None),
    "metrics of an odd kind": (
        METRICS,
        {"2025-W26/flow_time": None, "2025-W27/dora_mttr": [1], "2025-W27/": "x"},
        None,
    ),
    "metrics of no time": (METRICS, {"2025-W26/flow_time/timestamp": 12}, None),
    "a week without metrics": (METRICS, {"2025-W26": {}}, None),
    "weeks in the old spelling": (METRICS, {"2025-28": {"flow_load": {}}}, "2025-28 is now"),
}


@pytest.mark.parametrize("kind", MADE_GOOD)
def test_an_odd_value_that_can_be_understood_moves_in(root: Path, whole: Stored, kind: str) -> None:
    """It is told if it is not stored as it stands; nothing else is touched."""
    path, changes, told = MADE_GOOD[kind]
    changed(root, path, changes)
    outcome = migrate(root)
    assert outcome.problems == outcome.left_out == []
    assert {where for where, _ in outcome.put_right} == (set() if told is None else {path})
    assert told is None or any(re.search(told, what) for _, what in outcome.put_right)
    assert path in outcome.stored
    assert_all_else_is_there(outcome.stored, whole, [path])


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a name that is a number": (PROFILE, {"name": 12345}, "name: .*string, got 12345"),
    "NUL in a name": (PROFILE, {"name": "Al\0pha"}, "name: text without NUL characters"),
    "NUL in a description": (PROFILE, {"description": "\0"}, "description: text without NUL"),
    "a connection that is a text": (PROFILE, {"jira_config": CANARY}, "jira_config: .*got str"),
    "a connection that is a list": (PROFILE, {"jira_config": [CANARY]}, "jira_config: .*got list"),
    "a token that is a list": (
        PROFILE,
        {"jira_config/token": [CANARY]},
        "jira_config.token: .*str",
    ),
    "a token that is a number": (PROFILE, {"jira_config/token": 7}, "jira_config.token: .*string$"),
    "an address with a password": (
        PROFILE,
        {"jira_config/base_url": f"https://me:{CANARY}@jira.example.com"},
        "jira_config.base_url: a URL without user and password",
    ),
    "a version that is none": (PROFILE, {"jira_config/api_version": 2}, "api_version: .*got 2"),
    "a size out of all bounds": (
        PROFILE,
        {"jira_config/cache_size_mb": 10**4000},
        "cache_size_mb: .*got a huge number",
    ),
    "a factor that is a text": (
        PROFILE,
        {"forecast_settings/pert_factor": "1.5"},
        "forecast_settings.pert_factor: a number was expected, got '1.5'",
    ),
    "a deadline that is none": (
        PROFILE,
        {"forecast_settings/deadline": "soon"},
        "deadline: a date such as",
    ),
    "points that are a word": (PROFILE, {"show_points": "yes"}, "show_points: true, false or"),
    "points that are a list of lists": (PROFILE, {"show_points": [["x"]]}, "show_points: true"),
    "every section of another type": (
        PROFILE,
        {
            "field_mappings": [1],
            "project_classification": "x",
            "flow_type_mappings": {"Risk": "x"},
            "show_milestone": [],
        },
        "field_mappings.*project_classification.*flow_type_mappings.Risk.*show_milestone",
    ),
    "a JQL that is a list": (QUERY, {"jql": ["a = b"]}, "jql: .*string"),
    "NUL in a JQL": (QUERY, {"jql": "project = \0SOLR"}, "jql: text without NUL characters"),
    "a query's name that is an object": (QUERY, {"name": {}}, "name: .*string"),
    "a week that no year has": (METRICS, {"2025-W60": {}}, "'2025-W60': an ISO week such as"),
    "a week that this year has not": (METRICS, {"2025-W53": {}}, "'2025-W53': an ISO week"),
    "a week in words": (METRICS, {"last": {}}, "'last': an ISO week such as 2025-W12"),
    "metrics that are a list": (METRICS, {"2025-W26": [1]}, "2025-W26: .* metrics .*not a list"),
    "metrics that are null": (METRICS, {"2025-W26": None}, "2025-W26: an object .*not null"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_odd_value_that_cannot_be_had_again_stops_it(
    root: Path, whole: Stored, kind: str
) -> None:
    path, changes, reason = REFUSED[kind]
    changed(root, path, changes)
    assert_stops(root, whole, [path], reason)


LEFT_OUT: dict[str, tuple[str, Any, str]] = {
    "an answer that is an empty object": (CACHE, {}, "no list of issues"),
    "issues that are an object": (CACHE, {"issues": {"K-1": {}}}, "no list of issues"),
    "issues that are null": (CACHE, {"issues": None, "total_issues": 0}, "no list of issues"),
    "histories that are a list": (CHANGELOG, [{"key": "K-1"}], "not a list"),
    "histories of another kind": (
        CHANGELOG,
        {"K-1": None, "K-2": [], "K-3": "x"},
        "'K-.': an object was expected, not (null|a list|a text)",
    ),
    "keys that no column holds": (
        CHANGELOG,
        {"": {}, "K\0-1": {}, "K" * 300: {}},
        "issue_key: (a key of 1 to 200|text without NUL) characters",
    ),
    "an envelope without keys": (CHANGELOG, {"issues": [{}, 5]}, "an issue without a key"),
}


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_an_odd_value_that_jira_can_be_asked_for_again_is_left_out(
    root: Path, whole: Stored, kind: str
) -> None:
    path, value, reason = LEFT_OUT[kind]
    (root / path).write_text(json.dumps(value), "utf-8")
    outcome = assert_leaves_out(root, whole, [path], reason)
    assert all(where != path or "envelope" in what for where, what in outcome.put_right)


def test_what_is_whole_beside_a_left_out_history_moves_in(root: Path) -> None:
    changed(root, CHANGELOG, {"K-2": 5, "K\0-3": {}})
    outcome = migrate(root)
    assert [row["issue_key"] for row in outcome.stored[CHANGELOG]] == ["K-1"]
    assert len(outcome.left_out) == 2


def test_a_bare_list_of_issues_and_the_older_envelope_are_understood(
    root: Path, whole: Stored
) -> None:
    issues = FILES[CACHE]["issues"]
    history = {"key": "K-1", "changelog": {}}
    (root / CACHE).write_text(json.dumps(issues), "utf-8")
    envelope = {"cache_version": "2.0", "issues": [history], "total_issues": 1}
    (root / CHANGELOG).write_text(json.dumps(envelope), "utf-8")
    outcome = migrate(root)
    assert outcome.stored[CACHE][0]["response"] == {"issues": issues}
    assert outcome.stored[CHANGELOG][0]["changelog"] == history
    assert {path for path, _ in outcome.put_right} == {CACHE, CHANGELOG}
    assert_all_else_is_there(outcome.stored, whole, [CACHE, CHANGELOG])


def test_what_is_refused_in_a_profile_does_not_take_the_rest_with_it(root: Path) -> None:
    """Whatever its key is called."""
    text = json.dumps({"name": "P", "created_at": "2025-01-01", "kept": 1})[:-1]
    keys = ["a.b", "", "x[0]", "profile_id", "extra", "deep"]
    more = ", ".join(f'"{key}": {{"y": [1e400]}}' for key in keys)
    (root / PROFILE).write_text(f"{text}, {more}}}", "utf-8")
    assert len(migrate(root).problems) == len(keys)
    [profile] = migrate(root, skip_damaged=True).stored[PROFILE]
    assert profile["name"] == "P"
    assert profile["extra"] == {"kept": 1}


# --- the registry ----------------------------------------------------------------------------

REGISTRIES: dict[str, tuple[dict[str, Any], list[str], dict[str, str]]] = {
    "a list": (
        {"profiles": [{"id": "a", "name": "Größe"}, {"id": "b"}]},
        ["profiles: a list read as an object by id"],
        {"active_profile_id": "a", "active_query_id": "q1"},
    ),
    "a list of ids": (
        {"profiles": ["a", "b"]},
        ["profiles: a list read as an object by id"],
        {"active_profile_id": "a", "active_query_id": "q1"},
    ),
    "a list that has one twice": (
        {"profiles": [{"id": "a"}, {"id": "a", "name": "Other"}]},
        ["profiles: a list read", r"profiles\[1\]: 'a' is there twice; the last one is taken"],
        {"active_profile_id": "a", "active_query_id": "q1"},
    ),
    "an empty list": (
        {"profiles": []},
        ["profiles: a list read"],
        {"active_profile_id": "a", "active_query_id": "q1"},
    ),
    "an entry that is null": (
        {"profiles": {"a": None}},
        ["profiles: 'a': null read as not set"],
        {"active_profile_id": "a", "active_query_id": "q1"},
    ),
    "active ids that name nothing": (
        {"active_profile_id": "p_gone", "active_query_id": "q_gone"},
        ["active_profile_id: 'p_gone' names no profile; nothing is active"],
        {},
    ),
    "an active query that is not there": (
        {"active_query_id": "main"},
        ["active_query_id: 'main' names no query of 'a'; nothing is active"],
        {"active_profile_id": "a"},
    ),
    "an active query of another profile": (
        {"active_profile_id": "b", "active_query_id": "q2"},
        ["active_query_id: 'q2' names no query of 'b'"],
        {"active_profile_id": "b"},
    ),
    "an active query without a profile": (
        {"active_profile_id": None},
        ["active_query_id: 'q1' has no active profile; nothing is active"],
        {},
    ),
    "active ids that are null": ({"active_profile_id": None, "active_query_id": None}, [], {}),
    "active ids of another type": (
        {"active_profile_id": ["a"], "active_query_id": {"x": 1}},
        ["active_profile_id: a value of type list names no profile"],
        {},
    ),
    "an active id that is a huge number": (
        {"active_profile_id": 10**4000},
        ["active_profile_id: a huge number names no profile"],
        {},
    ),
    "an active id that climbs out": (
        {"active_profile_id": "../../etc"},
        ["active_profile_id: '../../etc' names no profile"],
        {},
    ),
    "queries that are not there": (
        {"profiles/a/queries": ["q1", "gone", 5, None, "../x"]},
        [],
        {
            "active_profile_id": "a",
            "active_query_id": "q1",
        },
    ),
    "queries that are no list": (
        {"profiles/a/queries": {"q1": 1}},
        [],
        {
            "active_profile_id": "a",
            "active_query_id": "q1",
        },
    ),
}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_an_odd_registry_that_can_be_understood_moves_in(
    root: Path, whole: Stored, kind: str
) -> None:
    changes, told, expected = REGISTRIES[kind]
    changed(root, REGISTRY, changes)
    outcome = migrate(root)
    assert outcome.left_out == []
    assert len(outcome.put_right) == len(told)
    for (path, what), pattern in zip(outcome.put_right, told, strict=True):
        assert path == REGISTRY
        assert re.match(pattern, what), what
    assert active(outcome.stored) == expected
    assert_all_else_is_there(outcome.stored, whole, [REGISTRY])


REGISTRIES_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "null": ({"profiles": None}, "profiles: an object by id was expected, not null"),
    "a number": ({"profiles": 5}, "profiles: an object by id was expected, not a number"),
    "a text": ({"profiles": "{}"}, "profiles: an object by id was expected, not a text"),
    "a list of garbage": (
        {"profiles": [None, 5, {"name": "no id"}, {"id": 5}, ["a"]]},
        r"profiles\[\d\]: an object with an id was expected",
    ),
    "entries of another kind": (
        {"profiles/b": 5, "profiles/c": [], "profiles/d": "x"},
        "profiles: '[bcd]': an object was expected, not a (number|list|text)",
    ),
    "an entry without a folder that is not valid": (
        {"profiles/c": {"name": "C", "jira_config": {"token": CANARY, "api_version": "v9"}}},
        "Profile 'c': jira_config.api_version",
    ),
}


@pytest.mark.parametrize("kind", REGISTRIES_REFUSED)
def test_a_registry_that_cannot_be_understood_stops_it(
    root: Path, whole: Stored, kind: str
) -> None:
    changes, reason = REGISTRIES_REFUSED[kind]
    changed(root, REGISTRY, changes)
    assert_stops(root, whole, [REGISTRY], reason)


IDS = {
    "../../evil": "evil",
    "/etc/passwd": "etc-passwd",
    "C:\\Windows": "c-windows",
    "a/b": "a-b",
    "a\\b": "a-b-2",
    "": "profile",
    "\0": "profile-2",
    ".": "profile-3",
    "..": "profile-4",
    "x" * 300: "x" * 60,
    "CON": "CON",
    "nul.txt": "nul.txt",
    "A": "A",
    "burndown.db": "burndown.db",
    "Größe 🚀": "Größe 🚀",
    "trailing.": "trailing.",
    "-rf": "-rf",
}


def test_an_id_of_the_registry_leads_nowhere(root: Path, whole: Stored) -> None:
    """What climbs out, is absolute, too long, empty or no file name gets an id that is safe."""
    changed(root, REGISTRY, {"profiles": {**FILES[REGISTRY]["profiles"], **{k: {} for k in IDS}}})
    (root.parent / "evil").mkdir()
    (root.parent / "evil" / "profile.json").write_text('{"name": "not this one"}')
    outcome = migrate(root)
    found = {
        row["id"]: row["extra"].get("legacy_id", row["id"])
        for path, rows in outcome.stored.items()
        for row in rows
        if re.fullmatch(r"profiles/.*/profile\.json", path, re.DOTALL)
    }
    assert {key: new for new, key in found.items() if new not in ("a", "b")} == IDS
    assert_all_else_is_there(outcome.stored, whole, [])

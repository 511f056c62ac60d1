"""Unexpected values in the files of an old workspace and in its registry."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from burndown import Profile, SQLiteBackend, set_backend
from burndown.import_export import export_profile, read_manifest
from tests.legacy.damaged_workspace import (
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
    assert_skips,
    assert_stops,
    changed,
    make,
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
    "created as a number": (
        PROFILE,
        {"created_at": 1732398051},
        "created_at: .*, got 1732398051; kept",
    ),
    "created as a negative number": (
        PROFILE,
        {"created_at": -1e300},
        "created_at: .*, got -1e.300; kept",
    ),
    "created as an object": (
        PROFILE,
        {"created_at": {"$date": 1}},
        "created_at: .*, got an object; kept",
    ),
    "created at no time": (
        PROFILE,
        {"created_at": "2025-02-30T25:61:00"},
        "created_at: .*, got '2025-02",
    ),
    "created in no year": (PROFILE, {"created_at": "+12025-01-01"}, "created_at: "),
    "used before all time": (
        PROFILE,
        {"last_used": "0001-01-01T00:00:00+14:00"},
        "last_used: input should be .* kept under",
    ),
    "used after all time": (
        PROFILE,
        {"last_used": "9999-12-31T23:59:59-12:00"},
        "last_used: input should be .* kept under",
    ),
    "used at a Unix timestamp": (
        PROFILE,
        {"last_used": 1732398051.5},
        "last_used: .*, got 1732398051.5",
    ),
    "used in the oldest year": (PROFILE, {"last_used": "0001-01-02T00:00:00Z"}, None),
    "a query without a name": (QUERY, {"name": None}, "name: missing; taken as 'q1'"),
    "a query without a JQL": (QUERY, {"jql": None}, "jql: missing"),
    "a query made at no time": (
        QUERY,
        {"created_at": []},
        "created_at: .*, got an empty list; kept",
    ),
    "a query used at no time": (QUERY, {"last_used": "NaT"}, "last_used: .*, got 'NaT'; kept"),
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
    "metrics that are null": (METRICS, {"2025-W26": None}, "2025-W26: null read as no metrics"),
    "weeks in the old spelling": (METRICS, {"2025-28": {"flow_load": {}}}, "2025-28 is now"),
    "a week with one digit": (METRICS, {"2025-W7": {"flow_load": {}}}, "2025-W7 is now 2025-W07"),
    "a week as its Monday": (METRICS, {"2024-12-30": {}}, "2024-12-30 is now 2025-W01"),
}


@pytest.mark.parametrize("kind", MADE_GOOD)
def test_an_unexpected_value_that_has_a_meaning_is_migrated(
    root: Path, whole: Stored, kind: str
) -> None:
    """It is reported if it is not stored unchanged; nothing else is changed."""
    path, changes, told = MADE_GOOD[kind]
    changed(root, path, changes)
    outcome = migrate(root)
    assert outcome.problems == outcome.skipped == []
    assert {where for where, _ in outcome.converted} == (set() if told is None else {path})
    assert told is None or any(re.search(told, what) for _, what in outcome.converted)
    assert path in outcome.stored
    assert_all_else_is_there(outcome.stored, whole, [path])


SECTIONS = [
    name
    for name, field in Profile.model_fields.items()
    if field.default_factory and name != "extra"
]
DEFAULT = object()
"""Replaces a field that was not set."""

CONVERTED: dict[str, tuple[str, Any, Any]] = {
    "a flag that is 1": ("show_milestone", 1, True),
    "a flag that is 0": ("jira_config/configured", 0, False),
    "a flag that is 1.0": ("jira_config/configured", 1.0, True),
    "a flag in words": ("jira_config/last_test_success", "True", True),
    "a flag in words of JSON": ("show_points", " false ", False),
    "points that are 1": ("show_points", 1, True),
    "points that are a list of lists": ("show_points", [["show"]], ["show"]),
    "a flag as a checkbox": ("show_milestone", ["show"], True),
    "a flag as an empty checkbox": ("show_milestone", [], False),
    "a flag that is an empty string": ("jira_config/configured", "", DEFAULT),
    "an integer in quotes": ("jira_config/cache_size_mb", "100", 100),
    "an integer as a float": ("jira_config/max_results_per_call", 50.0, 50),
    "an integer as a float in quotes": ("jira_config/max_results_per_call", " 50.0\n", 50),
    "a number in quotes": ("forecast_settings/pert_factor", "1.50", 1.5),
    "a number in a list": ("forecast_settings/data_points_count", [20], 20),
    "no number": ("forecast_settings/pert_factor", " ", DEFAULT),
    "a day with a time": ("forecast_settings/deadline", "2026-03-31 00:00:00", "2026-03-31"),
    "a day with T": ("forecast_settings/milestone", "2026-03-31T00:00:00", "2026-03-31"),
    "a day with a time at noon": (
        "forecast_settings/deadline",
        "2026-03-31T12:30:00.25",
        "2026-03-31",
    ),
    "a day at midnight UTC": ("forecast_settings/deadline", "2026-03-31T00:00:00Z", "2026-03-31"),
    "a day with blanks around it": ("forecast_settings/deadline", " 2026-03-31 ", "2026-03-31"),
    "a day of blanks": ("forecast_settings/deadline", " ", DEFAULT),
    "a URL with blanks around it": (
        "jira_config/base_url",
        "\thttp://a.example ",
        "http://a.example",
    ),
    "a version as a number": ("jira_config/api_version", 3, "v3"),
    "a version in capitals": ("jira_config/api_version", " V2", "v2"),
    "a token in a list": ("jira_config/token", [CANARY], CANARY),
    "a token in digits": ("jira_config/token", 12345678, "12345678"),
    "a string for a list of one": ("project_classification/bug_types", "Bug", ["Bug"]),
    "an empty string for a list": ("project_classification/bug_types", "", DEFAULT),
    "a list with a null": ("project_classification/wip_statuses", [None, "Doing"], ["Doing"]),
    "a list with a number": (
        "project_classification/devops_projects",
        [10001, "A"],
        ["10001", "A"],
    ),
    "a flow type as a string": ("flow_type_mappings/Risk", "Spike", ["Spike"]),
    "types of a flow type as a string": (
        "flow_type_mappings/TechnicalDebt",
        {"issue_types": "Chore", "effort_categories": None},
        {"issue_types": ["Chore"]},
    ),
    "a flow type by the name of its field": (
        "flow_type_mappings/technical_debt",
        {"issue_types": ["Chore"]},
        {"issue_types": ["Chore"]},
    ),
    "a field in a list": ("field_mappings/dora/deployment_date", ["fixVersions"], "fixVersions"),
    "a section in a list": (
        "field_mappings/flow",
        [{"status": "status", "estimate": ["size"]}],
        {"status": "status", "estimate": "size"},
    ),
    "an empty list for a section": ("field_mappings/dora", [], {}),
    "a name that is a number": ("name", 12345, "12345"),
    "a description in a list": ("description", ["Teams"], "Teams"),
    "a time with blanks around it": ("created_at", " 2025-03-01T10:00:00Z ", "2025-03-01"),
}


@pytest.mark.parametrize("kind", CONVERTED)
def test_a_setting_with_only_one_meaning_is_converted(root: Path, whole: Stored, kind: str) -> None:
    """It is reported, and no value next to it is changed."""
    place, value, expected = CONVERTED[kind]
    set_in_profile(root, place, value)
    outcome = migrate(root)
    assert outcome.skipped == []
    assert {path for path, _ in outcome.converted} == {PROFILE}
    stored = outcome.stored[PROFILE][0]
    stored_place = place.replace("technical_debt", "Technical Debt")
    if place == "created_at":
        assert stored[place].startswith(expected)
        expected = stored[place]
    assert_only_differs_at(stored, whole[PROFILE][0], stored_place, expected)
    assert_all_else_is_there(outcome.stored, whole, [PROFILE])


KEPT: dict[str, tuple[str, Any, str, Any]] = {
    "NUL in a name": ("name", "Al\0pha", "a name of 1 to 200 characters", "Größe"),
    "a name that is an object": ("name", {}, "a name .*, got an empty object", "Größe"),
    "NUL in a description": ("description", "\0", "string without NUL", ""),
    "a connection that is a string": ("jira_config", CANARY, "an object", DEFAULT),
    "a connection that is a list": ("jira_config", [CANARY], "an object", DEFAULT),
    "two tokens": ("jira_config/token", [CANARY, CANARY], "string", DEFAULT),
    "a token that is an object": ("jira_config/token", {"x": CANARY}, "string", DEFAULT),
    "a token that is its mask": ("jira_config/token", "*****", "not its mask", DEFAULT),
    "an address with a password": (
        "jira_config/base_url",
        f"https://me:{CANARY}@jira.example.com",
        "input should be a URL without user and password",
        DEFAULT,
    ),
    "addresses, one with a password": (
        "jira_config/base_url",
        [f"https://me:{CANARY}@jira.example.com", ""],
        "string",
        DEFAULT,
    ),
    "an address without a scheme": (
        "jira_config/base_url",
        "jira.example.com",
        "a URL such as .*, got 'jira.example.com'",
        DEFAULT,
    ),
    "a version that is none": ("jira_config/api_version", "latest", "'v2' or 'v3'", DEFAULT),
    "a size too small": ("jira_config/cache_size_mb", 5, "equal to 10, got 5", DEFAULT),
    "a size too small, in quotes": ("jira_config/cache_size_mb", "5", "got '5'", DEFAULT),
    "a huge size": ("jira_config/cache_size_mb", 10**4000, "got a huge number", DEFAULT),
    "half a size": ("jira_config/cache_size_mb", 10.5, "integer, got 10.5", DEFAULT),
    "a size that is a flag": ("jira_config/cache_size_mb", True, "integer, got True", DEFAULT),
    "a factor with a comma": ("forecast_settings/pert_factor", "1,5", "got '1,5'", DEFAULT),
    "a factor below zero": ("forecast_settings/pert_factor", -1, "above 0, got -1", DEFAULT),
    "a deadline in words": ("forecast_settings/deadline", "soon", "a date .*, got 'soon'", DEFAULT),
    "a deadline of one country": ("forecast_settings/deadline", "31/03/2026", "got '31/", DEFAULT),
    "a deadline in another zone": (
        "forecast_settings/deadline",
        "2026-03-30T22:00:00.000Z",
        "a date such as",
        DEFAULT,
    ),
    "a deadline that is a number": ("forecast_settings/deadline", 1774915200, "a date", DEFAULT),
    "a flag that is a word": ("show_milestone", "yes", "boolean, got 'yes'", DEFAULT),
    "a flag that is 2": ("show_milestone", 2, "boolean, got 2", DEFAULT),
    "points that are a word": ("show_points", "yes", "true, false or", DEFAULT),
    "a list in one string": ("project_classification/bug_types", "Bug, Incident", "list", DEFAULT),
    "a classification that is a string": ("project_classification", "x", "an object", DEFAULT),
    "a field that is a number": ("field_mappings/flow/estimate", 10016, "a field id", DEFAULT),
    "groups of fields that are a list": ("field_mappings", ["a", "b"], "an object", DEFAULT),
    "a flow type that is a number": ("flow_type_mappings/Risk", 5, "issue_types and", DEFAULT),
    "a test at no time": ("jira_config/last_test_timestamp", "today", "ISO 8601", DEFAULT),
}


@pytest.mark.parametrize("kind", KEPT)
def test_a_setting_without_a_meaning_gets_the_default_and_is_kept(
    root: Path, whole: Stored, kind: str
) -> None:
    """By its path, and reported; no value next to it is changed, and no secret is printed."""
    place, value, why, expected = KEPT[kind]
    set_in_profile(root, place, value)
    outcome = migrate(root)
    assert outcome.skipped == []
    stored = outcome.stored[PROFILE][0]
    is_secret = CANARY in json.dumps(value) or "*" in json.dumps(value)
    key = "legacy_secret" if is_secret else "legacy_values"
    assert stored["extra"].pop(key) == {place.replace("/", "."): value}
    path, what = outcome.converted[0]
    assert path == PROFILE
    assert re.fullmatch(f"{place.replace('/', '.')}: .*{why}.*kept under {key}", what), what
    assert_only_differs_at(stored, whole[PROFILE][0], place, expected)
    assert_all_else_is_there(outcome.stored, whole, [PROFILE])


def set_in_profile(root: Path, place: str, value: Any) -> None:
    """Change a value of the profile, in which every section is present."""
    document = json.loads((root / PROFILE).read_text("utf-8"))
    section = document
    *outer, last = place.split("/")
    for key in outer:
        section = section.setdefault(key, {})
    section[last] = value
    (root / PROFILE).write_text(json.dumps(document), "utf-8")


def assert_only_differs_at(
    stored: dict[str, Any], whole: dict[str, Any], place: str, expected: Any
) -> None:
    """Only this value differs, and the sections around it; a field of the profile has a default."""
    keys = place.split("/")
    wanted = json.loads(json.dumps(whole))
    section = wanted
    for key in keys[:-1]:
        section = section.setdefault(key, {})
    if expected is not DEFAULT:
        section[keys[-1]] = expected
    elif len(keys) > 1:
        section.pop(keys[-1], None)
    else:
        section[keys[0]] = {} if keys[0] in SECTIONS else False
    assert stored == wanted


QUERIES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "a name that is a number": ({"name": 7}, {"name": "7"}, {}),
    "a name that is an object": ({"name": {}}, {"name": "q1"}, {"name": {}}),
    "a JQL in a list": ({"jql": ["a = b"]}, {"jql": "a = b"}, {}),
    "two JQL": ({"jql": ["a = b", "c"]}, {"jql": ""}, {"jql": ["a = b", "c"]}),
    "NUL in a JQL": ({"jql": "a = \0"}, {"jql": ""}, {"jql": "a = \0"}),
    "a description that is an object": (
        {"description": {"text": "x"}},
        {"description": ""},
        {"description": {"text": "x"}},
    ),
    "edited at no time": ({"updated_at": "later"}, {"updated_at": None}, {"updated_at": "later"}),
}


@pytest.mark.parametrize("kind", QUERIES)
def test_an_unexpected_value_of_a_query_is_converted_or_kept(
    root: Path, whole: Stored, kind: str
) -> None:
    changes, expected, kept = QUERIES[kind]
    changed(root, QUERY, changes)
    outcome = migrate(root)
    assert outcome.skipped == []
    assert {path for path, _ in outcome.converted} == {QUERY}
    extra = {"legacy_values": kept} if kept else {}
    assert outcome.stored[QUERY] == [{**whole[QUERY][0], **expected, "extra": extra}]
    assert_all_else_is_there(outcome.stored, whole, [QUERY])


WEEKS = {
    "a week that no year has": "2025-W60",
    "a week that this year has not": "2025-W53",
    "a week in words": "last",
    "a day that is no Monday": "2025-07-02",
    "a Monday that no calendar has": "2025-02-30",
}


@pytest.mark.parametrize("kind", WEEKS)
def test_metrics_without_a_week_stop_the_migration(root: Path, whole: Stored, kind: str) -> None:
    """There is no place for them; without them no other week is lost."""
    week = WEEKS[kind]
    changed(root, METRICS, {week: {"flow_time": {}}})
    assert_stops(root, whole, [METRICS], f"{week!r}: input should be an ISO week such as 2025-W12")
    outcome = migrate(make(root / "again"), skip_damaged=True)
    changed(root / "again/root", METRICS, {week: {"flow_time": {}}})
    shutil.rmtree(root / "again/new")
    skipped = migrate(root / "again/root", skip_damaged=True)
    assert skipped.stored[METRICS] == outcome.stored[METRICS] == whole[METRICS]


def test_metrics_that_are_not_an_object_are_kept(root: Path, whole: Stored) -> None:
    changed(root, METRICS, {"2025-W26": [1], "2025-W28": 5})
    outcome = migrate(root)
    assert outcome.skipped == []
    assert [what for _, what in outcome.converted] == [
        "2025-W26: input should be an object of metrics, got a list; kept under legacy_values",
        "2025-W28: input should be an object of metrics, got a number; kept under legacy_values",
    ]
    found = {row["snapshot_date"]: row["metrics"] for row in outcome.stored[METRICS]}
    assert found["2025-W26"] == {"legacy_values": [1]}
    assert found["2025-W28"] == {"legacy_values": 5}
    kept = [row for row in outcome.stored[METRICS] if row["snapshot_date"] == "2025-W27"]
    assert kept == [row for row in whole[METRICS] if row["snapshot_date"] == "2025-W27"]
    assert_all_else_is_there(outcome.stored, whole, [METRICS])


def test_no_unexpected_secret_is_exported_without_the_option(root: Path, tmp_path: Path) -> None:
    """It is in no file of an export, and the manifest lists it as omitted."""
    set_in_profile(root, "jira_config/token", [CANARY, 1])
    set_in_profile(root, "jira_config/base_url", f"https://x:{CANARY}@jira.example.com")
    changed(root, QUERY, {"description": {"token": CANARY}, "updated_at": f"http://x:{CANARY}@h"})
    assert migrate(root).problems == []
    set_backend(SQLiteBackend(root.with_name("new") / "burndown.db"))
    export_profile("a", tmp_path / "without")
    export_profile("a", tmp_path / "with", include_secrets=True)
    set_backend(None)
    without = [path.read_text("utf-8") for path in (tmp_path / "without").rglob("*.json")]
    assert CANARY not in "".join(without)
    assert "legacy_secret" in json.dumps(read_manifest(tmp_path / "without").left_out.secrets)
    assert CANARY in (tmp_path / "with/profile.json").read_text("utf-8")


SKIPPED: dict[str, tuple[str, Any, str]] = {
    "an answer that is an empty object": (
        CACHE,
        {},
        "input should be an object with a list of issues",
    ),
    "issues that are an object": (
        CACHE,
        {"issues": {"K-1": {}}},
        "input should be an object with a list of issues",
    ),
    "issues that are null": (
        CACHE,
        {"issues": None, "total_issues": 0},
        "input should be an object with a list of issues",
    ),
    "histories that are a list": (CHANGELOG, [{"key": "K-1"}], "got a list"),
    "histories of another kind": (
        CHANGELOG,
        {"K-1": None, "K-2": [], "K-3": "x"},
        "'K-.': input should be an object, got (null|a list|a string)",
    ),
    "keys that no column holds": (
        CHANGELOG,
        {"": {}, "K\0-1": {}, "K" * 300: {}},
        "issue_key: input should be a key of 1 to 200 characters, none of them NUL",
    ),
    "an envelope without keys": (CHANGELOG, {"issues": [{}, 5]}, "an issue without a key"),
}


@pytest.mark.parametrize("kind", SKIPPED)
def test_an_unexpected_value_that_can_be_fetched_again_is_skipped(
    root: Path, whole: Stored, kind: str
) -> None:
    path, value, reason = SKIPPED[kind]
    (root / path).write_text(json.dumps(value), "utf-8")
    outcome = assert_skips(root, whole, [path], reason)
    assert all(where != path or "envelope" in what for where, what in outcome.converted)


def test_valid_histories_next_to_a_skipped_one_are_migrated(root: Path) -> None:
    changed(root, CHANGELOG, {"K-2": 5, "K\0-3": {}})
    outcome = migrate(root)
    assert [row["issue_key"] for row in outcome.stored[CHANGELOG]] == ["K-1"]
    assert len(outcome.skipped) == 2


def test_a_list_of_issues_and_the_older_envelope_are_read(root: Path, whole: Stored) -> None:
    issues = FILES[CACHE]["issues"]
    history = {"key": "K-1", "changelog": {}}
    (root / CACHE).write_text(json.dumps(issues), "utf-8")
    envelope = {"cache_version": "2.0", "issues": [history], "total_issues": 1}
    (root / CHANGELOG).write_text(json.dumps(envelope), "utf-8")
    outcome = migrate(root)
    assert outcome.stored[CACHE][0]["response"] == {"issues": issues}
    assert outcome.stored[CHANGELOG][0]["changelog"] == history
    assert {path for path, _ in outcome.converted} == {CACHE, CHANGELOG}
    assert_all_else_is_there(outcome.stored, whole, [CACHE, CHANGELOG])


def test_unknown_keys_are_kept_with_any_name(root: Path) -> None:
    """Whatever values they have."""
    text = json.dumps({"name": "P", "created_at": "2025-01-01", "kept": 1})[:-1]
    keys = ["a.b", "", "x[0]", "profile_id", "extra", "deep", "legacy_values"]
    more = ", ".join(f'"{key}": {{"y": [1e400, 2]}}' for key in keys)
    (root / PROFILE).write_text(f"{text}, {more}}}", "utf-8")
    [profile] = migrate(root).stored[PROFILE]
    assert profile["name"] == "P"
    assert profile["extra"] == {"kept": 1, **{key: {"y": [None, 2]} for key in keys}}


def test_values_kept_earlier_stay_with_those_kept_now(root: Path) -> None:
    """A workspace that was exported from a database, and used by the old dashboard again."""
    set_in_profile(root, "legacy_values", {"show_points": "yes"})
    set_in_profile(root, "forecast_settings/deadline", "soon")
    [profile] = migrate(root).stored[PROFILE]
    assert profile["extra"]["legacy_values"] == {
        "show_points": "yes",
        "forecast_settings.deadline": "soon",
    }


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
        ["profiles: a list read", r"profiles\[1\]: 'a' exists twice; the last one is taken"],
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
def test_an_unexpected_registry_that_has_a_meaning_is_migrated(
    root: Path, whole: Stored, kind: str
) -> None:
    changes, told, expected = REGISTRIES[kind]
    changed(root, REGISTRY, changes)
    outcome = migrate(root)
    assert outcome.skipped == []
    assert len(outcome.converted) == len(told)
    for (path, what), pattern in zip(outcome.converted, told, strict=True):
        assert path == REGISTRY
        assert re.match(pattern, what), what
    assert active(outcome.stored) == expected
    assert_all_else_is_there(outcome.stored, whole, [REGISTRY])


REGISTRIES_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "null": ({"profiles": None}, "profiles: input should be an object by id, got null"),
    "a number": ({"profiles": 5}, "profiles: input should be an object by id, got a number"),
    "a text": ({"profiles": "{}"}, "profiles: input should be an object by id, got a string"),
    "a list of garbage": (
        {"profiles": [None, 5, {"name": "no id"}, {"id": 5}, ["a"]]},
        r"profiles\[\d\]: input should be an object with an id",
    ),
    "entries of another kind": (
        {"profiles/b": 5, "profiles/c": [], "profiles/d": "x"},
        "profiles: '[bcd]': input should be an object, got a (number|list|string)",
    ),
}


@pytest.mark.parametrize("kind", REGISTRIES_REFUSED)
def test_a_registry_without_a_meaning_stops_the_migration(
    root: Path, whole: Stored, kind: str
) -> None:
    changes, reason = REGISTRIES_REFUSED[kind]
    changed(root, REGISTRY, changes)
    assert_stops(root, whole, [REGISTRY], reason)


def test_an_unexpected_value_in_an_entry_without_a_folder_is_kept(
    root: Path, whole: Stored
) -> None:
    config = {"token": CANARY, "api_version": "v9"}
    changed(root, REGISTRY, {"profiles/c": {"name": "C", "jira_config": config}})
    outcome = migrate(root)
    assert "profile 'c': jira_config.api_version: " in outcome.converted[0][1]
    [profile] = outcome.stored["profiles/c/profile.json"]
    assert profile["jira_config"] == {"token": CANARY}
    assert profile["extra"]["legacy_values"] == {"jira_config.api_version": "v9"}
    assert_all_else_is_there(outcome.stored, whole, [])


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


@pytest.mark.parametrize("content", [None, b"torn {"])
def test_the_registry_replaces_settings_that_cannot_be_read(
    root: Path, content: bytes | None
) -> None:
    """It has the only copy of them; an unexpected setting is kept as in ``profile.json``."""
    entry = {
        "jira_config": {"base_url": "https://jira.example.com", "cache_size_mb": 5},
        "forecast_settings": {"pert_factor": 2.5},
    }
    changed(root, REGISTRY, {f"profiles/a/{key}": value for key, value in entry.items()})
    (root / PROFILE).unlink()
    if content is not None:
        (root / PROFILE).write_bytes(content)
    outcome = migrate(root, skip_damaged=content is not None)
    place = "profiles/a" if content is None else PROFILE
    assert any(
        where == place and "taken from profiles.json" in what for where, what in outcome.converted
    )
    [row] = (row for row in outcome.stored[PROFILE] if row["id"] == "a")
    assert row["jira_config"] == {"base_url": "https://jira.example.com"}
    assert row["forecast_settings"] == {"pert_factor": 2.5}
    assert row["extra"]["legacy_values"] == {"jira_config.cache_size_mb": 5}


def test_an_id_of_the_registry_cannot_leave_the_folder(root: Path, whole: Stored) -> None:
    """An id that is absolute, too long, empty, or no file name is replaced by a safe one."""
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

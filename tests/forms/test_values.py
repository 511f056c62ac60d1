"""A form is filled from a document, and changes of it only what was entered."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown.forms import fields_of, form_values, read_form
from burndown.merge_patch import merge_patch
from burndown.models import Profile, Query
from burndown.models.codec import codec_of
from burndown.testing.contract.drawn import json_values, names, profiles, queries, strings

CODEC = codec_of(Profile)
FIELDS = [field for field in fields_of(Profile) if field.for_people]

words = st.text("abcxyz -", min_size=1, max_size=8).map(str.strip).filter(bool)
entries: dict[str, st.SearchStrategy[Any]] = {
    "text": names,
    "url": st.sampled_from(["", "https://jira.example.com", "http://localhost:8080/jira"]),
    "secret": words,
    "number": st.integers(1, 10**6).map(str) | st.floats(1, 1e6).map(repr) | st.integers(1, 99),
    "integer": st.integers(10, 1000).map(str),
    "flag": st.booleans() | st.sampled_from(["on", "", ["on"], [], None]),
    "date": st.none() | st.dates().map(date.isoformat),
    "choice": st.sampled_from(["v2", "v3"]),
    "list": st.lists(words, max_size=3) | st.lists(words).map(", ".join),
    "source": st.sampled_from(["customfield_1", '{"field": "status"}', ""]),
}
"""What people enter, by the kind of the field."""


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the document without the value at a path, and without the sections this empties."""
    key, _, rest = path.partition(".")
    others = {name: value for name, value in document.items() if name != key}
    if rest and isinstance(document.get(key), dict):
        left = without(document[key], rest)
        return {**others, key: left} if left else others
    return others


@given(profiles())
def test_an_unchanged_form_changes_nothing(document: dict[str, Any]) -> None:
    filled = form_values(document)
    assert read_form(filled, filled) == {}


@given(profiles())
def test_all_values_of_a_form_are_those_of_the_document(document: dict[str, Any]) -> None:
    """A patch that was made without what the form contained before changes no value either."""
    [document] = CODEC.complete([document])
    filled = form_values(document)
    [changed] = CODEC.complete([merge_patch(document, read_form(filled))])
    # A merge patch cannot say that a key of a rule has the value null.
    lost = {path for path, shown in filled.items() if "null" in str(shown)}
    after = form_values(changed)
    assert {path for path in filled if after[path] != filled[path]} <= lost
    assert changed["jira_config"].get("token") == document["jira_config"].get("token")


@given(profiles(), st.data())
def test_an_edit_of_one_field_changes_its_path_only(
    document: dict[str, Any], data: st.DataObject
) -> None:
    [document] = CODEC.complete([document])
    field = data.draw(st.sampled_from(FIELDS))
    entered = data.draw(entries[field.kind])
    filled = form_values(document)
    patch = read_form({**filled, field.path: entered}, filled)
    [changed] = CODEC.complete([merge_patch(document, patch)])
    assert without(changed, field.unit) == without(document, field.unit)
    before, after = filled, form_values(changed)
    assert {path for path in after if after[path] != before[path]} <= {field.path}


@given(st.dictionaries(st.sampled_from([field.path for field in FIELDS]) | strings, json_values))
def test_any_values_can_be_read(values: dict[str, Any]) -> None:
    assert read_form(values).keys() <= Profile.model_fields.keys()


@pytest.mark.parametrize(
    ("path", "entered", "value"),
    [
        ("name", " Kafka ", " Kafka "),
        ("name", "", ""),
        ("name", None, ""),
        ("description", "", None),
        ("jira_config.base_url", " https://jira.example.com\n", "https://jira.example.com"),
        ("jira_config.api_version", "v3", "v3"),
        ("jira_config.token", " secret ", "secret"),
        ("jira_config.cache_size_mb", "12", 12),
        ("jira_config.cache_size_mb", "12.5", 12.5),
        ("jira_config.cache_size_mb", "many", "many"),
        ("jira_config.cache_size_mb", 12, 12),
        ("jira_config.cache_size_mb", " ", None),
        ("forecast_settings.pert_factor", "1.5", 1.5),
        ("forecast_settings.pert_factor", ".5", 0.5),
        ("forecast_settings.pert_factor", "1,5", "1,5"),
        ("forecast_settings.deadline", "2026-01-31", "2026-01-31"),
        ("forecast_settings.deadline", "", None),
        ("project_classification.bug_types", "Bug, Incident,", ["Bug", "Incident"]),
        (
            "project_classification.bug_types",
            "Bug, open\r\nIncident\r\n",
            ["Bug, open", "Incident"],
        ),
        ("project_classification.bug_types", '["Bug, open"]', ["Bug, open"]),
        ("project_classification.bug_types", "[1], [", ["[1]", "["]),
        ("project_classification.bug_types", "[1]", ["[1]"]),
        ("project_classification.bug_types", ["Bug"], ["Bug"]),
        ("project_classification.bug_types", [], None),
        ("field_mappings.flow.status", "status", "status"),
        ("field_mappings.flow.status", '{"field": "status"}', {"field": "status"}),
        ("field_mappings.flow.status", "{status", "{status"),
        ("show_points", True, True),
        ("show_points", "on", True),
        ("show_points", "off", False),
        ("show_points", ["show"], True),
        ("show_points", [], False),
        ("show_points", None, False),
        ("show_points", "maybe", "maybe"),
    ],
)
def test_an_entry_is_read_by_the_kind_of_its_field(path: str, entered: Any, value: Any) -> None:
    """What cannot be read stays as it is, for validation to report."""
    expected = value
    for key in reversed(path.split(".")):
        expected = {key: expected}
    found = read_form({path: entered})
    assert found == expected
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("entered", ["", None, " "])
def test_an_empty_secret_is_kept(entered: str | None) -> None:
    assert read_form({"jira_config.token": entered}, {"jira_config.token": ""}) == {}


@given(profiles())
def test_no_secret_is_put_into_a_form(document: dict[str, Any]) -> None:
    document["jira_config"] = {**document.get("jira_config", {}), "token": "canary"}
    assert "canary" not in str(form_values(document))
    assert form_values(document)["jira_config.token"] == ""


def test_values_that_are_not_for_people_are_ignored() -> None:
    values = {"id": "x", "created_at": "", "jira_config.configured": "on", "csrf_token": "x"}
    assert read_form({**values, "name": "Kafka"}) == {"name": "Kafka"}


def test_a_flow_type_that_is_stored_as_a_list_keeps_its_issue_types() -> None:
    document = {"id": "kafka", "flow_type_mappings": {"Feature": ["Story", "Epic"]}}
    filled = form_values(document)
    assert filled["flow_type_mappings.Feature.issue_types"] == "Story\nEpic"
    values = {**filled, "flow_type_mappings.Feature.effort_categories": "New"}
    assert merge_patch(document, read_form(values, filled))["flow_type_mappings"] == {
        "Feature": {"issue_types": ["Story", "Epic"], "effort_categories": ["New"]}
    }


@given(queries())
def test_queries_have_forms_as_well(document: dict[str, Any]) -> None:
    filled = form_values(document, Query)
    assert filled["jql"] == document.get("jql", "")
    patch = read_form({**filled, "jql": "project = KAFKA "}, filled, Query)
    assert patch in ({"jql": "project = KAFKA "}, {})


rules = st.recursive(
    st.booleans() | strings,
    lambda inner: st.dictionaries(strings, inner, max_size=3) | st.lists(inner, max_size=2),
).filter(lambda value: isinstance(value, dict))


@given(rules, rules)
def test_a_source_rule_is_replaced_by_what_was_entered(
    stored: dict[str, Any], entered: dict[str, Any]
) -> None:
    """It is shown as JSON; keys that are gone are removed."""
    document = {"field_mappings": {"flow": {"status": stored}}}
    filled = form_values(document)
    values = {**filled, "field_mappings.flow.status": json.dumps(entered)}
    changed = merge_patch(document, read_form(values, filled))
    assert changed == {"field_mappings": {"flow": {"status": entered}}}

"""Issues as a response that is made of rows, and their changelogs."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown.models import JiraCache, jira_cache_key
from burndown.models.codec import codec_of
from burndown.published import REBUILT, changelog_documents, response_document
from burndown.testing.contract.drawn import json_values, nested

Row = dict[str, Any]

WRITTEN_AT = datetime(2025, 12, 1, tzinfo=UTC)
USUAL: Row = {
    "issue_key": "A-1",
    "cache_key": "0" * 32,
    "summary": "One",
    "fetched_at": "2025-11-03T10:00:00+00:00",
    "expires_at": "2025-11-04T10:00:00+00:00",
}
PROFILE: Row = {
    "field_mappings": {"general": {"estimate": "customfield_1"}},
    "jira_config": {"points_field": "customfield_2"},
}


def respond(
    *rows: Row, profile: Row = PROFILE, fetched_at: datetime | None = None
) -> tuple[Row, list[str]]:
    """Return the document that the rows make, and the reports."""
    reports: list[str] = []
    rows_given = [{**USUAL, **row} for row in rows]
    document = response_document(
        rows_given, profile, "project = A", fetched_at, WRITTEN_AT, reports.append
    )
    assert document is not None
    return document, reports


def issue(**columns: Any) -> Row:
    """Return the issue of one row."""
    [found] = respond(columns)[0]["response"]["issues"]
    return dict(found)


def test_an_issue_has_the_shape_in_which_jira_returns_it() -> None:
    row = {
        "status": "Done",
        "assignee": "Ann",
        "issue_type": "Bug",
        "priority": None,
        "resolution": "",
        "created": "2025-10-31T22:22:55.000+0000",
        "resolved": None,
        "project_key": "A",
        "project_name": "",
        "fix_versions": '[{"name": "1.0"}]',
        "labels": "null",
        "custom_fields": '{"customfield_9": {"value": "x"}}',
    }
    assert issue(**row) == {
        "key": "A-1",
        "fields": {
            "summary": "One",
            "status": {"name": "Done"},
            "assignee": {"displayName": "Ann"},
            "issuetype": {"name": "Bug"},
            "priority": None,
            "resolution": {"name": ""},
            "created": "2025-10-31T22:22:55.000+0000",
            "updated": None,
            "resolutiondate": None,
            "project": {"key": "A", "name": ""},
            "fixVersions": [{"name": "1.0"}],
            "labels": None,
            "components": None,
            "customfield_9": {"value": "x"},
        },
    }


def test_a_response_is_marked_as_made_and_never_complete() -> None:
    later = {"issue_key": "A-2", "fetched_at": "2025-11-03T12:00:00+00:00"}
    document, _ = respond({}, later)
    assert document["response"][REBUILT] == {
        "from": "the rows of the published dashboard",
        "fetched_at": {
            "oldest": "2025-11-03T10:00:00+00:00",
            "newest": "2025-11-03T12:00:00+00:00",
        },
    }
    ids = {"profile_id": "p", "query_id": "q"}
    [stored] = codec_of(JiraCache).complete([{**document, **ids}])
    assert (stored["issue_count"], stored["is_complete"]) == (2, None)


@pytest.mark.usefixtures("berlin")
def test_times_are_those_of_the_newest_row_and_the_earliest_expiry() -> None:
    naive = {"fetched_at": "2025-11-03T11:30:00", "expires_at": "2025-11-04T10:30:00"}
    newest = {"fetched_at": "2025-11-03T10:45:00+00:00", "cache_key": "1" * 32}
    document, reports = respond({}, naive, newest)
    assert document["created_at"] == datetime(2025, 11, 3, 10, 45, tzinfo=UTC)
    assert document["expires_at"] == datetime(2025, 11, 4, 9, 30, tzinfo=UTC)
    assert document["cache_key"] == "1" * 32
    assert reports == []


def test_the_time_of_the_last_fetch_counts_if_it_is_later() -> None:
    for hour, expected in ((9, 10), (11, 11)):
        document, _ = respond({}, fetched_at=datetime(2025, 11, 3, hour, tzinfo=UTC))
        assert document["created_at"] == datetime(2025, 11, 3, expected, tzinfo=UTC)


def test_times_that_cannot_be_read_are_reported_and_the_others_used() -> None:
    broken = {"issue_key": "A-2", "fetched_at": "yesterday", "expires_at": "NaT"}
    document, reports = respond(broken, {})
    assert document["created_at"] == datetime(2025, 11, 3, 10, tzinfo=UTC)
    assert document["expires_at"] == datetime(2025, 11, 4, 10, tzinfo=UTC)
    assert reports == [
        "fetched_at: input should be a timestamp (A-2: 'yesterday')",
        "expires_at: input should be a timestamp (A-2: 'NaT')",
    ]
    document, _ = respond(broken)
    assert document["created_at"] == document["expires_at"] == WRITTEN_AT
    assert document["response"][REBUILT]["fetched_at"] == {"oldest": None, "newest": None}


@pytest.mark.parametrize("cache_key", [None, "", "k" * 201, "\0"])
def test_without_a_cache_key_it_is_made_of_the_jql(cache_key: Any) -> None:
    document, _ = respond({"cache_key": cache_key})
    assert document["cache_key"] == jira_cache_key("project = A")


def test_without_rows_there_is_no_response() -> None:
    reports: list[str] = []
    assert response_document([], PROFILE, "", None, WRITTEN_AT, reports.append) is None


@pytest.mark.parametrize(
    ("custom_fields", "expected"),
    [
        ({"customfield_1": 3}, {"customfield_1": 3}),
        ({"customfield_1": "3.0"}, {"customfield_1": "3.0"}),
        ({"customfield_1": {"value": 3}}, {"customfield_1": {"value": 3}}),
        ({"customfield_1": None, "customfield_2": 3}, {"customfield_1": None, "customfield_2": 3}),
        ({"customfield_1": 5}, {"customfield_1": 5, "customfield_2": 3.0}),
        ({}, {"customfield_1": 3.0}),
        (None, {"customfield_1": 3.0}),
    ],
)
def test_points_are_in_the_field_that_the_profile_names(custom_fields: Any, expected: Row) -> None:
    found = issue(points=3.0, custom_fields=json.dumps(custom_fields))
    assert expected.items() <= found["fields"].items()
    assert "legacy_values" not in found


@pytest.mark.parametrize("mapping", ["", "status:Done.DateTime", "A.b.c", {"field": "x"}, None, 7])
def test_points_without_a_field_are_kept_next_to_the_fields(mapping: Any) -> None:
    profile = {"field_mappings": {"general": {"estimate": mapping}}, "jira_config": {}}
    document, reports = respond({"points": -1.0}, {"points": -1.0}, profile=profile)
    for found in document["response"]["issues"]:
        assert found["legacy_values"] == {"points": -1.0}
    assert reports == ["points: no field has them; kept under legacy_values (A-1, A-1)"]


def test_points_that_differ_from_every_field_are_kept_next_to_the_fields() -> None:
    custom = '{"customfield_1": 5, "customfield_2": {"value": "x"}}'
    assert issue(points=3.0, custom_fields=custom)["legacy_values"] == {"points": 3.0}
    assert issue(points="three")["legacy_values"] == {"points": "three"}


@given(json_values)
def test_custom_fields_are_equal_to_the_last_digit(value: Any) -> None:
    written = json.dumps({"customfield_9": value})
    found = issue(custom_fields=written)["fields"]["customfield_9"]
    assert json.dumps(found) == json.dumps(value)


@given(json_values.filter(lambda value: not isinstance(value, str)))  # which is JSON text
def test_parsed_columns_are_read_as_their_text(value: Any) -> None:
    columns = {"custom_fields": {"customfield_9": value}, "labels": value}
    texts = {column: json.dumps(each) for column, each in columns.items()}
    assert issue(**columns) == issue(**texts)


@pytest.mark.parametrize("written", ["{", "", "[1]", "7", json.dumps(nested(199))])
def test_custom_fields_that_cannot_be_read_are_kept_as_text(written: str) -> None:
    document, reports = respond({"custom_fields": written, "labels": '["x"]'}, {"summary": "Two"})
    odd, other = document["response"]["issues"]
    assert odd["legacy_values"] == {"custom_fields": written}
    assert odd["fields"]["labels"] == ["x"]
    assert other == issue(summary="Two")
    assert len(reports) == 1
    assert reports[0].startswith("custom_fields: ")


def test_nan_is_null_and_a_lone_surrogate_its_escape() -> None:
    document, reports = respond({"custom_fields": '{"a": NaN, "b": [1e400], "c": "\\ud800"}'})
    fields = document["response"]["issues"][0]["fields"]
    assert (fields["a"], fields["b"], fields["c"]) == (None, [None], "\\ud800")
    assert len(reports) == 2


def test_a_custom_field_takes_the_place_of_no_other() -> None:
    found = issue(custom_fields='{"summary": "other"}')
    assert found["fields"]["summary"] == "One"
    assert found["legacy_values"] == {"custom_fields.summary": "other"}


def test_equal_reports_of_many_rows_are_one() -> None:
    rows = [{"issue_key": f"A-{number}", "labels": "{"} for number in range(1000)]
    _, [report] = respond(*rows)
    assert report.endswith("(A-0, A-1, A-2 and 997 more)")


# --- changelogs --------------------------------------------------------------------------------


def changelogs(*rows: Row) -> tuple[list[Row], list[str]]:
    """Return the changelogs of rows, and the reports."""
    reports: list[str] = []
    usual = {
        "issue_key": "A-1",
        "change_date": "2025-10-31T22:22:55.000+0000",
        "author": "Ann",
        "field_name": "status",
        "field_type": "jira",
        "old_value": "Open",
        "new_value": "",
        "expires_at": "2025-11-04T10:00:00+00:00",
    }
    return changelog_documents([{**usual, **row} for row in rows], reports.append), reports


def test_changes_of_one_author_at_one_time_are_one_history() -> None:
    sprint = {"field_name": "Sprint", "old_value": None, "new_value": "1, 2"}
    later = {"change_date": "2025-11-01T00:00:00.000+0000", "author": None}
    [document], _ = changelogs({}, later, sprint, {"author": "Bob"})
    status = {"field": "status", "fieldtype": "jira", "fromString": "Open", "toString": ""}
    at = "2025-10-31T22:22:55.000+0000"
    assert document["changelog"] == {
        "key": "A-1",
        "changelog": {
            "histories": [
                {
                    "created": at,
                    "author": {"displayName": "Ann"},
                    "items": [
                        status,
                        {
                            "field": "Sprint",
                            "fieldtype": "jira",
                            "fromString": None,
                            "toString": "1, 2",
                        },
                    ],
                },
                {"created": later["change_date"], "author": None, "items": [status]},
                {"created": at, "author": {"displayName": "Bob"}, "items": [status]},
            ]
        },
    }


def test_a_changelog_expires_with_its_earliest_change() -> None:
    earlier = {"expires_at": "2025-11-03T10:00:00+00:00"}
    documents, _ = changelogs({}, earlier, {"issue_key": "A-2"})
    assert [document["expires_at"].day for document in documents] == [3, 4]


def test_a_changelog_without_a_readable_expiry_is_kept() -> None:
    [document], reports = changelogs({"expires_at": "never"})
    assert document["expires_at"] is None
    assert reports == ["expires_at: input should be a timestamp (A-1: 'never')"]


@pytest.mark.parametrize("key", [None, "", "k" * 201, "a\0"])
def test_a_change_of_no_issue_is_reported(key: Any) -> None:
    [document], reports = changelogs({"issue_key": key}, {})
    assert document["issue_key"] == "A-1"
    assert reports == [
        "issue_key: input should be the key of an issue; skipped (2025-10-31T22:22:55.000+0000)"
    ]


@given(st.lists(st.sampled_from(["A-1", "A-2"]), min_size=1, max_size=5))
def test_there_is_one_changelog_for_each_issue(keys: list[str]) -> None:
    documents, _ = changelogs(*({"issue_key": key} for key in keys))
    assert [document["issue_key"] for document in documents] == list(dict.fromkeys(keys))

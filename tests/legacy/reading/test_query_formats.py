"""Every format of the files of a query gives documents, or is refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown.conversion import FormatError
from burndown.legacy.reading.query_formats import (
    changelog_documents,
    jira_cache_document,
    project_data_document,
    query_document,
)
from burndown.legacy.reading.snapshot_formats import snapshot_documents
from burndown.testing.contract.drawn import iso_weeks, json_objects, json_values

NOW = datetime(2025, 12, 23, 10, tzinfo=UTC)
FORMATS: dict[str, Callable[[Any], object]] = {
    "cache": lambda written: jira_cache_document(written, "a = b", NOW, [].append),
    "changelog": lambda written: changelog_documents(written, [].append, [].append),
    "project data": lambda written: project_data_document(written, NOW, [].append),
    "snapshots": lambda written: snapshot_documents(written, NOW, [].append, [].append),
}


@pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
@given(written=json_values)
def test_any_json_has_a_known_format_or_is_refused(
    format_: Callable[[Any], object], written: Any
) -> None:
    before = json.dumps(written)
    with suppress(FormatError):
        format_(written)
    assert json.dumps(written) == before


@given(
    written=st.fixed_dictionaries(
        {"issues": st.lists(json_values, max_size=3)},
        optional={
            "timestamp": json_values
            | st.sampled_from(
                ["0001-01-01T00:00:00", "9999-12-31T23:59:59", "2025-11-01T10:00:00"]
            ),
            "jql_query": json_values,
            "fields_requested": json_values,
            "cache_version": json_values,
        },
    )
)
def test_a_cached_response_is_read_completely_from_any_envelope(written: dict[str, Any]) -> None:
    document = jira_cache_document(written, "a = b", NOW, lambda what: None)
    assert document["response"] == written
    assert document["expires_at"] == document["created_at"] + timedelta(hours=24)
    assert document["created_at"].tzinfo is UTC
    bare = jira_cache_document(written["issues"], "a = b", NOW, lambda what: None)
    assert bare["response"] == {"issues": written["issues"]}
    assert bare["created_at"] == NOW


@given(histories=st.dictionaries(st.from_regex(r"K-[1-9]{1,3}", fullmatch=True), json_objects))
def test_both_formats_of_changelogs_have_the_same_histories(histories: dict[str, Any]) -> None:
    """These are an object by issue key, the older envelope, and one within the other."""
    told: list[str] = []
    expected = [
        {"issue_key": key, "expires_at": None, "changelog": histories[key]} for key in histories
    ]
    assert changelog_documents(histories, told.append, told.append) == expected
    assert told == []
    issues = [{**history, "key": key} for key, history in histories.items()]
    envelope = {"cache_version": "2.0", "issues": issues, "total_issues": len(issues)}
    found = changelog_documents(envelope, told.append, told.append)
    assert [each["issue_key"] for each in found] == list(histories)
    assert [each["changelog"] for each in found] == issues
    mixed = changelog_documents({**envelope, **histories}, told.append, told.append)
    assert mixed == expected
    assert len(told) == 2


@given(
    weeks=st.dictionaries(
        iso_weeks,
        st.dictionaries(
            st.sampled_from(["flow_time", "dora_mttr", "trends", "flow"]), json_objects
        ),
        max_size=4,
    )
)
def test_each_metric_of_each_week_is_in_one_snapshot(weeks: dict[str, Any]) -> None:
    """The week may have either of its two formats."""
    old = {week.replace("W", ""): metrics for week, metrics in weeks.items()}
    for written in (weeks, old, {**old, **weeks}):
        found = snapshot_documents(written, NOW, lambda what: None, pytest.fail)
        again: dict[str, dict[str, Any]] = {}
        for snapshot in found:
            for name, metric in snapshot["metrics"].items():
                metrics = again.setdefault(snapshot["snapshot_date"], {})
                assert name not in metrics
                metrics[name] = metric
                prefix = name.split("_")[0]
                expected = prefix if "_" in name else "other"
                assert snapshot["metric_type"] == expected
        assert again == {week: metrics for week, metrics in weeks.items() if metrics}


@pytest.mark.parametrize("written", [{}, {"id": "12w"}, {"id": "other", "name": None, "jql": None}])
def test_a_query_without_values_gets_what_is_known(written: dict[str, Any]) -> None:
    told: list[str] = []
    document = query_document("12w", written, "a = b", NOW, told.append)
    assert document.pop("legacy_id", "12w") == written.get("id", "12w")
    assert document == {
        "id": "12w",
        "name": "12w",
        "jql": "a = b",
        "description": "",
        "created_at": NOW,
    }
    assert [what.split(":")[0] for what in told] == ["name", "jql", "created_at"]

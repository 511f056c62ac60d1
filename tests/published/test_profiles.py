"""Profiles, queries and the app state."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from burndown.conversion import Findings
from burndown.models import JiraConfig, Profile
from burndown.models.codec import codec_of
from burndown.published import PublishedStore, profile_document, query_document
from burndown.testing.contract.drawn import SECTIONS
from tests.support.published_databases import SAMPLE, opened, write_database
from tests.support.published_rows import TOKEN

Row = dict[str, Any]

WRITTEN_AT = datetime(2025, 12, 1, tzinfo=UTC)
TIMES = {"created_at": "2025-11-01T08:00:00+00:00", "last_used": "2025-11-02T08:00:00"}


def profile(**columns: Any) -> tuple[Row, list[str]]:
    """Return the document of a profile, and the reports."""
    reports: list[str] = []
    row = {"id": "p_1", "name": "Team", **TIMES, **columns}
    return profile_document(row, "p_1", WRITTEN_AT, reports.append), reports


def query(**columns: Any) -> tuple[Row, list[str]]:
    """Return the document of a query, and the reports."""
    reports: list[str] = []
    row = {"id": "q_1", "profile_id": "p_1", "name": "Bugs", "jql": "x", **TIMES, **columns}
    return query_document(row, "q_1", WRITTEN_AT, reports.append), reports


# --- profiles ----------------------------------------------------------------------------------


def test_a_profile_keeps_general_mappings_and_flags_become_booleans() -> None:
    mappings = {"dora": {}, "general": {"estimate": "customfield_1", "parent_issue_types": ["x"]}}
    document, reports = profile(
        field_mappings=json.dumps(mappings), show_milestone=0, show_points=1, description=None
    )
    assert document["field_mappings"] == mappings
    assert (document["show_milestone"], document["show_points"]) == (False, True)
    assert reports == []
    [stored] = codec_of(Profile).complete([document])
    assert stored["last_used"] == datetime(2025, 11, 2, 8).astimezone(UTC).isoformat()


@given(SECTIONS[JiraConfig])
def test_a_section_is_equal_as_text_and_parsed(config: Row) -> None:
    text, _ = profile(jira_config=json.dumps(config))
    parsed, _ = profile(jira_config=config)
    assert text == parsed
    assert text["jira_config"] == config


def test_a_connection_that_is_no_json_is_hidden_and_never_quoted() -> None:
    written = f'{{"token": "{TOKEN}", broken'
    document, reports = profile(jira_config=written, flow_type_mappings="[")
    assert document["legacy_secret"] == {"jira_config": written}
    assert document["legacy_values"] == {"flow_type_mappings": "["}
    assert "jira_config" not in document
    assert len(reports) == 2
    assert TOKEN not in "".join(reports)


def test_one_odd_value_of_a_section_leaves_its_neighbours() -> None:
    settings = '{"pert_factor": "much", "deadline": "2026-03-31", "data_points_count": NaN}'
    document, reports = profile(forecast_settings=settings)
    assert document["forecast_settings"] == {"deadline": "2026-03-31"}
    assert document["legacy_values"] == {"forecast_settings.pert_factor": "much"}
    assert any("NaN" in report for report in reports)


def test_another_id_is_kept_and_an_unknown_column_is_an_unknown_key() -> None:
    document, _ = profile(id="Team A/B", colour="red")
    assert (document["id"], document["legacy_id"]) == ("p_1", "Team A/B")
    assert document["colour"] == "red"


def test_a_profile_without_times_takes_that_of_the_file() -> None:
    document, reports = profile(created_at="soon", last_used=None)
    assert document["created_at"] == WRITTEN_AT
    assert document["legacy_values"] == {"created_at": "soon"}
    assert "created_at: missing; taken from the time of the file" in reports


def test_a_query_is_read_without_its_profile() -> None:
    assert query() == ({"id": "q_1", "name": "Bugs", "jql": "x", **TIMES}, [])


def test_a_query_of_odd_values_is_complete() -> None:
    document, reports = query(name="\0", jql=None)
    assert (document["name"], document["jql"]) == ("q_1", "")
    assert document["legacy_values"] == {"name": "\0"}
    assert len(reports) == 3


# --- app state ---------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "burndown.db"


def read(path: Path, state: dict[str, Any]) -> tuple[PublishedStore, list[str]]:
    """Write the sample with this app state, and return its store and the reports."""
    rows = [{"key": key, "value": value} for key, value in state.items()]
    write_database(path, {**SAMPLE, "app_state": rows})
    with opened(path) as connection:
        findings = Findings(path.parent)
        found = PublishedStore(connection, path, findings)
        for each in found.profiles:
            for one in each.queries:
                list(found.data(one))
        return found, [each.what for each in (*findings.converted, *findings.skipped)]


def test_only_the_state_that_means_something_is_kept(path: Path) -> None:
    state = {
        "active_profile_id": "p_111111111111",
        "active_query_id": "",
        "parameter_panel_state": '{"is_open": true}',
        "profiles": f"{{'p_1': {{'token': '{TOKEN}'}}}}",
        "version": "3.0",
        "settings_hash:p_1:q_1": "0" * 32,
        "last_run_version": "2.15.3",
        "of_later": TOKEN,
    }
    found, reports = read(path, state)
    assert found.app_state == {
        "active_profile_id": "p_111111111111",
        "parameter_panel_state": '{"is_open": true}',
    }
    assert TOKEN not in "".join(reports)
    named = [report for report in reports if report.startswith("app_state: ")]
    for key in state.keys() - found.app_state.keys() - {"active_query_id"}:
        assert sum(repr(key) in report for report in named) == 1


def test_a_state_that_cannot_be_stored_is_reported(path: Path) -> None:
    found, reports = read(path, {"parameter_panel_state": "\0"})
    assert found.app_state == {}
    assert any("'parameter_panel_state'" in report for report in reports)


@pytest.mark.usefixtures("berlin")
def test_the_time_of_their_own_migration_is_local(path: Path) -> None:
    found, _ = read(path, {"migration_timestamp": "2025-11-25T19:48:50.745585"})
    assert found.migrated_at == datetime(2025, 11, 25, 18, 48, 50, 745585, tzinfo=UTC)
    path.unlink()
    assert read(path, {})[0].migrated_at is None


def test_the_last_fetch_of_a_query_is_that_of_its_response(path: Path) -> None:
    fetched = "2025-11-03T11:00:00+00:00"
    rows = [{"key": "last_fetch_time:p_111111111111:q_111111111111", "value": fetched}]
    write_database(path, {**SAMPLE, "app_state": rows})
    with opened(path) as connection:
        found = PublishedStore(connection, path, Findings(path.parent))
        data = next(found.data(found.profiles[0].queries[0]))
    assert data.documents[0]["created_at"] == datetime.fromisoformat(fetched)


def test_tasks_are_counted_and_not_kept(path: Path) -> None:
    found, reports = read(path, {})
    assert found.tasks == {}
    assert any(report.startswith("task_progress: 1 rows") for report in reports)

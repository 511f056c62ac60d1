"""Weekly statistics, the scope, metrics and budgets of a query."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from burndown.models import Budget, MetricsSnapshot
from burndown.models.codec import codec_of
from burndown.published import (
    budget_document,
    flat_row,
    project_data_document,
    snapshot_documents,
)
from burndown.testing.contract.drawn import json_objects, nested

Row = dict[str, Any]

WRITTEN_AT = datetime(2025, 12, 1, tzinfo=UTC)


def project_data(
    *statistics: Row, scope: Row | None = None, metrics: tuple[Row, ...] = ()
) -> tuple[Any, list[str]]:
    """Return the project data that rows make, and the reports."""
    reports: list[str] = []
    document = project_data_document(statistics, scope, metrics, WRITTEN_AT, reports.append)
    return document, reports


def metric_row(**columns: Any) -> Row:
    """Return a row of a metric as the newest release writes it."""
    return {
        "snapshot_date": "2025-11-03",
        "metric_category": "flow",
        "metric_name": "flow_time",
        "metric_value": '{"median_days": 2}',
        "metric_unit": "",
        "excluded_issue_count": 0,
        "calculation_metadata": None,
        "calculated_at": "2025-11-03T12:00:00+00:00",
        **columns,
    }


def snapshots(*rows: Row) -> tuple[list[Row], list[str]]:
    """Return the snapshots that rows make, and the reports."""
    reports: list[str] = []
    return snapshot_documents(rows, WRITTEN_AT, reports.append), reports


def metric(**columns: Any) -> Any:
    """Return the metric that one row makes."""
    [snapshot], _ = snapshots(metric_row(**columns))
    [found] = snapshot["metrics"].values()
    return found


# --- project data ------------------------------------------------------------------------------


def test_weeks_are_in_the_order_of_their_dates_with_all_columns() -> None:
    later = {"stat_date": "2025-11-10T00:00:00", "completed_items": None, "new": "x"}
    odd = {"stat_date": "NaT", "week_label": None}
    first = {"id": 7, "profile_id": "p", "query_id": "q", "stat_date": "2025-11-03"}
    document, reports = project_data(later, odd, first, scope=None)
    assert document["data"] == {
        "statistics": [
            {"date": "2025-11-03"},
            {"date": "2025-11-10T00:00:00", "completed_items": None, "new": "x"},
            {"date": "NaT", "week_label": None},
        ]
    }
    assert len(reports) == 1  # recorded_at is missing


@pytest.mark.usefixtures("berlin")
def test_project_data_was_updated_with_its_newest_row() -> None:
    rows = [{"stat_date": "2025-11-03", "recorded_at": f"2025-11-0{n}T11:00:00"} for n in (3, 4)]
    scope = {"scope_data": "{}", "updated_at": "2025-11-04T11:30:00"}
    assert project_data(*rows)[0]["updated_at"] == datetime(2025, 11, 4, 10, tzinfo=UTC)
    document, reports = project_data(*rows, scope=scope)
    assert document["updated_at"] == datetime(2025, 11, 4, 10, 30, tzinfo=UTC)
    assert reports == []


@given(json_objects)
def test_a_scope_is_equal_as_text_and_parsed(scope: Row) -> None:
    times = {"updated_at": "2025-11-03T11:00:00"}
    text, _ = project_data(scope={"scope_data": json.dumps(scope), **times})
    parsed, _ = project_data(scope={"scope_data": scope, **times})
    assert text == parsed
    assert json.dumps(text["data"]) == json.dumps({"project_scope": scope})


def test_nan_in_a_scope_is_null_and_reported() -> None:
    scope = {"scope_data": '{"a": NaN, "b": 1}', "updated_at": "2025-11-03T11:00:00"}
    document, reports = project_data(scope=scope)
    assert document["data"] == {"project_scope": {"a": None, "b": 1}}
    assert reports == ["scope_data: null in place of NaN or infinity at a"]


@pytest.mark.parametrize("written", ["{", "[1]", '"x"', "", json.dumps(nested(200))])
def test_a_scope_that_is_no_object_is_kept_as_text(written: str) -> None:
    week = {"stat_date": "2025-11-03", "recorded_at": "2025-11-03T11:00:00"}
    scope = {"scope_data": written, "updated_at": "2025-11-03T11:00:00"}
    document, reports = project_data(week, scope=scope)
    assert document["data"]["legacy_values"] == {"scope_data": written}
    assert [each["date"] for each in document["data"]["statistics"]] == ["2025-11-03"]
    assert len(reports) == 1


def test_without_rows_there_is_no_project_data() -> None:
    assert project_data(metrics=(metric_row(),)) == (None, [])


# --- metrics -----------------------------------------------------------------------------------


def test_a_metric_is_read_as_the_dashboard_reads_it() -> None:
    own = metric(metric_value='{"median_days": 2}', excluded_issue_count=3)
    assert own == {"median_days": 2, "excluded_issue_count": 3}
    migrated = metric(
        metric_value=4.5, metric_unit="days", calculation_metadata='{"value": null, "n": 1}'
    )
    assert migrated == {"value": 4.5, "unit": "days", "n": 1, "excluded_issue_count": 0}
    both = metric(metric_value='{"a": 1}', calculation_metadata='{"a": null, "b": 2}')
    assert both == {"a": 1, "b": 2, "excluded_issue_count": 0}
    plain = metric(metric_value="n/a", metric_unit=None)
    assert plain == {"value": "n/a", "unit": "", "excluded_issue_count": 0}


def test_the_forecast_columns_are_keys_of_the_metric() -> None:
    found = metric(forecast_value=3.5, forecast_confidence_low=1.0, forecast_confidence_high=None)
    assert found == {
        "median_days": 2,
        "excluded_issue_count": 0,
        "forecast_value": 3.5,
        "forecast_confidence_low": 1.0,
        "forecast_confidence_high": None,
    }


def test_values_that_are_replaced_are_kept_in_the_metric() -> None:
    found = metric(
        metric_category="team",
        metric_unit="days",
        metric_value='{"a": 1, "excluded_issue_count": 5}',
        excluded_issue_count=2,
        calculation_metadata='{"a": [7], "excluded_issue_count": 4, "legacy_values": {"b": 1}}',
    )
    assert found == {
        "a": 1,
        "excluded_issue_count": 2,
        "legacy_values": {
            "metric_category": "team",
            "metric_unit": "days",
            "a": [7],
            "excluded_issue_count": 4,
            "excluded_issue_count (double)": 5,
            "b": 1,
        },
    }


def test_json_of_a_metric_that_cannot_be_read_is_kept_as_text() -> None:
    rows = [
        metric_row(metric_value="{broken", calculation_metadata="[1]"),
        metric_row(metric_name="flow_load"),
    ]
    [snapshot], reports = snapshots(*rows)
    assert snapshot["metrics"] == {
        "flow_time": {
            "value": "{broken",
            "unit": "",
            "excluded_issue_count": 0,
            "legacy_values": {"calculation_metadata": "[1]"},
        },
        "flow_load": {"median_days": 2, "excluded_issue_count": 0},
    }
    assert any("metric_value" in report and "kept as text" in report for report in reports)


def test_the_type_is_the_prefix_of_the_name() -> None:
    names = ["dora_mttr", "flow_time", "trends", "dora"]
    found, _ = snapshots(*(metric_row(metric_name=name) for name in names))
    assert {each["metric_type"]: [*each["metrics"]] for each in found} == {
        "dora": ["dora_mttr"],
        "flow": ["flow_time"],
        "other": ["trends", "dora"],
    }


@pytest.mark.parametrize("later_first", [True, False])
def test_of_two_spellings_of_a_week_the_later_calculation_counts(later_first: bool) -> None:
    rows = [
        metric_row(snapshot_date="2025-W45", metric_value=1.0),
        metric_row(
            snapshot_date="2025-45", metric_value=2.0, calculated_at="2025-11-03T12:00:01+00:00"
        ),
    ]
    found, reports = snapshots(*(reversed(rows) if later_first else rows))
    by_type = {each["metric_type"]: each for each in found}
    assert by_type["flow"]["metrics"]["flow_time"]["value"] == 2.0
    assert by_type["flow"]["created_at"] == datetime(2025, 11, 3, 12, 0, 1, tzinfo=UTC)
    assert by_type["other"]["metrics"]["flow_time (double)"]["value"] == 1.0
    assert any("flow_time exists twice" in report for report in reports)


def test_three_spellings_of_a_week_lose_no_metric() -> None:
    weeks = ["2025-W45", "2025-45", "2025-11-03"]
    found, _ = snapshots(
        *(metric_row(snapshot_date=week, metric_value=n) for n, week in enumerate(weeks))
    )
    metrics = {name: each for snapshot in found for name, each in snapshot["metrics"].items()}
    names = {"flow_time", "flow_time (double)", "flow_time (double 2)"}
    assert metrics.keys() == names
    assert {each["value"] for each in metrics.values()} == {0, 1, 2}


def test_equal_metrics_of_two_spellings_are_one_with_the_later_time() -> None:
    later = {"snapshot_date": "2025-W45", "calculated_at": "2025-11-09T12:00:00+00:00"}
    [snapshot], reports = snapshots(metric_row(**later), metric_row())
    assert snapshot["created_at"] == datetime(2025, 11, 9, 12, tzinfo=UTC)
    assert not any("twice" in report for report in reports)


@pytest.mark.parametrize(
    "odd", [{"snapshot_date": "2025-11-04"}, {"snapshot_date": None}, {"metric_name": None}]
)
def test_a_metric_of_no_week_is_kept_in_the_project_data(odd: Row) -> None:
    rows = (metric_row(id=1, query_id="q", **odd), metric_row())
    found, _ = snapshots(*rows)
    assert [each["snapshot_date"] for each in found] == ["2025-W45"]
    document, reports = project_data(metrics=rows)
    assert document["data"] == {"legacy_values": {"metrics_data_points": [metric_row(**odd)]}}
    assert len(reports) == 1


def test_metrics_of_unknown_times_take_that_of_the_file() -> None:
    [snapshot], reports = snapshots(metric_row(calculated_at="soon"))
    assert snapshot["created_at"] == WRITTEN_AT
    assert reports[0] == "calculated_at: input should be a timestamp (flow_time: 'soon')"


@given(json_objects)
def test_a_metric_is_equal_as_text_and_parsed(value: Row) -> None:
    columns = {"metric_value": value, "calculation_metadata": {"x": value}}
    texts = {column: json.dumps(each) for column, each in columns.items()}
    assert snapshots(metric_row(**columns)) == snapshots(metric_row(**texts))
    ids = {"profile_id": "p", "query_id": "q"}
    codec_of(MetricsSnapshot).rows([{**each, **ids} for each in snapshots(metric_row(**texts))[0]])


# --- budgets -----------------------------------------------------------------------------------

SETTINGS: Row = {
    "id": 1,
    "profile_id": "p",
    "query_id": "q",
    "time_allocated_weeks": 26,
    "team_cost_per_week_eur": 5000.0,
    "cost_rate_type": "weekly",
    "currency_symbol": "€",
    "budget_total_eur": 130000.0,
    "baseline_velocity_items": None,
    "created_at": "2026-01-12T00:00:00+00:00",
    "updated_at": "2026-01-12T09:30:00.123456",
}
REVISION: Row = {
    "id": 1,
    "revision_date": "2026-01-12T00:00:00",
    "week_label": "2026-03",
    "time_allocated_weeks_delta": -4,
    "team_cost_delta": 250.0,
    "budget_total_delta": 0.0,
    "revision_reason": "scope grew",
    "created_at": "2026-01-12T09:30:00+00:00",
    "metadata": '{"by": "pm"}',
}


def budget(settings: Row | None, *revisions: Row) -> tuple[Any, list[str]]:
    """Return the budget that rows make, and the reports."""
    reports: list[str] = []
    return budget_document(settings, revisions, WRITTEN_AT, reports.append), reports


@pytest.mark.usefixtures("berlin")
def test_a_budget_holds_from_the_day_of_its_settings() -> None:
    document, reports = budget(SETTINGS, REVISION)
    ids = {"profile_id": "p", "query_id": "q"}
    [stored] = codec_of(Budget).complete([{**document, **ids}])
    assert stored == {
        **ids,
        "time_allocated_weeks": 26.0,
        "team_cost_per_week": 5000.0,
        "budget_total": 130000.0,
        "cost_rate_type": "weekly",
        "currency_symbol": "€",
        "baseline_velocity_items": None,
        "baseline_velocity_points": None,
        "effective_from": "2026-01-12",
        "created_at": "2026-01-12T00:00:00+00:00",
        "updated_at": "2026-01-12T08:30:00.123456+00:00",
        "revisions": [
            {
                "revision_date": "2026-01-11T23:00:00+00:00",
                "week_label": "2026-W03",
                "time_allocated_weeks_delta": -4,
                "team_cost_delta": 250.0,
                "budget_total_delta": 0.0,
                "reason": "scope grew",
                "created_at": "2026-01-12T09:30:00+00:00",
                "metadata": {"by": "pm"},
            }
        ],
    }
    assert reports == []


def test_odd_values_of_a_budget_are_kept_and_its_others_unchanged() -> None:
    settings = {
        **SETTINGS,
        "time_allocated_weeks": 2**53 + 1,
        "budget_total_eur": "a lot",
        "currency_symbol": "€" * 50,
        "new": 7,
    }
    odd = {**REVISION, "week_label": "soon", "metadata": "by pm", "new": 8}
    document, reports = budget(settings, odd, REVISION)
    kept = document["legacy_values"]
    assert kept == {
        "time_allocated_weeks": 2**53 + 1,
        "budget_total": "a lot",
        "currency_symbol": "€" * 50,
        "revisions[0].week_label": "soon",
        "revisions[0].metadata": "by pm",
    }
    assert (document["team_cost_per_week"], document["new"]) == (5000.0, 7)
    assert document["revisions"][0]["new"] == 8
    assert document["revisions"][1] == budget(SETTINGS, REVISION)[0]["revisions"][0]
    assert len(reports) == len(kept)


def test_equal_revisions_stay_two() -> None:
    assert len(budget(SETTINGS, REVISION, REVISION)[0]["revisions"]) == 2


def test_revisions_without_settings_are_a_budget_without_amounts() -> None:
    document, reports = budget(None, REVISION)
    assert document.keys() == {"revisions", "created_at", "updated_at"}
    assert document["created_at"] == WRITTEN_AT
    assert reports == ["revisions of a budget without its amounts"]
    assert budget(None) == (None, [])


def test_a_row_of_a_file_has_containers_in_json_columns_only() -> None:
    row = {"scope_data": {"a": 1}, "status": {"name": "x"}, "author": [1], "points": 1.0}
    assert flat_row(row) == {
        "scope_data": {"a": 1},
        "status": '{"name":"x"}',
        "author": "[1]",
        "points": 1.0,
    }

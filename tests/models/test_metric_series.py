"""Series have one number for each week, whatever form the metrics were stored in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import ValidationError, Week
from burndown.models.metric_series import MEASURES, series_of
from burndown.testing.contract.drawn import json_objects, json_values

WEEK = "2025-W12"


def single(metric: str, metrics: Any, **more: Any) -> Any:
    """Return the series of a metric over the only week."""
    [series] = series_of([metric], [snapshot(metric, metrics, **more)], None, None)
    assert series["metric"] == metric
    assert series["weeks"] == [WEEK]
    return series


def snapshot(metric: str, metrics: Any, week: str = WEEK, **more: Any) -> Any:
    kind = metric.partition(".")[0]
    given = {"metric_type": kind, "snapshot_date": week, "metrics": metrics}
    return {**given, "forecast": None, "forecasts": None, **more}


def value(metric: str, metrics: Any) -> Any:
    [found] = single(metric, metrics)["values"]
    return found


@pytest.mark.parametrize(
    ("metric", "metrics", "expected"),
    [
        ("dora.deployment_frequency", {"deployment_frequency": 2.5}, 2.5),
        ("dora.deployment_frequency", {"dora_deployment_frequency": {"deployment_count": 0}}, 0),
        ("dora.lead_time_days", {"lead_time_days": 4.2}, 4.2),
        ("dora.lead_time_days", {"dora_lead_time": {"median_hours": 36}}, 1.5),
        ("dora.lead_time_days", {"lead_time_days": None, "dora_lead_time": {}}, None),
        ("dora.lead_time_days", {"dora_lead_time": 36}, None),
        ("dora.dora_lead_time", {"dora_lead_time": {"median_hours": 36}}, 1.5),
        ("dora.dora_lead_time.median_hours", {"dora_lead_time": {"median_hours": 36}}, 36),
        (
            "dora.change_failure_rate",
            {"dora_change_failure_rate": {"change_failure_rate_percent": 12}},
            0.12,
        ),
        ("dora.mttr_hours", {"dora_mttr": {"median_hours": 3.5, "value": 0.1}}, 3.5),
        ("flow.flow_time", {"flow_time": {"median_days": 3, "completed_count": 14}}, 3),
        ("flow.flow_time", {"flow_time": 3.25}, 3.25),
        ("flow.flow_efficiency", {"flow_efficiency": {"overall_pct": 41.5}}, 41.5),
        ("flow.flow_load", {"flow_load": {"wip_count": 0, "by_status": {}}}, 0),
        ("flow.flow_velocity", {"flow_velocity": {"completed_count": 0}}, 0),
        ("flow.flow_load.by_status.v1.2", {"flow_load": {"by_status": {"v1.2": 3}}}, 3),
        ("other.plain", {"plain": {"value": 7.0, "unit": ""}}, 7.0),
        ("other.a.b", {"a.b": 1, "a": {"b": 2}}, 1),
        ("other.a.b", {"a": {"b": 2}}, 2),
        ("other.a.b.c", {"a": {"b": 2}}, None),
        ("other.text", {"text": "n/a"}, None),
        ("other.text", {"text": "70.5"}, 70.5),
        ("other.text", {"text": "NaN"}, None),
        ("other.flag", {"flag": True}, None),
        ("other.list", {"list": [1]}, None),
        ("other.large", {"large": 10**400}, None),
        ("dora.lead_time_days", {"dora_lead_time": {"median_hours": 10**400}}, None),
        ("other.absent", {}, None),
    ],
)
def test_a_metric_is_found_in_each_of_its_forms(metric: str, metrics: Any, expected: Any) -> None:
    found = value(metric, metrics)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("metric", "metrics"),
    [
        (
            "dora.lead_time_days",
            {"dora_lead_time": {"median_hours": 0, "issues_with_lead_time": 0}},
        ),
        ("dora.mttr_hours", {"dora_mttr": {"value": 0.0, "median_hours": None}}),
        ("dora.dora_mttr.value", {"dora_mttr": {"value": 0.0, "bugs_with_mttr": 0}}),
        (
            "dora.change_failure_rate",
            {
                "dora_change_failure_rate": {
                    "change_failure_rate_percent": 0,
                    "total_deployments": 0,
                }
            },
        ),
        ("flow.flow_time", {"flow_time": {"median_days": 0, "completed_count": 0}}),
        ("flow.flow_time.avg_days", {"flow_time": {"avg_days": 0, "completed_count": 0}}),
        ("flow.flow_efficiency", {"flow_efficiency": {"overall_pct": 0.0, "completed_count": 0}}),
    ],
)
def test_a_zero_that_means_none_is_none(metric: str, metrics: Any) -> None:
    """It does if nothing was there to calculate it from; with anything, it is a number."""
    assert value(metric, metrics) is None
    [[name, number]] = metrics.items()
    counted = {
        key: 3 if "count" in key or key.startswith(("issues", "total", "bugs")) else each
        for key, each in number.items()
    }
    if counted != number:
        assert value(metric, {name: counted}) == 0


@given(st.sampled_from(MEASURES), st.integers(1, 10**6) | st.floats(0.1, 1e6))
def test_numbers_and_objects_have_the_same_unit(measure: Any, number: float) -> None:
    """Whichever form a week has; the unit is that of the number."""
    metric = f"dora.{measure.name}"
    forms = [{measure.name: number}, {measure.object: {measure.key: number * measure.divisor}}]
    found = [single(metric, form) for form in forms]
    assert [each["values"] for each in found] == [[pytest.approx(number)]] * 2
    assert {each["unit"] for each in found} == {measure.unit}


BOUNDS = [
    {"predicted_value": 2.0, "confidence_interval": [1.0, 3.0]},
    {"forecast_value": 2.0, "forecast_range": {"lower": 1.0, "upper": 3.0}},
    {
        "forecast_value": 2.0,
        "forecast_confidence_low": 1.0,
        "forecast_confidence_high": 3.0,
    },
]


def forecast(series: Any) -> list[Any]:
    return [series[key][0] for key in ("forecast", "lower", "upper")]


@pytest.mark.parametrize("form", BOUNDS)
def test_a_forecast_is_found_wherever_it_clearly_belongs_to_the_metric(form: Any) -> None:
    """That of its name comes first, then that in its object, then that of its snapshot."""
    as_object = {"dora_lead_time": {"median_hours": 48, "forecast": form}}
    two = {"lead_time_days": 4, "mttr_hours": 1}
    for found, expected in [
        (single("dora.lead_time_days", two, forecasts={"lead_time_days": form}), [2, 1, 3]),
        (single("dora.mttr_hours", two, forecasts={"mttr_hours": form}), [2, 1, 3]),
        (single("dora.mttr_hours", two, forecasts={"lead_time_days": form}), [None] * 3),
        (single("dora.lead_time_days", as_object), [2 / 24, 1 / 24, 3 / 24]),
        (
            single("dora.lead_time_days", {}, forecasts={"dora_lead_time": form}),
            [2 / 24, 1 / 24, 3 / 24],
        ),
        (single("flow.flow_time", {"flow_time": {"median_days": 4, **form}}), [2, 1, 3]),
        (single("dora.lead_time_days", {"lead_time_days": 4}, forecast=form), [2, 1, 3]),
        (single("dora.lead_time_days", two, forecast=form), [None] * 3),
        (
            single("dora.lead_time_days", as_object, forecasts={"lead_time_days": 5}),
            [5, None, None],
        ),
    ]:
        assert forecast(found) == expected


@given(json_objects, json_objects | st.none(), json_objects | st.none(), json_values)
def test_whatever_is_stored_gives_numbers_or_none(
    metrics: Any, single_forecast: Any, forecasts: Any, odd: Any
) -> None:
    """Values of any type, also where the dashboard has objects, never raise."""
    for name in ("lead_time_days", "dora_lead_time", "flow_time", "x", "x.y", ".", "x."):
        for content in (metrics, {**metrics, name: odd}, {"dora_lead_time": odd, "x": {"y": odd}}):
            found = single(f"dora.{name}", content, forecast=single_forecast, forecasts=forecasts)
            for key in ("values", "forecast", "lower", "upper"):
                [number] = found[key]
                assert number is None or (type(number) in (int, float) and abs(number) < 1e400)


weeks = st.integers(0, 12).map(lambda number: Week(2020, 50) + number)


@given(
    st.dictionaries(weeks, st.integers(-9, 9)),
    st.none() | weeks,
    st.none() | weeks,
)
def test_a_series_has_each_week_of_its_range(
    stored: dict[Week, int], since: Week | None, until: Week | None
) -> None:
    """From the first to the last that is given, or else stored; weeks without a snapshot too."""
    found = [
        snapshot("x.n", {"n": number}, str(week))
        for week, number in stored.items()
        if (since is None or since <= week) and (until is None or week <= until)
    ]
    [series, other] = series_of(["x.n", "x.other"], found, since, until)
    assert series["weeks"] == other["weeks"]
    assert series["weeks"] is not other["weeks"]
    assert other["values"] == [None] * len(series["weeks"])
    known = [Week.of(each["snapshot_date"]) for each in found]
    if not known and None in (since, until):
        assert series["weeks"] == []
        return
    expected = Week.span(
        min(known) if since is None else since, max(known) if until is None else until
    )
    assert series["weeks"] == [str(week) for week in expected]
    assert series["values"] == [stored.get(week) for week in expected]


@pytest.mark.parametrize("metric", ["", "dora", "dora.", ".lead_time_days", ".", None, 3])
def test_a_metric_has_a_type_and_a_name(metric: Any) -> None:
    with pytest.raises(ValidationError, match="such as dora"):
        series_of([metric], [], None, None)

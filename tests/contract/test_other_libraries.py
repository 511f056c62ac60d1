"""Values of numpy and pandas are stored if they are exactly JSON values, and refused otherwise."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import PersistenceBackend, ValidationError
from burndown.testing.calls import SAVES_OF_A_VALUE
from burndown.testing.controlled_store import HOUR, Store, same
from tests.support.strategies import hidden, plain_keys

integers = st.sampled_from([np.int8, np.int64, np.uint8, np.uint64, np.intc]).flatmap(
    lambda kind: st.integers(int(np.iinfo(kind).min), int(np.iinfo(kind).max)).map(kind)
)
floats = st.one_of(
    *(
        st.floats(width=width, allow_nan=False, allow_infinity=False).map(kind)
        for kind, width in ((np.float16, 16), (np.float32, 32), (np.float64, 64))
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(np.longdouble),
)
timestamps = st.datetimes(
    datetime(1700, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.sampled_from([None, UTC]),
).map(pd.Timestamp)
exact_values = st.one_of(integers, floats, st.booleans().map(np.bool_), timestamps)
"""Values that are not JSON, and have one JSON value that means the same."""

inexact_values: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(np.float32("nan"), np.float64("inf"), np.float16("-inf"), np.longdouble(1) / 3),
        *(np.complex64(1), np.timedelta64(1, "D"), np.datetime64("2025-11-03", "ns")),
        *(np.array([5]), np.array([True]), np.array([]), pd.Series([1]), pd.Index([1])),
        *(pd.NaT, pd.NA, pd.Timestamp(2025, 11, 3, nanosecond=1), pd.Timedelta("1D")),
        *(pd.Period("2025-11"), pd.DataFrame({"a": [1]})),
    ]
)
"""Values that JSON cannot represent exactly."""


def python_value(value: Any) -> Any:
    """Return the JSON value that a value of numpy or pandas means."""
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime().isoformat()
    if isinstance(value, np.bool_):
        return bool(value)
    return int(value) if isinstance(value, np.integer) else float(value)


def containing(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return objects and lists that contain the values."""
    return st.recursive(
        values,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_keys, inner, max_size=3),
        max_leaves=6,
    )


def plain(value: Any) -> Any:
    """Return the same containers with the JSON values."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return python_value(value)


def read_profile(store: PersistenceBackend, profile_id: str) -> Any:
    profile: Any = store.get_profile(profile_id)
    return profile["unknown"]


READS: dict[str, Callable[[PersistenceBackend], Any]] = {
    "profile": lambda store: read_profile(store, "new"),
    "section": lambda store: store.get_profile("new")["jira_config"]["unknown"],  # type: ignore[index, typeddict-item]
    "query": lambda store: store.get_query("p", "new")["unknown"],  # type: ignore[index, typeddict-item]
    "answer": lambda store: store.get_jira_cache("p", "q", "k")["k"],  # type: ignore[index]
    "changelog": lambda store: store.get_jira_changelog("p", "q", "K-1")["k"],  # type: ignore[index]
    "data": lambda store: store.get_project_data("p", "q")["k"],  # type: ignore[index]
    "metrics": lambda store: store.get_metrics_snapshots("p", "q")[0]["metrics"]["k"],
    "forecast": lambda store: store.get_metrics_snapshots("p", "q")[0]["forecast"]["k"],  # type: ignore[index]
}
"""What is read of a value that a call of :data:`SAVES_OF_A_VALUE` saved."""


@pytest.mark.parametrize("name", READS)
@given(value=containing(exact_values))
def test_what_means_one_json_value_comes_back_as_that(shared: Store, name: str, value: Any) -> None:
    """Numbers of any width, booleans and timestamps, at any depth."""
    shared.empty()
    SAVES_OF_A_VALUE[name](shared.backend, value)
    assert same(READS[name](shared.backend), plain(value))


@given(st.dictionaries(plain_keys, containing(exact_values)))
def test_the_saved_value_is_not_changed(shared: Store, value: dict[str, Any]) -> None:
    before = repr(value)
    shared.empty().save_metrics_snapshot("p", "q", "2025-W12", "dora", value)
    assert repr(value) == before


@given(hidden(inexact_values))
def test_what_is_not_exact_is_refused_with_its_path(
    shared: Store, document_and_path: tuple[dict[str, Any], str]
) -> None:
    document, path = document_and_path
    before = shared.empty().everything()
    with pytest.raises(ValidationError) as refused:
        shared.save_metrics_snapshot("p", "q", "2025-W12", "dora", document)
    assert f"at {path}: " in str(refused.value) or f".{path}: " in str(refused.value)
    with pytest.raises(ValidationError):
        shared.save_jira_cache("p", "q", "k", document, HOUR)
    assert shared.everything() == before


def test_a_container_that_holds_itself_is_refused(store: Store) -> None:
    """Also if it does so many times, in a list beside a value that is converted."""
    value: list[Any] = [np.int64(1)]
    value += [value, value, {"k": value}]
    with pytest.raises(ValidationError, match="nest at most 200 levels"):
        store.save_metrics_snapshot("p", "q", "2025-W12", "dora", {"k": value})


def test_settings_are_validated_as_the_values_that_they_mean(store: Store) -> None:
    """A field gets a number, a boolean, a day or a time; what is not valid is refused as ever."""
    store.save_profile(
        {
            "id": "new",
            "created_at": pd.Timestamp("2025-11-03 10:00", tz="Europe/Berlin"),
            "jira_config": {"cache_size_mb": np.int64(50), "configured": np.bool_(True)},
            "forecast_settings": {
                "pert_factor": np.float32(1.5),
                "deadline": pd.Timestamp("2026-01-31"),
                "data_points_count": np.uint8(12),
            },
            "show_points": np.bool_(False),
        }
    )
    found: Any = store.get_profile("new")
    assert found["created_at"] == "2025-11-03T09:00:00+00:00"
    assert same(found["jira_config"], {"cache_size_mb": 50, "configured": True})
    expected = {"pert_factor": 1.5, "deadline": "2026-01-31", "data_points_count": 12}
    assert same(found["forecast_settings"], expected)
    assert found["show_points"] is False
    for section in (
        {"cache_size_mb": np.int64(9)},
        {"cache_size_mb": np.float64("nan")},
        {"cache_size_mb": np.bool_(True)},
        {"configured": np.int64(1)},
    ):
        with pytest.raises(ValidationError, match=rf"jira_config\.{next(iter(section))}"):
            store.save_profile({"id": "new", "jira_config": section})
    in_the_day = {"deadline": pd.Timestamp("2026-01-31 10:00")}
    with pytest.raises(ValidationError, match=r"forecast_settings\.deadline"):
        store.save_profile({"id": "new", "forecast_settings": in_the_day})


@given(st.datetimes(datetime(2030, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_timestamp_of_pandas_is_that_time(shared: Store, time: datetime) -> None:
    """As an expiry; one with nanoseconds is refused, and ``NaT`` is none."""
    shared.empty().save_jira_cache("p", "q", "k", {}, pd.Timestamp(time))
    [entry] = shared.list_jira_caches("p", "q")
    assert datetime.fromisoformat(entry["expires_at"]) == time
    for value in (pd.Timestamp(time) + pd.Timedelta(1, "ns"), pd.NaT):
        with pytest.raises(ValidationError, match="expires_at"):
            shared.save_jira_cache("p", "q", "k", {}, value)


def test_the_progress_of_a_task_can_be_a_number_of_numpy(store: Store) -> None:
    store.save_task_progress("task", np.float32(12.5), "running")
    found: Any = store.get_task_progress("task")
    assert same(found["progress_percent"], 12.5)


@given(st.dates(date(1700, 1, 1), date(2200, 1, 1)))
def test_a_week_can_be_its_monday(shared: Store, day: date) -> None:
    """As a string, a date, a datetime, or a timestamp of pandas; another day is no week."""
    at_midnight = datetime(day.year, day.month, day.day)
    spellings = (day.isoformat(), at_midnight.isoformat(), day, at_midnight, pd.Timestamp(day))
    year, week, weekday = day.isocalendar()
    for spelling in spellings:
        shared.empty()
        if weekday == 1:
            shared.save_metrics_snapshot("p", "q", spelling, "dora", {})
            [found] = shared.get_metrics_snapshots("p", "q")
            assert found["snapshot_date"] == f"{year:04}-W{week:02}"
        else:
            with pytest.raises(ValidationError, match="or its Monday"):
                shared.save_metrics_snapshot("p", "q", spelling, "dora", {})


UNKNOWN = [math.nan, np.float32("nan"), np.float64("nan"), pd.NaT, pd.NA]


@given(st.lists(st.dictionaries(plain_keys, st.sampled_from(UNKNOWN) | exact_values, max_size=4)))
def test_an_unknown_number_of_the_statistics_is_null(
    shared: Store, rows: list[dict[str, Any]]
) -> None:
    shared.empty().save_project_data("p", "q", {"statistics": rows, "metadata": {"version": 2}})
    expected = [
        {
            key: None if any(value is each for each in UNKNOWN) else python_value(value)
            for key, value in row.items()
        }
        for row in rows
    ]
    found = shared.get_project_data("p", "q")
    assert same(found, {"statistics": expected, "metadata": {"version": 2}})


@pytest.mark.parametrize("value", [*UNKNOWN, math.inf], ids=repr)
def test_an_unknown_number_is_refused_elsewhere(store: Store, value: Any) -> None:
    """So is an infinite one in the statistics."""
    for data in (
        {"project_scope": {"total_items": value}},
        {"statistics": value},
        {"statistics": [{"completed_items": math.inf}]},
    ):
        with pytest.raises(ValidationError, match="data"):
            store.save_project_data("p", "q", data)
    with pytest.raises(ValidationError, match="metrics"):
        store.save_metrics_snapshot("p", "q", "2025-W12", "dora", {"k": value})
    assert store.get_project_data("p", "q") is None


def test_a_table_of_pandas_is_stored(store: Store) -> None:
    """The table of weekly statistics, as the dashboard has it."""
    table = pd.DataFrame(
        {
            "date": pd.to_datetime(["2025-11-03", "2025-11-10", None]),
            "completed_items": [3, None, 5],
            "created_items": pd.array([1, None, 2], dtype="Int64"),
            "is_edited": [True, False, True],
        }
    )
    store.save_project_data("p", "q", {"statistics": table.to_dict("records")})
    expected = [
        ("2025-11-03T00:00:00", 3.0, 1, True),
        ("2025-11-10T00:00:00", None, None, False),
        (None, 5.0, 2, True),
    ]
    found: Any = store.get_project_data("p", "q")
    assert same(
        found["statistics"], [dict(zip(table.columns, row, strict=True)) for row in expected]
    )


def test_a_limit_can_be_an_integer_of_numpy(store: Store) -> None:
    for week in ("2025-W10", "2025-W11"):
        store.save_metrics_snapshot("p", "q", week, "flow", {})
    limit: Any = np.int64(1)
    [found] = store.get_metrics_snapshots("p", "q", limit=limit)
    assert found["snapshot_date"] == "2025-W11"

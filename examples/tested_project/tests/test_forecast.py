"""What reads and writes a store: a sample workspace, a clock, and each storage."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import PersistenceBackend, Profile, ProfileNotFoundError, open_backend
from burndown.jira import issues_of
from burndown.testing import Clock, make_profile, make_query, make_response
from burndown.testing.strategies import jira_responses
from delivery_forecast import Forecast, forecast, store_forecast
from delivery_forecast.throughput import open_issues


def test_the_forecast_of_a_sample(burndown_demo: PersistenceBackend) -> None:
    assert forecast("kafka", "12w") == Forecast(open_issues=10, likely=8, late=30)


def test_a_forecast_ends_with_its_response(
    burndown_demo: PersistenceBackend, burndown_clock: Clock
) -> None:
    burndown_clock.tick(days=2)
    assert forecast("kafka", "12w") is None


def test_an_unknown_profile_is_an_error(burndown_backend: PersistenceBackend) -> None:
    with pytest.raises(ProfileNotFoundError):
        forecast("nope", "12w")


def test_forecasts_are_a_series_on_each_storage(
    burndown_store: PersistenceBackend, burndown_clock: Clock
) -> None:
    """Each week has its own, and a week without a response has none."""
    burndown_store.save_profile(make_profile(forecast_settings={"data_points_count": 4}))
    burndown_store.save_query("kafka", make_query())
    lifetime = timedelta(days=1)
    for issues in (20, 40):
        burndown_store.save_jira_cache("kafka", "12w", "all", make_response(issues), lifetime)
        store_forecast("kafka", "12w")
        burndown_clock.tick(weeks=2)
    store_forecast("kafka", "12w")
    series = burndown_store.get_series("kafka", "12w", "forecast.open_issues")
    assert series["weeks"] == ["2026-W02", "2026-W03", "2026-W04"]
    assert series["values"] == [7, None, 6]


@given(st.builds(Profile, id=st.just("kafka")), jira_responses())
def test_any_profile_and_response_have_a_forecast(
    profile: Profile, response: dict[str, Any]
) -> None:
    """Whatever is configured, all open issues are in it."""
    with open_backend("memory:") as backend:
        backend.save_profile(profile)
        backend.save_query("kafka", make_query())
        backend.save_jira_cache("kafka", "12w", "all", response, timedelta(days=1))
        found = forecast("kafka", "12w", backend)
        assert found is not None
        assert found.open_issues == open_issues(issues_of(response))

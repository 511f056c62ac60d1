"""The forecast of a query, from its cached response."""

from burndown import PersistenceBackend, Profile, ProfileNotFoundError, Week, get_backend
from burndown.jira import issues_of
from delivery_forecast.throughput import Forecast, forecast_from, open_issues, throughput

__all__ = ["METRIC_TYPE", "forecast", "store_forecast"]

METRIC_TYPE = "forecast"


def forecast(
    profile_id: str, query_id: str, backend: PersistenceBackend | None = None
) -> Forecast | None:
    """Return when the open issues of the query will be done; ``None`` without a fresh response.

    The profile's ``data_points_count`` is the number of past weeks that count.

    Raises:
        ProfileNotFoundError: the profile does not exist.
    """
    backend = backend or get_backend()
    profile = backend.get_profile(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    fresh = [each for each in backend.list_jira_caches(profile_id, query_id) if not each["expired"]]
    if not fresh:
        return None
    response = backend.get_jira_cache(profile_id, query_id, fresh[0]["cache_key"])
    issues = issues_of(response, profile)
    settings = Profile.model_validate(profile).forecast_settings
    resolved = throughput(issues, Week.of(backend.now()), int(settings.data_points_count))
    return forecast_from(open_issues(issues), resolved)


def store_forecast(
    profile_id: str, query_id: str, backend: PersistenceBackend | None = None
) -> None:
    """Store the forecast as metrics of this week, if there is one."""
    backend = backend or get_backend()
    found = forecast(profile_id, query_id, backend)
    if found is not None:
        metrics = {"open_issues": found.open_issues, "likely": found.likely, "late": found.late}
        week = Week.of(backend.now())
        backend.patch_metrics(profile_id, query_id, week, METRIC_TYPE, metrics)

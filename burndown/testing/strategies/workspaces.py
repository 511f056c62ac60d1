"""Workspaces of the old dashboard, as files with their JSON values."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from burndown.testing.strategies.characters import characters, matching
from burndown.testing.strategies.json_content import json_objects, json_values, narrowed, objects
from burndown.testing.strategies.times import naive_timestamps, timestamps

__all__ = ["Files", "legacy_workspaces"]

Files = dict[str, Any]
"""JSON values by path below the root of the workspace."""

_json_objects = json_objects()
_json_values = json_values()
_aware = timestamps().map(lambda time: time.isoformat())
_naive = naive_timestamps().map(lambda time: time.isoformat())
_names = st.just("Kafka") | st.text(characters("Cc", "Zs"), min_size=1, max_size=9)
_few_names = st.sampled_from(["Alpha", "alpha", "Größe 🚀", "Default"]) | _names
_statuses = st.lists(_names, max_size=2)
_field_ids = st.sampled_from(
    ["fixVersions", "customfield_1=PROD|Production", "status:Done.DateTime", "*.priority.name"]
) | st.fixed_dictionaries({"type": st.just("field"), "namespace": _names})
_unknown = st.dictionaries(st.sampled_from(["setup_status", "variable_mappings"]), _json_values)


def _some(**fields: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    """Draw objects with any of these keys."""
    return objects({}, fields)


# --- settings --------------------------------------------------------------------------------

_jira_config: SearchStrategy[Any] = st.just({}) | _some(
    base_url=st.sampled_from(["https://jira.example.com", "https://jira.example.com/jira/"]),
    api_version=st.sampled_from(["v2", "v3"]),
    token=st.sampled_from(["", "a-token"]),
    cache_size_mb=st.integers(10, 1000),
    max_results_per_call=st.integers(10, 1000),
    points_field=st.sampled_from(["", "customfield_10016"]),
    configured=st.booleans(),
    last_test_timestamp=st.none() | _naive,
    last_test_success=st.none() | st.booleans(),
)
_dates = st.none() | st.just("") | st.dates().map(lambda day: day.isoformat())
_forecast = {
    "pert_factor": st.integers(1, 15) | st.floats(0.1, 15),
    "deadline": _dates,
    "milestone": _dates,
    "data_points_count": st.integers(1, 60) | st.floats(1, 60),
}
_classification = {
    "devops_projects": _statuses,
    "bug_types": _statuses,
    "flow_end_statuses": _statuses,
    "wip_statuses": _statuses,
}
_old_classification = {
    "completion_statuses": _statuses,
    "production_environment_value": _names,
}
_dora_fields = {"deployment_date": _field_ids, "change_failure": _field_ids}
_flow_fields = {"status": _field_ids, "effort_category": _field_ids}
_old_fields = {"work_type": _field_ids, "incident_start": _field_ids}
_field_mappings: SearchStrategy[Any] = (
    st.just({})
    | _some(dora=_some(**_dora_fields), flow=_some(**_flow_fields))
    | _some(**_dora_fields, **_flow_fields, **_old_fields)
)
_flow_type = _statuses | _some(issue_types=_statuses, effort_categories=_statuses)
_flow_type_mappings = st.dictionaries(
    st.sampled_from(["Feature", "Defect", "Technical Debt", "TechnicalDebt", "Technical_Debt"]),
    _flow_type,
)
_common = {
    "jira_config": _jira_config,
    "field_mappings": _field_mappings,
    "flow_type_mappings": _flow_type_mappings,
    "show_milestone": st.booleans(),
    "show_points": st.booleans() | st.sampled_from([[], ["show"]]),
}


def _merged(
    first: SearchStrategy[dict[str, Any]], second: SearchStrategy[dict[str, Any]]
) -> SearchStrategy[dict[str, Any]]:
    """Draw objects with the keys of both."""
    return st.builds(lambda one, other: {**one, **other}, first, second)


_full_profiles = _merged(
    _unknown,
    objects(
        {
            "name": _few_names,
            "description": st.text(characters(exclude="\0")),
            "created_at": _aware,
            "last_used": _aware | _naive,
            "forecast_settings": _some(**_forecast),
            "project_classification": _some(**_classification, **_old_classification),
            **_common,
            "queries": st.just([]) | st.lists(_names, max_size=2),
        },
        {"active_query_id": st.none() | _names},
    ),
)
_flat_profiles = _merged(
    _unknown,
    _some(
        **_forecast,
        **_classification,
        **_common,
        jql_query=_names,
        last_used_data_source=st.just("JIRA"),
        cache_metadata=_json_objects,
    ),
)
_oldest_settings = _some(
    **_forecast,
    completion_statuses=_statuses,
    jira_api_endpoint=st.just("https://jira.example.com/rest/api/2/search"),
    jira_token=st.just("a-token"),
    jira_cache_max_size=st.integers(10, 1000),
    jira_max_results=st.integers(10, 1000),
    jql_query=_names,
)

# --- data of a query -------------------------------------------------------------------------

_issue_keys = matching(r"[A-Z]{2,4}-[1-9][0-9]{0,2}")
_issues = st.lists(st.fixed_dictionaries({"key": _issue_keys, "fields": _json_objects}), max_size=4)
_query_files = _merged(
    st.dictionaries(st.sampled_from(["updated_at", "tags"]), _json_values),
    objects(
        {"name": _few_names, "jql": _names, "created_at": _aware | _naive},
        {"description": _names, "last_used": _aware},
    ),
)
_jira_caches = objects(
    {"issues": _issues, "timestamp": _aware | _naive},
    {
        "cache_version": st.just("2.0"),
        "jql_query": _names,
        "fields_requested": st.sampled_from(["", "key,status", "status,key,created"]),
        "total_issues": st.integers(0, 9),
        "changed_keys": st.lists(_issue_keys, max_size=2),
    },
)
_histories = st.fixed_dictionaries({"key": _issue_keys, "changelog": _json_objects})
_keyed_histories = st.dictionaries(_issue_keys, _histories, max_size=4)
_changelogs = _keyed_histories | _merged(
    _keyed_histories,
    st.fixed_dictionaries({"cache_version": st.just("2.0"), "issues": st.lists(_histories)}),
)
_project_data = (
    st.fixed_dictionaries(
        {
            "statistics": st.just([]),
            "project_scope": _json_objects,
            "last_updated": _aware,
            "version": st.just("1.0"),
        }
    )
    | st.fixed_dictionaries(
        {
            "project_scope": _json_objects,
            "statistics": st.lists(_some(date=st.sampled_from(["NaT", "2025-10-06"]))),
            "metadata": _some(last_updated=_naive, source=st.just("csv_import")),
        }
    )
    | _some(total_items=st.integers(), total_points=st.floats(0, 9), metadata=_json_objects)
    | _json_objects
)
_weeks = st.sampled_from(["2025-W44", "2025-44", "2025-W01", "2020-W53", "2025-09"])
_metric_names = st.sampled_from(
    ["flow_time", "flow_load", "dora_mttr", "dora_lead_time", "trends", "custom"]
)
_metrics = _merged(_json_objects, _some(timestamp=_aware, value=st.none() | st.floats(0, 9)))
_snapshots = st.dictionaries(
    _weeks, st.dictionaries(_metric_names, _metrics, max_size=4), max_size=4
)

# --- workspaces ------------------------------------------------------------------------------

_PROFILE_IDS = st.sampled_from(
    ["default", "p_0123456789ab", "apache-kafka", "Imported Cloud Copy", "Team A/sub", "Ärger!"]
)
_QUERY_IDS = st.sampled_from(["main", "q_0123456789ab", "q_20251101_101112", "shared-x-20251101"])
_QUERY_FILES = {
    "query.json": _query_files,
    "jira_cache.json": _jira_caches,
    "jira_changelog_cache.json": _changelogs,
    "project_data.json": _project_data,
    "metrics_snapshots.json": _snapshots,
}


def legacy_workspaces(
    *,
    profile_ids: SearchStrategy[str] | str = _PROFILE_IDS,
    query_ids: SearchStrategy[str] | str = _QUERY_IDS,
) -> SearchStrategy[Files]:
    """Return complete workspaces of the old dashboard, by the path of each file.

    They have the forms of all its releases, with a registry of profiles (``profiles.json``) or
    without, and one to three profiles. Each value is to be written as JSON, at its path below the
    root of the workspace, such as ``profiles/default/profile.json``.

    Args:
        profile_ids: the names of the folders of profiles.
        query_ids: the names of the folders of queries.
    """
    return _workspaces(narrowed(profile_ids, profile_ids=str), narrowed(query_ids, query_ids=str))


@st.composite
def _workspaces(
    draw: st.DrawFn, profile_ids: SearchStrategy[str], query_ids: SearchStrategy[str]
) -> Files:
    files: Files = {}
    shapes = _profile_folders(query_ids)
    folders = draw(st.dictionaries(profile_ids, shapes, min_size=1, max_size=3))
    for profile_id, folder in folders.items():
        files.update({f"profiles/{profile_id}/{path}": item for path, item in folder.items()})
    if draw(st.booleans()):
        entry = _some(name=_few_names, created_at=_aware, last_used=_aware)
        files["profiles/profiles.json"] = {
            "version": "3.0",
            "active_profile_id": draw(st.none() | profile_ids),
            "active_query_id": draw(st.none() | query_ids),
            "profiles": draw(objects({}, dict.fromkeys(folders, entry))),
        }
    return files


@st.composite
def _profile_folders(draw: st.DrawFn, query_ids: SearchStrategy[str]) -> Files:
    """Draw the files of a profile and its queries."""
    files: Files = {}
    for query in draw(st.lists(_query_folders(query_ids), max_size=2)):
        for path, value in query.items():
            files.setdefault(path, value)
    settings = draw(
        st.sampled_from(["profile.json", "app_settings.json", "queries/main/app_settings.json"])
    )
    shape = _full_profiles | _flat_profiles if settings == "profile.json" else _oldest_settings
    if not files or draw(st.booleans()):
        files[settings] = draw(shape)
    return files


@st.composite
def _query_folders(draw: st.DrawFn, query_ids: SearchStrategy[str]) -> Files:
    """Draw the files of a query; at least one, since an empty folder is no query."""
    folder = f"queries/{draw(query_ids)}"
    files = draw(objects({}, {f"{folder}/{name}": each for name, each in _QUERY_FILES.items()}))
    return files or {f"{folder}/query.json": draw(_query_files)}

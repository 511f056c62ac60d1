"""Hypothesis strategies for legacy workspaces, as files with their JSON values."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from burndown import SQLiteBackend
from burndown.database import SQLiteDatabase
from burndown.migration import run_migration_if_needed
from burndown.models import Entity
from tests.support.store import stored_records
from tests.support.strategies import aware_timestamps, json_objects, json_values, naive_timestamps

Files = dict[str, Any]
"""JSON values by path below the root of the workspace."""

aware = aware_timestamps.map(lambda timestamp: timestamp.isoformat())
naive = naive_timestamps.map(lambda timestamp: timestamp.isoformat())
names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs"]), min_size=1, max_size=9
)
few_names = st.sampled_from(["Alpha", "alpha", "Größe 🚀", "Default"]) | names
statuses = st.lists(names, max_size=2)
field_ids = st.sampled_from(
    ["fixVersions", "customfield_1=PROD|Production", "status:Done.DateTime", "*.priority.name"]
) | st.fixed_dictionaries({"type": st.just("field"), "namespace": names})
unknown = st.dictionaries(st.sampled_from(["setup_status", "variable_mappings"]), json_values)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw objects with any of these keys."""
    return st.fixed_dictionaries({}, optional=fields)


# --- settings --------------------------------------------------------------------------------

jira_config: st.SearchStrategy[Any] = st.just({}) | some(
    base_url=st.sampled_from(["https://jira.example.com", "https://jira.example.com/jira/"]),
    api_version=st.sampled_from(["v2", "v3"]),
    token=st.sampled_from(["", "canary-token"]),
    cache_size_mb=st.integers(10, 1000),
    max_results_per_call=st.integers(10, 1000),
    points_field=st.sampled_from(["", "customfield_10016"]),
    configured=st.booleans(),
    last_test_timestamp=st.none() | naive,
    last_test_success=st.none() | st.booleans(),
)
dates = st.none() | st.just("") | st.dates().map(lambda day: day.isoformat())
forecast = {
    "pert_factor": st.integers(1, 15) | st.floats(0.1, 15),
    "deadline": dates,
    "milestone": dates,
    "data_points_count": st.integers(1, 60) | st.floats(1, 60),
}
classification = {
    "devops_projects": statuses,
    "bug_types": statuses,
    "flow_end_statuses": statuses,
    "wip_statuses": statuses,
}
old_classification = {
    "completion_statuses": statuses,
    "production_environment_value": names,
}
dora_fields = {"deployment_date": field_ids, "change_failure": field_ids}
flow_fields = {"status": field_ids, "effort_category": field_ids}
old_fields = {"work_type": field_ids, "incident_start": field_ids}
field_mappings: st.SearchStrategy[Any] = (
    st.just({})
    | some(dora=some(**dora_fields), flow=some(**flow_fields))
    | some(**dora_fields, **flow_fields, **old_fields)
)
flow_type = statuses | some(issue_types=statuses, effort_categories=statuses)
flow_type_mappings = st.dictionaries(
    st.sampled_from(["Feature", "Defect", "Technical Debt", "TechnicalDebt", "Technical_Debt"]),
    flow_type,
)
common = {
    "jira_config": jira_config,
    "field_mappings": field_mappings,
    "flow_type_mappings": flow_type_mappings,
    "show_milestone": st.booleans(),
    "show_points": st.booleans() | st.sampled_from([[], ["show"]]),
}


def merged(
    first: st.SearchStrategy[dict[str, Any]], second: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw objects with the keys of both."""
    return st.builds(lambda one, other: {**one, **other}, first, second)


full_profiles = merged(
    unknown,
    st.fixed_dictionaries(
        {
            "name": few_names,
            "description": st.text(st.characters(codec="utf-8", exclude_characters="\0")),
            "created_at": aware,
            "last_used": aware | naive,
            "forecast_settings": some(**forecast),
            "project_classification": some(**classification, **old_classification),
            **common,
            "queries": st.just([]) | st.lists(names, max_size=2),
        },
        optional={"active_query_id": st.none() | names},
    ),
)
flat_profiles = merged(
    unknown,
    some(
        **forecast,
        **classification,
        **common,
        jql_query=names,
        last_used_data_source=st.just("JIRA"),
        cache_metadata=json_objects,
    ),
)
oldest_settings = some(
    **forecast,
    completion_statuses=statuses,
    jira_api_endpoint=st.just("https://jira.example.com/rest/api/2/search"),
    jira_token=st.just("canary-token"),
    jira_cache_max_size=st.integers(10, 1000),
    jira_max_results=st.integers(10, 1000),
    jql_query=names,
)

# --- data of a query -------------------------------------------------------------------------

issue_keys = st.from_regex(r"[A-Z]{2,4}-[1-9][0-9]{0,2}", fullmatch=True)
issues = st.lists(st.fixed_dictionaries({"key": issue_keys, "fields": json_objects}), max_size=4)
query_files = merged(
    st.dictionaries(st.sampled_from(["updated_at", "tags"]), json_values),
    st.fixed_dictionaries(
        {"name": few_names, "jql": names, "created_at": aware | naive},
        optional={"description": names, "last_used": aware},
    ),
)
jira_caches = st.fixed_dictionaries(
    {"issues": issues, "timestamp": aware | naive},
    optional={
        "cache_version": st.just("2.0"),
        "jql_query": names,
        "fields_requested": st.sampled_from(["", "key,status", "status,key,created"]),
        "total_issues": st.integers(0, 9),
        "changed_keys": st.lists(issue_keys, max_size=2),
    },
)
histories = st.fixed_dictionaries({"key": issue_keys, "changelog": json_objects})
keyed_histories = st.dictionaries(issue_keys, histories, max_size=4)
changelogs = keyed_histories | merged(
    keyed_histories,
    st.fixed_dictionaries({"cache_version": st.just("2.0"), "issues": st.lists(histories)}),
)
project_data = (
    st.fixed_dictionaries(
        {
            "statistics": st.just([]),
            "project_scope": json_objects,
            "last_updated": aware,
            "version": st.just("1.0"),
        }
    )
    | st.fixed_dictionaries(
        {
            "project_scope": json_objects,
            "statistics": st.lists(some(date=st.sampled_from(["NaT", "2025-10-06"]))),
            "metadata": some(last_updated=naive, source=st.just("csv_import")),
        }
    )
    | some(total_items=st.integers(), total_points=st.floats(0, 9), metadata=json_objects)
    | json_objects
)
weeks = st.sampled_from(["2025-W44", "2025-44", "2025-W01", "2020-W53", "2025-09"])
metric_names = st.sampled_from(
    ["flow_time", "flow_load", "dora_mttr", "dora_lead_time", "trends", "custom"]
)
metrics = merged(json_objects, some(timestamp=aware, value=st.none() | st.floats(0, 9)))
snapshots = st.dictionaries(weeks, st.dictionaries(metric_names, metrics, max_size=4), max_size=4)

# --- workspaces ------------------------------------------------------------------------------

profile_ids = st.sampled_from(
    ["p_0123456789ab", "default", "apache-kafka", "Imported Cloud Copy", "Team A/sub", "Ärger!"]
)
query_ids = st.sampled_from(["q_0123456789ab", "main", "q_20251101_101112", "shared-x-20251101"])


@st.composite
def query_folders(draw: st.DrawFn) -> Files:
    """Draw the files of a query; at least one, since an empty folder is no query."""
    files = draw(
        some(
            **{
                "query.json": query_files,
                "jira_cache.json": jira_caches,
                "jira_changelog_cache.json": changelogs,
                "project_data.json": project_data,
                "metrics_snapshots.json": snapshots,
            }
        ).filter(bool)
    )
    return {f"queries/{draw(query_ids)}/{name}": value for name, value in files.items()}


@st.composite
def profile_folders(draw: st.DrawFn) -> Files:
    """Draw the files of a profile and its queries."""
    files: Files = {}
    for query in draw(st.lists(query_folders(), max_size=2)):
        for path, value in query.items():
            files.setdefault(path, value)
    settings = draw(
        st.sampled_from(["profile.json", "app_settings.json", "queries/main/app_settings.json"])
    )
    shape = full_profiles | flat_profiles if settings == "profile.json" else oldest_settings
    if not files or draw(st.booleans()):
        files[settings] = draw(shape)
    return files


@st.composite
def workspaces(draw: st.DrawFn) -> Files:
    """Draw complete workspaces, with a registry or without."""
    files: Files = {}
    folders = draw(st.dictionaries(profile_ids, profile_folders(), min_size=1, max_size=3))
    for profile_id, folder in folders.items():
        files.update({f"profiles/{profile_id}/{path}": item for path, item in folder.items()})
    entries = {
        profile_id: draw(some(name=few_names, created_at=aware, last_used=aware))
        for profile_id in folders
        if draw(st.booleans())
    }
    if draw(st.booleans()):
        files["profiles/profiles.json"] = {
            "version": "3.0",
            "active_profile_id": draw(st.none() | profile_ids),
            "active_query_id": draw(st.none() | query_ids),
            "profiles": entries,
        }
    return files


unexpected_values: st.SearchStrategy[Any] = json_values | st.sampled_from(
    [0, 1, "1", "true", 100.0, "", " ", None, [], {}, ["x"], "a, b", "2026-03-31 00:00", "\0"]
)


@st.composite
def unexpected_workspaces(draw: st.DrawFn) -> Files:
    """Draw workspaces in which some values, of any file, are replaced by others."""
    files: Files = json.loads(json.dumps(draw(workspaces())))
    for _ in range(draw(st.integers(1, 4))):
        value = files[draw(st.sampled_from(sorted(files)))]
        while isinstance(value, dict) and value:
            key = draw(st.sampled_from(sorted(value)))
            if not value[key] or not isinstance(value[key], dict) or draw(st.booleans()):
                value[key] = draw(unexpected_values)
                break
            value = value[key]
    return files


def write(files: Files, root: Path) -> Path:
    """Write the files, escaped or as UTF-8, and return the folder of profiles."""
    for number, (path, value) in enumerate(files.items()):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(value, indent=2, ensure_ascii=number % 2 == 0)
        target.write_text(text, encoding="utf-8")
    return root / "profiles"


# --- files and values of workspaces ----------------------------------------------------------


def files_without_database(folder: Path) -> dict[Path, bytes]:
    """Return the content of every file that belongs to the old dashboard."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("burndown.db")
    }


def files_without_locks(folder: Path) -> dict[str, bytes]:
    """Return all files except locks."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def leaves(value: Any) -> Iterator[str]:
    """Yield the scalars in a JSON value, timestamps in UTC."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield in_utc_or_none(value) or repr(value)
    elif value is not None:
        yield repr(value)


def in_utc_or_none(text: str) -> str | None:
    """Return the timestamp of a string in UTC; in a column it has a blank and no offset."""
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    in_column = " " in text
    return repr((timestamp.replace(tzinfo=UTC) if in_column else timestamp).astimezone(UTC))


def migrated_records(profiles_dir: Path) -> dict[type[Entity], list[str]]:
    """Return what a migration of the folder stores."""
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / "burndown.db"
        database = SQLiteDatabase(path)
        try:
            run_migration_if_needed(profiles_dir, database)
        finally:
            database.close()
            shutil.rmtree(profiles_dir.parent / "backups", ignore_errors=True)
        with SQLiteBackend(path) as backend:
            return stored_records(backend)

"""Exchange files of every release of the published dashboard, told apart by what is in them."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend
from burndown.import_export import import_profile, run_import
from burndown.models import JiraCache, JiraChangelog
from tests.import_export.exports import pack, refused, write
from tests.support.exchange_files import (
    CANARY,
    CREATED_AT,
    OLD_PARTS,
    REDACTED,
    URL,
    exchange_file,
    sample_budget,
    sample_file,
    sample_profile,
    sample_query,
    write_exchange,
)

Document = dict[str, Any]

MISSING_TOKEN = "profile_data: jira_config.token"


def profile_of(store: SQLiteBackend, profile_id: str = "p_1") -> Document:
    """Return a profile; an empty object if there is none."""
    return dict(store.get_profile(profile_id) or {})


def queries_of(store: SQLiteBackend, profile_id: str = "p_1") -> dict[str, Document]:
    """Return the queries of a profile by their ids."""
    return {query["id"]: dict(query) for query in store.list_queries(profile_id)}


def metrics_of(store: SQLiteBackend, query_id: str) -> dict[tuple[str, str], Any]:
    """Return the metrics of a query of ``p_1`` by week and type."""
    return {
        (each["snapshot_date"], each["metric_type"]): each["metrics"]
        for each in store.get_metrics_snapshots("p_1", query_id, limit=None)
    }


def response_of(store: SQLiteBackend, query_id: str) -> Document:
    """Return the only cached response of a query of ``p_1``."""
    [cache] = store.records(JiraCache, "p_1", query_id)
    return cache


def test_every_part_of_a_file_is_imported(store: SQLiteBackend, file: Path) -> None:
    report = run_import(write_exchange(sample_file(), file))
    assert report.imported == {
        "queries": 2,
        "cached responses": 1,
        "changelogs": 1,
        "project data": 1,
        "metrics snapshots": 1,
        "budgets": 1,
    }
    assert report.missing_secrets == []
    assert report.skipped == []
    profile = profile_of(store)
    assert profile["jira_config"]["token"] == CANARY
    assert profile["field_mappings"]["general"] == {"estimate": "x"}
    assert (profile["show_milestone"], profile["show_points"]) == (True, False)
    assert {query["name"] for query in store.list_queries("p_1")} == {"Bugs", "Other"}
    cache = response_of(store, "q_1")
    assert cache["is_complete"] is None
    assert [issue["key"] for issue in cache["response"]["issues"]] == ["A-1", "A-2"]
    [changelog] = store.records(JiraChangelog, "p_1", "q_1")
    [history] = changelog["changelog"]["changelog"]["histories"]
    assert [item["toString"] for item in history["items"]] == ["Done", "Closed"]
    data = store.get_project_data("p_1", "q_1")
    assert data is not None
    assert data["project_scope"] == {"total_items": 25}
    assert [week["date"] for week in data["statistics"]] == ["2026-01-05", "2026-01-12"]
    assert metrics_of(store, "q_1").keys() == {("2026-W02", "dora")}
    budget = store.get_budget("p_1", "q_1")
    assert budget is not None
    assert (budget["budget_total"], budget["effective_from"]) == (130000.0, "2026-01-02")
    assert [each["reason"] for each in budget["revisions"]] == ["more", "and more"]


@pytest.mark.parametrize(
    "manifest",
    [
        {"version": "1.0"},
        {"version": "1.1"},
        {"version": 2},
        {"version": "2.7", "export_mode": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("flags", [True, False])
def test_the_version_and_the_flags_do_not_decide(
    store: SQLiteBackend, file: Path, manifest: Document, flags: bool
) -> None:
    content = sample_file()
    content["manifest"].update(manifest)
    for flag in [flag for flag in content["manifest"] if flag.startswith("includes_")]:
        if flags:
            content["manifest"][flag] = False
        else:
            del content["manifest"][flag]
    report = run_import(write_exchange(content, file))
    assert report.imported["cached responses"] == 1
    assert report.missing_secrets == []


@pytest.mark.parametrize("version", ["3.0", "0.9", "", "x", "22", None, 3, [], {}])
def test_a_file_of_a_newer_release_is_refused(
    store: SQLiteBackend, file: Path, version: Any
) -> None:
    error = refused(
        store, write_exchange(exchange_file(sample_profile(), None, version=version), file)
    )
    assert str(error).startswith(f"{file}: manifest: version: input should be 1.x or 2.x, got ")


def test_a_profile_without_queries_is_imported(store: SQLiteBackend, file: Path) -> None:
    """Whether the file says so or has nothing."""
    content = exchange_file(sample_profile(), None)
    assert run_import(write_exchange(content, file)).imported == {"queries": 0}
    del content["query_data"]
    assert run_import(write_exchange(content, file), replace=True).imported == {"queries": 0}


def test_a_file_of_the_configuration_has_queries_and_budgets(
    store: SQLiteBackend, file: Path
) -> None:
    kept = ("query_metadata", "budget_settings", "budget_revisions")
    query = {part: value for part, value in sample_query().items() if part in kept}
    content = exchange_file(sample_profile(), {"q_1": query}, export_mode="CONFIG_ONLY")
    assert run_import(write_exchange(content, file)).imported == {"queries": 1, "budgets": 1}


def test_a_budget_of_the_profile_is_given_to_its_queries(store: SQLiteBackend, file: Path) -> None:
    """Unless a query has one of its own; the budget says where it comes from."""
    own = {**sample_query(), "budget_settings": {**sample_budget(), "budget_total_eur": 1.0}}
    content = exchange_file(sample_profile(), {"q_1": own, "q_2": {}, "q_3": {}})
    revisions = sample_query()["budget_revisions"]
    content["budget_data"] = {"budget_settings": sample_budget(), "budget_revisions": revisions}
    report = run_import(write_exchange(content, file))
    budgets: dict[str, Document] = {
        query_id: dict(store.get_budget("p_1", query_id) or {}) for query_id in queries_of(store)
    }
    totals = {query_id: budget["budget_total"] for query_id, budget in budgets.items()}
    assert totals == {"q_1": 1.0, "q_2": 130000.0, "q_3": 130000.0}
    assert {query_id for query_id, budget in budgets.items() if "of_profile" in budget} == {
        "q_2",
        "q_3",
    }
    assert len(budgets["q_3"]["revisions"]) == 2
    assert [each.what for each in report.converted if "budget of the profile" in each.what] == [
        f"query_data.{query_id}.budget_settings: the budget of the profile, given to each of its "
        "queries"
        for query_id in ("q_2", "q_3")
    ]


@pytest.mark.parametrize(
    ("written", "read"), [(True, True), (1, True), (["show"], True), (0, False), ([], False)]
)
def test_flags_are_read_in_every_form(
    store: SQLiteBackend, file: Path, written: Any, read: bool
) -> None:
    content = exchange_file(sample_profile(show_milestone=written), None)
    import_profile(write_exchange(content, file))
    assert profile_of(store)["show_milestone"] is read


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_bare_words_of_python_become_null(store: SQLiteBackend, file: Path, number: float) -> None:
    """Their paths are reported; what is next to them is kept."""
    query = sample_query(project_scope={"total": number, "done": 3})
    report = run_import(write_exchange(exchange_file(sample_profile(), {"q_1": query}), file))
    data = store.get_project_data("p_1", "q_1") or {}
    assert data["project_scope"] == {"total": None, "done": 3}
    assert "query_data.q_1.project_scope.total" in report.converted[0].what


# --- tokens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, REDACTED])
def test_a_file_without_the_token_says_to_enter_it_again(
    store: SQLiteBackend, file: Path, token: str | None
) -> None:
    """The word in its place is no token."""
    content = sample_file()
    del content["profile_data"]["jira_config"]["token"]
    if token is not None:
        content["profile_data"]["jira_config"]["token"] = token
    report = run_import(write_exchange(content, file))
    assert report.missing_secrets == [MISSING_TOKEN]
    assert "enter them again: profile_data: jira_config.token" in report.warnings[0]
    assert "token" not in profile_of(store)["jira_config"]


def test_a_profile_that_was_never_connected_misses_no_token(
    store: SQLiteBackend, file: Path
) -> None:
    content = exchange_file(sample_profile(jira_config={}), None)
    assert run_import(write_exchange(content, file)).missing_secrets == []


@pytest.mark.parametrize("url", [URL, "https://evil.example.com"])
@pytest.mark.parametrize("token", [None, REDACTED])
def test_the_token_of_the_replaced_profile_is_kept_for_its_server(
    store: SQLiteBackend, file: Path, url: str, token: str | None
) -> None:
    jira: Document = {"base_url": url} if token is None else {"base_url": url, "token": token}
    store.save_profile({"id": "p_1", "jira_config": {"base_url": URL, "token": CANARY}})
    content = exchange_file(sample_profile(jira_config=jira), None)
    report = run_import(write_exchange(content, file), replace=True)
    stored = profile_of(store)["jira_config"]
    assert stored.get("token") == (CANARY if url == URL else None)
    assert report.missing_secrets == ([] if url == URL else [MISSING_TOKEN])


# --- ids and names -----------------------------------------------------------------------------


def test_ids_that_are_not_valid_are_made_to_fit(store: SQLiteBackend, file: Path) -> None:
    """The old ones are kept, and none takes the id of another."""
    query = {"query_metadata": {"name": "B", "jql": "b"}}
    queries = {"a/b": query, "a-b": {"query_metadata": {"name": "A", "jql": "a"}}}
    content = exchange_file(sample_profile(id=" .hidden "), queries)
    report = run_import(write_exchange(content, file))
    assert report.profile_id == "hidden"
    assert profile_of(store, "hidden")["legacy_id"] == " .hidden "
    found = queries_of(store, "hidden")
    assert {query_id: each["jql"] for query_id, each in found.items()} == {"a-b": "a", "a-b-2": "b"}
    assert found["a-b-2"]["legacy_id"] == "a/b"
    told = " ".join(each.what for each in report.converted)
    assert "profile_data: ' .hidden ' is not a valid id; now 'hidden'" in told
    assert "'a/b' is not a valid id; now 'a-b-2'" in told


def test_names_that_are_equal_blank_or_too_long_are_made_to_fit(
    store: SQLiteBackend, file: Path
) -> None:
    written = {"q_1": "Bugs", "q_2": "Bugs", "q_3": "  ", "q_4": "n" * 250, "q_5": ""}
    queries = {
        query_id: {"query_metadata": {"name": name, "jql": query_id, "created_at": CREATED_AT}}
        for query_id, name in written.items()
    }
    content = exchange_file(sample_profile(name=" "), queries)
    report = run_import(write_exchange(content, file))
    assert report.profile_name == "p_1"
    found = queries_of(store)
    assert {key: query["name"] for key, query in found.items()} == {
        "q_1": "Bugs",
        "q_2": "Bugs (2)",
        "q_3": "q_3",
        "q_4": "n" * 190,
        "q_5": "q_5",
    }
    renamed = {key: query["legacy_name"] for key, query in found.items() if "legacy_name" in query}
    assert renamed == {key: name for key, name in written.items() if key != "q_1"}


def test_a_profile_without_an_id_gets_that_of_the_manifest_or_of_its_name(
    store: SQLiteBackend, file: Path
) -> None:
    profile = sample_profile()
    del profile["id"]
    content = exchange_file(profile, None, profiles=["p_9"])
    assert run_import(write_exchange(content, file)).profile_id == "p_9"
    content["manifest"]["profiles"] = []
    assert run_import(write_exchange(content, file), "New").profile_id == "new"


# --- from before the database ------------------------------------------------------------------


def check_old_data(store: SQLiteBackend, query_id: str) -> None:
    """Check that the old parts are with the query of ``p_1``."""
    cache = response_of(store, query_id)
    assert cache["response"] == OLD_PARTS["jira_cache"]
    assert cache["created_at"] == "2025-12-10T10:00:00+00:00"
    assert store.get_project_data("p_1", query_id) == OLD_PARTS["project_data"]
    assert metrics_of(store, query_id) == {
        ("2025-W49", "dora"): {"dora_mttr": OLD_PARTS["metrics_snapshots"]["2025-49"]["dora_mttr"]},
        ("2025-W49", "other"): {"trends": {"flow_time_trend": "up"}},
    }


def test_the_first_files_hold_one_query_without_its_id(store: SQLiteBackend, file: Path) -> None:
    """Its JQL is that of its response."""
    content = exchange_file(sample_profile(), dict(OLD_PARTS))
    run_import(write_exchange(content, file))
    [query] = store.list_queries("p_1")
    assert (query["id"], query["jql"]) == ("main", "project = A")
    check_old_data(store, "main")
    content["profile_data"]["query_id"] = "q_7"
    run_import(write_exchange(content, file), replace=True)
    assert [query["id"] for query in store.list_queries("p_1")] == ["q_7"]


def test_a_query_without_its_description_is_made_of_its_data(
    store: SQLiteBackend, file: Path
) -> None:
    """It is created when the file was."""
    content = exchange_file(sample_profile(), {"q_1": OLD_PARTS})
    report = run_import(write_exchange(content, file))
    [query] = store.list_queries("p_1")
    assert {key: query[key] for key in ("id", "name", "jql", "created_at")} == {
        "id": "q_1",
        "name": "q_1",
        "jql": "project = A",
        "created_at": CREATED_AT,
    }
    check_old_data(store, "q_1")
    assert any("created_at: missing" in each.what for each in report.converted)


def test_a_query_with_old_files_keeps_its_description(store: SQLiteBackend, file: Path) -> None:
    """The files of ``query.json`` have one."""
    metadata = {"name": "Bugs", "jql": "project = A", "description": "all of them"}
    content = exchange_file(sample_profile(), {"q_1": {"query_metadata": metadata, **OLD_PARTS}})
    run_import(write_exchange(content, file))
    [query] = store.list_queries("p_1")
    assert (query["name"], query["description"]) == ("Bugs", "all of them")
    check_old_data(store, "q_1")


def test_a_profile_in_the_flat_format_is_sorted_into_its_sections(
    store: SQLiteBackend, file: Path
) -> None:
    flat = {
        "id": "p_1",
        "name": "Team A",
        "pert_factor": 3,
        "bug_types": ["Bug"],
        "field_mappings": {"severity_level": "priority", "status": "status"},
        "jira_token": CANARY,
        "active_query_id": "q_1",
    }
    report = run_import(write_exchange(exchange_file(flat, None), file))
    profile = profile_of(store)
    assert profile["forecast_settings"] == {"pert_factor": 3}
    assert profile["project_classification"] == {"bug_types": ["Bug"]}
    assert profile["field_mappings"] == {
        "dora": {"severity_level": "priority"},
        "flow": {"status": "status"},
    }
    assert profile["jira_config"] == {"token": CANARY}
    assert CANARY not in json.dumps(report.to_document())


# --- archives of the first version -------------------------------------------------------------

QUERY = {"id": "q_1", "name": "Bugs", "jql": "project = A", "description": "all"}
OTHER = {"id": "q_2", "name": "Other", "jql": "project = B"}
CACHE = {f"cache/{part}.json": value for part, value in OLD_PARTS.items()}
CHANGELOGS = {"A-1": {"key": "A-1", "changelog": {"histories": [], "total": 0}}}


def first_version(**files: Any) -> dict[str, bytes]:
    """Return the files of an archive of a profile whose token is redacted."""
    jira = {"base_url": URL, "token": REDACTED}
    profile = sample_profile(jira_config=jira, setup_status={"setup_complete": True})
    manifest = exchange_file(profile, None, version="1.0", export_type="backup")["manifest"]
    for flag in ("export_mode", "includes_token", "includes_changelog"):
        del manifest[flag]
    content = {"manifest.json": manifest, "profile.json": profile, **files}
    return {name: json.dumps(value, indent=2).encode() for name, value in content.items()}


@pytest.mark.parametrize("form", ["file.zip", "folder"])
def test_an_archive_of_the_first_version_is_imported(
    store: SQLiteBackend, folder: Path, form: str
) -> None:
    """As it is or unpacked; its cache belongs to its query."""
    changelogs = {"cache/jira_changelog_cache.json": CHANGELOGS, "cache/app_settings.json": {}}
    files = first_version(**{"queries/q_1.json": QUERY}, **CACHE, **changelogs)
    make = pack if form == "file.zip" else write
    report = run_import(make(files, folder / form))
    assert report.missing_secrets == ["profile.json: jira_config.token"]
    profile = profile_of(store)
    assert "setup_status" not in profile
    assert profile["jira_config"] == {"base_url": URL}
    [query] = store.list_queries("p_1")
    assert (query["name"], query["description"]) == ("Bugs", "all")
    check_old_data(store, "q_1")
    assert [each["issue_key"] for each in store.records(JiraChangelog, "p_1")] == ["A-1"]
    assert sorted(each.what.split(": ")[0] for each in report.skipped) == [
        "profile.json",
        "queries/q_1",
    ]


def test_the_cache_of_an_archive_belongs_to_the_query_with_its_jql(
    store: SQLiteBackend, folder: Path
) -> None:
    files = first_version(**{"queries/q_2.json": OTHER, "queries/q_1.json": QUERY}, **CACHE)
    run_import(pack(files, folder / "file.zip"))
    check_old_data(store, "q_1")
    assert [each["query_id"] for each in store.records(JiraCache, "p_1")] == ["q_1"]


@pytest.mark.parametrize(
    "other", [{**OTHER, "jql": "project = A"}, {**QUERY, "jql": "project = C"}], ids="12"
)
def test_a_cache_that_belongs_to_no_certain_query_is_reported(
    store: SQLiteBackend, folder: Path, other: Document
) -> None:
    """Two queries may have the JQL, or none."""
    query = QUERY if other["jql"] == QUERY["jql"] else OTHER
    files = first_version(**{"queries/q_1.json": query, "queries/q_2.json": other}, **CACHE)
    report = run_import(pack(files, folder / "file.zip"))
    assert report.imported == {"queries": 2}
    assert {each.what.split(": ")[0] for each in report.skipped} == {"profile.json", *CACHE}


def test_the_cache_of_an_archive_without_queries_makes_one(
    store: SQLiteBackend, folder: Path
) -> None:
    run_import(pack(first_version(**CACHE), folder / "file.zip"))
    assert [query["jql"] for query in store.list_queries("p_1")] == ["project = A"]
    check_old_data(store, "main")


@pytest.mark.parametrize("name", ["profile.json", "queries/q_1.json", "cache/jira_cache.json"])
def test_a_damaged_file_of_an_archive_is_named(
    store: SQLiteBackend, folder: Path, name: str
) -> None:
    files = first_version(**{"queries/q_1.json": QUERY}, **CACHE)
    files[name] = files[name][:-9]
    path = pack(files, folder / "file.zip")
    assert str(refused(store, path)).startswith(f"{path}: {name}: not valid JSON: ")
    del files["profile.json"]
    if name == "profile.json":
        assert f"{path}: profile.json: missing" in str(refused(store, pack(files, path)))

"""An import replaces a profile, on every backend, if the option is given."""

import json
from pathlib import Path
from typing import Any

import pytest

from burndown import (
    ImportExportError,
    Profile,
    Query,
    RevisionConflictError,
    ValidationError,
    set_backend,
)
from burndown.import_export import export_profile, import_profile, run_import
from burndown.naming_rules import MAX_PROFILES
from burndown.testing.controlled_store import HOUR, Store, everything
from tests.import_export.exports import records_of

URL = "https://jira.example.com"
TOKEN = "canary-7f3a"
LEFT_OUT = "profile.json: jira_config.token"


@pytest.fixture
def store(any_store: Store) -> Store:
    """Return the current store, with ``kafka``, its query ``q``, and ``other``."""
    any_store.clear()
    set_backend(any_store.backend)
    jira = {"base_url": URL, "token": TOKEN}
    any_store.save_profile({"id": "kafka", "name": "Kafka", "jira_config": jira})
    any_store.save_query("kafka", {"id": "q", "jql": "a = b"})
    any_store.save_project_data("kafka", "q", {"k": 1})
    any_store.save_profile({"id": "other", "name": "Other"})
    any_store.save_query("other", {"id": "q"})
    return any_store


def change(store: Store) -> None:
    """Change the data of ``kafka`` in every entity."""
    store.save_profile({"id": "kafka", "name": "Kafka", "description": "changed"})
    for query_id in ("z", "gone"):
        store.save_query("kafka", {"id": query_id})
        store.save_jira_cache("kafka", query_id, "k", {"issues": []}, HOUR)
        store.save_jira_changelog("kafka", query_id, "K-1", {})
    store.save_query("kafka", {"id": "q", "jql": "changed"})
    store.save_project_data("kafka", "q", {"changed": 1})
    store.save_metrics_snapshot("kafka", "q", "2025-W12", "dora", {})


def rename_to(store: Store, name: str, profile_id: str = "kafka") -> None:
    store.save_profile({"id": profile_id, "name": name})


def token_of(store: Store, profile_id: str = "kafka") -> Any:
    return store.get_profile(profile_id)["jira_config"].get("token")


def test_a_replaced_profile_is_deleted_with_all_that_belonged_to_it(
    store: Store, tmp_path: Path
) -> None:
    """The imported one is as it was exported; the deleted queries are reported."""
    before = records_of(store.backend, "kafka")
    path = export_profile("kafka", tmp_path / "export", include_cache=True, include_secrets=True)
    change(store)
    report = run_import(path, replace=True)
    assert records_of(store.backend, "kafka") == before
    assert (report.profile_id, report.replaced) == ("kafka", "Kafka")
    assert report.removed_queries == ["gone", "z"]
    assert report.removed["queries"] == len(report.removed_queries) + report.imported["queries"]
    assert report.removed["cached responses"] == 2


def test_other_profiles_and_the_active_one_stay(store: Store, tmp_path: Path) -> None:
    """Even if the active query was deleted."""
    path = export_profile("kafka", tmp_path / "export", include_secrets=True)
    store.set_app_state("active_profile_id", "kafka")
    store.set_app_state("active_query_id", "gone")
    store.save_task_progress("task", 1, "running")
    before, kafka = everything(store.backend), records_of(store.backend, "kafka")
    change(store)
    import_profile(path, replace=True)
    assert records_of(store.backend, "kafka") == kafka
    for document in (store.get_profile("kafka"), *store.list_queries("kafka")):
        entity = Query if "profile_id" in document else Profile
        store.save_records(entity, [{**document, "revision": 1}])  # as before
    assert everything(store.backend) == before


def test_forms_that_were_filled_before_find_a_conflict(store: Store, tmp_path: Path) -> None:
    """The revisions go on from those of the replaced ones; an export has none."""
    path = export_profile("kafka", tmp_path / "export", include_secrets=True)
    assert "revision" not in (path / "profile.json").read_text("utf-8")
    assert "revision" not in (path / "queries" / "q.json").read_text("utf-8")
    change(store)
    stale, stale_query = store.get_profile("kafka"), store.get_query("kafka", "q")
    assert (stale["revision"], stale_query["revision"]) == (2, 2)
    import_profile(path, replace=True)
    with pytest.raises(RevisionConflictError, match="revision 3, not 2"):
        store.save_profile(stale)
    with pytest.raises(RevisionConflictError, match="revision 3, not 2"):
        store.save_query("kafka", stale_query)
    import_profile(path, "copy")
    assert store.get_profile("copy")["revision"] == store.get_query("copy", "q")["revision"] == 1


def test_a_revision_in_an_edited_file_is_ignored(store: Store, tmp_path: Path) -> None:
    path = export_profile("kafka", tmp_path / "export")
    for name in ("profile.json", "queries/q.json"):
        written = json.loads((path / name).read_text("utf-8"))
        (path / name).write_text(json.dumps({**written, "revision": 7}), "utf-8")
    import_profile(path, "copy")
    assert store.get_profile("copy")["revision"] == store.get_query("copy", "q")["revision"] == 1


def test_a_profile_with_the_same_id_is_replaced(store: Store, tmp_path: Path) -> None:
    """It gets the name of the export, or the given one."""
    path = export_profile("kafka", tmp_path / "export")
    rename_to(store, "Elsewhere")
    report = run_import(path, replace=True)
    assert (report.profile_id, report.profile_name, report.replaced) == (
        "kafka",
        "Kafka",
        "Elsewhere",
    )
    report = run_import(path, " New ", replace=True)
    assert (report.profile_id, report.profile_name, report.replaced) == ("kafka", "New", "Kafka")
    assert store.get_profile("kafka")["name"] == "New"
    assert len(store.list_profiles()) == 2


@pytest.mark.parametrize("name", ["Kafka", "KAFKA"])
def test_a_profile_with_the_same_name_is_replaced(store: Store, tmp_path: Path, name: str) -> None:
    """It keeps its id."""
    path = export_profile("kafka", tmp_path / "export")
    store.delete_profile("kafka")
    rename_to(store, name, "other")
    report = run_import(path, replace=True)
    assert (report.profile_id, report.profile_name, report.replaced) == ("other", "Kafka", name)
    assert [profile["id"] for profile in store.list_profiles()] == ["other"]
    assert store.get_project_data("other", "q") == {"k": 1}


def test_a_profile_with_the_given_name_is_replaced(store: Store, tmp_path: Path) -> None:
    """If no profile has the id."""
    path = export_profile("kafka", tmp_path / "export")
    store.delete_profile("kafka")
    report = run_import(path, "oTHER", replace=True)
    assert (report.profile_id, report.profile_name, report.replaced) == ("other", "oTHER", "Other")


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_import_does_not_replace_two_profiles(
    store: Store, tmp_path: Path, dry_run: bool
) -> None:
    """One has its id and another one its name."""
    path = export_profile("kafka", tmp_path / "export")
    before = everything(store.backend)
    with pytest.raises(ImportExportError, match="delete one first") as caught:
        run_import(path, "Other", replace=True, dry_run=dry_run)
    assert "'kafka'" in str(caught.value)
    assert "'other'" in str(caught.value)
    assert everything(store.backend) == before


def test_without_a_conflict_nothing_is_replaced(store: Store, tmp_path: Path) -> None:
    path = export_profile("kafka", tmp_path / "export")
    store.delete_profile("kafka")
    report = run_import(path, replace=True)
    assert (report.profile_id, report.replaced, report.removed_queries) == ("kafka", None, [])
    assert token_of(store) is None
    assert report.missing_secrets == [LEFT_OUT]


def test_an_import_that_fails_replaces_nothing(store: Store, tmp_path: Path) -> None:
    """Even if the error occurs with the last file."""
    store.save_metrics_snapshot("kafka", "q", "2025-W12", "dora", {})
    path = export_profile("kafka", tmp_path / "export")
    snapshot = {"snapshot_date": "2025-W53", "metric_type": "dora", "metrics": {}}
    (path / "metrics/snapshots.json").write_text(json.dumps({"q": [snapshot]}))
    before = everything(store.backend)
    with pytest.raises(ValidationError, match="snapshot_date"):
        import_profile(path, replace=True)
    assert everything(store.backend) == before


def test_a_store_with_the_maximum_of_profiles_accepts_a_replacement(
    store: Store, tmp_path: Path
) -> None:
    """But no other profile."""
    path = export_profile("kafka", tmp_path / "export")
    with store.transaction():
        for number in range(MAX_PROFILES - 2):
            store.save_profile({"id": f"p{number}"})
    with pytest.raises(ValidationError, match=f"at most {MAX_PROFILES}"):
        import_profile(path, "New")
    assert import_profile(path, replace=True) == "kafka"


# --- the token ---------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [URL, "", "https://evil.example.com", f"{URL}/", f"{URL}.evil.com"])
def test_the_token_is_kept_for_the_same_server_only(store: Store, tmp_path: Path, url: str) -> None:
    """For another server the report asks for it; it is never printed itself."""
    path = export_profile("kafka", tmp_path / "export")
    profile = json.loads((path / "profile.json").read_text("utf-8"))
    profile["jira_config"]["base_url"] = url
    (path / "profile.json").write_text(json.dumps(profile))
    report = run_import(path, replace=True)
    assert token_of(store) == (TOKEN if url == URL else None)
    assert report.missing_secrets == ([] if url == URL else [LEFT_OUT])
    assert TOKEN not in repr(report)
    assert TOKEN not in "".join(report.warnings)


def test_a_lost_token_is_reported_even_if_the_export_had_none(store: Store, tmp_path: Path) -> None:
    """As the export of a colleague who uses another server."""
    jira = {"base_url": "https://other.example.com"}
    store.save_profile({"id": "kafka", "name": "Kafka", "jira_config": jira})
    path = export_profile("kafka", tmp_path / "export")
    jira = {"base_url": URL, "token": TOKEN}
    store.save_profile({"id": "kafka", "name": "Kafka", "jira_config": jira})
    report = run_import(path, replace=True)
    assert token_of(store) is None
    assert report.missing_secrets == [LEFT_OUT]


@pytest.mark.parametrize("include_secrets", [False, True])
def test_the_token_of_an_export_replaces_the_stored_one(
    store: Store, tmp_path: Path, include_secrets: bool
) -> None:
    """It may have been exported or added manually."""
    path = export_profile("kafka", tmp_path / "export", include_secrets=include_secrets)
    if not include_secrets:
        profile = json.loads((path / "profile.json").read_text("utf-8"))
        profile["jira_config"]["token"] = TOKEN
        (path / "profile.json").write_text(json.dumps(profile))
    jira = {"base_url": URL, "token": "another one"}
    store.save_profile({"id": "kafka", "name": "Kafka", "jira_config": jira})
    report = run_import(path, replace=True)
    assert token_of(store) == TOKEN
    assert report.missing_secrets == []


def test_a_profile_that_never_had_a_token_needs_none(store: Store, tmp_path: Path) -> None:
    path = export_profile("other", tmp_path / "export")
    report = run_import(path, replace=True)
    assert (report.replaced, report.warnings) == ("Other", [])

"""The files of an export: their layout, their format, and the manifest."""

import json
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from burndown import (
    SQLiteBackend,
    set_backend,
)
from burndown.import_export import export_profile, import_profile, read_manifest
from tests.import_export.exports import (
    FORMS,
    files_of,
    manifest_of,
    nothing_imported,
    sha256,
    tree,
    without_manifest,
    without_time,
)


def test_a_folder_has_the_layout_of_the_quickstart(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """The path is relative to the current folder, and missing folders above it are created."""
    folder = export_profile(profile_id="kafka", export_path="backups/kafka-backup")
    assert folder == Path("backups/kafka-backup")
    assert set(tree(tmp_path / "backups")) == {
        f"kafka-backup{below}"
        for below in (
            "",
            "/budgets",
            "/budgets/12w.json",
            "/manifest.json",
            "/metrics",
            "/metrics/snapshots.json",
            "/profile.json",
            "/project_data",
            "/project_data/12w.json",
            "/queries",
            "/queries/12w.json",
            "/queries/bugs.json",
        )
    }
    profile_id = import_profile(import_path=str(folder), profile_name="Kafka (Restored)")
    assert profile_id == "kafka-restored"


def test_a_profile_without_queries_has_the_same_layout(
    backend: SQLiteBackend, tmp_path: Path
) -> None:
    set_backend(backend)
    backend.save_profile({"id": "empty"})
    folder = export_profile("empty", tmp_path / "export")
    assert set(tree(folder)) == {
        "manifest.json",
        "metrics",
        "metrics/snapshots.json",
        "profile.json",
        "queries",
    }
    backend.delete_profile("empty")
    assert import_profile(folder) == "empty"


def test_every_file_is_indented_with_sorted_keys(kafka: SQLiteBackend, tmp_path: Path) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    assert "Größe" in (folder / "profile.json").read_text("utf-8")
    for path in folder.rglob("*.json"):
        text = path.read_text("utf-8")
        value = json.loads(text)
        assert text == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_a_second_export_has_the_same_bytes_except_for_its_time(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    one, other = (export_profile("kafka", tmp_path / name) for name in ("one", "other"))
    assert without_manifest(one) == without_manifest(other)
    manifests = [
        json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (one, other)
    ]
    for manifest in manifests:
        assert datetime.fromisoformat(manifest.pop("exported_at")).tzinfo is not None
    assert manifests[0] == manifests[1]
    assert export_profile("kafka", one) == one
    assert without_manifest(one) == without_manifest(other)


def test_exporting_changes_no_stored_data(kafka: SQLiteBackend, tmp_path: Path) -> None:
    with nothing_imported(kafka):
        export_profile("kafka", tmp_path / "export")


# --- the manifest ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("include_cache", [False, True])
def test_the_manifest_lists_the_files(
    kafka: SQLiteBackend, tmp_path: Path, form: str, include_cache: bool
) -> None:
    """It has their names, their sizes, and digests in a standard format."""
    path = export_profile(
        "kafka", tmp_path / form, include_cache=include_cache, include_secrets=include_cache
    )
    files, manifest = files_of(path), manifest_of(path)
    assert files.keys() == {
        *("manifest.json", "profile.json", "metrics/snapshots.json"),
        *("queries/12w.json", "queries/bugs.json", "project_data/12w.json", "budgets/12w.json"),
        *(("cache/12w.json", "changelogs/12w.json") if include_cache else ()),
    }
    del files["manifest.json"]
    assert {
        name: (entry["sha256"], entry["size"]) for name, entry in manifest["files"].items()
    } == {name: (sha256(data), len(data)) for name, data in files.items()}
    of_fetched = {"cached responses": 1, "changelogs": 1} if include_cache else {}
    counts = {"queries": 2, "project data": 1, "metrics snapshots": 4, "budgets": 1, **of_fetched}
    assert manifest["counts"] == counts
    assert manifest["left_out"] == (
        {"kinds": [], "secrets": []}
        if include_cache
        else {
            "kinds": ["cached responses", "changelogs"],
            "secrets": ["profile.json: jira_config.token"],
        }
    )
    assert (manifest["profile_id"], manifest["profile_name"]) == ("kafka", "Kafka")
    assert (manifest["format"], manifest["format_version"]) == ("burndown export", 3)
    assert read_manifest(path).to_content() == manifest


def test_the_manifest_lists_the_secrets(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """By file and path; similar fields of data are exported."""
    kafka.save_query("kafka", {"id": "12w", "api_token": "xyz", "pwd": "xyz"})
    kafka.save_query("kafka", {"id": "my_token", "token": ""})
    data = {"list": [{}, {"password": ["xyz"]}], "token": None, "token_count": 3}
    kafka.save_project_data("kafka", "12w", data)
    metrics = {"secret": "xyz", "tokens": 7}
    kafka.save_metrics_snapshot("kafka", "my_token", "2025-W12", "dora", metrics)
    path = export_profile("kafka", tmp_path / "export")
    assert manifest_of(path)["left_out"]["secrets"] == [
        "profile.json: jira_config.token",
        "queries/12w.json: api_token",
        "queries/12w.json: pwd",
        "project_data/12w.json: list[1].password",
        "metrics/snapshots.json: my_token[0].metrics.secret",
    ]
    files = {name: json.loads(data) for name, data in files_of(path).items()}
    assert files["queries/my_token.json"]["token"] == ""
    assert files["project_data/12w.json"] == {
        "list": [{}, {}],
        "token": None,
        "token_count": 3,
    }
    assert files["metrics/snapshots.json"]["my_token"][0]["metrics"] == {"tokens": 7}


def test_two_archives_of_the_same_data_differ_only_in_the_time(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    """With the same time they are equal byte by byte: they have no time of packing."""
    one, other = (export_profile("kafka", tmp_path / f"{name}.zip") for name in ("one", "other"))
    assert without_time(one) == without_time(other)
    with zipfile.ZipFile(one) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_suffix_of_an_archive_may_have_any_case(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """And an archive can be imported under any name."""
    path = export_profile("kafka", tmp_path / "EXPORT.ZIP")
    assert zipfile.is_zipfile(path)
    path.rename(tmp_path / "download")
    assert import_profile(tmp_path / "download", "New") == "new"
    assert export_profile("kafka", tmp_path / "zip").is_dir()

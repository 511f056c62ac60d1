"""The files of an export: where they lie, how they read, and what the manifest says of them."""

import json
from datetime import datetime
from pathlib import Path

from burndown import (
    SQLiteBackend,
    set_backend,
)
from burndown.import_export import export_profile, import_profile
from tests.import_export.exports import (
    nothing_imported,
    tree,
    without_manifest,
)


def test_the_folder_is_laid_out_as_the_quickstart_says(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    """A path is relative to the current folder, and the folders above it are made."""
    folder = export_profile(profile_id="kafka", export_path="backups/kafka-backup")
    assert folder == Path("backups/kafka-backup")
    assert set(tree(tmp_path / "backups")) == {
        f"kafka-backup{below}"
        for below in (
            "",
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


def test_a_profile_without_queries_is_laid_out_likewise(
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


def test_every_file_is_text_for_people_with_sorted_keys(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    assert "Größe" in (folder / "profile.json").read_text("utf-8")
    for path in folder.rglob("*.json"):
        text = path.read_text("utf-8")
        value = json.loads(text)
        assert text == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_a_second_export_has_the_same_bytes_but_for_its_time(
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


def test_exporting_changes_nothing_that_is_stored(kafka: SQLiteBackend, tmp_path: Path) -> None:
    with nothing_imported(kafka):
        export_profile("kafka", tmp_path / "export")

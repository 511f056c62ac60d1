"""Where an export may go, and that it appears there whole or not at all."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from burndown import (
    ImportExportError,
    ProfileNotFoundError,
    SQLiteBackend,
)
from burndown.import_export import export_profile, import_profile
from tests.import_export.exports import (
    files_no_larger_than,
    nothing_imported,
    tree,
)

OTHERS: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_text("mine"),
    "a folder of other files": lambda path: (path / "sub").mkdir(parents=True),
    "another manifest": lambda path: (
        path.mkdir(),
        (path / "manifest.json").write_text('{"format": "of an app"}'),
    ),
    "a damaged manifest": lambda path: (
        path.mkdir(),
        (path / "manifest.json").write_text('{"format": "burndown export"'),
    ),
    "a manifest that is a list": lambda path: (
        path.mkdir(),
        (path / "manifest.json").write_text('["burndown export"]'),
    ),
    "a link to a folder": lambda path: (
        path.with_name("elsewhere").mkdir(),
        path.symlink_to(path.with_name("elsewhere")),
    ),
    "a link to an export": lambda path: path.symlink_to(
        export_profile("kafka", path.with_name("elsewhere"))
    ),
    "a link to nowhere": lambda path: path.symlink_to(path.with_name("nowhere")),
    "something below a file": lambda path: path.parent.rmdir() or path.parent.write_text("mine"),
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_what_is_no_export_is_left_alone(
    kafka: SQLiteBackend, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    """And nothing is left beside it."""
    target = tmp_path / "folder" / "export"
    target.parent.mkdir()
    make(target)
    before = tree(tmp_path / "folder")
    with nothing_imported(kafka), pytest.raises(ImportExportError, match="export"):
        export_profile("kafka", target)
    assert tree(tmp_path / "folder") == before


def test_an_export_takes_the_place_of_an_earlier_one(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """Nothing of the earlier one is left, in it or beside it."""
    target = tmp_path / "folder" / "export"
    export_profile("kafka", target)
    kafka.delete_query("kafka", "12w")
    kafka.save_profile({"id": "other"})
    for profile_id in ("kafka", "other", "kafka"):
        export_profile(profile_id, target)
        assert [path.name for path in target.parent.iterdir()] == ["export"]
        assert json.loads((target / "profile.json").read_text("utf-8"))["id"] == profile_id
    assert not (target / "queries" / "12w.json").exists()
    kafka.delete_profile("kafka")
    import_profile(target)
    assert [query["id"] for query in kafka.list_queries("kafka")] == ["bugs"]


def test_an_export_may_go_to_an_empty_folder(kafka: SQLiteBackend, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    export_profile("kafka", tmp_path / "empty")
    assert (tmp_path / "empty" / "profile.json").exists()


@pytest.mark.parametrize("here", [".", "", "./", "../here", "../here/."])
def test_an_export_to_the_current_folder_is_made_or_refused(
    kafka: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    try:
        export_profile("kafka", here)
    except ImportExportError:
        assert tree(tmp_path / "here") == {}
    else:
        assert (tmp_path / "here" / "profile.json").exists()


def test_a_profile_that_is_not_there_is_not_exported(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """An earlier export stays."""
    folder = export_profile("kafka", tmp_path / "export")
    before = tree(folder)
    with pytest.raises(ProfileNotFoundError, match="Profile 'xyz' not found"):
        export_profile("xyz", folder)
    with pytest.raises(ProfileNotFoundError):
        export_profile("xyz", tmp_path / "new")
    assert tree(folder) == before
    assert not (tmp_path / "new").exists()


def test_an_export_that_cannot_be_written_leaves_the_earlier_one(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    target = tmp_path / "folder" / "export"
    export_profile("kafka", target)
    before = tree(target.parent)
    kafka.save_project_data("kafka", "bugs", {"long": "x" * 300_000})
    for path in (target, target.with_name("new")):
        with files_no_larger_than(200_000), pytest.raises(ImportExportError, match="not written"):
            export_profile("kafka", path)
        assert tree(target.parent) == before

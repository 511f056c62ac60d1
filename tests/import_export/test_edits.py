"""Files may be edited between export and import; edits are reported."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from burndown import SQLiteBackend
from burndown.import_export import export_profile, import_profile, run_import
from burndown.models import ProjectData
from tests.import_export.exports import (
    FORMS,
    Files,
    files_of,
    manifest_of,
    pack,
    refused,
    whole,
    write,
)

Edit = Callable[[Any], Any]


def edited(files: Files, edits: dict[str, Edit]) -> Files:
    """Return the files with some values changed."""
    changed = {
        name: json.dumps(edit(json.loads(files[name]))).encode() for name, edit in edits.items()
    }
    return {**files, **changed}


@pytest.fixture
def files(kafka: SQLiteBackend) -> Files:
    """Return the files of an export without secrets and cached responses."""
    return files_of(export_profile("kafka", "original"))


def put(files: Files, path: Path) -> Path:
    return pack(files, path) if path.suffix else write(files, path)


@pytest.mark.parametrize("form", FORMS)
def test_edited_files_are_imported_and_reported(
    kafka: SQLiteBackend, tmp_path: Path, files: Files, form: str
) -> None:
    """Even if the value is the same; unchanged files are not reported."""
    edits: dict[str, Edit] = {
        "queries/12w.json": lambda query: {**query, "jql": "project = OTHER"},
        "project_data/12w.json": lambda data: {**data, "k": 2},
        "queries/bugs.json": lambda query: query,
    }
    path = put(edited(files, edits), tmp_path / form)
    report = run_import(path, "New")
    assert report.edited == sorted(edits)
    assert report.added == []
    assert [each.split()[0] for each in report.warnings[:3]] == sorted(edits)
    query = kafka.get_query("new", "12w")
    assert query is not None
    assert query["jql"] == "project = OTHER"
    data = kafka.get_project_data("new", "12w")
    assert data is not None
    assert data["k"] == 2


def test_edited_data_have_a_new_timestamp(
    kafka: SQLiteBackend, tmp_path: Path, files: Files
) -> None:
    """The time of the export does not apply to them."""
    import_profile(write(files, tmp_path / "same"), "Same")
    changes: dict[str, Edit] = {"project_data/12w.json": lambda data: {**data, "more": 1}}
    import_profile(write(edited(files, changes), tmp_path / "edited"), "Edited")
    timestamps = {
        profile_id: [data["updated_at"] for data in kafka.records(ProjectData, profile_id)]
        for profile_id in ("kafka", "same", "edited")
    }
    assert timestamps["same"] == timestamps["kafka"]
    assert timestamps["edited"] > timestamps["kafka"]


@pytest.mark.parametrize("form", FORMS)
def test_added_files_are_imported_and_reported(
    kafka: SQLiteBackend, tmp_path: Path, files: Files, form: str
) -> None:
    """Such as a query that a person wrote, with responses of Jira."""
    answer = {"cache_key": "k", "expires_at": "2025-12-23T10:00:00Z", "response": {"issues": []}}
    added = {
        "queries/new.json": b'{"jql": "a = b"}',
        "cache/new.json": json.dumps([answer]).encode(),
    }
    report = run_import(put(files | added, tmp_path / form), "New")
    assert report.added == sorted(added)
    assert report.edited == []
    assert report.imported["queries"] == 3
    assert report.imported["cached responses"] == 1
    assert kafka.list_jira_caches("new", "new")[0]["expired"]


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_file_is_named(
    kafka: SQLiteBackend, tmp_path: Path, files: Files, form: str
) -> None:
    """Whichever it is; nothing is imported without it."""
    for number, name in enumerate(files):
        rest = {other: data for other, data in files.items() if other != name}
        path = put(rest, tmp_path / f"{number}-{form}")
        assert f"{path / name}: missing" in str(refused(kafka, path, "New"))


def test_files_removed_from_the_manifest_are_not_missed(
    kafka: SQLiteBackend, tmp_path: Path, files: Files
) -> None:
    """So a user can omit data from an import."""

    def forget(manifest: Any) -> Any:
        del manifest["files"]["project_data/12w.json"]
        return manifest

    changed = edited(files, {"manifest.json": forget})
    del changed["project_data/12w.json"]
    import_profile(write(changed, tmp_path / "export"), "New")
    assert kafka.get_project_data("new", "12w") is None
    assert kafka.get_query("new", "12w") is not None


def test_a_file_saved_by_an_editor_on_windows_can_be_imported(
    kafka: SQLiteBackend, tmp_path: Path, files: Files
) -> None:
    """With a byte order mark and other line ends."""
    changed = {name: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n") for name, data in files.items()}
    report = run_import(write(changed, tmp_path / "export"), replace=True)
    assert len(report.edited) == len(files) - 1
    assert manifest_of(tmp_path / "export")["profile_id"] == report.profile_id


def test_files_of_other_programs_are_ignored(
    kafka: SQLiteBackend, tmp_path: Path, files: Files
) -> None:
    """The import is the same, and nothing is reported."""
    others = {
        "notes.txt": b"mine",
        ".DS_Store": b"\0",
        "__MACOSX/._profile.json": b"\0",
        "queries/notes.txt": b"mine",
        "metrics/more.json": b"no JSON",
    }
    before = whole(kafka, "kafka")
    for path in (write(files | others, tmp_path / "export"), pack(files | others, Path("e.zip"))):
        report = run_import(path, replace=True)
        assert (report.edited, report.added) == ([], [])
        assert whole(kafka, "kafka") == before


def test_an_import_logs_edited_and_missing_files(
    kafka: SQLiteBackend, tmp_path: Path, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """One sentence each, with the profile; an import without edits logs nothing."""
    import_profile(write(files, tmp_path / "same"), replace=True)
    assert caplog.records == []
    edits: dict[str, Edit] = {"queries/12w.json": lambda query: {**query, "jql": "a = b"}}
    changed = {**edited(files, edits), "queries/new.json": b"{}"}
    import_profile(write(changed, tmp_path / "export"), "New")
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    assert caplog.messages == [
        "Profile 'new': queries/12w.json was edited after the export",
        "Profile 'new': queries/new.json was added after the export",
        "Profile 'new': the export omits secrets; enter them again: "
        "profile.json: jira_config.token",
    ]


def test_an_export_cannot_forge_lines_of_the_log(
    kafka: SQLiteBackend, tmp_path: Path, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever names are in its files and its manifest; the report has them unchanged."""
    power, shown = "\x1b[2J\u202e\nWARNING forged", "\\x1b[2J\\u202e\\nWARNING forged"
    name = "queries/x\u2028\u202e\u2066.json"
    changed: dict[str, Edit] = {
        "manifest.json": lambda manifest: {
            **manifest,
            "left_out": {"secrets": [power]},
        },
        "profile.json": lambda profile: {**profile, "id": "new\u202e"},
    }
    export = write({**edited(files, changed), name: b"{}"}, tmp_path / "export")
    report = run_import(export, "New", dry_run=True)
    assert report.added == [name]
    import_profile(export, "New")
    assert caplog.messages == [
        "Profile 'new\\u202e': profile.json was edited after the export",
        r"Profile 'new\u202e': queries/x\u2028\u202e\u2066.json was added after the export",
        rf"Profile 'new\u202e': the export omits secrets; enter them again: {shown}",
    ]
    for each in (f"queries/{power}.json", "queries/a\nb.json"):
        error = refused(kafka, write({each: b"{}"}, export), "Other")
        assert str(error).isprintable()

"""Exports that other programs packed, unpacked, saved or opened."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from burndown import ImportExportError, SQLiteBackend
from burndown.import_export import export_profile, run_import
from tests.import_export.exports import (
    FORMS,
    Files,
    files_of,
    nothing_imported,
    pack,
    refused,
    tree,
    whole,
    without_time,
    write,
)

SYSTEM_FILES = dict.fromkeys(
    (
        *("._profile.json", ".DS_Store", "queries/.DS_Store", "queries/._12w.json", "._.DS_Store"),
        *("Thumbs.db", "desktop.ini", "queries/Desktop.ini", "metrics/thumbs.db"),
        *("queries/.#12w.json", "metrics/._snapshots.json", ".localized", "Icon\r", ".directory"),
        *("manifest.json:Zone.Identifier", "queries/12w.json:Zone.Identifier"),
    ),
    b"\0\5\x16\7",
)
BACKUPS = dict.fromkeys(
    ("queries/12w.json~", "queries/.12w.json.swp", "#profile.json#", "profile.json.bak"), b"no JSON"
)

Change = Callable[[Files], Files]


def below(folder: str) -> Change:
    return lambda files: {f"{folder}/{name}": data for name, data in files.items()}


REPACKED: dict[str, Change] = {
    "files of the system": lambda files: files | SYSTEM_FILES,
    "backups of editors": lambda files: files | BACKUPS,
    "a folder around": below("kafka"),
    "a folder around, and files of the system": lambda files: (
        below("kafka")(files | SYSTEM_FILES) | {".DS_Store": b"\0"}
    ),
    "a byte order mark": lambda files: {n: b"\xef\xbb\xbf" + data for n, data in files.items()},
    "CRLF": lambda files: {n: data.replace(b"\n", b"\r\n") for n, data in files.items()},
    "UTF-16": lambda files: {n: data.decode().encode("utf-16") for n, data in files.items()},
    "UTF-16, big-endian": lambda files: {
        n: b"\xfe\xff" + data.decode().encode("utf-16-be") for n, data in files.items()
    },
}
REPACKED_ARCHIVES: dict[str, Change] = {
    "backslashes": lambda files: {n.replace("/", "\\"): data for n, data in files.items()},
    "backslashes, and a folder around": lambda files: {
        "kafka\\" + n.replace("/", "\\"): data for n, data in files.items()
    },
    "folders with backslashes": lambda files: (
        {"kafka\\": b"", "kafka\\queries\\": b""} | below("kafka")(files)
    ),
    "Finder": lambda files: (
        below("kafka")(files)
        | {f"__MACOSX/kafka/._{n.rpartition('/')[2]}": b"\0" for n in files}
        | {"kafka/.DS_Store": b"\0", "__MACOSX/._kafka": b"\0"}
    ),
    "a dot in front": below("."),
    "a doubled slash": lambda files: {n.replace("/", "//"): data for n, data in files.items()},
    "several folders around": below("home/me/backups/kafka"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("change", REPACKED.values(), ids=REPACKED)
def test_an_export_that_another_program_saved_can_be_imported(
    kafka: SQLiteBackend, tmp_path: Path, change: Change, form: str
) -> None:
    """It is equal, and nothing is reported as added."""
    assert_can_be_imported(kafka, tmp_path, change, form)


@pytest.mark.parametrize("change", REPACKED_ARCHIVES.values(), ids=REPACKED_ARCHIVES)
def test_an_archive_that_another_program_packed_can_be_imported(
    kafka: SQLiteBackend, tmp_path: Path, change: Change
) -> None:
    assert_can_be_imported(kafka, tmp_path, change, "export.zip")


def assert_can_be_imported(kafka: SQLiteBackend, tmp_path: Path, change: Change, form: str) -> None:
    kafka.save_query("kafka", {"id": "manifest", "name": "Of a misleading name"})
    files = change(files_of(export_profile("kafka", tmp_path / "original")))
    before = whole(kafka, "kafka")
    path = tmp_path / form
    report = run_import(write(files, path) if form == "export" else pack(files, path), replace=True)
    assert report.added == []
    assert whole(kafka, "kafka") == before


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_utf_8_without_the_flag_are_read(
    kafka: SQLiteBackend, tmp_path: Path, form: str
) -> None:
    """As Finder packs a query that was added manually."""
    files = files_of(export_profile("kafka", tmp_path / "original"))
    files[unicodedata.normalize(form, "queries/größe 日本.json")] = b"{}"
    path = pack(files, tmp_path / "export.zip")
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] &= ~8
            at = data.find(mark, at + 1)
    path.write_bytes(data)
    run_import(path, "New")
    assert {each["id"] for each in kafka.list_queries("new")} == {"12w", "bugs", "größe 日本"}


def test_a_name_in_an_older_code_page_is_decoded(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """As programs for DOS pack it."""
    files = files_of(export_profile("kafka", tmp_path / "original"))
    files["queries/gr__e.json"] = b"{}"
    path = pack(files, tmp_path / "export.zip")
    path.write_bytes(path.read_bytes().replace(b"gr__e", "größe".encode("cp437")))
    run_import(path, "New")
    assert {each["id"] for each in kafka.list_queries("new")} == {"12w", "bugs", "größe"}


def test_two_exports_in_one_folder_are_refused(kafka: SQLiteBackend, tmp_path: Path) -> None:
    for name in ("one", "other"):
        export_profile("kafka", tmp_path / "backups" / name)
    assert "manifest.json: missing" in str(refused(kafka, tmp_path / "backups", "New"))


def test_an_error_names_the_file_below_the_outer_folder(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "around" / "kafka")
    (folder / "profile.json").write_text("no JSON")
    error = refused(kafka, tmp_path / "around", "New")
    assert str(error).startswith(f"{folder / 'profile.json'}: not valid JSON")


# --- an export over an earlier one -------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_an_export_replaces_one_that_was_opened_in_a_file_manager(
    kafka: SQLiteBackend, tmp_path: Path, form: str
) -> None:
    """Files that the system put there are removed with it."""
    files = files_of(export_profile("kafka", tmp_path / "original")) | SYSTEM_FILES
    target = tmp_path / "folder" / form
    target.parent.mkdir()
    if form == "export":
        write(files, target)
    else:
        pack(files, target)
    export_profile("kafka", target)
    assert without_time(target) == without_time(tmp_path / "original")


@pytest.mark.parametrize("around", ["kafka", "queries"])
def test_a_folder_around_an_export_is_not_an_export(
    kafka: SQLiteBackend, tmp_path: Path, around: str
) -> None:
    """It is not replaced, whatever its name is."""
    files = files_of(export_profile("kafka", tmp_path / "original"))
    target = write(below(around)(files), tmp_path / "folder" / "around")
    before = tree(target.parent)
    with nothing_imported(kafka), pytest.raises(ImportExportError, match="is no export"):
        export_profile("kafka", target)
    assert tree(target.parent) == before


def test_an_export_with_upper_case_names_is_replaced(kafka: SQLiteBackend, tmp_path: Path) -> None:
    files = files_of(export_profile("kafka", tmp_path / "original"))
    target = write({name.upper(): data for name, data in files.items()}, tmp_path / "export")
    export_profile("kafka", target)
    assert without_time(target) == without_time(tmp_path / "original")


@pytest.mark.parametrize("name", [".DS_Store/notes.txt", "._folder/notes.txt", "thumbs.db/x"])
def test_a_folder_with_the_name_of_a_system_file_is_kept(
    kafka: SQLiteBackend, tmp_path: Path, name: str
) -> None:
    target = export_profile("kafka", tmp_path / "folder" / "export")
    (target / name).parent.mkdir()
    (target / name).write_text("mine")
    before = tree(target.parent)
    with pytest.raises(ImportExportError, match="next to an export"):
        export_profile("kafka", target)
    assert tree(target.parent) == before


def test_a_folder_with_only_system_files_is_empty(kafka: SQLiteBackend, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / ".DS_Store").write_bytes(b"\0")
    target = export_profile("kafka", tmp_path / "export")
    assert not (target / ".DS_Store").exists()

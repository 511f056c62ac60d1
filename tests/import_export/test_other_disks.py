"""Files of an export have names that every file system accepts, and the ids come back from each."""

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burndown import ImportExportError, SQLiteBackend, set_backend
from burndown.import_export import export_profile, run_import
from burndown.import_export.file_names import file_stems, match_names
from burndown.testing.contract.drawn import identifiers
from tests.import_export.exports import (
    FORMS,
    Files,
    files_of,
    manifest_of,
    pack,
    refused,
    sha256,
    whole,
    write,
)

NFC, NFD = (unicodedata.normalize(form, "größe-überblick") for form in ("NFC", "NFD"))
ODD_IDS = (
    *("BUGS", "Bugs", "bugs", "bugs-2", "con", "CON", "con.x", "nul", "com1", "lpt9", "con-2"),
    *("a:b", "what?", "a*b", 'say "x"', "a<b", "a|b", "trailing.", "~1", "%2e", "-rf", "query"),
    *(
        NFC,
        NFD,
        "straße",
        "strasse",
        "ﬁ",
        "fi",
        "日本",
        "한국",
        "\u0131",
        "İ",
        "a\u200db",
        "\u202egnp",
    ),
    *("q" * 200, "q" * 199 + "r", "ä" * 100, "🚀" * 50, "manifest", "12w", "my_token", "v1.2"),
)
WINDOWS = re.compile(
    r'(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[^<>:"|?*\\/\x00-\x1f]*[^<>:"|?*\\/\x00-\x1f. ]',
    re.IGNORECASE,
)

DISKS: dict[str, Callable[[str], str]] = {
    "lower case": str.lower,
    "upper case": str.upper,
    "folded": str.casefold,
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "composed": lambda name: unicodedata.normalize("NFC", name),
    "compatible": lambda name: unicodedata.normalize("NFKC", name),
    "upper case and decomposed": lambda name: unicodedata.normalize("NFD", name).upper(),
}
"""Changes that file systems make to a name."""


def put(files: Files, path: Path) -> Path:
    return pack(files, path) if path.suffix else write(files, path)


def renamed(files: Files, disk: Callable[[str], str]) -> Files:
    changed = {disk(name): data for name, data in files.items()}
    assert len(changed) == len(files)
    return changed


# --- names -------------------------------------------------------------------------------------


@given(st.sets(identifiers | st.sampled_from(ODD_IDS), max_size=12))
def test_file_names_differ_on_every_file_system(query_ids: set[str]) -> None:
    stems = file_stems(query_ids)
    assert stems.keys() == query_ids
    assert stems == file_stems(sorted(query_ids, reverse=True))
    for disk in DISKS.values():
        assert len({disk(stem) for stem in stems.values()}) == len(stems)
    for stem in stems.values():
        assert WINDOWS.fullmatch(f"{stem}.json")
        assert len(f"{stem}.json".encode()) <= 143
        assert stem.isascii()


@pytest.mark.parametrize("query_id", ["12w", "bugs", "my_token", "v1.2", "a.json", "2025-w12", "x"])
def test_an_ordinary_id_is_the_file_name(query_id: str) -> None:
    assert file_stems([query_id, query_id.upper(), "con"])[query_id] == query_id


def test_the_file_name_of_an_id_can_be_decoded() -> None:
    assert file_stems(["BUGS", "Sprint: 12", "größe", "con"]) == {
        "BUGS": "bugs",
        "Sprint: 12": "sprint-12",
        "größe": "groe",
        "con": "con-2",
    }
    assert file_stems(["bugs", "BUGS", "Bugs"]) == {
        "bugs": "bugs",
        "BUGS": "bugs-2",
        "Bugs": "bugs-3",
    }


@given(st.lists(st.text("aAöÖo\u0308ßs", max_size=3), max_size=6, unique=True), st.data())
def test_no_file_is_read_for_two_ids(names: list[str], data: st.DataObject) -> None:
    """A file with exactly the name of an id is read for that, whatever other ids there are."""
    expected = data.draw(st.lists(st.sampled_from(names or [""]), unique=True))
    found = data.draw(st.lists(st.sampled_from(names or [""]), unique=True))
    matched = match_names(expected, found)
    assert len(set(matched.values())) == len(matched)
    assert all(matched[name] == name for name in set(expected) & set(found))
    assert set(matched) <= set(expected)
    assert set(matched.values()) <= set(found)


# --- migration and export ----------------------------------------------------------------------


@pytest.fixture
def unusual(backend: SQLiteBackend) -> SQLiteBackend:
    """Return the current backend, with a profile ``odd`` whose queries have all the unusual ids."""
    set_backend(backend)
    with backend.transaction():
        backend.save_profile({"id": "odd"})
        for number, query_id in enumerate(ODD_IDS):
            backend.save_query("odd", {"id": query_id, "name": f"Query {number}"})
            backend.save_project_data("odd", query_id, {"number": number})
            backend.save_metrics_snapshot("odd", query_id, "2025-W12", "dora", {"n": number})
            backend.save_jira_changelog("odd", query_id, "K-1", {"histories": [number]})
    return backend


ADDED = {"changelogs/": "created_at", "metrics/": "forecasts"}
"""What version 3 added, by the beginning of the names of files."""


def of_version_2(files: Files) -> Files:
    """Return an export as the release before wrote it."""
    manifest = json.loads(files["manifest.json"])
    manifest["format_version"] = 2
    older = {}
    for name, data in files.items():
        for beginning, added in ADDED.items():
            if name.startswith(beginning):
                data = json.dumps(without(added, json.loads(data))).encode()
        older[name] = data
        if name in manifest["files"]:
            manifest["files"][name].update(sha256=sha256(data), size=len(data))
    return {**older, "manifest.json": json.dumps(manifest).encode()}


def without(name: str, value: Any) -> Any:
    """Return a value without the items of this name, at any depth."""
    if isinstance(value, list):
        return [without(name, each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: without(name, each) for key, each in value.items() if key != name}


def test_an_export_of_version_2_can_be_imported(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """What it does not contain is not known."""
    kafka.save_jira_changelog("kafka", "12w", "K-1", {"histories": []})
    folder = export_profile("kafka", tmp_path / "export", include_cache=True, include_secrets=True)
    files = of_version_2(files_of(folder))
    assert files != files_of(folder)
    run_import(write(files, tmp_path / "older"), "New")
    [profile_id] = {each["id"] for each in kafka.list_profiles()} - {"kafka"}
    imported = kafka.find_jira_changelog(profile_id, "12w", "K-1")
    assert imported is not None
    assert (imported["changelog"], imported["created_at"]) == ({"histories": []}, None)
    before, after = (kafka.get_metrics_snapshots(each, "12w") for each in ("kafka", profile_id))
    assert [each["metrics"] for each in after] == [each["metrics"] for each in before]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("disk", DISKS.values(), ids=DISKS)
def test_every_query_comes_back_from_another_file_system(
    unusual: SQLiteBackend, tmp_path: Path, disk: Callable[[str], str], form: str
) -> None:
    """Its id is exact, and nothing is reported as edited or added."""
    files = files_of(export_profile("odd", tmp_path / "original", include_cache=True))
    before = whole(unusual, "odd")
    unusual.delete_profile("odd")
    report = run_import(put(renamed(files, disk), tmp_path / form))
    assert report.warnings == []
    assert whole(unusual, "odd") == before
    assert report.imported["changelogs"] == len(ODD_IDS)


def test_the_manifest_has_the_ids_that_differ_from_their_file_names(
    unusual: SQLiteBackend, tmp_path: Path
) -> None:
    """The ids of all others are the file names."""
    path = export_profile("odd", tmp_path / "export")
    query_ids = manifest_of(path)["query_ids"]
    stems = [name[8:-5] for name in files_of(path) if name.startswith("queries/")]
    assert {query_ids.get(stem, stem) for stem in stems} == set(ODD_IDS)
    assert all(stem != query_id for stem, query_id in query_ids.items())
    assert set(query_ids) <= set(stems)


def test_files_can_be_added_to_a_query_with_an_unusual_id(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    """They have the name of its other files."""
    kafka.save_query("kafka", {"id": "BUGS", "name": "Upper"})
    files = files_of(export_profile("kafka", tmp_path / "export"))
    files["project_data/bugs-2.json"] = b'{"k": 1}'
    report = run_import(write(files, tmp_path / "edited"), "New")
    assert report.added == ["project_data/bugs-2.json"]
    assert kafka.get_project_data("new", "BUGS") == {"k": 1}
    assert kafka.get_project_data("new", "bugs") is None


def test_an_added_query_has_its_file_name_as_id(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """As people type it; what only looks like an escape sequence is not decoded."""
    files = files_of(export_profile("kafka", tmp_path / "export"))
    added = ("New", "100%", "%41", NFC)
    for query_id in added[:3]:
        files[f"queries/{query_id}.json"] = b"{}"
    files[f"queries/{NFD}.json"] = b"{}"
    files[f"project_data/{NFD}.json"] = b"{}"
    files["metrics/snapshots.json"] = json.dumps({NFC: []}).encode()
    run_import(write(files, tmp_path / "edited"), "New")
    assert {each["id"] for each in kafka.list_queries("new")} == {"12w", "bugs", *added}
    assert kafka.get_project_data("new", NFC) == {}


@pytest.mark.parametrize(
    ("names", "query_ids"),
    [
        ([f"queries/{NFC}.json", f"queries/{NFD}.json"], {}),
        (["queries/x.json", "queries/y.json"], {"x": "z", "y": "z"}),
        (["queries/x.json"], {"x": "12w"}),
    ],
)
def test_two_files_of_one_query_import_nothing(
    kafka: SQLiteBackend, tmp_path: Path, names: list[str], query_ids: dict[str, str]
) -> None:
    """Importing would lose one of both; the error names them."""
    folder = export_profile("kafka", tmp_path / "export")
    manifest = manifest_of(folder)
    files = {**files_of(folder), **dict.fromkeys(names, b"{}")}
    files["manifest.json"] = json.dumps({**manifest, "query_ids": query_ids}).encode()
    error = refused(kafka, write(files, tmp_path / "edited"), "New")
    assert isinstance(error, ImportExportError)
    assert all(repr(name) in str(error) for name in names)


@pytest.mark.parametrize("query_id", ["../../up", "", ".", "a\0b", "a\nb", "x" * 201, " x"])
def test_an_id_of_the_manifest_has_to_be_valid(
    kafka: SQLiteBackend, tmp_path: Path, query_id: str
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    manifest = {**manifest_of(folder), "query_ids": {"12w": query_id}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    error = str(refused(kafka, folder, "New"))
    assert error.startswith(f"{folder / 'manifest.json'}: query_ids.12w: ")
    assert "\n" not in error


# --- exports of earlier releases ---------------------------------------------------------------


def of_version_1(query_ids: tuple[str, ...]) -> Files:
    """Write an export as earlier releases did, which named the files of a query by its id."""
    files = {
        "profile.json": b'{"id": "old", "name": "Old"}',
        "metrics/snapshots.json": json.dumps({query_id: [] for query_id in query_ids}).encode(),
    }
    for query_id in query_ids:
        content = {"name": query_id[:150]}
        files[f"queries/{query_id}.json"] = json.dumps(content).encode()
        files[f"project_data/{query_id}.json"] = json.dumps(content).encode()
    manifest = {
        "format": "burndown export",
        "format_version": 1,
        "exported_at": "2025-12-23T10:00:00Z",
        "profile_id": "old",
        "profile_name": "Old",
        "counts": {"queries": len(query_ids)},
        "left_out": {"kinds": [], "secrets": []},
        "files": {
            name: {"sha256": sha256(data), "size": len(data)} for name, data in files.items()
        },
    }
    return {**files, "manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize("form", FORMS)
def test_an_export_of_an_earlier_release_can_be_imported(
    kafka: SQLiteBackend, tmp_path: Path, form: str
) -> None:
    query_ids = tuple(sorted(set(ODD_IDS) - {"q" * 199 + "r"}))  # of the same name below
    report = run_import(put(of_version_1(query_ids), tmp_path / form))
    assert report.warnings == []
    assert {each["id"] for each in kafka.list_queries("old")} == set(query_ids)
    for query_id in query_ids:
        assert kafka.get_project_data("old", query_id) == {"name": query_id[:150]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("disk", DISKS.values(), ids=DISKS)
def test_an_export_of_an_earlier_release_can_be_imported_from_another_file_system(
    kafka: SQLiteBackend, tmp_path: Path, disk: Callable[[str], str], form: str
) -> None:
    """As long as that could hold all of its files."""
    query_ids = ("12w", "Bugs", NFC, "日本", "%41")
    report = run_import(put(renamed(of_version_1(query_ids), disk), tmp_path / form))
    assert report.warnings == []
    assert {each["id"] for each in kafka.list_queries("old")} == set(query_ids)


@pytest.mark.parametrize("ids", [("BUGS", "bugs"), (NFC, NFD)])
def test_a_query_that_a_file_system_could_not_hold_is_missed(
    kafka: SQLiteBackend, tmp_path: Path, ids: tuple[str, str]
) -> None:
    """It does not get the data of another one."""
    files = of_version_1(ids)
    for lost in ids:
        kept = {name: data for name, data in files.items() if f"/{lost}.json" not in name}
        path = write(kept, tmp_path / str(ids.index(lost)))
        assert f"queries/{lost}.json: missing" in str(refused(kafka, path))

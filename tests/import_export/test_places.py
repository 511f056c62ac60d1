"""Targets of an export, which appears there completely or not at all."""

import json
import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from burndown import (
    ImportExportError,
    ProfileNotFoundError,
    SQLiteBackend,
)
from burndown.import_export import export_profile, export_workspace, import_profile
from tests.import_export.exports import (
    FORMS,
    files_of,
    nothing_imported,
    pack,
    tree,
    without_time,
    write,
)
from tests.support.full_disk import files_no_larger_than

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


OTHER_FILES: dict[str, Callable[[Path], object]] = {
    "a text": lambda path: path.write_text("mine"),
    "an empty file": lambda path: path.write_bytes(b""),
    "a folder": lambda path: path.mkdir(),
    "a folder of other files": lambda path: (path / "sub").mkdir(parents=True),
    "an export that is a folder": lambda path: export_profile("kafka", "first").rename(path),
    "an archive of something else": lambda path: pack({"notes.txt": b"mine"}, path),
    "an archive of another application": lambda path: pack({"manifest.json": b"{}"}, path),
    "an export with something else": lambda path: pack(
        {**files_of(export_profile("kafka", "first")), "notes.txt": b"mine"}, path
    ),
    "a damaged export": lambda path: path.write_bytes(
        export_profile("kafka", "first.zip").read_bytes()[:-30]
    ),
    "a link to an export": lambda path: path.symlink_to(export_profile("kafka", "first.zip")),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a pipe": lambda path: os.mkfifo(path),
}


@pytest.mark.parametrize(
    ("form", "make"),
    [
        *(pytest.param("export", make, id=f"folder, {name}") for name, make in OTHERS.items()),
        *(pytest.param("export.zip", make, id=f"{name}") for name, make in OTHER_FILES.items()),
    ],
)
def test_something_other_than_an_export_is_not_replaced(
    kafka: SQLiteBackend, tmp_path: Path, form: str, make: Callable[[Path], object]
) -> None:
    """And nothing is left next to it."""
    target = tmp_path / "folder" / form
    target.parent.mkdir()
    make(target)
    before = tree(tmp_path / "folder")
    with nothing_imported(kafka), pytest.raises(ImportExportError, match="export"):
        export_profile("kafka", target)
    assert tree(tmp_path / "folder") == before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("notes.txt", "notes.txt"),
        (".git/HEAD", ".git"),
        ("queries/notes.txt", "queries/notes.txt"),
        ("queries/old/12w.json", "queries/old"),
        ("queries/12w.json.bak", "queries/12w.json.bak"),
        ("metrics/more.json", "metrics/more.json"),
        ("more/profile.json", "more"),
    ],
)
def test_an_export_with_other_files_in_it_is_not_replaced(
    kafka: SQLiteBackend, tmp_path: Path, name: str, told: str
) -> None:
    """The error names the first foreign file."""
    target = export_profile("kafka", tmp_path / "folder" / "export")
    (target / name).parent.mkdir(exist_ok=True)
    (target / name).write_text("mine")
    before = tree(target.parent)
    with pytest.raises(ImportExportError, match="next to an export") as caught:
        export_profile("kafka", target)
    assert f"{target} holds {told!r} " in str(caught.value)
    assert tree(target.parent) == before


@pytest.mark.parametrize("form", FORMS)
def test_an_edited_export_is_replaced(kafka: SQLiteBackend, tmp_path: Path, form: str) -> None:
    """Whatever was changed, as long as all its files belong to an export."""
    files = files_of(export_profile("kafka", tmp_path / "export"))
    files |= {"queries/new.json": b"{}", "profile.json": b"no JSON", "cache/12w.json": b""}
    target = tmp_path / "folder" / form
    if form == "export":
        write(files, target)
    else:
        target.parent.mkdir()
        pack(files, target)
    export_profile("kafka", target)
    assert without_time(target) == without_time(tmp_path / "export")


def test_an_export_replaces_an_earlier_one(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """Nothing of the earlier one is left, in it or next to it."""
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
def test_an_export_to_the_current_folder_is_written_or_refused(
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


def test_a_missing_profile_is_not_exported(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """An earlier export stays."""
    folder = export_profile("kafka", tmp_path / "export")
    before = tree(folder)
    with pytest.raises(ProfileNotFoundError, match="Profile 'xyz' not found"):
        export_profile("xyz", folder)
    with pytest.raises(ProfileNotFoundError):
        export_profile("xyz", tmp_path / "new")
    assert tree(folder) == before
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("form", FORMS)
def test_an_export_that_cannot_be_written_keeps_the_earlier_one(
    kafka: SQLiteBackend, tmp_path: Path, form: str
) -> None:
    """As on a full disk; nothing of the new one is left."""
    target = tmp_path / "folder" / form
    export_profile("kafka", target)
    before = tree(target.parent)
    noise = random.Random(0).randbytes(300_000).hex()
    kafka.save_project_data("kafka", "bugs", {"noise": noise})
    for path in (target, target.with_name(f"new-{form}")):
        with files_no_larger_than(200_000), pytest.raises(ImportExportError, match="not written"):
            export_profile("kafka", path)
        assert tree(target.parent) == before


@pytest.mark.parametrize("form", FORMS)
def test_an_error_during_an_export_keeps_the_earlier_one(
    kafka: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Whichever file causes it; nothing is left next to it."""
    target = export_profile("kafka", tmp_path / "folder" / form)
    before = tree(target.parent)
    for name in files_of(target):

        def fail(profiles: object, data: object, written: str, name: str = name) -> None:
            if written == name:
                raise LookupError

        monkeypatch.setattr("burndown.import_export.profile_export.refuse_tokens", fail)
        for path in (target, target.with_name(f"new-{form}")):
            with pytest.raises(LookupError):
                export_profile("kafka", path)
            assert tree(target.parent) == before


@pytest.mark.parametrize("form", FORMS)
def test_an_export_that_cannot_be_moved_keeps_the_earlier_one(
    kafka: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """As when another program has it open."""
    target = export_profile("kafka", tmp_path / "folder" / form)
    before = tree(target.parent)
    replace = Path.replace

    def refuse(path: Path, other: Path) -> Path:
        if other == target:
            raise PermissionError(13, "Permission denied", str(other))
        return replace(path, other)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(ImportExportError, match=r"not written: .*Permission denied"):
        export_profile("kafka", target)
    assert tree(target.parent) == before


@pytest.mark.parametrize("form", FORMS)
def test_only_the_owner_can_read_an_export(kafka: SQLiteBackend, tmp_path: Path, form: str) -> None:
    """This includes the folders that were created for it."""
    target = export_profile("kafka", tmp_path / "folder" / form, include_secrets=True)
    for path in (target.parent, *target.parent.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("name", ["a" * 251, "ä" * 125, "中" * 83, "🚀" * 62], ids="1234")
@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_an_export_may_have_any_file_name(
    kafka: SQLiteBackend, tmp_path: Path, name: str, suffix: str
) -> None:
    """Even though it is written under another one; twice, so that it replaces itself."""
    for _ in range(2):
        target = export_profile("kafka", tmp_path / "folder" / f"{name}{suffix}")
        assert [path.name for path in (tmp_path / "folder").iterdir()] == [target.name]
    assert import_profile(target, "New") == "new"


@pytest.mark.parametrize("name", ["a\0b", "x" * 256, "\ud800", "a\0b.zip"])
def test_an_impossible_path_is_refused(
    kafka: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By export and import, with an error of this package."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for call in (export_workspace, partial(export_profile, "kafka"), import_profile):
        with pytest.raises(ImportExportError):
            call(name)
    assert tree(tmp_path / "here") == {}

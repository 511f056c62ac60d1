"""A damaged export imports nothing, nor does anything else, and the error names the file."""

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from burndown import (
    DatabaseCorruptionError,
    ImportExportError,
    SQLiteBackend,
    ValidationError,
)
from burndown.escaping import escaped
from burndown.import_export import export_profile, import_profile, read_manifest
from tests.import_export.exports import (
    SNAPSHOT,
    refused,
    tree,
)

ANSWER = {"cache_key": "k", "expires_at": "2025-12-23T10:00:00+00:00", "response": {}}
HISTORY = {"issue_key": "K-1", "changelog": {}}
FILES = ("manifest.json", "profile.json", "metrics/snapshots.json", "queries/12w.json")
DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-4]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "doubled": lambda path: path.write_bytes(path.read_bytes() * 2),
    "no UTF-8": lambda path: path.write_bytes(path.read_bytes().replace(b'"', b'"\xff', 1)),
    "a list": lambda path: path.write_text("[]"),
    "a text": lambda path: path.write_text('"text"'),
    "null": lambda path: path.write_text("null"),
    "NaN": lambda path: path.write_text('{"k": NaN}'),
    "infinity": lambda path: path.write_text('{"k": -Infinity}'),
    "half a surrogate pair": lambda path: path.write_text('{"k": "\\ud800"}'),
    "too deep": lambda path: path.write_text('{"k": ' + "[" * 10_000 + "]" * 10_000 + "}"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link to itself": lambda path: (path.unlink(), path.symlink_to(path)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", [*FILES, "project_data/12w.json"])
def test_a_damaged_file_is_named_and_nothing_is_imported(
    kafka: SQLiteBackend, tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    damage(folder / name)
    error = refused(kafka, folder, "New")
    assert isinstance(error, ImportExportError)
    assert str(folder / name) in str(error)


def test_a_folder_that_is_not_an_export_is_refused(kafka: SQLiteBackend, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("{}")
    for name in ("nowhere", "empty", "file"):
        error = refused(kafka, tmp_path / name)
        assert isinstance(error, ImportExportError)
        assert str(tmp_path / name) in str(error)


@pytest.mark.parametrize(
    "manifest",
    [{}, {"format": "burndown export"}, {"format": "another", "format_version": 1}]
    + [
        {"format": "burndown export", "format_version": version}
        for version in (0, 4, "1", 1.0, True, None)
    ],
    ids=str,
)
def test_an_export_of_another_version_is_refused(
    kafka: SQLiteBackend, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    error = refused(kafka, folder, "New")
    assert isinstance(error, ImportExportError)
    assert "no export" in str(error)
    with pytest.raises(ImportExportError, match="no export"):
        read_manifest(folder)


def test_an_export_without_its_queries_is_refused(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """As one that was copied only in part."""
    folder = export_profile("kafka", tmp_path / "export")
    shutil.rmtree(folder / "queries")
    assert "queries" in str(refused(kafka, folder, "New"))


HOSTILE: dict[str, tuple[str, Any]] = {
    "a query that is a dot": ("queries/..json", {"jql": "a = b"}),
    "a query that is two dots": ("queries/...json", {"jql": "a = b"}),
    "a query without an id": ("queries/.json", {"jql": "a = b"}),
    "a hidden query": ("queries/.hidden.json", {}),
    "a query with blanks around": ("queries/ q.json", {}),
    "a query with a line break": ("queries/a\nb.json", {}),
    "a query with a backslash": ("queries/..\\up.json", {}),
    "a list as query": ("queries/list.json", [{"jql": "a = b"}]),
    "a number as JQL": ("queries/new.json", {"jql": 3}),
    "a name that is taken": ("queries/new.json", {"name": "bugs"}),
    "a bad timestamp of a query": ("queries/new.json", {"created_at": "yesterday"}),
    "a list as data": ("project_data/12w.json", [1]),
    "snapshots of an unknown query": ("metrics/snapshots.json", {"gone": [SNAPSHOT]}),
    "snapshots that are an object": ("metrics/snapshots.json", {"12w": SNAPSHOT}),
    "snapshots that are a text": ("metrics/snapshots.json", {"12w": "dora"}),
    "snapshots that are null": ("metrics/snapshots.json", {"12w": None}),
    "a number as snapshot": ("metrics/snapshots.json", {"12w": [SNAPSHOT, 3]}),
    "null as snapshot": ("metrics/snapshots.json", {"12w": [None]}),
    "a text as snapshot": ("metrics/snapshots.json", {"12w": ["dora"]}),
    "a list as snapshot": ("metrics/snapshots.json", {"12w": [[["metrics", {}]]]}),
    "an empty snapshot": ("metrics/snapshots.json", {"12w": [{}]}),
    "a week that is none": (
        "metrics/snapshots.json",
        {"12w": [SNAPSHOT, {**SNAPSHOT, "snapshot_date": "2025-W53"}]},
    ),
    "a list as metrics": ("metrics/snapshots.json", {"12w": [{**SNAPSHOT, "metrics": []}]}),
    "more than a snapshot": ("metrics/snapshots.json", {"12w": [{**SNAPSHOT, "more": 1}]}),
    "a path as id": ("profile.json", {"id": "../up", "name": "Up"}),
    "no id of a folder": ("profile.json", {"id": "", "name": "Up"}),
    "a list as section": ("profile.json", {"id": "new", "jira_config": [1]}),
    "a bad number": ("profile.json", {"id": "new", "forecast_settings": {"pert_factor": 0}}),
    "a bad timestamp": ("profile.json", {"id": "new", "created_at": "yesterday"}),
}


@pytest.mark.parametrize(("name", "content"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_contents_import_nothing(
    kafka: SQLiteBackend, tmp_path: Path, name: str, content: Any
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    (folder / name).write_text(json.dumps(content), "utf-8")
    before = tree(folder)
    error = refused(kafka, folder, "New")
    assert escaped(name) in str(error)
    assert tree(folder) == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_name_that_is_not_utf_8_imports_nothing(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    (folder / "queries" / os.fsdecode(b"\xff.json")).write_text("{}")
    str(refused(kafka, folder, "New")).encode()


@pytest.mark.parametrize("name", [None, 3, ["Kafka"], {}, ""])
def test_a_profile_without_a_name_can_be_given_one(
    kafka: SQLiteBackend, tmp_path: Path, name: object
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    profile = json.loads((folder / "profile.json").read_text("utf-8"))
    (folder / "profile.json").write_text(json.dumps({**profile, "name": name}))
    error = refused(kafka, folder)
    assert isinstance(error, ValidationError)
    assert "name" in str(error)
    assert import_profile(folder, "New") == "new"


DOUBLES: dict[str, tuple[str, Any]] = {
    "'dora' '2025-W12'": (
        "metrics/snapshots.json",
        {"12w": [SNAPSHOT, {**SNAPSHOT, "metrics": {}}]},
    ),
    "'k'": ("cache/12w.json", [ANSWER, ANSWER]),
    "'K-1'": ("changelogs/12w.json", [HISTORY, {**HISTORY, "changelog": {"k": 1}}]),
}


@pytest.mark.parametrize("told", DOUBLES)
def test_a_duplicate_record_is_refused(kafka: SQLiteBackend, tmp_path: Path, told: str) -> None:
    """Importing would lose one of both; the error names the record."""
    folder = export_profile("kafka", tmp_path / "export", include_cache=True, include_secrets=True)
    name, content = DOUBLES[told]
    (folder / name).write_text(json.dumps(content))
    assert f"{folder / name}: {told} is there 2 times" in str(refused(kafka, folder, "New"))


@pytest.mark.parametrize(
    "name", ["cache/gone.json", "changelogs/gone.json", "project_data/gone.json"]
)
def test_data_without_their_query_are_refused(
    kafka: SQLiteBackend, tmp_path: Path, name: str
) -> None:
    """Even if another profile has a query with the id."""
    kafka.save_profile({"id": "other"})
    kafka.save_query("other", {"id": "gone"})
    folder = export_profile("kafka", tmp_path / "export", include_cache=True, include_secrets=True)
    shutil.copy(folder / name.replace("gone", "12w"), folder / name)
    assert name in str(refused(kafka, folder, "New"))


@pytest.mark.parametrize("profile_id", [None, 3, ["kafka"], {}, "kafka"])
def test_an_invalid_id_is_replaced_by_one_made_of_the_name(
    kafka: SQLiteBackend, tmp_path: Path, profile_id: object
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    (folder / "profile.json").write_text(json.dumps({"id": profile_id}))
    assert import_profile(folder, "New") == "new"


def test_a_query_gets_the_profile_and_id_of_its_place(kafka: SQLiteBackend, tmp_path: Path) -> None:
    """Its id is the name of its file, whatever the file has."""
    folder = export_profile("kafka", tmp_path / "export")
    kafka.save_profile({"id": "victim"})
    claims = {"id": "../../up", "profile_id": "victim", "jql": "a = b"}
    (folder / "queries" / "12w.json").write_text(json.dumps(claims))
    assert import_profile(folder, "New") == "new"
    assert kafka.list_queries("victim") == []
    assert {query["id"] for query in kafka.list_queries("new")} == {"12w", "bugs"}
    found = kafka.get_query("new", "12w")
    assert found is not None
    assert (found["profile_id"], found["jql"]) == ("new", "a = b")


def test_files_next_to_those_of_an_export_are_not_read(
    kafka: SQLiteBackend, tmp_path: Path
) -> None:
    folder = export_profile("kafka", tmp_path / "export")
    for name in ("README.txt", "queries/notes.txt", "queries/12w.json.bak", "other.json"):
        (folder / name).write_text("no JSON")
    import_profile(folder, "New")
    assert {query["id"] for query in kafka.list_queries("new")} == {"12w", "bugs"}


@pytest.fixture
def _in_time() -> Iterator[None]:
    """Stop a test that hangs."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


NO_FILES: dict[str, Callable[[Path], object]] = {
    "a pipe": make_pipe,
    "a link to a pipe": lambda path: (
        make_pipe(path.parent / "pipe"),
        path.symlink_to(path.parent / "pipe"),
    ),
    "endless zeros": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.usefixtures("_in_time")
@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_something_other_than_a_folder_or_file_is_not_opened(
    kafka: SQLiteBackend, tmp_path: Path, name: str, make: Callable[[Path], object]
) -> None:
    """Reading it might never end."""
    make(tmp_path / name)
    error = refused(kafka, tmp_path / name)
    assert isinstance(error, ImportExportError)
    assert str(tmp_path / name) in str(error)


@pytest.mark.usefixtures("_in_time")
@pytest.mark.parametrize(
    "make",
    [
        *NO_FILES.values(),
        lambda path: path.symlink_to(path.parents[1] / "export.txt"),
    ],
    ids=[*NO_FILES, "a link to a file elsewhere"],
)
@pytest.mark.parametrize("name", ["manifest.json", "profile.json", "queries/12w.json", "queries"])
def test_special_files_within_an_export_are_not_opened(
    kafka: SQLiteBackend, tmp_path: Path, name: str, make: Callable[[Path], object]
) -> None:
    """And no link is followed, whatever its target."""
    folder = export_profile("kafka", tmp_path / "export")
    (folder / name).rename(tmp_path / "export.txt")
    make(folder / name)
    error = refused(kafka, folder, "New")
    assert isinstance(error, ImportExportError)
    assert str(folder / name) in str(error)


def test_a_folder_that_cannot_be_listed_is_named(
    kafka: SQLiteBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one of another user."""
    folder = export_profile("kafka", tmp_path / "export")

    iterdir = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "metrics":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ImportExportError, match=r"metrics: it cannot be read: Permission denied$"):
        import_profile(folder, "New")


@pytest.mark.parametrize("table", ["project_data", "metrics_snapshots", "jira_cache"])
def test_data_of_a_missing_query_are_not_exported(
    kafka: SQLiteBackend, tmp_path: Path, table: str
) -> None:
    kafka.save_project_data("kafka", "12w", {"k": 1})
    kafka.save_jira_cache("kafka", "12w", "k", {"issues": []}, timedelta(hours=1))
    kafka.save_metrics_snapshot("kafka", "12w", "1999-W12", "dora", {"k": 1})
    with closing(sqlite3.connect(kafka.database.path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET query_id = 'gone' WHERE rowid = 1")
    with pytest.raises(DatabaseCorruptionError, match="'gone', which does not exist"):
        export_profile("kafka", tmp_path / "export", include_cache=True)
    assert not (tmp_path / "export").exists()

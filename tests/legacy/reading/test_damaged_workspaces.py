"""Unexpected names, folders, links and sizes in an old workspace."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from burndown import MigrationError, StorageError
from burndown.database import SQLiteDatabase
from burndown.files.paths import modified_at
from burndown.migration import run_migration_if_needed
from tests.legacy.damaged_workspace import (
    CACHE,
    CANARY,
    CHANGELOG,
    DATA,
    FILES,
    METRICS,
    PROFILE,
    QUERY,
    REGISTRY,
    Stored,
    assert_all_else_is_there,
    assert_stops,
    changed,
    migrate,
    tree,
)
from tests.support.legacy_workspaces import write

Change = Callable[[Path], object]


# --- names and folders -----------------------------------------------------------------------


def test_the_oldest_of_equal_names_is_kept(root: Path) -> None:
    """Case matters, and a numbered name that is taken is skipped."""
    names = ["Größe", "Größe (2)", "Größe", "größe", "GRÖSSE", "Größe (3)"]
    for number, name in enumerate(names):
        profile = {"name": name, "created_at": f"2026-01-0{number + 1}T00:00:00Z"}
        (root / f"profiles/p{number}").mkdir()
        (root / f"profiles/p{number}/profile.json").write_text(json.dumps(profile), "utf-8")
        query = {**profile, "jql": "a = b"}
        (root / f"profiles/a/queries/p{number}").mkdir()
        (root / f"profiles/a/queries/p{number}/query.json").write_text(json.dumps(query), "utf-8")
    outcome = migrate(root)
    given = [outcome.stored[f"profiles/p{n}/profile.json"][0]["name"] for n in range(6)]
    assert given == ["Größe (4)", "Größe (2)", "Größe (5)", "größe", "GRÖSSE", "Größe (3)"]
    queries = [f"profiles/a/queries/p{n}/query.json" for n in range(6)]
    given = [outcome.stored[path][0]["name"] for path in queries]
    assert given == ["Größe", "Größe (2)", "Größe (4)", "größe", "GRÖSSE", "Größe (3)"]
    assert len(outcome.converted) == 3
    assert all("as another" in what for _, what in outcome.converted)


def test_ids_that_differ_only_by_case_are_different(root: Path, whole: Stored) -> None:
    for path in (PROFILE, QUERY):
        other = root / path.replace("profiles/a", "profiles/A").replace("q1", "Q1")
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text((root / path).read_text("utf-8"), "utf-8")
    outcome = migrate(root)
    assert {"profiles/A/profile.json", "profiles/A/queries/Q1/query.json"} <= set(outcome.stored)
    assert_all_else_is_there(outcome.stored, whole, [PROFILE])


def test_a_folder_with_a_name_that_is_not_utf_8_is_migrated(root: Path, whole: Stored) -> None:
    folder = os.fsencode(root / "profiles") + b"/caf\xe9"
    try:
        os.mkdir(folder)  # noqa: PTH102
    except OSError:
        pytest.skip("this file system takes only names that are text")
    Path(os.fsdecode(folder), "profile.json").write_text('{"name": "Café"}', "utf-8")
    outcome = migrate(root)
    [profile] = outcome.stored["profiles/caf/profile.json"]
    assert (profile["name"], profile["extra"]) == ("Café", {"legacy_id": "caf\\udce9"})
    assert_all_else_is_there(outcome.stored, whole, [])


def put(path: str, stand_in: Change) -> Change:
    """Return a change that puts something in place of a folder."""

    def change(root: Path) -> None:
        shutil.rmtree(root / path)
        stand_in(root / path)

    return change


def link_out(path: str, source: str) -> Change:
    """Return a change that replaces a path by a link to its moved content."""

    def change(root: Path) -> None:
        outside = root.with_name("outside")
        shutil.copytree(root / source, outside)
        shutil.rmtree(root / path, ignore_errors=True)
        (root / path).symlink_to(outside)

    return change


FOLDERS: dict[str, tuple[str, Change, str]] = {
    "a file for a profile": (
        "profiles/a",
        put("profiles/a", Path.touch),
        "a file, not the folder of the profile",
    ),
    "a pipe for a profile": (
        "profiles/a",
        put("profiles/a", os.mkfifo),
        "a device, not the folder of the profile",
    ),
    "a file for the queries": (
        "profiles/a/queries",
        put("profiles/a/queries", Path.touch),
        "a file, not the folder of the queries",
    ),
    "a pipe for the queries": (
        "profiles/a/queries",
        put("profiles/a/queries", os.mkfifo),
        "a device, not the folder of the queries",
    ),
    "a file for a query": (
        "profiles/a/queries/q1",
        put("profiles/a/queries/q1", Path.touch),
        "a file, not the folder of the query",
    ),
    "a link to a profile elsewhere": (
        "profiles/a",
        link_out("profiles/a", "profiles/a"),
        "a link to .*/outside, and links are not followed; put the folder itself there",
    ),
    "a link to queries elsewhere": (
        "profiles/a/queries",
        link_out("profiles/a/queries", "profiles/a/queries"),
        "a link to .*/outside",
    ),
    "a link to a query elsewhere": (
        "profiles/a/queries/q1",
        link_out("profiles/a/queries/q1", "profiles/a/queries/q1"),
        "a link to .*/outside",
    ),
    "a link to a folder of profiles": (
        "profiles/team",
        link_out("profiles/team", "profiles"),
        "a link to .*/outside",
    ),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_something_other_than_a_folder_stops_the_migration(
    root: Path, whole: Stored, kind: str
) -> None:
    hit, change, reason = FOLDERS[kind]
    change(root)
    told = migrate(root).problems
    assert [path for path, _ in told] == [hit]
    assert re.match(reason, told[0][1]), told
    skipped = migrate(root, skip_damaged=True)
    assert (hit, f"damaged: {told[0][1]}") in skipped.skipped
    assert_all_else_is_there(skipped.stored, whole, [hit, REGISTRY])


LINKS = {
    "to itself": ("profiles/loop", "loop"),
    "to nothing": ("profiles/a/queries/q9", "/nowhere/at/all"),
    "to the folder above": ("profiles/a/queries/q9", ".."),
    "to the workspace": ("profiles/up", ".."),
    "to what the workspace lies in": ("profiles/up", "../.."),
    "to the root of the system": ("profiles/up", "/"),
    "to the profile": ("profiles/a/queries/loop", "../../a"),
    "to another profile": ("profiles/twin", "b"),
    "to a query of another": ("profiles/a/queries/q9", "../../b/queries/q1"),
    "to a file elsewhere": ("profiles/a/queries/outside", "/etc/hostname"),
    "to a device": ("profiles/a/zero", "/dev/zero"),
    "in the name of a left-over": ("profiles/profiles.tmp", "/nowhere"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_any_other_link_is_skipped(root: Path, whole: Stored, kind: str) -> None:
    path, target = LINKS[kind]
    (root / path).symlink_to(target)
    outcome = migrate(root)
    assert outcome.skipped == [(path, "a link; links are not followed")]
    assert outcome.stored == whole


def test_files_without_a_use_are_skipped_with_the_reason(root: Path, whole: Stored) -> None:
    left_over = "left over from a write that was interrupted"
    expected = {
        ".task_progress.json.q1.tmp": left_over,
        "task_progress.json.restart": "the progress of a task, which ended with the dashboard",
        "profiles/profiles.tmp": left_over,
        "profiles/.DS_Store": "not a file of a workspace",
        "profiles/a/profile.json.tmp": left_over,
        "profiles/a/app_settings.json": "older settings, replaced by profile.json",
        "profiles/a/Thumbs.db": "not a file of a workspace",
        "profiles/a/queries/.DS_Store": "not a file of a workspace",
        "profiles/a/queries/q1/query.tmp": left_over,
        "profiles/a/queries/q1/project_data_ab12cd34.tmp": left_over,
        "profiles/a/queries/q1/metrics_snapshots_x1y2z3.json": left_over,
    }
    for name in expected:
        (root / name).write_bytes(b"{")
    (root / "profiles/a/queries/q9").mkdir()
    (root / "profiles/a/queries/q8/sub").mkdir(parents=True)
    (root / "profiles/empty").mkdir()
    os.mkfifo(root / "profiles/pipe")
    outcome = migrate(root)
    assert dict(outcome.skipped) == {
        **expected,
        "profiles/a/queries/q9": "an empty folder",
        "profiles/a/queries/q8": "not a folder of a profile or query",
        "profiles/empty": "an empty folder",
        "profiles/pipe": "not a file of a workspace",
    }
    assert outcome.converted == []
    assert outcome.stored == whole


def test_orphans_are_migrated(root: Path, whole: Stored) -> None:
    """These are folders without an entry in the registry, and entries without a folder."""
    files = {
        "profiles/orphan/profile.json": {"name": "Orphan", "created_at": "2025-01-01"},
        "profiles/half/queries/q/jira_cache.json": FILES[CACHE],
        "profiles/.hidden/profile.json": {"name": "Hidden", "created_at": "2025-01-01"},
        "profiles/Team A/sub/profile.json": {"name": "Sub", "created_at": "2025-01-01"},
    }
    write(files, root)
    changed(root, REGISTRY, {"profiles/ghost": {"name": "Ghost", "created_at": "2025-01-01"}})
    outcome = migrate(root)
    assert outcome.skipped == []
    for profile_id in ("orphan", "half", "hidden", "team-a-sub", "ghost"):
        assert f"profiles/{profile_id}/profile.json" in outcome.stored
    assert (
        REGISTRY,
        "profile 'ghost': there is no folder; taken from this entry",
    ) in outcome.converted
    assert outcome.stored["profiles/half/queries/q/query.json"][0]["jql"] == "project = Größe"
    assert_all_else_is_there(outcome.stored, whole, [])


# --- workspaces from before profiles ---------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Create a workspace from before profiles."""
    settings = {"jira_token": CANARY, "pert_factor": 3}
    data = {Path(path).name: FILES[path] for path in (DATA, CACHE)}
    write({"app_settings.json": settings, **data}, tmp_path / "old")
    return tmp_path / "old"


def test_damaged_files_from_before_profiles(old: Path) -> None:
    assert migrate(old).stored["profiles/default/queries/main/project_data.json"]
    shutil.rmtree(old.with_name("new"))
    (old / "app_settings.json").write_bytes(b"{")
    (old / "project_data.json").unlink()
    (old / "project_data.json").symlink_to("gone")
    (old / "jira_cache.json").write_bytes(b"[")
    assert {path for path, _ in migrate(old).problems} == {"app_settings.json", "project_data.json"}
    skipped = migrate(old, skip_damaged=True)
    assert {path for path, _ in skipped.skipped} == {path.name for path in old.glob("*.json")}
    assert skipped.stored["profiles/default/profile.json"]


# --- sidecars ----------------------------------------------------------------------------------


def test_invalid_state_is_refused_key_by_key(root: Path, whole: Stored) -> None:
    notes = {"app_state": {"": "x", "theme": "dark", "a": "\0"}, "tasks": {"t": {"status": "Bad!"}}}
    write({"profiles/burndown.json": notes}, root)
    told = migrate(root).problems
    assert [path for path, _ in told] == ["profiles/burndown.json"] * 3
    assert_all_else_is_there(migrate(root, skip_damaged=True).stored, whole, [])


def test_an_invalid_value_of_a_sidecar_affects_no_other(root: Path, whole: Stored) -> None:
    """The sidecar of a query has what the old files cannot hold: types, forecasts, expiry."""
    note = {"created_at": "2025-07-01T10:00:00Z", "forecast": None}
    week = {"snapshot_date": "2025-W26", "metrics": ["flow_time"], **note}
    notes = {
        "snapshots": [
            {**week, "metric_type": "custom"},
            {**week, "metric_type": 5},
            {**week, "metric_type": "Bad!", "snapshot_date": "2025-W27", "metrics": ["dora_mttr"]},
            {},
        ],
        "changelogs": {"K-1": "2030-01-01T00:00:00Z", "K-2": "soon"},
        "more": 1,
    }
    write({"profiles/a/queries/q1/burndown.json": notes}, root)
    [(path, what)] = migrate(root).problems
    assert path == "profiles/a/queries/q1/burndown.json"
    assert what.startswith("changed since it was written, at changelogs.K-2, more, snapshots.1")
    outcome = migrate(root, skip_damaged=True)
    assert [row["metric_type"] for row in outcome.stored[METRICS]] == ["custom", "dora"]
    assert outcome.stored[CHANGELOG][0]["expires_at"] == "2030-01-01 00:00:00.000000"
    assert_all_else_is_there(outcome.stored, whole, [METRICS, CHANGELOG])


@pytest.mark.parametrize(
    "notes", [[1], "x", {"version": 2, "changelogs": {"K-1": "2030-01-01T00:00:00Z"}}]
)
def test_sidecars_of_another_format_are_ignored(root: Path, whole: Stored, notes: Any) -> None:
    write({"profiles/a/queries/q1/burndown.json": notes}, root)
    assert_stops(
        root, whole, ["profiles/a/queries/q1/burndown.json"], "changed since it was written"
    )


@pytest.mark.parametrize("data", [b"", b"[1]", b"{}", b'{"stage": 1, "removed": 0}'])
def test_a_damaged_journal_stops_the_migration_with_a_solution(root: Path, data: bytes) -> None:
    work = root / "profiles/.burndown-work"
    work.mkdir()
    (work / "journal.json").write_bytes(data)
    before = tree(root)
    for dry_run in (True, False):
        with pytest.raises(StorageError, match=f"delete {work}"):
            run_migration_if_needed(
                root / "profiles", SQLiteDatabase(root.with_name("new.db")), dry_run=dry_run
            )
        shutil.rmtree(root / "backups", ignore_errors=True)
        (root / "profiles/burndown.json.lock").unlink(missing_ok=True)
        assert tree(root).keys() == before.keys()


# --- limits ------------------------------------------------------------------------------------


def test_many_nan_below_a_long_key_take_little_memory(root: Path) -> None:
    """Their paths are not kept, and not all reported."""
    nan = ",".join(["NaN"] * 20_000)
    (root / DATA).write_text(f'{{"{"k" * 200_000}": [{nan}]}}', "utf-8")
    [(path, what)] = migrate(root).converted
    assert path == DATA
    assert what.endswith("and 19995 more places")
    assert len(what) < 1000


def test_many_equal_names_and_ids_are_numbered(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write({REGISTRY: {"profiles": {"/" * n: {"name": "same"} for n in range(1, 100)}}}, root)
    found = [row for rows in migrate(root).stored.values() for row in rows]
    numbers = range(2, 100)
    assert {row["id"] for row in found} == {"profile", *(f"profile-{n}" for n in numbers)}
    assert {row["name"] for row in found} == {"same", *(f"same ({n})" for n in numbers)}


def test_a_time_beyond_the_calendar_is_the_first_timestamp() -> None:
    class UnusualPath(type(Path())):  # type: ignore[misc]
        def lstat(self) -> Any:
            return os.stat_result([0] * 7 + [0, 10**15, 0])

    assert modified_at(UnusualPath("x")).year == 1970


# --- dry runs ----------------------------------------------------------------------------------


def test_a_dry_run_leaves_no_file(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not even in the folder for temporary files, or those of a killed process."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    database = SQLiteDatabase(tmp_path / "new" / "burndown.db")
    (root / DATA).write_bytes(b"{")
    with pytest.raises(MigrationError):
        run_migration_if_needed(root / "profiles", database, dry_run=True)
    assert list(temporary.iterdir()) == []
    run_migration_if_needed(root / "profiles", database, skip_damaged=True)
    database.close()
    left = tmp_path / "new" / "burndown.db.migrating"
    left.touch()
    report = run_migration_if_needed(root / "profiles", database, dry_run=True)
    assert report.outcome == "already migrated"
    assert left.exists()


def test_a_file_in_place_of_the_workspace_is_an_error(root: Path) -> None:
    """It is not a workspace without old files."""
    for stand_in in (Path.touch, lambda path: path.symlink_to("gone")):
        shutil.rmtree(root / "profiles", ignore_errors=True)
        (root / "profiles").unlink(missing_ok=True)
        stand_in(root / "profiles")
        [(path, why)] = migrate(root).problems
        assert (path, why) == ("profiles", "not a folder; replace it with the folder of profiles")

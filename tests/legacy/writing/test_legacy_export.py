"""Migrating and exporting for the old dashboard; docs/legacy-export.md lists all differences.

The expected files are computed here from the JSON values alone, without the code under test.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from burndown import ImportExportError, MigrationError, PersistenceBackend, set_backend
from burndown.database import SQLiteDatabase
from burndown.demo import write_demo_workspace
from burndown.import_export import export_workspace
from burndown.migration import run_migration_if_needed
from burndown.persistence.sqlite_backend import SQLiteBackend
from burndown.testing.contract.examples import given
from burndown.testing.controlled_store import stored_records
from burndown.testing.strategies import legacy_workspaces
from burndown.testing.strategies.workspaces import Files
from tests.support.legacy_workspaces import leaves, write

SECTIONS = (
    "jira_config",
    "field_mappings",
    "forecast_settings",
    "project_classification",
    "flow_type_mappings",
)
DATA = (
    "jira_cache.json",
    "jira_changelog_cache.json",
    "project_data.json",
    "metrics_snapshots.json",
)
RENAMED = {"Team A/sub": "team-a-sub"}
"""Folders whose names are not valid ids."""


@contextmanager
def migrated(root: Path) -> Iterator[SQLiteBackend]:
    """Migrate the workspace, and set its store as the current one."""
    path = root.parent / f"{root.name}.db"
    run_migration_if_needed(root / "profiles", SQLiteDatabase(path))
    with SQLiteBackend(path) as backend:
        set_backend(backend)
        yield backend


@contextmanager
def there_and_back(files: Files) -> Iterator[tuple[Files, PersistenceBackend, Path]]:
    """Yield the exported files, the store that they come from, and their folder."""
    with tempfile.TemporaryDirectory() as folder:
        write(files, Path(folder) / "old")
        with migrated(Path(folder) / "old") as backend:
            root = export_workspace(Path(folder) / "new", include_secrets=True)
            yield read(root), backend, root


def read(root: Path) -> Files:
    """Return all JSON files below the root."""
    return {
        path.relative_to(root).as_posix(): json.loads(path.read_text("utf-8"))
        for path in root.rglob("*.json")
    }


def same(one: Any, other: Any) -> bool:
    """Return whether both are equal as JSON values in any order of keys; 1 is not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


# --- expected files ----------------------------------------------------------------------------


def in_utc(value: Any) -> Any:
    """Return a timestamp as it comes back."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    except (TypeError, ValueError):
        return value


def iso_week(week: str) -> str:
    return week if "W" in week else f"{week[:4]}-W{week[5:]:0>2}"


def expected_changelogs(written: Files) -> Files:
    """Return the histories of the older envelope together with the others, without it."""
    if not isinstance(written.get("issues"), list):
        return written
    enveloped = {issue["key"]: issue for issue in written["issues"]}
    return enveloped | {
        key: item for key, item in written.items() if key not in ("cache_version", "issues")
    }


def missing_metrics(written: Files, back: Files) -> list[tuple[str, str]]:
    """Yield metrics that are not in their week, nor kept as the older duplicate of another."""
    return [
        (week, name)
        for week, metrics in written.items()
        for name, metric in metrics.items()
        if not any(
            same(back[iso_week(week)].get(key), metric) for key in (name, f"{name} (double)")
        )
    ]


def completed_settings(written: Files, back: Files, defaults: Files) -> Files:
    """Return the expected file of a profile or query; timestamps that it lacks are ignored."""
    timestamps = ("created_at", "last_used")
    return {
        **defaults,
        **{key: back[key] for key in timestamps},
        **written,
        **{key: in_utc(written[key]) for key in timestamps if key in written},
        "_burndown": back["_burndown"],
    }


# --- properties --------------------------------------------------------------------------------


def test_the_sample_comes_back_unchanged(tmp_path: Path) -> None:
    """Every file is equal except for timestamps, the format of weeks, and the registry."""
    write_demo_workspace(tmp_path / "old", issues=20)
    before = {
        path: value
        for path, value in read(tmp_path / "old").items()
        if path.startswith("profiles/") and "metrics_snapshots_" not in path
    }
    with migrated(tmp_path / "old"):
        back = read(export_workspace(tmp_path / "new", include_secrets=True))
    registry, registry_before = (each.pop("profiles/profiles.json") for each in (back, before))
    assert {path for path in back if not path.endswith("burndown.json")} == before.keys()
    for path, written in before.items():
        name, folder = path.split("/")[-1], path.split("/")[-2]
        if name == "profile.json":
            defaults: Files = {"id": folder, "revision": 1} | {key: {} for key in SECTIONS}
            written = completed_settings(written, back[path], defaults)
        elif name == "query.json":
            defaults = {"id": folder, "description": "", "revision": 1}
            written = completed_settings(written, back[path], defaults)
        elif name == "metrics_snapshots.json":
            written = {iso_week(week): metrics for week, metrics in written.items()}
        assert same(back[path], written), path
    for key in ("active_profile_id", "active_query_id"):
        assert registry[key] == registry_before[key]
    for profile_id, entry in registry_before["profiles"].items():
        assert sorted(registry["profiles"][profile_id]["queries"]) == sorted(entry["queries"])
        assert registry["profiles"][profile_id]["name"] == entry["name"]
        assert registry["profiles"][profile_id]["jira_config"] == {}


@given(files=legacy_workspaces(), divisor=2, large=True)
def test_files_come_back_with_the_documented_differences(files: Files) -> None:
    """Data are unchanged; every value of settings comes back, wherever its place is now."""
    try:
        with there_and_back(files) as (back, _, _):
            for path, written in files.items():
                check_file(path, written, back)
    except MigrationError:
        return


def check_file(path: str, written: Any, back: Files) -> None:
    for name, renamed in RENAMED.items():
        path = path.replace(f"profiles/{name}/", f"profiles/{renamed}/")
    folder, _, name = path.rpartition("/")
    if name in DATA:
        found = back.get(path)
        if name == "metrics_snapshots.json":
            assert missing_metrics(written, found or {}) == []
            assert {iso_week(week) for week in written} == (found or {}).keys()
        elif name == "jira_changelog_cache.json":
            assert same(found or {}, expected_changelogs(written))
        else:
            assert same(found, written)
    elif name != "profiles.json":
        settings = folder.removesuffix("/queries/main") if name == "app_settings.json" else folder
        now = back[f"{settings}/{'query' if name == 'query.json' else 'profile'}.json"]
        lost = set(leaves(written)) - set(leaves(now))
        assert all("/rest/api/" in each for each in lost)  # it became the base URL


@given(files=legacy_workspaces(), divisor=2, large=True)
def test_an_export_can_be_migrated_into_an_equal_store(files: Files) -> None:
    try:
        with there_and_back(files) as (_, backend, root):
            before = stored_records(backend)
            with migrated(root) as again:
                assert stored_records(again) == before
    except MigrationError:
        return


# --- the folder --------------------------------------------------------------------------------


@pytest.fixture
def store(backend: SQLiteBackend) -> SQLiteBackend:
    """Return the current store, with one profile that has a token."""
    backend.save_profile({"id": "p", "jira_config": {"token": "canary-7f3a"}})
    backend.save_query("p", {"id": "q", "jql": "a = b"})
    set_backend(backend)
    return backend


def test_tokens_are_omitted_without_the_option(store: SQLiteBackend, tmp_path: Path) -> None:
    root = export_workspace(tmp_path / "old")
    assert not [path for path in root.rglob("*.json") if "canary" in path.read_text("utf-8")]
    root = export_workspace(tmp_path / "secret", include_secrets=True)
    assert read(root)["profiles/p/profile.json"]["jira_config"] == {"token": "canary-7f3a"}


@pytest.mark.parametrize("include_secrets", [False, True])
def test_a_token_in_an_unexpected_field_is_refused(
    store: SQLiteBackend, tmp_path: Path, include_secrets: bool
) -> None:
    store.save_query("p", {"id": "q", "description": "curl -H 'Bearer canary-7f3a'"})
    if include_secrets:
        export_workspace(tmp_path / "old", include_secrets=True)
    else:
        with pytest.raises(ImportExportError, match=r"Jira token of profile 'p'.*query\.json"):
            export_workspace(tmp_path / "old")
        assert not (tmp_path / "old").exists()


def test_only_files_of_the_workspace_are_exported(store: SQLiteBackend, tmp_path: Path) -> None:
    root = export_workspace(tmp_path / "old")
    assert read(root).keys() == {
        "profiles/profiles.json",
        "profiles/burndown.json",
        "profiles/p/profile.json",
        "profiles/p/queries/q/query.json",
    }
    assert len([path for path in root.rglob("*") if path.is_file()]) == 4
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("old")] == ["old"]


def test_a_folder_that_is_not_empty_is_refused(store: SQLiteBackend, tmp_path: Path) -> None:
    """Even an earlier export, since the old dashboard may have written to it."""
    (tmp_path / "empty").mkdir()
    root = export_workspace(tmp_path / "empty")
    before = read(root)
    store.save_query("p", {"id": "other"})
    with pytest.raises(ImportExportError, match="exists already"):
        export_workspace(root)
    assert read(root) == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ImportExportError, match="exists already"):
        export_workspace(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_missing_store_is_not_exported(tmp_path: Path) -> None:
    """And nothing is created."""
    with SQLiteBackend(tmp_path / "none.db") as backend:
        set_backend(backend)
        with pytest.raises(ImportExportError, match="nothing to copy"):
            export_workspace(tmp_path / "old")
        set_backend(None)
    assert list(tmp_path.iterdir()) == []

"""Intact workspaces, exports and stores, which the cases damage."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from burndown import SQLiteBackend, set_backend
from burndown.copying import copy_store
from burndown.database import SQLiteDatabase
from burndown.demo import write_demo_workspace
from burndown.import_export import export_profile
from burndown.legacy.layout import ROOT_FILES
from burndown.migration import run_migration_if_needed
from burndown.persistence.json_backend import JSONBackend
from tests.fuzz.trees import read_tree
from tests.support.exchange_files import OLD_PARTS, exchange_of

CANARY = "canary-token-5c1d"
"""Replaces the Jira token of all profiles; no message may contain it."""

_THEN = datetime(2025, 11, 24, 8, tzinfo=UTC)
_QUERIES = 2
_FEW = 5
_MOST_KEYS = 22
"""The number of items of collections other than issues and weeks."""
_LARGEST_QUERY = 120_000
_SMALL = {"id": "other", "name": "Other", "jira_config": {"token": CANARY}}

_BUDGET = {
    "time_allocated_weeks": 12,
    "budget_total": 48_000.5,
    "effective_from": "2026-01-05",
    "revisions": [
        {"revision_date": "2026-02-02", "team_cost_delta": -250, "metadata": {"by": "a"}}
    ],
    "unknown": [None],
}


@dataclass(frozen=True)
class Material:
    """Workspaces, exports and stores to damage, as bytes, so that cases can share them."""

    workspaces: list[dict[str, bytes]]
    """Legacy workspaces, by path below their root."""
    exports: list[dict[str, bytes]]
    """Exports, by path below their folder."""
    exchange_files: list[bytes]
    """Exchange files of the published dashboard."""
    exchange_archives: list[dict[str, bytes]]
    """The same as archives of the first version, by path below their root."""
    stores: list[bytes]
    """Databases to import into: one with another profile, and one with those of the exports."""
    profile_ids: list[str]
    """The profiles of the second database."""


def demo_material() -> Material:
    """Make the material from a small sample workspace."""
    with tempfile.TemporaryDirectory() as folder:
        write_demo_workspace(Path(folder), issues=6, now=_THEN)
        files = {path: _shortened(data) for path, data in read_tree(Path(folder)).items()}
        return _material(_with_budgets(_with_canaries(files)))


def workspace_material(folder: Path) -> Material:
    """Make the material from a workspace on disk, using its small queries."""
    files = {f"profiles/{path}": data for path, data in read_tree(folder / "profiles").items()}
    kept = {path: data for path, data in files.items() if "/queries/" not in path}
    for profile in sorted({path.split("/queries/")[0] for path in files if "/queries/" in path}):
        prefix = f"{profile}/queries/"
        queries: dict[str, dict[str, bytes]] = {}
        for path, data in files.items():
            if path.startswith(prefix):
                queries.setdefault(path.removeprefix(prefix).split("/")[0], {})[path] = data
        small = [query for query in queries.values() if _size(query) < _LARGEST_QUERY]
        for query in sorted(small, key=len)[-_QUERIES:]:
            kept |= query
    return _material(_with_budgets(_with_canaries(kept)))


def _shortened(data: bytes) -> bytes:
    """Return the file with its first few issues, weeks and changes, so that cases are fast."""
    try:
        return json.dumps(_first_few(json.loads(data)), indent=1, ensure_ascii=False).encode()
    except ValueError:
        return data


def _first_few(value: Any) -> Any:
    if isinstance(value, list):
        return [_first_few(item) for item in value[:_FEW]]
    if isinstance(value, dict):
        kept = list(value.items())[: _FEW if len(value) > _MOST_KEYS else None]
        return {key: _first_few(item) for key, item in kept}
    return value


def _size(query: dict[str, bytes]) -> int:
    return sum(map(len, query.values()))


def _with_canaries(files: dict[str, bytes]) -> dict[str, bytes]:
    found = {}
    for path, data in files.items():
        found[path] = data
        if path.endswith("/profile.json"):
            profile = json.loads(data)
            profile.setdefault("jira_config", {})["token"] = CANARY
            found[path] = json.dumps(profile, indent=2, ensure_ascii=False).encode()
    return found


def _with_budgets(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files with a budget for each query, which the old dashboard does not have."""
    budget = json.dumps([_BUDGET], indent=1).encode()
    folders = {path.removesuffix("query.json") for path in files if path.endswith("/query.json")}
    return {**files, **{f"{folder}budget.json": budget for folder in folders}}


def _material(workspace: dict[str, bytes]) -> Material:
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        _put(workspace, folder)
        database = SQLiteDatabase(folder / "full.db")
        run_migration_if_needed(folder / "profiles", database)
        with SQLiteBackend(folder / "small.db") as small:
            small.save_profile(_SMALL)
        database.close()
        with SQLiteBackend(folder / "full.db") as full:
            profile_ids = [profile["id"] for profile in full.list_profiles()]
            exports = list(_exports(full, sorted(profile_ids)[:2], folder))
            exchange_files = [exchange_of(full, each) for each in sorted(profile_ids)[:2]]
            with JSONBackend(folder / "written" / "profiles") as written:
                copy_store(full, written)
        return Material(
            [
                workspace,
                read_tree(folder / "written"),
                _flat(workspace),
                _of_the_time_before_profiles(workspace),
            ],
            exports,
            [json.dumps(each, indent=2, ensure_ascii=False).encode() for each in exchange_files],
            [_first_version(each) for each in exchange_files],
            [(folder / "small.db").read_bytes(), (folder / "full.db").read_bytes()],
            profile_ids,
        )


def _put(files: dict[str, bytes], folder: Path) -> None:
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        os.utime(target, (_THEN.timestamp(), _THEN.timestamp()))


def _exports(
    backend: SQLiteBackend, profile_ids: Iterable[str], folder: Path
) -> Iterable[dict[str, bytes]]:
    set_backend(backend)
    for profile_id in profile_ids:
        for everything in (True, False):
            path = export_profile(
                profile_id,
                folder / "export",
                include_cache=everything,
                include_secrets=everything,
            )
            files = read_tree(path)
            manifest = json.loads(files["manifest.json"])
            manifest["exported_at"] = _THEN.isoformat()
            yield {**files, "manifest.json": json.dumps(manifest, indent=2).encode()}
            shutil.rmtree(path)
    set_backend(None)


def _first_version(content: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of an exchange file as an archive, with data files of the old dashboard."""
    files = {
        "manifest.json": {**content["manifest"], "version": "1.0"},
        "profile.json": content["profile_data"],
        **{f"cache/{part}.json": value for part, value in OLD_PARTS.items()},
    }
    for query_id, parts in content["query_data"].items():
        files[f"queries/{query_id}.json"] = parts["query_metadata"]
    return {name: json.dumps(value, indent=2).encode() for name, value in files.items()}


def _flat(workspace: dict[str, bytes]) -> dict[str, bytes]:
    """Return settings as the dashboard wrote them before they had sections."""
    found = dict(workspace)
    for path, data in workspace.items():
        if path.endswith("/profile.json"):
            profile: dict[str, Any] = json.loads(data)
            for section in ("forecast_settings", "project_classification"):
                profile.update(profile.pop(section, {}))
            groups = profile.pop("field_mappings", {})
            flat = {name: each for group in groups.values() for name, each in group.items()}
            found[path] = json.dumps({**profile, "field_mappings": flat}).encode()
    return found


def _of_the_time_before_profiles(workspace: dict[str, bytes]) -> dict[str, bytes]:
    settings = {
        "jira_token": CANARY,
        "jira_api_endpoint": "https://jira.example.com/rest/api/2/search",
        "jira_cache_max_size": 100,
        "jql_query": "project = KAFKA",
        "completion_statuses": ["Done"],
        "pert_factor": 1.2,
        "deadline": "2026-01-01",
    }
    found = {"app_settings.json": json.dumps(settings).encode()}
    for path, data in workspace.items():
        name = path.rpartition("/")[2]
        if name in ROOT_FILES and "/queries/" in path:
            found.setdefault(name, data)
    return found

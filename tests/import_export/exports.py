"""Exports, read without the code under test, and compared with the store."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from burndown import PersistenceBackend, PersistenceError, SQLiteBackend
from burndown.import_export import run_import
from burndown.models import (
    Budget,
    Entity,
    JiraCache,
    JiraChangelog,
    MetricsSnapshot,
    Profile,
    ProjectData,
    Query,
)
from tests.support.database_rows import everything

CANARY = "canary-7f3a"
SECRET_WORDS = ("token", "password", "secret", "authorization", "api_key", "apikey")
NO_SECRETS = ("", None, True, False)
"""Values that are exported whatever their key is."""
SNAPSHOT = {"snapshot_date": "2025-W12", "metric_type": "dora", "metrics": {"k": 1}}
FORMS = ("export", "export.zip")
"""The two forms of an export: a folder, or an archive."""

KINDS: tuple[type[Entity], ...] = (
    Profile,
    Query,
    JiraCache,
    JiraChangelog,
    ProjectData,
    MetricsSnapshot,
    Budget,
)
"""The entities of a profile, parents first."""
FETCHED: tuple[type[Entity], ...] = (JiraCache, JiraChangelog)

Files = dict[str, bytes]


def tree(folder: Path) -> dict[str, bytes | str]:
    """Return everything below a folder, links by their target."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"to {path.readlink()}"
        else:
            found[name] = path.read_bytes() if path.is_file() else "folder"
    return found


def files_of(export: Path) -> Files:
    """Return the files of an export by name, whichever form it has."""
    if export.is_dir():
        return {name: data for name, data in tree(export).items() if isinstance(data, bytes)}
    with zipfile.ZipFile(export) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(export: Path) -> dict[str, Any]:
    """Return the manifest of an export."""
    found: dict[str, Any] = json.loads(files_of(export)["manifest.json"])
    return found


def without_manifest(export: Path) -> Files:
    return {name: data for name, data in files_of(export).items() if name != "manifest.json"}


def without_time(export: Path) -> tuple[Files, dict[str, Any]]:
    """Return all that exports of equal data have in common."""
    manifest = manifest_of(export)
    del manifest["exported_at"]
    return without_manifest(export), manifest


def pack(files: Files, path: Path) -> Path:
    """Write the files to an archive, as other programs do."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write(files: Files, folder: Path) -> Path:
    """Write the files to a folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: without_secrets(item)
            for key, item in value.items()
            if item in NO_SECRETS or not any(word in key.lower() for word in SECRET_WORDS)
        }
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


def without_revision(document: Any) -> Any:
    """Return the document of a profile or query as exports have it; the store counts revisions."""
    return document and {key: document[key] for key in document if key != "revision"}


def whole(backend: PersistenceBackend, profile_id: str) -> str:
    """Return what an export should keep of a profile, as JSON that distinguishes 1 and 1.0."""
    of_week = ("snapshot_date", "metric_type", "metrics", "forecast")
    found = {
        "profile": without_secrets(without_revision(backend.get_profile(profile_id))),
        "queries": {
            query["id"]: {
                "query": without_revision(query),
                "project_data": backend.get_project_data(profile_id, query["id"]),
                "budget": backend.get_budget(profile_id, query["id"]),
                "snapshots": [
                    {key: value for key, value in snapshot.items() if key in of_week}
                    for snapshot in backend.get_metrics_snapshots(
                        profile_id, query["id"], limit=None
                    )
                ],
            }
            for query in backend.list_queries(profile_id)
        },
    }
    return json.dumps(found, sort_keys=True)


def records_of(backend: PersistenceBackend, profile_id: str) -> dict[type[Entity], str]:
    """Return what exports hold of a profile, as strings in which the types of numbers count."""
    return {
        model: json.dumps(
            [without_revision(each) for each in backend.records(model, profile_id)], sort_keys=True
        )
        for model in KINDS
    }


@contextmanager
def nothing_imported(backend: SQLiteBackend) -> Iterator[None]:
    """Assert that the block changes no row of any table."""
    before = everything(backend.database.path)
    yield
    assert everything(backend.database.path) == before


def refused(
    backend: SQLiteBackend, path: Path, name: str | None = None, *, replace: bool = False
) -> PersistenceError:
    """Return the error of an import, which changes nothing; a dry run raises the same one."""
    said = []
    for dry_run in (True, False):
        with nothing_imported(backend), pytest.raises(PersistenceError) as caught:
            run_import(path, name, replace=replace, dry_run=dry_run)
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]
    return caught.value

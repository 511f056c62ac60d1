"""A profile out to a folder that people can read, and in again.

::

    <folder>/
    ├── manifest.json               what this is, and when it was made
    ├── profile.json                the profile, without its tokens
    ├── queries/<query>.json
    ├── project_data/<query>.json
    └── metrics/snapshots.json      the snapshots of each query

Cached answers of Jira are left out; they can be fetched again.
"""

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from burndown.errors import ImportExportError, ProfileNotFoundError, is_secret
from burndown.models.values import is_identifier, utc_now
from burndown.names import (
    MAX_PROFILES,
    checked_name,
    free_id,
    refuse_beyond,
    refuse_taken_name,
)
from burndown.persistence import Document, get_backend

__all__ = ["export_profile", "import_profile"]

FORMAT = "burndown export"
FORMAT_VERSION = 1

_SECRET_IN_DATA = re.compile(r"(?:\w+_)?(?:token|password|secret)", re.IGNORECASE).fullmatch
"""Keys of secrets beside settings, where a metric may be called ``token_count``."""


def export_profile(profile_id: str, export_path: str | Path) -> Path:
    """Write a profile with its queries, project data and metrics to a folder.

    The folder appears whole or not at all. It takes the place of an earlier export, and of
    nothing else.

    Args:
        profile_id: which profile.
        export_path: the folder to make, with the folders above it.

    Returns:
        The folder.

    Raises:
        ProfileNotFoundError: there is no such profile.
        ImportExportError: there is something else at that path, or it cannot be written.
    """
    folder = Path(export_path)
    with get_backend().transaction():  # one state of the data
        files = _files_of(profile_id)
    try:
        _put_in_place(files, folder.absolute())
    except (OSError, ValueError) as error:
        raise ImportExportError(f"The export {folder} was not written: {error}") from error
    return folder


def import_profile(import_path: str | Path, profile_name: str | None = None) -> str:
    """Add a profile from a folder that :func:`export_profile` wrote, whole or not at all.

    Exports hold no token, so the Jira token has to be entered again.

    Args:
        import_path: the folder.
        profile_name: a name in place of the exported one.

    Returns:
        The id of the new profile: the exported one if it is free, else one made of the name.

    Raises:
        ImportExportError: a file is missing or damaged.
        ValidationError: a value is not valid, or the name is taken.
    """
    folder = Path(import_path)
    manifest = _read(folder / "manifest.json")
    if manifest.get("format") != FORMAT or manifest.get("format_version") != FORMAT_VERSION:
        raise ImportExportError(f"{folder} is no export of a profile that this version can read")
    profile = _read(folder / "profile.json")
    snapshots = _read(folder / "metrics" / "snapshots.json")
    query_ids = {path.stem for path in (folder / "queries").glob("*.json")} | snapshots.keys()
    for query_id in query_ids:
        if not is_identifier(query_id):
            raise ImportExportError(f"{folder}: {query_id!r} is no id of a query")
    backend = get_backend()
    with backend.transaction():
        present = backend.list_profiles()
        refuse_beyond(MAX_PROFILES, "Profile", present)
        name = profile.get("name", "")
        if profile_name is not None:
            name = checked_name("Profile", profile_name, present)
        elif isinstance(name, str):
            refuse_taken_name("Profile", name, present)
        taken = {other["id"] for other in present}
        profile_id = profile.get("id")
        if not isinstance(profile_id, str) or profile_id in taken:
            profile_id = free_id(str(name), "profile", taken)
        backend.save_profile({**profile, "id": profile_id, "name": name})
        for query_id in sorted(query_ids):
            query = _read(folder / "queries" / f"{query_id}.json")
            backend.save_query(profile_id, {**query, "id": query_id, "profile_id": profile_id})
            data_path = folder / "project_data" / f"{query_id}.json"
            if os.path.lexists(data_path):
                backend.save_project_data(profile_id, query_id, _read(data_path))
            of_query = snapshots.get(query_id, [])
            if not isinstance(of_query, list):
                raise ImportExportError(f"{folder / 'metrics/snapshots.json'}: {query_id}: no list")
            backend.save_metrics_snapshots(profile_id, query_id, of_query)
    return profile_id


def _files_of(profile_id: str) -> dict[str, Any]:
    backend = get_backend()
    profile = backend.get_profile(profile_id)
    if profile is None:
        raise ProfileNotFoundError(profile_id)
    files: dict[str, Any] = {
        "manifest.json": {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "exported_at": utc_now().isoformat(),
            "left_out": ["tokens", "cached answers of Jira", "changelogs"],
        },
        "profile.json": _without_secrets(profile, is_secret),
    }
    snapshots = {}
    for query in backend.list_queries(profile_id):
        query_id = query["id"]
        del query["profile_id"]
        files[f"queries/{query_id}.json"] = _without_secrets(query, _SECRET_IN_DATA)
        data = backend.get_project_data(profile_id, query_id)
        if data is not None:
            files[f"project_data/{query_id}.json"] = _without_secrets(data, _SECRET_IN_DATA)
        snapshots[query_id] = [
            {key: value for key, value in snapshot.items() if not key.endswith("_id")}
            for snapshot in backend.get_metrics_snapshots(profile_id, query_id, limit=None)
        ]
    files["metrics/snapshots.json"] = _without_secrets(snapshots, _SECRET_IN_DATA)
    return files


def _without_secrets(value: Any, is_secret: Callable[[str], Any]) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_secrets(item, is_secret)
            for key, item in value.items()
            if not is_secret(key)
        }
    if isinstance(value, list):
        return [_without_secrets(item, is_secret) for item in value]
    return value


def _put_in_place(files: dict[str, Any], folder: Path) -> None:
    """Write the files beside the folder, and make them it at once."""
    if Path.cwd().is_relative_to(folder):
        raise ImportExportError(f"{folder} is the current folder or above it; name another one")
    if folder.exists() and not _is_replaceable(folder):
        raise ImportExportError(
            f"{folder} is there already and is no export of a profile; name another folder"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f"{folder.name[:100]}.{uuid.uuid4().hex}")
    earlier = unfinished.with_suffix(".earlier")
    try:
        for name, content in files.items():
            _write(unfinished / name, content)
        (unfinished / "queries").mkdir(exist_ok=True)
        if folder.exists():
            folder.rename(earlier)
        try:
            unfinished.rename(folder)
        except OSError:
            earlier.rename(folder)
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(earlier, ignore_errors=True)


def _is_replaceable(folder: Path) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    if not any(folder.iterdir()):
        return True
    try:
        return _read(folder / "manifest.json").get("format") == FORMAT
    except ImportExportError:
        return False


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def _read(path: Path) -> Document:
    try:
        # These files nest deeper than what can be stored, which the standard reader takes.
        value = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # refuses half of a surrogate pair
    except OSError as error:
        raise ImportExportError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ImportExportError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ImportExportError(f"{path}: an object was expected")
    return value


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON value")

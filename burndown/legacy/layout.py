"""Where things lie in a legacy workspace.

::

    profiles/profiles.json                  which profile and query are active
    profiles/<profile>/profile.json         the settings of a profile
    profiles/<profile>/queries/<query>/     query.json and the data of the query

Beside them lies what the dashboard has no place for and does not look at::

    profiles/burndown.json                  remembered values and the progress of tasks
    profiles/<…>/<query>/burndown.json      moments, forecasts and what belongs together
    profiles/<…>/<query>/responses/         further answers of Jira

The name of a folder is the id of what it holds; an id that would clash with a file here, or that
Windows reserves, stands between percent signs. Links are never followed.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from burndown.files.paths import is_file, is_folder, lexists
from burndown.files.sqlite_files import SQLiteFiles
from burndown.files.transaction import TransactionalFolder, is_temporary_folder
from burndown.legacy.findings import Findings

__all__ = [
    "NOTES",
    "PROFILE_FILES",
    "QUERIES",
    "QUERY_FILES",
    "REGISTRY",
    "RESPONSES",
    "ROOT_FILES",
    "STATE",
    "folder_name",
    "has_workspace",
    "id_of_folder",
    "is_temporary",
    "may_hold_data",
    "profile_folders",
    "query_folders",
    "settings_places",
    "stored_size",
    "tell_leftovers",
    "workspace_folder",
]

REGISTRY = "profiles.json"
STATE = "burndown.json"
"""Beside the registry: what the workspace remembers."""
NOTES = "burndown.json"
"""Beside ``query.json``: what the other files of the query cannot say."""
QUERIES = "queries"
"""Beside ``profile.json``: the folder of the folders of queries."""
RESPONSES = "responses"
"""Beside ``query.json``: the folder of further answers of Jira."""
PROFILE_FILES = ("profile.json", "app_settings.json")
QUERY_FILES = (
    "query.json",
    "project_data.json",
    "jira_cache.json",
    "jira_changelog_cache.json",
    "metrics_snapshots.json",
)
ROOT_FILES = ("app_settings.json", *QUERY_FILES[1:])
"""What lay beside the folder of profiles before there were profiles."""

_LEFT_OUT_AT_ROOT = {
    "task_progress.json": "how far a task was; over once the dashboard stops",
    "task_progress.json.restart": "how far a task was; over once the dashboard stops",
    "cache": "a second copy of what each query's jira_cache.json holds",
    "metrics_cache.json": "results that are calculated anew",
    "jira_query_profiles.json": "the old global list of JQL, replaced by the queries of profiles",
    "forecast_settings.json": "the oldest settings, replaced by those of each profile",
    **dict.fromkeys(ROOT_FILES, "of the time before profiles, replaced by those of each profile"),
}
_LEFT_OVER = "left over from a write that was interrupted"
_MAX_DEPTH = 6
_CLASHING_ID = re.compile(
    r"%.* | profiles\.json.* | burndown\.(json|db).* | .*(\.lock|\.tmp|\.)"
    r"| (con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def folder_name(identifier: str) -> str:
    """The name of a new folder for what has this id."""
    return f"%{identifier}%" if _CLASHING_ID.fullmatch(identifier) else identifier


def id_of_folder(name: str) -> str:
    """The id of what lies in a folder of this name."""
    inner = name[1:-1]
    return inner if name == f"%{inner}%" and _CLASHING_ID.fullmatch(inner) else name


def is_temporary(name: str) -> bool:
    """Whether a file or folder beside the registry is only of use while something runs."""
    return is_temporary_folder(name) or (name.startswith(STATE) and name.endswith(".lock"))


def has_workspace(profiles_dir: Path) -> bool:
    """Whether there is a legacy workspace, in the folder or as files beside it."""
    return (
        any(lexists(profiles_dir / name) for name in (REGISTRY, STATE))
        or bool(profile_folders(profiles_dir))
        or any(_target_of_data(path, profiles_dir) for path in _links_in(profiles_dir))
        or any(lexists(profiles_dir.parent / name) for name in ROOT_FILES)
    )


def profile_folders(profiles_dir: Path) -> dict[str, Path]:
    """The folders that hold a profile, by their path below ``profiles_dir``.

    Some lie deeper than others: their ids were typed with a slash.
    """
    found = _with_profile(profiles_dir, 0) if profiles_dir.is_dir() else ()
    return {folder.relative_to(profiles_dir).as_posix(): folder for folder in found}


def query_folders(profile_folder: Path) -> list[Path]:
    """The folders of a profile's queries, with at least one file of theirs."""
    queries = profile_folder / QUERIES
    found = _folders_in(queries) if is_folder(queries) else []
    settings = settings_places(profile_folder)
    return [
        folder
        for folder in found
        if any(lexists(folder / name) for name in (*QUERY_FILES, NOTES, RESPONSES))
        or any(path.parent == folder and lexists(path) for path in settings)
    ]


def settings_places(profile_folder: Path) -> tuple[Path, ...]:
    """Where the settings of a profile may be; the first that is there counts."""
    main = profile_folder / QUERIES / "main"
    return (*(profile_folder / name for name in PROFILE_FILES), main / PROFILE_FILES[-1])


def workspace_folder(path: Path, *, read_only: bool = False) -> TransactionalFolder:
    """Return the folder of a workspace, whose files change atomically.

    Args:
        path: the folder.
        read_only: make no file in it, and refuse to write.
    """
    return TransactionalFolder(path, STATE, may_hold_data, read_only=read_only)


def stored_size(profiles_dir: Path) -> int:
    """How many bytes the JSON files of the folder have, without what only passes."""
    size = 0
    for parent, folders, files in os.walk(profiles_dir):
        folders[:] = [name for name in folders if not is_temporary(name)]
        for path in (Path(parent, name) for name in files if may_hold_data(name)):
            with suppress(FileNotFoundError):  # it has just been replaced
                size += path.lstat().st_size if is_file(path) else 0
    return size


def may_hold_data(name: str) -> bool:
    """Whether a file of this name can be one of a workspace; a database can not."""
    return name.endswith(".json")


def tell_leftovers(
    profiles_dir: Path, used_root_files: bool, findings: Findings, databases: SQLiteFiles
) -> None:
    """Say of all that does not move in why it does not."""
    root = profiles_dir.parent
    for path in sorted(root.glob(".task_progress.json.*.tmp")):
        findings.add_skipped(path, _LEFT_OVER)
    for name, why in _LEFT_OUT_AT_ROOT.items():
        if (root / name).exists() and not (used_root_files and name in ROOT_FILES):
            findings.add_skipped(root / name, why)
    known = {profiles_dir / REGISTRY, profiles_dir / STATE}
    for folder in profile_folders(profiles_dir).values():
        known.add(next(filter(lexists, settings_places(folder)), folder / PROFILE_FILES[0]))
        for query in query_folders(folder):
            known |= {query / name for name in (*QUERY_FILES, NOTES)}
            if is_folder(query / RESPONSES):
                known |= set((query / RESPONSES).glob("*.json"))
    known |= {problem.path for problem in findings.problems}
    holding = {parent for path in known for parent in path.parents}
    for folder in profile_folders(profiles_dir).values():
        if any(_links_in(folder / QUERIES)):
            holding.add(folder / QUERIES)
    if profiles_dir.is_dir():
        for path in _unknown(profiles_dir, known, holding, databases):
            if path.is_symlink():
                _tell_link(path, profiles_dir, findings)
            else:
                findings.add_skipped(path, _why_unknown(path))


def _with_profile(folder: Path, depth: int) -> Iterator[Path]:
    for child in _folders_in(folder):
        if depth > 0 and child.name == QUERIES:
            continue
        if _holds_profile(child):
            yield child
        if depth < _MAX_DEPTH:
            yield from _with_profile(child, depth + 1)


def _holds_profile(folder: Path) -> bool:
    return any(lexists(folder / name) for name in PROFILE_FILES) or is_folder(folder / QUERIES)


def _has_settings(folder: Path) -> bool:
    return lexists(folder / PROFILE_FILES[0])


def _holds_query(folder: Path) -> bool:
    return any(lexists(folder / name) for name in QUERY_FILES)


def _folders_in(folder: Path) -> list[Path]:
    """The folders in it, without hidden ones in which is nothing of a workspace."""
    return sorted(
        child
        for child in folder.iterdir()
        if is_folder(child)
        and not is_temporary(child.name)
        and (not child.name.startswith(".") or _holds_profile(child) or _holds_query(child))
    )


def _unknown(
    folder: Path, known: set[Path], holding: set[Path], databases: SQLiteFiles
) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if is_folder(path) and (path in holding or databases.are_below(path)):
            yield from _unknown(path, known, holding, databases)
        elif not (path in known or is_temporary(path.name) or path in databases):
            yield path


def _tell_link(path: Path, profiles_dir: Path, findings: Findings) -> None:
    """A link is skipped, unless a profile or query is behind it that would be lost."""
    target = _target_of_data(path, profiles_dir)
    if target is not None:
        why = f"a link to {target}, and links are not followed; put the folder itself there"
        findings.add_problem(path, why)
    else:
        findings.add_skipped(path, "a link; links are not followed")


def _target_of_data(link: Path, profiles_dir: Path) -> Path | None:
    """Where a link leads, if there is a profile or query that is not in the workspace."""
    profiles_dir = profiles_dir.resolve()
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # it leads nowhere, or round in circles
        return None
    if target.is_relative_to(profiles_dir) or profiles_dir.is_relative_to(target):
        return None
    return target if _leads_to_data(link) else None


def _links_in(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from filter(Path.is_symlink, folder.iterdir())


def _leads_to_data(link: Path) -> bool:
    """Whether behind it lies a profile or query, or a folder of profiles or of queries."""
    if _holds_profile(link) or _holds_query(link):
        return True
    holds = _holds_query if link.name == QUERIES else _has_settings
    try:
        return any(holds(child) for child in link.iterdir())
    except OSError:  # it is no folder, or may not be read
        return False


def _why_unknown(path: Path) -> str:
    if path.is_dir():
        return "no folder of a profile or query" if any(path.iterdir()) else "an empty folder"
    if path.name == PROFILE_FILES[-1]:
        return f"older settings, replaced by {PROFILE_FILES[0]}"
    if path.suffix == ".tmp" or path.name.startswith("metrics_snapshots_"):
        return _LEFT_OVER
    return "not a file of a workspace"

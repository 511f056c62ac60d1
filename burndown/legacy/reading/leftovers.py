"""Files of a workspace folder that hold nothing of the workspace."""

from collections.abc import Iterator
from pathlib import Path

from burndown.conversion import Findings
from burndown.files.paths import is_folder, lexists
from burndown.files.sqlite_files import SQLiteFiles
from burndown.legacy.layout import (
    PROFILE_FILE,
    PROFILE_FILES,
    QUERIES,
    QUERY_FILES,
    QUERY_SIDECAR,
    REGISTRY,
    RESPONSES,
    ROOT_FILES,
    STATE,
    is_temporary,
)
from burndown.legacy.reading.folders import (
    linked_data,
    links_in,
    profile_folders,
    query_folders,
    settings_paths,
)

__all__ = ["report_leftovers"]

_SKIPPED_AT_ROOT = {
    "task_progress.json": "the progress of a task, which ended with the dashboard",
    "task_progress.json.restart": "the progress of a task, which ended with the dashboard",
    "cache": "a second copy of the data in each query's jira_cache.json",
    "metrics_cache.json": "results that are calculated again",
    "jira_query_profiles.json": "the old global list of JQL, replaced by the queries of profiles",
    "forecast_settings.json": "the oldest settings, replaced by those of each profile",
    **dict.fromkeys(ROOT_FILES, "older than profiles, and replaced by the files of each profile"),
}
_LEFT_OVER = "left over from a write that was interrupted"


def report_leftovers(
    profiles_dir: Path, uses_root_files: bool, findings: Findings, databases: SQLiteFiles
) -> None:
    """Report each file and folder that is not migrated, with the reason.

    Args:
        profiles_dir: the folder of the workspace.
        uses_root_files: whether the workspace is in the files next to the folder.
        findings: takes the reports. Paths with a problem are not reported twice.
        databases: files of databases in the folder, which are not reported.
    """
    root = profiles_dir.parent
    for path in sorted(root.glob(".task_progress.json.*.tmp")):
        findings.add_skipped(path, _LEFT_OVER)
    for name, why in _SKIPPED_AT_ROOT.items():
        if (root / name).exists() and not (uses_root_files and name in ROOT_FILES):
            findings.add_skipped(root / name, why)
    if not profiles_dir.is_dir():
        return
    known = _known_paths(profiles_dir) | {problem.path for problem in findings.problems}
    holding = {parent for path in known for parent in path.parents}
    # Searched even without a query, so that each link in it is reported by itself.
    for folder in profile_folders(profiles_dir).values():
        if any(links_in(folder / QUERIES)):
            holding.add(folder / QUERIES)
    for path in _unknown(profiles_dir, known, holding, databases):
        if path.is_symlink():
            _report_link(path, profiles_dir, findings)
        else:
            findings.add_skipped(path, _why_unknown(path))


def _known_paths(profiles_dir: Path) -> set[Path]:
    """Return the files that are read."""
    known = {profiles_dir / REGISTRY, profiles_dir / STATE}
    for folder in profile_folders(profiles_dir).values():
        known.add(next(filter(lexists, settings_paths(folder)), folder / PROFILE_FILE))
        for query in query_folders(folder):
            known |= {query / name for name in (*QUERY_FILES, QUERY_SIDECAR)}
            if is_folder(query / RESPONSES):
                known |= set((query / RESPONSES).glob("*.json"))
    return known


def _unknown(
    folder: Path, known: set[Path], holding: set[Path], databases: SQLiteFiles
) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if is_folder(path) and (path in holding or databases.are_below(path)):
            yield from _unknown(path, known, holding, databases)
        elif not (path in known or is_temporary(path.name) or path in databases):
            yield path


def _report_link(path: Path, profiles_dir: Path, findings: Findings) -> None:
    """Report a link: skipped, or a problem if a profile or query would be lost with it."""
    target = linked_data(path, profiles_dir)
    if target is not None:
        why = f"a link to {target}, and links are not followed; put the folder itself there"
        findings.add_problem(path, why)
    else:
        findings.add_skipped(path, "a link; links are not followed")


def _why_unknown(path: Path) -> str:
    if path.is_dir():
        return "not a folder of a profile or query" if any(path.iterdir()) else "an empty folder"
    if path.name == PROFILE_FILES[-1]:
        return f"older settings, replaced by {PROFILE_FILE}"
    if path.suffix == ".tmp" or path.name.startswith("metrics_snapshots_"):
        return _LEFT_OVER
    return "not a file of a workspace"

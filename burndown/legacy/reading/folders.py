"""The folders of a workspace that hold profiles and queries."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from burndown.files.paths import is_file, is_folder, lexists
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
    may_hold_data,
)

__all__ = [
    "has_workspace",
    "linked_data",
    "links_in",
    "profile_folders",
    "query_folders",
    "settings_paths",
    "stored_size",
]

_MAX_DEPTH = 6
"""The depth of the search for profiles; an id typed with slashes makes deep folders."""


def has_workspace(profiles_dir: Path) -> bool:
    """Return whether there is a workspace, in the folder or as files next to it."""
    return (
        any(lexists(profiles_dir / name) for name in (REGISTRY, STATE))
        or bool(profile_folders(profiles_dir))
        or any(linked_data(path, profiles_dir) for path in links_in(profiles_dir))
        or any(lexists(profiles_dir.parent / name) for name in ROOT_FILES)
    )


def profile_folders(profiles_dir: Path) -> dict[str, Path]:
    """Return the folders that hold a profile, by their path below ``profiles_dir``.

    Some are deeper than others: their ids were typed with a slash.
    """
    found = _folders_with_profile(profiles_dir, 0) if profiles_dir.is_dir() else ()
    return {folder.relative_to(profiles_dir).as_posix(): folder for folder in found}


def query_folders(profile_folder: Path) -> list[Path]:
    """Return the folders of a profile's queries that hold at least one file of a query."""
    queries = profile_folder / QUERIES
    found = _folders_in(queries) if is_folder(queries) else []
    settings = settings_paths(profile_folder)
    return [
        folder
        for folder in found
        if any(lexists(folder / name) for name in (*QUERY_FILES, QUERY_SIDECAR, RESPONSES))
        or any(path.parent == folder and lexists(path) for path in settings)
    ]


def settings_paths(profile_folder: Path) -> tuple[Path, ...]:
    """Return the paths at which a profile's settings may be; the first that exists is read."""
    # For a time, the old dashboard kept the settings in the folder of the query "main".
    main = profile_folder / QUERIES / "main"
    return (*(profile_folder / name for name in PROFILE_FILES), main / PROFILE_FILES[-1])


def stored_size(profiles_dir: Path) -> int:
    """Return the size in bytes of the JSON files in the folder, without working folders."""
    size = 0
    for parent, folders, files in os.walk(profiles_dir):
        folders[:] = [name for name in folders if not is_temporary(name)]
        for path in (Path(parent, name) for name in files if may_hold_data(name)):
            with suppress(FileNotFoundError):  # it has just been replaced
                size += path.lstat().st_size if is_file(path) else 0
    return size


def links_in(folder: Path) -> Iterator[Path]:
    """Yield the links directly in the folder, if it exists."""
    if folder.is_dir():
        yield from filter(Path.is_symlink, folder.iterdir())


def linked_data(link: Path, profiles_dir: Path) -> Path | None:
    """Return the target of a link to a profile or query outside the workspace, or ``None``."""
    profiles_dir = profiles_dir.resolve()  # a target in it, or around it, is read anyway
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # its target does not exist, or is the link itself
        return None
    if target.is_relative_to(profiles_dir) or profiles_dir.is_relative_to(target):
        return None
    return target if _leads_to_data(link) else None


def _folders_with_profile(folder: Path, depth: int) -> Iterator[Path]:
    for child in _folders_in(folder):
        # The queries of a profile, which are no profiles; at the top it may be an id.
        if depth > 0 and child.name == QUERIES:
            continue
        if _holds_profile(child):
            yield child
        if depth < _MAX_DEPTH:
            yield from _folders_with_profile(child, depth + 1)


def _folders_in(folder: Path) -> list[Path]:
    """Return the folders in the folder, without hidden ones that hold no profile or query."""
    with os.scandir(folder) as entries:
        children = [Path(each) for each in entries if each.is_dir(follow_symlinks=False)]
    return sorted(
        child
        for child in children
        if not is_temporary(child.name)
        and (not child.name.startswith(".") or _holds_profile(child) or _holds_query(child))
    )


def _leads_to_data(link: Path) -> bool:
    """Return whether a link leads to a profile or query, or to a folder of some."""
    if _holds_profile(link) or _holds_query(link):
        return True
    holds = _holds_query if link.name == QUERIES else _has_settings
    try:
        return any(holds(child) for child in link.iterdir())
    except OSError:  # it is not a folder, or cannot be read
        return False


def _holds_profile(folder: Path) -> bool:
    return any(lexists(folder / name) for name in PROFILE_FILES) or is_folder(folder / QUERIES)


def _has_settings(folder: Path) -> bool:
    return lexists(folder / PROFILE_FILE)


def _holds_query(folder: Path) -> bool:
    return any(lexists(folder / name) for name in QUERY_FILES)

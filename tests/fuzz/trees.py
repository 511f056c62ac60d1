"""Folders as values: their files by path, written to disk and read from it."""

import os
from pathlib import Path
from typing import NamedTuple

Tree = dict[str, "bytes | Special"]
"""The content of a folder, by path."""


class Special(NamedTuple):
    """Something other than a regular file."""

    kind: str
    """``link``, ``pipe`` or ``folder``."""
    target: str = ""


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write_tree(tree: Tree, folder: Path) -> None:
    """Write the files, as far as the system allows, and nothing outside of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    inside = folder.resolve()
    for name, entry in tree.items():
        try:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not Path(os.path.normpath(path.parent.resolve() / path.name)).is_relative_to(inside):
                continue
            if os.path.lexists(path):
                continue
            _write(entry, path)
        except (OSError, ValueError):
            continue


def _write(entry: bytes | Special, path: Path) -> None:
    if isinstance(entry, bytes):
        path.write_bytes(entry)
    elif entry.kind == "link":
        path.symlink_to(entry.target)
    elif entry.kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()


def snapshot(root: Path, *, without: tuple[str, ...] = ()) -> dict[str, bytes | str]:
    """Return all that is below a folder, links by their target and never followed.

    Args:
        root: the folder.
        without: paths below it whose content is ignored.
    """
    found: dict[str, bytes | str] = {}
    for parent, folders, files in os.walk(root):
        below = Path(parent).relative_to(root).as_posix()
        if below in without:
            folders.clear()
            continue
        for name in [*folders, *files]:
            path = Path(parent, name)
            key = path.relative_to(root).as_posix()
            if path.is_symlink():
                found[key] = f"link to {path.readlink()}"
            elif path.is_file():
                found[key] = path.read_bytes()
            else:
                found[key] = "folder" if path.is_dir() else "device"
    return found

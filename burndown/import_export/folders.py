"""An export put in its place as a whole, as a folder or one file, and read from there."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from burndown.database.backup import sidecars_of
from burndown.disk import is_file, is_folder, is_there, make_folder, remove, sync, write_file
from burndown.errors import ImportExportError
from burndown.import_export.archives import Archive, ArchiveWriter, is_archive_name
from burndown.import_export.layout import FOLDERS, MANIFEST, PROFILE, QUERIES, SNAPSHOTS, parsed
from burndown.import_export.manifest import Manifest

__all__ = ["Source", "Write", "folder_in_place", "new_export", "opened_export"]

Write = Callable[[str, bytes], None]
"""Takes the name of a file below the export, and what is in it."""


class Source(Protocol):
    """The files of an export."""

    def names(self) -> list[str]:
        """All that may be files of an export."""

    def read(self, name: str) -> bytes:
        """What is in a file."""


class _Folder:
    """An export in a folder; links are not followed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        found = [name for name in (MANIFEST, PROFILE) if is_there(self._path / name)]
        for folder in ("metrics", *FOLDERS):
            path = self._path / folder
            if is_there(path):
                if not is_folder(path):
                    raise ImportExportError(f"{path}: a folder was expected")
                with _readable(path):
                    found += (f"{folder}/{child.name}" for child in path.iterdir())
        return sorted(found)

    def read(self, name: str) -> bytes:
        path = self._path / name
        if not is_file(path):
            raise ImportExportError("a file was expected, and no link to one")
        try:
            return path.read_bytes()
        except OSError as error:
            raise ImportExportError(f"it cannot be read: {error.strerror}") from None


@contextmanager
def opened_export(path: Path) -> Iterator[Source]:
    """The export at the path, a folder or one file.

    Raises:
        ImportExportError: there is none, or it is damaged.
    """
    with _readable(path):
        leads_to_folder, leads_to_file = path.is_dir(), path.is_file()
    if leads_to_folder:
        yield _Folder(path)
    elif leads_to_file:
        with closing(_archive(path)) as archive:
            yield archive
    else:
        raise ImportExportError(f"{path}: there is no such folder or .zip file")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImportExportError(f"{path}: it cannot be read: {error.strerror}") from None


def _archive(path: Path) -> Archive:
    if sidecars_of(path):  # to open it here would release the locks that this process has on it
        raise ImportExportError(f"{path} is a database in use, not an export")
    try:
        return Archive(path)
    except ImportExportError as error:
        raise ImportExportError(f"{path}: {error}") from None


@contextmanager
def new_export(target: Path) -> Iterator[Write]:
    """Gives what writes the files, which are put in their place as a whole at the end.

    They take the place of an earlier export, and of nothing else.

    Raises:
        ImportExportError: there is something else.
    """
    if is_archive_name(target):
        _refuse_other_file(target)
        with _built_beside(target) as unfinished:
            with closing(ArchiveWriter(unfinished)) as archive:
                yield archive.write
            sync(unfinished)
    else:
        _refuse_other_folder(target)
        with _built_beside(target) as unfinished:
            make_folder(unfinished / QUERIES)
            yield lambda name, data: write_file(unfinished / name, data)


@contextmanager
def folder_in_place(target: Path) -> Iterator[Path]:
    """Gives a folder to fill, which is put in its place as a whole at the end.

    Raises:
        ImportExportError: there is something already.
    """
    if is_there(target) and not _is_empty_folder(target):
        raise ImportExportError(f"{target} is there already; name a new or empty folder")
    with _built_beside(target) as unfinished:
        unfinished.mkdir(mode=0o700)
        yield unfinished


@contextmanager
def _built_beside(target: Path) -> Iterator[Path]:
    """Gives a name beside the target; what is there at the end takes the place of the target."""
    target = Path(os.path.realpath(target))
    if Path.cwd().is_relative_to(target):
        raise ImportExportError(f"{target} is the current folder or above it; name another one")
    make_folder(target.parent)
    unfinished = target.with_name(f"{target.name[:50]}.{uuid.uuid4().hex}")
    earlier = unfinished.with_name(f"{unfinished.name}.earlier")
    try:
        yield unfinished
        if target.is_dir():
            target.rename(earlier)
        try:
            unfinished.replace(target)
        except OSError:
            if earlier.exists():
                earlier.rename(target)
            raise
        sync(target.parent)
    finally:
        remove(unfinished)
        if is_there(target):
            shutil.rmtree(earlier, ignore_errors=True)


def _refuse_other_folder(target: Path) -> None:
    if not is_there(target) or _is_empty_folder(target):
        return
    if not is_folder(target) or not _is_export(target):
        raise ImportExportError(
            f"{target} is there already and is no export of a profile; name another folder"
        )
    _refuse_others(target, (path.relative_to(target).as_posix() for path in target.rglob("*")))


def _refuse_other_file(target: Path) -> None:
    if not is_there(target):
        return
    if not is_file(target) or not _is_export(target):
        raise ImportExportError(
            f"{target} is there already and is no export of a profile; name another file"
        )
    with opened_export(target) as source:
        _refuse_others(target, source.names())


def _refuse_others(target: Path, names: Iterable[str]) -> None:
    for name in names:
        if not _is_of_export(name):
            raise ImportExportError(
                f"{target} holds {name!r} beside an export of a profile; name another path"
            )


def _is_empty_folder(path: Path) -> bool:
    return is_folder(path) and not any(path.iterdir())


def _is_export(path: Path) -> bool:
    try:
        with opened_export(path) as source:
            Manifest.of(parsed(source.read(MANIFEST)))
    except (ImportExportError, KeyError):
        return False
    return True


def _is_of_export(name: str) -> bool:
    folder, _, file = name.partition("/")
    if not file:
        return folder in (MANIFEST, PROFILE, "metrics", *FOLDERS)
    return name == SNAPSHOTS or (folder in FOLDERS and file.endswith(".json") and "/" not in file)

"""An export put in its place atomically, as a folder or one file, and read from there."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from burndown.database.sqlite_backup import sidecars_of
from burndown.disk import is_file, is_folder, is_there, make_folder, remove, sync, write_file
from burndown.errors import ImportExportError
from burndown.import_export.archives import Archive, ArchiveWriter, is_archive_name
from burndown.import_export.file_names import fold, is_system_file, match_names
from burndown.import_export.layout import FOLDERS, MANIFEST, PROFILE, QUERIES, SNAPSHOTS, parsed
from burndown.import_export.manifest import Manifest

__all__ = [
    "Source",
    "Write",
    "folder_in_place",
    "manifest_of",
    "new_export",
    "opened_export",
]

Write = Callable[[str, bytes], None]
"""Takes the name of a file below the export, and what is in it."""


class Source(Protocol):
    """The files of an export."""

    @property
    def path(self) -> Path:
        """Where they are, for messages."""

    def names(self) -> list[str]:
        """Return all that may be files of an export, but for those of systems and editors."""

    def read(self, name: str) -> bytes:
        """What is in a file."""


class _Folder:
    """An export in a folder; links are not followed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        found = []
        for path in _children(self.path):
            if fold(path.name) in (MANIFEST, PROFILE):
                found.append(path.name)
            elif fold(path.name) in ("metrics", *FOLDERS):
                if not is_folder(path):
                    raise ImportExportError(f"{path}: Input should be a folder")
                found += (f"{path.name}/{child.name}" for child in _children(path))
        return sorted(name for name in found if not is_system_file(name))

    def read(self, name: str) -> bytes:
        path = self.path / name
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
        yield _Folder(_without_outer_folder(path))
    elif leads_to_file:
        with closing(_archive(path)) as archive:
            yield archive
    else:
        raise ImportExportError(f"{path}: there is no such folder or .zip file")


def _without_outer_folder(path: Path) -> Path:
    """Return the only folder with an export in it that the path holds, if it is none itself.

    Archives that somebody packed have a folder around the export, and unpacking one makes another.
    """
    if _has_manifest(path):
        return path
    inner = [child for child in _children(path) if is_folder(child) and _has_manifest(child)]
    return inner[0] if len(inner) == 1 else path


def _has_manifest(folder: Path) -> bool:
    try:
        return any(fold(child.name) == MANIFEST for child in folder.iterdir())
    except OSError:
        return False


def _children(folder: Path) -> list[Path]:
    with _readable(folder):
        return list(folder.iterdir())


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


def manifest_of(source: Source) -> Manifest:
    """Return what an export tells of itself.

    Raises:
        ImportExportError: it has no manifest, or a damaged one.
    """
    name = match_names([MANIFEST], source.names()).get(MANIFEST)
    if name is None:
        raise ImportExportError("missing, so this is no export of a profile")
    return Manifest.of(parsed(source.read(name)))


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
    if not is_folder(target) or not _has_manifest(target) or not _is_export(target):
        raise ImportExportError(
            f"{target} is there already and is no export of a profile; name another folder"
        )
    _refuse_others(
        target,
        (
            path.relative_to(target).as_posix()
            for path in target.rglob("*")
            if not (is_file(path) and is_system_file(path.name))
        ),
    )


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
    return is_folder(path) and all(
        is_file(child) and is_system_file(child.name) for child in path.iterdir()
    )


def _is_export(path: Path) -> bool:
    try:
        with opened_export(path) as source:
            manifest_of(source)
    except ImportExportError:
        return False
    return True


def _is_of_export(name: str) -> bool:
    name = fold(name)
    folder, _, file = name.partition("/")
    if not file:
        return folder in (MANIFEST, PROFILE, "metrics", *FOLDERS)
    return name == SNAPSHOTS or (folder in FOLDERS and file.endswith(".json") and "/" not in file)

"""The targets of exports: a folder or one file, which appears complete or not at all."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from burndown.errors import ImportExportError
from burndown.files.atomic import write_file
from burndown.files.paths import is_file, is_folder, lexists, make_folder, sync
from burndown.files.working_folder import working_folder
from burndown.import_export.archives import ArchiveWriter, is_archive_name
from burndown.import_export.file_names import fold, is_system_file
from burndown.import_export.layout import QUERIES, is_export_name
from burndown.import_export.sources import has_manifest, is_export, open_source

__all__ = ["WriteFile", "new_export", "new_folder"]

WriteFile = Callable[[str, bytes], None]
"""Takes the name of a file below the export, and its content."""


@contextmanager
def new_export(target: Path) -> Iterator[WriteFile]:
    """Write an export, which is moved to the target at the end.

    It replaces an earlier export, and nothing else.

    Yields:
        The function that writes a file.

    Raises:
        ImportExportError: there is something else at the target.
    """
    if is_archive_name(target):
        _refuse_other_file(target)
        with _replacing(target) as unfinished:
            with closing(ArchiveWriter(unfinished)) as archive:
                yield archive.write
            sync(unfinished)
    else:
        _refuse_other_folder(target)
        with _replacing(target) as unfinished:
            # Without queries, too, so that every export has the same layout.
            make_folder(unfinished / QUERIES)
            yield lambda name, data: write_file(unfinished / name, data)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Fill a folder, which is moved to the target at the end.

    Yields:
        The folder to fill.

    Raises:
        ImportExportError: there is something at the target, other than an empty folder.
    """
    if lexists(target) and not _is_empty_folder(target):
        raise ImportExportError(f"{target} exists already; name a new or empty folder")
    with _replacing(target) as unfinished:
        make_folder(unfinished)
        yield unfinished


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a path to build a file or folder at, which replaces the target at the end."""
    target = Path(os.path.realpath(target))
    if Path.cwd().is_relative_to(target):
        raise ImportExportError(f"{target} is the current folder or above it; name another one")
    make_folder(target.parent)
    with working_folder(target.parent) as folder:
        unfinished = folder / "export"
        yield unfinished
        # A folder cannot be replaced in one step. The earlier one is kept outside the working
        # folder, which the next export deletes if this process is killed between both renames.
        earlier = target.with_name(f"{target.name[:50]}.{uuid.uuid4().hex}.earlier")
        try:
            if target.is_dir():
                target.rename(earlier)
            unfinished.replace(target)
            sync(target.parent)
        finally:
            if lexists(target):
                shutil.rmtree(earlier, ignore_errors=True)
            elif lexists(earlier):  # after an error or a signal between both renames
                earlier.rename(target)


def _refuse_other_folder(target: Path) -> None:
    if not lexists(target) or _is_empty_folder(target):
        return
    # Looked for before it is opened, which would also find an export in a folder below.
    if not is_folder(target) or not has_manifest(target) or not is_export(target):
        raise ImportExportError(
            f"{target} exists already and is no export of a profile; name another folder"
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
    if not lexists(target):
        return
    if not is_file(target) or not is_export(target):
        raise ImportExportError(
            f"{target} exists already and is no export of a profile; name another file"
        )
    with open_source(target) as source:
        _refuse_others(target, source.names())


def _refuse_others(target: Path, names: Iterable[str]) -> None:
    for name in names:
        if not is_export_name(fold(name)):
            raise ImportExportError(
                f"{target} holds {name!r} next to an export of a profile; name another path"
            )


def _is_empty_folder(path: Path) -> bool:
    return is_folder(path) and all(
        is_file(child) and is_system_file(child.name) for child in path.iterdir()
    )

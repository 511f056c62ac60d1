"""The sources of an import: an export in a folder or in one file."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from burndown.database.sqlite_backup import sidecars_of
from burndown.errors import ImportExportError
from burndown.files.paths import is_file, is_folder
from burndown.import_export.archives import Archive
from burndown.import_export.content import decode_content
from burndown.import_export.file_names import fold, is_system_file, match_names
from burndown.import_export.layout import FOLDERS, MANIFEST, PROFILE
from burndown.import_export.manifest import Manifest

__all__ = ["Source", "has_manifest", "is_export", "open_source", "read_manifest_of"]

_DATABASE_HEADER = b"SQLite format 3\0"


class Source(Protocol):
    """The files of an export."""

    @property
    def path(self) -> Path:
        """Return the folder or file, for messages."""

    def names(self) -> list[str]:
        """Return the names of all files that may belong to the export, with slashes.

        Files of the system and of editors are not among them.
        """

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            ImportExportError: it cannot be read.
        """


class _Folder:
    """An export in a folder; links are not followed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        found = []
        for path in _children(self.path):
            if fold(path.name) in (MANIFEST, PROFILE):
                found.append(path.name)
            elif fold(path.name) in FOLDERS:
                if not is_folder(path):
                    raise ImportExportError(f"{path}: Input should be a folder")
                found += (f"{path.name}/{child.name}" for child in _children(path))
        return sorted(name for name in found if not is_system_file(name))

    def read(self, name: str) -> bytes:
        path = self.path / name
        if not is_file(path):
            raise ImportExportError("Input should be a file, and not a link to one")
        try:
            return path.read_bytes()
        except OSError as error:
            raise ImportExportError(f"it cannot be read: {error.strerror}") from None


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open the export at the path, a folder or one file.

    Yields:
        Its files.

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


def read_manifest_of(source: Source) -> Manifest:
    """Return the manifest of an export.

    Raises:
        ImportExportError: it has no manifest, or a damaged one.
    """
    name = match_names([MANIFEST], source.names()).get(MANIFEST)
    if name is None:
        raise ImportExportError("missing, so this is no export of a profile")
    return Manifest.from_content(decode_content(source.read(name)))


def has_manifest(folder: Path) -> bool:
    """Return whether the folder has a file of the manifest's name, in whatever case."""
    try:
        return any(fold(child.name) == MANIFEST for child in folder.iterdir())
    except OSError:
        return False


def is_export(path: Path) -> bool:
    """Return whether there is an export with a valid manifest."""
    try:
        with open_source(path) as source:
            read_manifest_of(source)
    except ImportExportError:
        return False
    return True


def _without_outer_folder(path: Path) -> Path:
    """Return the only folder with an export in it that the path holds, if it is none itself.

    Archives that were packed manually have a folder around the export, and unpacking adds another.
    """
    if has_manifest(path):
        return path
    inner = [child for child in _children(path) if is_folder(child) and has_manifest(child)]
    return inner[0] if len(inner) == 1 else path


def _children(folder: Path) -> list[Path]:
    with _readable(folder):
        return list(folder.iterdir())


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImportExportError(f"{path}: it cannot be read: {error.strerror}") from None


def _has_header_of_database(path: Path) -> bool:
    with _readable(path), path.open("rb") as file:
        return file.read(len(_DATABASE_HEADER)) == _DATABASE_HEADER


def _archive(path: Path) -> Archive:
    # Closing any descriptor of a database releases the locks that this process has on it.
    if sidecars_of(path) or _has_header_of_database(path):
        raise ImportExportError(
            f"{path} is a database, not an export; `burndown migrate --from` reads one of the "
            "published dashboard, and `burndown copy` one of this package"
        )
    try:
        return Archive(path)
    except ImportExportError as error:
        raise ImportExportError(f"{path}: {error}") from None

"""Reading an export: its files, and the records in each."""

import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, NamedTuple

from burndown.conversion import Finding
from burndown.errors import ImportExportError, format_value
from burndown.files.reading import digest
from burndown.import_export.content import decode_content
from burndown.import_export.exported_secrets import ImportedSecrets
from burndown.import_export.file_names import match_names
from burndown.import_export.layout import (
    EXPORTED,
    MANIFEST,
    PROFILE,
    QUERIES,
    Part,
    file_name,
    has_file_per_query,
    part_of,
    records_of,
)
from burndown.import_export.manifest import FileEntry, Manifest
from burndown.import_export.open_export import Content, locating_errors_at
from burndown.import_export.sources import Source, open_source, read_manifest_of
from burndown.models import Profile, Query
from burndown.models.query_data import QueryData
from burndown.persistence import Document

__all__ = ["ExportReader", "read_manifest"]

_SHARED = [file_name(entity) for entity in EXPORTED if not has_file_per_query(entity)]


def read_manifest(import_path: str | Path) -> Manifest:
    """Return the manifest of an export.

    Raises:
        ImportExportError: there is no export, or a file of it is missing.
    """
    with open_source(Path(import_path)) as source:
        return ExportReader(source).manifest


class _File(NamedTuple):
    """A file of an export."""

    name: str
    """The name in the folder or archive."""
    part: Part
    entry: FileEntry | None
    """Its entry in the manifest; ``None`` if it was added after the export."""


class ExportReader:
    """A reader of the files of an export of this package.

    Args:
        source: the folder or archive.
        passphrase: opens the secrets, if they are sealed.

    Raises:
        ImportExportError: a file is missing, or two files hold the same part.

    Attributes:
        manifest: the manifest.
        edited: the files, of those read so far, that were changed after the export.
    """

    profile_place: ClassVar[str] = PROFILE
    queries_place: ClassVar[str] = QUERIES
    converted: ClassVar[tuple[Finding, ...]] = ()
    """Always empty, as is ``skipped``: an export is imported as it is or refused."""
    skipped: ClassVar[tuple[Finding, ...]] = ()

    def __init__(self, source: Source, passphrase: str | None = None) -> None:
        self._source = source
        self.edited: list[str] = []
        with self.locating_errors(MANIFEST):
            self.manifest = read_manifest_of(source)
        self._secrets = ImportedSecrets(self.manifest.sealing, passphrase)
        self._files = list(self._find_files(source.names()))
        self._query_ids = {file.part.query_id for file in self._files if file.part.entity is Query}
        with self.locating_errors(""):
            _refuse_duplicates(self._files)

    @property
    def added(self) -> list[str]:
        """Return the files that were added after the export."""
        return sorted(file.name for file in self._files if file.entry is None)

    @property
    def query_count(self) -> int:
        """Return the number of queries."""
        return len(self._query_ids)

    @property
    def omitted_secrets(self) -> list[str]:
        """Return the file and path of each secret that was omitted."""
        return [*self.manifest.left_out.secrets, *self._secrets.omitted]

    def locating_errors(self, place: str) -> AbstractContextManager[None]:
        """Add the path of this file to errors within the block."""
        return locating_errors_at(self._source.path / place)

    def profile(self) -> Document:
        """Return the profile in its file."""
        [file] = (file for file in self._files if file.part.entity is Profile)
        [profile] = self._records(file)
        return profile

    def contents(self) -> Iterator[Content]:
        """Read all files but that of the profile, owners before what belongs to them."""
        for entity in EXPORTED:
            for file in self._files:
                if file.part.entity is entity and entity is not Profile:
                    with self.locating_errors(file.name):
                        records = self._records(file)
                    yield Content(file.name, entity, records)

    def _records(self, file: _File) -> list[Document]:
        """Return the records in a file, without the id of the profile.

        Raises:
            ImportExportError: it is damaged, or belongs to a query that is not in the export.
        """
        data = self._source.read(file.name)
        content = self._secrets.content(file.part.entity, file.name, decode_content(data))
        records = list(records_of(file.part, content))
        if issubclass(file.part.entity, QueryData):
            owners = {record["query_id"] for record in records}
            for query_id in sorted(owners - self._query_ids):
                raise ImportExportError(f"there is no query {format_value(query_id)}")
        if file.entry is not None and digest(data) != file.entry.sha256:
            self.edited.append(file.name)
        elif file.entry is not None and file.entry.updated_at is not None:
            # Only of a file that was not edited: after an edit, the data are newer than the export.
            records = [{**record, "updated_at": file.entry.updated_at} for record in records]
        return records

    def _find_files(self, found: list[str]) -> Iterator[_File]:
        """Return the files in the manifest, and those that were added.

        Files in the manifest are found even if a disk changed the case or the normalization of
        their names. Added files have names as keyboards enter them, in NFC.
        """
        required = (PROFILE, *self.manifest.files)
        matched = match_names((*required, *_SHARED), found)
        for name in required:
            if name not in matched:
                with self.locating_errors(name):
                    raise ImportExportError("missing; the export was not copied completely")
        listed = [(name, actual, self.manifest.files.get(name)) for name, actual in matched.items()]
        others = sorted(set(found) - set(matched.values()))
        added = [(unicodedata.normalize("NFC", actual), actual, None) for actual in others]
        for name, actual, entry in (*listed, *added):
            with self.locating_errors(actual):
                part = part_of(name, self.manifest.query_ids)
                if part is None and entry is not None:
                    raise ImportExportError("listed in the manifest, but not a file of an export")
            if part is not None:
                yield _File(actual, part, entry)


def _refuse_duplicates(files: list[_File]) -> None:
    """Refuse two files of the same part, such as ``größe.json`` in two normalizations.

    Raises:
        ImportExportError: one of them would be lost.
    """
    names: dict[Part, str] = {}
    for file in files:
        if file.part in names:
            raise ImportExportError(
                f"{names[file.part]!r} and {file.name!r} are of the same query; remove one of them"
            )
        names[file.part] = file.name

"""Read an export: which files it has, and the records in each."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from burndown.copying import NAMES
from burndown.errors import ImportExportError, ValidationError, format_value
from burndown.files.reading import digest
from burndown.import_export.file_names import match_names
from burndown.import_export.folders import Source, manifest_of
from burndown.import_export.layout import (
    MANIFEST,
    PROFILE,
    SNAPSHOTS,
    Place,
    kind_of,
    parsed,
    records_in,
)
from burndown.import_export.manifest import FileEntry
from burndown.models import Profile, Query
from burndown.models.query_data import QueryData
from burndown.persistence import Document

__all__ = ["Export", "ExportFile"]


class ExportFile(NamedTuple):
    """A file of an export."""

    name: str
    """The name as the disk or archive has it."""
    place: Place
    entry: FileEntry | None
    """What the manifest knows of it; ``None`` if it was added after the export."""


class Export:
    """The files of an export.

    Args:
        source: the folder or archive.

    Raises:
        ImportExportError: a file is missing, or one of two would be lost.

    Attributes:
        manifest: what the export tells of itself.
        edited: the files, of those read so far, that are not as they were exported.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.edited: list[str] = []
        with self.reading(MANIFEST):
            self.manifest = manifest_of(source)
        self._files = list(self._find_files(source.names()))
        self._query_ids = {file.place.query_id for file in self._files if file.place.model is Query}
        with self.reading(""):
            _refuse_doubled_files(self._files)

    @property
    def added(self) -> list[str]:
        """The files that were not exported."""
        return sorted(file.name for file in self._files if file.entry is None)

    @property
    def query_count(self) -> int:
        """How many queries there are."""
        return len(self._query_ids)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Errors within name this file."""
        try:
            yield
        except ImportExportError as error:
            raise ImportExportError(f"{self._source.path / name}: {error}") from None
        except ValidationError as error:
            where = f"{self._source.path / name}: {error.subject}"
            raise ValidationError(where, error.problems) from None

    def profile(self) -> Document:
        """Return the profile, as it is in its file."""
        [file] = (file for file in self._files if file.place.model is Profile)
        [profile] = self.records(file)
        return profile

    def files(self) -> Iterator[ExportFile]:
        """Return all files but that of the profile, owners before what belongs to them."""
        for model in NAMES:
            if model is not Profile:
                yield from (file for file in self._files if file.place.model is model)

    def records(self, file: ExportFile) -> list[Document]:
        """Return what is in a file, but for the id of the profile.

        Raises:
            ImportExportError: it is damaged, or belongs to a query that is not there.
        """
        data = self._source.read(file.name)
        records = list(records_in(file.place, parsed(data)))
        if issubclass(file.place.model, QueryData):
            owners = {record["query_id"] for record in records}
            for query_id in sorted(owners - self._query_ids):
                raise ImportExportError(f"there is no query {format_value(query_id)}")
        if file.entry is not None and digest(data) != file.entry.sha256:
            self.edited.append(file.name)
        elif file.entry is not None and file.entry.updated_at is not None:
            records = [{**record, "updated_at": file.entry.updated_at} for record in records]
        return records

    def _find_files(self, found: list[str]) -> Iterator[ExportFile]:
        """Return the files that the manifest lists, and others that were added to them.

        Files of the manifest are found though a disk changed the case or normalization of their
        names. What people add has names as keyboards type them, in NFC.
        """
        expected = (PROFILE, SNAPSHOTS, *self.manifest.files)
        matched = match_names(expected, found)
        for name in expected:
            if name not in matched:
                with self.reading(name):
                    raise ImportExportError("missing; the export was not copied as a whole")
        listed = [(name, actual, self.manifest.files.get(name)) for name, actual in matched.items()]
        others = sorted(set(found) - set(matched.values()))
        added = [(unicodedata.normalize("NFC", actual), actual, None) for actual in others]
        for name, actual, entry in (*listed, *added):
            with self.reading(actual):
                place = kind_of(name, self.manifest.query_ids)
                if place is None and entry is not None:
                    raise ImportExportError("listed in the manifest, but no file of an export")
            if place is not None:
                yield ExportFile(actual, place, entry)


def _refuse_doubled_files(files: list[ExportFile]) -> None:
    """Refuse two files of the same, such as ``größe.json`` in two normalizations.

    Raises:
        ImportExportError: one of both would be lost.
    """
    names: dict[Place, str] = {}
    for file in files:
        if file.place in names:
            raise ImportExportError(
                f"{names[file.place]!r} and {file.name!r} are of the same query; remove one of them"
            )
        names[file.place] = file.name

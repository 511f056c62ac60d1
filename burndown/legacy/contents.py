"""Profiles and queries, as the files of a workspace hold them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from burndown.legacy.layout import QUERY_FILE, QUERY_SIDECAR
from burndown.models import Document

__all__ = ["LegacyProfile", "LegacyQuery"]


@dataclass
class LegacyQuery:
    """A query, and the folder of its files."""

    key: str
    """The id that the old dashboard uses."""
    folder: Path
    document: Document
    has_marker: bool = False
    """True if the file holds the document as this package wrote it."""
    where: ClassVar[str] = ""
    """The place in the file, for reports: none, since the file holds nothing else."""

    @property
    def path(self) -> Path:
        """Return the file that describes the query."""
        return self.folder / QUERY_FILE

    @property
    def sidecar_path(self) -> Path:
        """Return the file with the fields that the others cannot hold."""
        return self.folder / QUERY_SIDECAR


@dataclass
class LegacyProfile:
    """A profile with its queries, which are read when they are needed."""

    key: str
    """The id that the old dashboard uses."""
    folder: Path
    """The folder of its files, which may not exist if only the registry has the profile."""
    path: Path
    """The file that its settings were read from, ``profile.json`` or an older one."""
    document: Document
    read_queries: Callable[[str | None], list[LegacyQuery]] = lambda _: []
    """Reads all its queries, or the one of an id, whose name may be that of another."""
    has_marker: bool = False
    """True if the file holds the document as this package wrote it."""
    where: ClassVar[str] = ""
    """The place in the file, for reports: none, since the file holds nothing else."""

    @cached_property
    def queries(self) -> list[LegacyQuery]:
        """Return the queries, with unique names."""
        return self.read_queries(None)

    def find_query(self, query_id: str) -> LegacyQuery | None:
        """Return a query, or ``None``; the others, which may have its name, need not be read."""
        found = self.queries if "queries" in self.__dict__ else self.read_queries(query_id)
        return next((each for each in found if each.document["id"] == query_id), None)

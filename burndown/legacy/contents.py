"""Profiles and queries, as the files of a workspace hold them."""

from dataclasses import dataclass
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
    """A profile with its queries."""

    key: str
    """The id that the old dashboard uses."""
    folder: Path
    """The folder of its files, which may not exist if only the registry has the profile."""
    path: Path
    """The file that its settings were read from, ``profile.json`` or an older one."""
    document: Document
    queries: list[LegacyQuery]
    has_marker: bool = False
    """True if the file holds the document as this package wrote it."""
    where: ClassVar[str] = ""
    """The place in the file, for reports: none, since the file holds nothing else."""

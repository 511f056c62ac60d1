"""A profile and a query as the files hold them."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burndown.disk import is_folder, is_there
from burndown.legacy.findings import Findings
from burndown.legacy.layout import NOTES, RESPONSES
from burndown.legacy.notes import QueryNotes
from burndown.legacy.query_data import DATA_FILES, read_documents
from burndown.models.query_data import QueryData

__all__ = ["LegacyProfile", "LegacyQuery", "QueryFile"]


@dataclass(frozen=True)
class QueryFile:
    """What a large file of a query holds, with what stands beside it."""

    path: Path
    """The file."""
    model: type[QueryData]
    """What its entries are."""
    irreplaceable: bool
    """Whether it exists only here; the rest can be fetched from Jira again."""
    documents: list[dict[str, Any]]
    """Its entries, without the ids of profile and query."""

    @property
    def key(self) -> list[str]:
        """What tells its entries apart."""
        return [
            column.name
            for column in self.model.__table__.primary_key
            if column.name not in ("profile_id", "query_id")
        ]


@dataclass
class LegacyQuery:
    """A query, and the folder in which its files lie."""

    key: str
    """Its id as the dashboard knows it."""
    folder: Path
    document: dict[str, Any]
    is_exact: bool = False
    """Whether the document stands in the file as this package wrote it."""

    @property
    def path(self) -> Path:
        """The file that describes the query."""
        return self.folder / "query.json"

    @property
    def notes_path(self) -> Path:
        """The file with what the others cannot say."""
        return self.folder / NOTES

    def read_files(
        self, findings: Findings, models: Container[type[QueryData]] = DATA_FILES
    ) -> Iterator[QueryFile]:
        """Read the large files, one after the other.

        One that cannot be read is skipped if Jira can be asked again, and else a problem.

        Args:
            findings: takes what was converted, skipped, or cannot be read.
            models: which of them; all if not given.
        """
        notes = QueryNotes.read(self.notes_path, findings)
        jql = str(self.document["jql"])
        for model, file in DATA_FILES.items():
            path = self.folder / file.name
            if model in models and (is_there(path) or is_folder(self.folder / RESPONSES)):
                documents = read_documents(self.folder, model, jql, notes, findings)
                if documents or is_there(path):
                    yield QueryFile(path, model, file.irreplaceable, documents)


@dataclass
class LegacyProfile:
    """A profile with its queries."""

    key: str
    """Its id as the dashboard knows it."""
    folder: Path
    """Where it lies, or will lie if only the registry tells of it."""
    path: Path
    """Its ``profile.json``, or what stands for it."""
    document: dict[str, Any]
    queries: list[LegacyQuery]
    is_exact: bool = False
    """Whether the document stands in the file as this package wrote it."""

"""The content of an old store, as the reader of any old format returns it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from burndown.models import Document, QueryData

__all__ = ["Source", "SourceData", "SourceProfile", "SourceStore"]


class Source(Protocol):
    """A profile or query of an old store."""

    document: Document
    """Complete for the model, without the id of the profile if it is a query."""

    @property
    def path(self) -> Path:
        """Return the file it was read from."""

    @property
    def where(self) -> str:
        """Return its place in the file, such as ``queries p_1/q_2: ``; empty if it is the file."""

    @property
    def has_marker(self) -> bool:
        """Return whether this package wrote the file."""


QueryT = TypeVar("QueryT", bound=Source)
QueryT_co = TypeVar("QueryT_co", bound=Source, covariant=True)


class SourceProfile(Source, Protocol[QueryT_co]):
    """A profile of an old store, with its queries."""

    @property
    def queries(self) -> Sequence[QueryT_co]:
        """Return its queries."""


@dataclass(frozen=True)
class SourceData:
    """The documents of one entity that belong to a query."""

    path: Path
    """The file they were read from."""
    model: type[QueryData]
    """The entity type of the documents."""
    documents: list[Document]
    """Without the ids of profile and query."""
    where: str = ""
    """Their place in the file; empty if they are the file."""


class SourceStore(Protocol[QueryT]):
    """An old store that was opened for reading."""

    @property
    def path(self) -> Path:
        """Return the file with the app state, for reports."""

    @property
    def profiles(self) -> Sequence[SourceProfile[QueryT]]:
        """Return the profiles with their queries; their names and ids are valid and unique."""

    @property
    def app_state(self) -> Mapping[str, str]:
        """Return the app state to keep."""

    @property
    def tasks(self) -> Mapping[str, Document]:
        """Return the progress of tasks to keep, by name."""

    def data(self, query: QueryT) -> Iterator[SourceData]:
        """Read the data of a query, one entity after the other: some do not fit in memory together.

        What cannot be read is reported.
        """

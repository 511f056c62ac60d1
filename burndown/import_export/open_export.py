"""An export of any format that is open for reading, as an import needs it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol

from burndown.conversion import Finding
from burndown.errors import ImportExportError, ValidationError
from burndown.models import Entity
from burndown.persistence import Document

__all__ = ["Content", "OpenExport", "locating_errors_at"]


class Content(NamedTuple):
    """Records of one entity, and their place in the export."""

    place: str
    """A file of the export, or a path in its only file."""
    entity: type[Entity]
    records: list[Document]
    """Without the id of the profile."""


class OpenExport(Protocol):
    """An export of one profile that is open for reading."""

    @property
    def profile_place(self) -> str:
        """Return the place of the profile."""

    @property
    def queries_place(self) -> str:
        """Return the place of the queries."""

    @property
    def query_count(self) -> int:
        """Return the number of queries."""

    @property
    def edited(self) -> Sequence[str]:
        """Return the files, of those read so far, that were changed after the export."""

    @property
    def added(self) -> Sequence[str]:
        """Return the files that were added after the export."""

    @property
    def omitted_secrets(self) -> Sequence[str]:
        """Return the place and path of each secret that the export omits."""

    @property
    def converted(self) -> Sequence[Finding]:
        """Return what, of all that was read so far, is taken in another form."""

    @property
    def skipped(self) -> Sequence[Finding]:
        """Return what, of all that was read so far, is not taken."""

    def profile(self) -> Document:
        """Return the profile.

        Raises:
            ImportExportError: it is damaged.
        """

    def contents(self) -> Iterator[Content]:
        """Read everything but the profile, owners before what belongs to them.

        Raises:
            ImportExportError: a file is damaged; the error names it.
        """

    def locating_errors(self, place: str) -> AbstractContextManager[None]:
        """Add the path of this place to errors within the block."""


@contextmanager
def locating_errors_at(place: object) -> Iterator[None]:
    """Add a place to errors within the block."""
    try:
        yield
    except ImportExportError as error:
        raise ImportExportError(f"{place}: {error}") from None
    except ValidationError as error:
        raise ValidationError(f"{place}: {error.subject}", error.problems) from None

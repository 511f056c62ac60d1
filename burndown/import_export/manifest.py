"""The file of an export that says what is in the others."""

from typing import Any, Final, Literal

import pydantic
from pydantic import BaseModel, ConfigDict

from burndown.errors import ImportExportError, ValidationError
from burndown.import_export.layout import MANIFEST
from burndown.models.values import UtcDatetime

__all__ = ["FileEntry", "Manifest"]

FORMAT: Final = "burndown export"
FORMAT_VERSION: Final = 1


class _Part(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class FileEntry(_Part):
    """What is known of a file."""

    sha256: str
    size: int
    """Bytes."""
    updated_at: UtcDatetime | None = None
    """When project data was last saved."""


class LeftOut(_Part):
    """What of the profile is not in the export."""

    kinds: list[str] = []
    """Whole kinds of records, such as cached responses."""
    secrets: list[str] = []
    """File and path of each secret."""


class Manifest(_Part):
    """``manifest.json``."""

    format: Literal["burndown export"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    exported_at: UtcDatetime
    profile_id: str
    profile_name: str
    counts: dict[str, int]
    """How many queries, metrics snapshots, … there are."""
    left_out: LeftOut
    files: dict[str, FileEntry]
    """By name below the folder; this one is not among them."""

    @classmethod
    def of(cls, content: Any) -> "Manifest":
        """The manifest that a file holds.

        Raises:
            ImportExportError: it is none, or one of a version that is not known here.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ImportExportError("no export of a profile")
        version = content.get("format_version")
        if version != FORMAT_VERSION or isinstance(version, bool):
            raise ImportExportError(
                f"no export that this version can read: it has the format version {version!r}, "
                f"and {FORMAT_VERSION} was expected; a newer burndown may read it"
            )
        try:
            return cls.model_validate(content)
        except pydantic.ValidationError as error:
            problems = ValidationError.from_pydantic(MANIFEST, error).problems
            raise ImportExportError("; ".join(map(str, problems))) from None

    def to_content(self) -> dict[str, Any]:
        """What the file holds."""
        return self.model_dump(mode="json", exclude_none=True)

"""The file of an export that says what is in the others."""

from typing import Any, Final, Literal

import pydantic
from pydantic import BaseModel, ConfigDict

from burndown.errors import ImportExportError, ValidationError, format_value
from burndown.import_export.layout import MANIFEST
from burndown.models.values import Identifier, UtcDatetime

__all__ = ["FileEntry", "Manifest"]

FORMAT: Final = "burndown export"
FORMAT_VERSION: Final = 2
"""In version 1 the files of a query have its id as their name, whatever it is."""
_KNOWN_VERSIONS: Final = (1, FORMAT_VERSION)


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
    format_version: Literal[1, 2] = FORMAT_VERSION
    exported_at: UtcDatetime
    profile_id: str
    profile_name: str
    counts: dict[str, int]
    """How many queries, metrics snapshots, … there are."""
    left_out: LeftOut
    query_ids: dict[str, Identifier] = {}
    """By the name of a query's files, without ``.json``: its id, where that is another."""
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
        if type(version) is not int or version not in _KNOWN_VERSIONS:
            raise ImportExportError(
                "no export that this release can read: format_version: Input should be "
                f"{' or '.join(map(str, _KNOWN_VERSIONS))}, got {format_value(version)}; "
                "a newer release may read it"
            )
        try:
            return cls.model_validate(content)
        except pydantic.ValidationError as error:
            problems = ValidationError.from_pydantic(MANIFEST, error).problems
            raise ImportExportError("; ".join(map(str, problems))) from None

    def to_content(self) -> dict[str, Any]:
        """What the file holds."""
        return self.model_dump(mode="json", exclude_none=True)

"""The file of an export that describes the others."""

from typing import Any, Final, Literal

import pydantic
from pydantic import Base64Bytes, BaseModel, ConfigDict

from burndown.errors import ImportExportError, ValidationError, format_value
from burndown.import_export.layout import MANIFEST
from burndown.models.field_types import Identifier
from burndown.models.time_types import UtcDatetime

__all__ = ["FileEntry", "Manifest", "Sealing"]

FORMAT: Final = "burndown export"
FORMAT_VERSION: Final = 3
"""In version 1 the files of a query were named by its id, even if some disks cannot hold that.
Version 2 does not contain when changelogs were saved, and no forecasts by metric."""
_KNOWN_VERSIONS: Final = (1, 2, FORMAT_VERSION)


class _Section(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class FileEntry(_Section):
    """The entry of a file in the manifest."""

    sha256: str
    size: int
    """In bytes."""
    updated_at: UtcDatetime | None = None
    """When the data was last saved, for a file that cannot contain it."""


class Omissions(_Section):
    """Everything that the export does not contain."""

    kinds: list[str] = []
    """Entities that were omitted, such as ``cached responses``."""
    secrets: list[str] = []
    """The file and path of each omitted secret."""


class Sealing(_Section):
    """The way in which the secrets of an export are sealed."""

    key: Literal["scrypt"] = "scrypt"
    """The function that makes the key of the passphrase."""
    salt: Base64Bytes
    """Its salt."""


class Manifest(_Section):
    """``manifest.json``."""

    format: Literal["burndown export"] = FORMAT
    format_version: Literal[1, 2, 3] = FORMAT_VERSION
    exported_at: UtcDatetime
    profile_id: str
    profile_name: str
    counts: dict[str, int]
    """The number of queries, metrics snapshots, …"""
    left_out: Omissions
    sealing: Sealing | None = None
    """Absent if secrets are omitted, or in plain text."""
    query_ids: dict[str, Identifier] = {}
    """The id of each query whose files are named otherwise, by their name without ``.json``."""
    files: dict[str, FileEntry]
    """All files but this one, by name below the folder."""

    @classmethod
    def from_content(cls, content: Any) -> "Manifest":
        """Return the manifest with this content.

        Raises:
            ImportExportError: it is not a manifest, or of a version that this release cannot read.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ImportExportError("no export of a profile")
        # Checked before the rest: a newer format may have anything else, too.
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
        """Return the content of the file, as JSON values."""
        return self.model_dump(mode="json", exclude_none=True)

"""The content of an exchange file, whatever its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from burndown.conversion import describe, is_timestamp, json_type
from burndown.errors import ImportExportError
from burndown.files.paths import modified_at
from burndown.models import JiraCache, JiraChangelog, MetricsSnapshot, ProjectData, QueryData
from burndown.models.timestamps import to_utc

__all__ = [
    "METADATA",
    "OLD_PARTS",
    "ONLY_QUERY",
    "ExchangeContent",
    "ExchangeQuery",
    "object_of",
]

METADATA = "query_metadata"
"""The part of a query that describes the query itself."""
OLD_PARTS: dict[str, type[QueryData]] = {
    "jira_cache": JiraCache,
    "jira_changelog_cache": JiraChangelog,
    "project_data": ProjectData,
    "metrics_snapshots": MetricsSnapshot,
}
"""The parts that can be data files of the old dashboard."""
ONLY_QUERY = "main"
"""The id of a query that has none in the file, as the old dashboard called the only query."""


@dataclass(frozen=True)
class ExchangeQuery:
    """A query in an exchange file."""

    key: str
    """Its id in the file."""
    place: str
    """Its place in the file."""
    parts: Mapping[str, Any]
    """Its parts by name, each a JSON value of any type."""
    files: Mapping[str, str] | None = None
    """The file of each part, if they are files."""

    def place_of(self, part: str) -> str:
        """Return the place of a part."""
        return f"{self.place}.{part}" if self.files is None else self.files.get(part, self.place)


@dataclass(frozen=True)
class ExchangeContent:
    """The content of an exchange file, not yet converted.

    Raises:
        ImportExportError: its manifest is that of a newer release of the dashboard.
    """

    path: Path
    manifest: Mapping[str, Any]
    manifest_place: str
    profile: Mapping[str, Any]
    profile_place: str
    queries: list[ExchangeQuery]
    queries_place: str
    budget: Mapping[str, Any] | None = None
    """The budget of the profile, if that has one in place of its queries."""

    def __post_init__(self) -> None:
        version = self.manifest.get("version")
        major = version.partition(".")[0] if isinstance(version, str) else version
        if major not in ("1", "2", 1, 2):
            raise ImportExportError(
                f"{self.path}: {self.manifest_place}: version: input should be 1.x or 2.x, got "
                f"{describe(version)}; a newer release may read it"
            )

    @property
    def profile_key(self) -> str | None:
        """Return the id of the profile in the file; ``None`` without one."""
        profiles = self.manifest.get("profiles")
        known = (self.profile.get("id"), *(profiles if isinstance(profiles, list) else ()))
        return next((each for each in known if isinstance(each, str)), None)

    @property
    def written_at(self) -> datetime:
        """Return when it was written, as its manifest says, or else its file."""
        created_at = self.manifest.get("created_at")
        return to_utc(created_at) if is_timestamp(created_at) else modified_at(self.path)


def object_of(value: Any) -> dict[str, Any]:
    """Return the value, which has to be an object.

    Raises:
        ImportExportError: it is not.
    """
    if not isinstance(value, dict):
        raise ImportExportError(f"input should be an object, got {json_type(value)}")
    return value

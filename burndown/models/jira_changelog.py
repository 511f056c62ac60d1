"""The cached changelog of one issue."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import Flag, OrderedText, UtcTimestamp
from burndown.models.completeness import changelog_counts, find_page
from burndown.models.documents import Document
from burndown.models.entity import add_index
from burndown.models.field_types import JsonObject, Key
from burndown.models.json_columns import CompressedJson
from burndown.models.query import of_query
from burndown.models.query_data import QueryData
from burndown.models.time_types import UtcDatetime

__all__ = [
    "FoundChangelog",
    "JiraChangelog",
    "JiraChangelogDocument",
    "JiraChangelogEntry",
]


class JiraChangelog(QueryData, table=True):
    """The cached changelog of one issue, with its expiry."""

    __tablename__: ClassVar[str] = "jira_changelog_cache"
    __table_args__ = of_query()
    LABEL: ClassVar[str] = "changelogs"
    EXPORT_FILE: ClassVar[str | None] = "changelogs/{query}.json"
    LEGACY_FILE: ClassVar[str | None] = "jira_changelog_cache.json"
    IRREPLACEABLE: ClassVar[bool] = False
    CONTENT_FIELD: ClassVar[str] = "changelog"

    issue_key: Key = Field(primary_key=True, sa_type=OrderedText)
    """Key of the issue, such as ``KAFKA-19853``."""
    expires_at: UtcDatetime | None = Field(default=None, sa_type=UtcTimestamp)
    """The expiry, UTC; ``None`` for never."""
    created_at: UtcDatetime | None = Field(default=None, sa_type=UtcTimestamp)
    """When the changelog was saved, UTC; ``None`` for one that a release before schema version 1.5
    has saved."""
    is_complete: bool | None = Field(default=None, sa_type=Flag)
    """Whether it holds all histories of the issue; taken from the changelog, ``None`` if that does
    not say or contradicts itself."""
    changelog: JsonObject = Field(repr=False, sa_type=CompressedJson)
    """The changelog, exactly as it was given: the issue with its ``changelog``, a page of it, or a
    response to a bulk fetch."""

    @classmethod
    def derived(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the completeness of the changelog."""
        return changelog_counts(document.get("changelog"))

    @property
    def histories(self) -> list[Any]:
        """Return the histories, in the order of the server; empty if there is no list of them."""
        found = find_page(self.changelog)
        return [] if found is None else found.histories


class JiraChangelogDocument(TypedDict):
    """All fields of a cached changelog."""

    profile_id: str
    query_id: str
    issue_key: str
    expires_at: str | None
    created_at: str | None
    is_complete: bool | None
    changelog: Document


class FoundChangelog(TypedDict):
    """A cached changelog that was looked up, with its age."""

    changelog: Document
    created_at: str | None
    expires_at: str | None
    age: float | None
    state: Literal["fresh", "stale"]
    is_complete: bool | None


class JiraChangelogEntry(TypedDict):
    """A cached changelog in a list, without its content."""

    issue_key: str
    expires_at: str | None
    expired: bool
    is_complete: bool | None


# For the cleanup of expired changelogs.
add_index(JiraChangelog, "ix_jira_changelog_cache_expires_at", "expires_at")

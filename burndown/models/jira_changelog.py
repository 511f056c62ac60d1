"""The cached changelog of one issue."""

from collections.abc import Mapping, Set
from typing import Any, ClassVar, NamedTuple

from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import Flag, OrderedText, UtcTimestamp
from burndown.models.completeness import count_distinct, is_complete
from burndown.models.documents import Document
from burndown.models.entity import add_index
from burndown.models.field_types import JsonObject, Key
from burndown.models.json_columns import CompressedJson
from burndown.models.query_data import QueryData, of_query
from burndown.models.time_types import UtcDatetime

__all__ = ["JiraChangelog", "JiraChangelogDocument", "JiraChangelogEntry", "changelog_counts"]


_HISTORY_KEYS = ("histories", "values", "changeHistories")


class JiraChangelog(QueryData, table=True):
    """The cached changelog of one issue, with its expiry."""

    __tablename__: ClassVar[str] = "jira_changelog_cache"
    __table_args__ = of_query()
    LABEL: ClassVar[str] = "changelogs"
    EXPORT_FILE: ClassVar[str | None] = "changelogs/{query}.json"
    LEGACY_FILE: ClassVar[str | None] = "jira_changelog_cache.json"
    IRREPLACEABLE: ClassVar[bool] = False

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
        found = _find_page(self.changelog)
        return [] if found is None else found.histories


def changelog_counts(changelog: Any) -> dict[str, Any]:
    """Return ``is_complete`` of a changelog: whether it holds all histories of the issue.

    It is ``None`` if the changelog does not say so, contradicts itself, or has no list of them.
    """
    found = _find_page(changelog)
    if found is None:
        return {"is_complete": None}
    return {"is_complete": is_complete(found.page, count_distinct(found.histories))}


class _Page(NamedTuple):
    page: Mapping[str, Any]
    """The object that states whether there are further histories."""
    histories: list[Any]


def _find_page(value: Any, issue_ids: Set[str] = frozenset()) -> _Page | None:
    """Return the page of histories in what Jira or the old dashboard gave, or ``None``.

    ``GET issue/{key}?expand=changelog`` has ``histories`` below ``changelog``, and ``GET
    issue/{key}/changelog`` has ``values``. A bulk fetch has ``changeHistories``, for each issue in
    ``issueChangeLogs``. All of them are read at the top and below ``changelog``.
    """
    if isinstance(value, list):
        return _Page({}, value)
    if not isinstance(value, dict):
        return None
    issue_ids = {*issue_ids, str(value.get("id"))}
    if (below := _find_page(value.get("changelog"), issue_ids)) is not None:
        return below
    found = [value[key] for key in _HISTORY_KEYS if isinstance(value.get(key), list)]
    if found:
        return _Page(value, next(filter(None, found), []))  # one can be an empty placeholder
    return _find_in_bulk(value, issue_ids)


def _find_in_bulk(value: dict[str, Any], issue_ids: Set[str]) -> _Page | None:
    """Return the histories of one issue in a bulk fetch, whose pages each hold a part of them."""
    entries = value.get("issueChangeLogs")
    parts = [
        (entry.get("issueId"), entry["changeHistories"])
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("changeHistories"), list)
    ]
    if any(issue_id != parts[0][0] for issue_id, _ in parts):
        parts = [part for part in parts if str(part[0]) in issue_ids]
    return _Page(value, [each for _, part in parts for each in part]) if parts else None


class JiraChangelogDocument(TypedDict):
    """All fields of a cached changelog."""

    profile_id: str
    query_id: str
    issue_key: str
    expires_at: str | None
    created_at: str | None
    is_complete: bool | None
    changelog: Document


class JiraChangelogEntry(TypedDict):
    """A cached changelog in a list, without its content."""

    issue_key: str
    expires_at: str | None
    expired: bool
    is_complete: bool | None


# For the cleanup of expired changelogs.
add_index(JiraChangelog, "ix_jira_changelog_cache_expires_at", "expires_at")

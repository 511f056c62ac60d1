"""The history of one issue, kept for a while."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlmodel import Field

from burndown.models.base import add_index
from burndown.models.columns import CompressedJson, OrderedText, UtcTimestamp
from burndown.models.compression import CompressibleObject
from burndown.models.query_data import QueryData, of_query
from burndown.models.values import Key, UtcDatetime

__all__ = ["JiraChangelog", "changelog_counts"]


def changelog_counts(changelog: Any) -> dict[str, Any]:
    """Return ``is_complete`` of a changelog: whether it has as many histories as its ``total``.

    ``None`` if the payload does not say.
    """
    payload = changelog if isinstance(changelog, dict) else {}
    page = payload.get("changelog", payload)
    histories = page.get("histories") if isinstance(page, dict) else None
    total = page.get("total") if isinstance(page, dict) else None
    is_complete = None
    if isinstance(histories, list) and type(total) is int:
        is_complete = not page.get("startAt") and len(histories) >= total
    return {"is_complete": is_complete}


class JiraChangelog(QueryData, table=True):
    """What Jira told of the history of one issue."""

    __tablename__: ClassVar[str] = "jira_changelog_cache"
    __table_args__ = of_query()

    issue_key: Key = Field(primary_key=True, sa_type=OrderedText)
    """Key of the issue, such as ``KAFKA-19853``."""
    expires_at: UtcDatetime | None = Field(default=None, sa_type=UtcTimestamp)
    """The moment from which on it is no longer given out, UTC; ``None`` for never."""
    is_complete: bool | None = Field(default=None)
    """Whether the history is complete; taken from the payload, ``None`` if it does not say."""
    changelog: CompressibleObject = Field(repr=False, sa_type=CompressedJson)
    """The history, exactly as it was given: normally ``key``, ``fields`` and ``changelog``."""

    @classmethod
    def _prepared(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {**super()._prepared(data), **changelog_counts(data.get("changelog"))}

    @classmethod
    def _fields_of(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        return {**document, **changelog_counts(document.get("changelog"))}

    @property
    def histories(self) -> list[Any]:
        """The changes, in the order of the server; empty if there is no list of them."""
        changelog = self.changelog.get("changelog", self.changelog)
        histories = changelog.get("histories") if isinstance(changelog, dict) else None
        return histories if isinstance(histories, list) else []


add_index(JiraChangelog, "ix_jira_changelog_cache_expires_at", "expires_at")

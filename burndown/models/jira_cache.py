"""An answer of Jira, kept for a while."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from sqlmodel import Field

from burndown.models.base import add_index
from burndown.models.columns import CompressedJson, Flag, OrderedText, UtcTimestamp
from burndown.models.compression import CompressibleObject
from burndown.models.json_codec import encode
from burndown.models.query_data import QueryData, of_query
from burndown.models.values import Key, UtcDatetime, utc_now

__all__ = ["JiraCache", "counted", "jira_cache_key"]


def jira_cache_key(jql: str, fields: str | Iterable[str] = ()) -> str:
    """The key of the answer to a JQL and the fields asked for.

    Args:
        jql: the search as it is sent.
        fields: names of fields, as a list or joined by commas; order and doubles do not matter.

    Returns:
        64 hexadecimal digits: the SHA-256 of ``{"fields":[sorted names],"jql":"..."}``.
    """
    names = fields.split(",") if isinstance(fields, str) else fields
    wanted = sorted({name.strip() for name in names} - {""})
    return hashlib.sha256(encode({"fields": wanted, "jql": jql})).hexdigest()


def counted(response: Any) -> dict[str, Any]:
    """``issue_count`` and ``is_complete`` of an answer.

    Jira Server says how many issues there are (``total``, in the old dashboard's files
    ``total_issues``), Jira Cloud whether a page is the last (``isLast``).
    """
    answer = response if isinstance(response, dict) else {}
    issues = answer.get("issues")
    count = len(issues) if isinstance(issues, list) else 0
    is_complete = None
    if isinstance(answer.get("isLast"), bool):
        is_complete = answer["isLast"]
    elif answer.get("nextPageToken"):
        is_complete = False
    else:
        total = answer.get("total", answer.get("total_issues"))
        if type(total) is int:
            is_complete = not answer.get("startAt") and count >= total
    return {"issue_count": count, "is_complete": is_complete}


class JiraCache(QueryData, table=True):
    """One answer of Jira to a query, whole, with the moment at which it expires."""

    __tablename__: ClassVar[str] = "jira_cache"
    __table_args__ = of_query()

    cache_key: Key = Field(primary_key=True, sa_type=OrderedText)
    """What was asked, such as :func:`jira_cache_key` gives it."""
    expires_at: UtcDatetime = Field(sa_type=UtcTimestamp)
    """The moment from which on it is no longer given out, UTC."""
    created_at: UtcDatetime = Field(default_factory=utc_now, sa_type=UtcTimestamp)
    """When Jira gave the answer, UTC."""
    issue_count: int | None = Field(default=None, ge=0)
    """How many issues are in the answer; taken from it, whatever is given here."""
    is_complete: bool | None = Field(default=None, sa_type=Flag)
    """Whether there are no further pages; taken from the answer, ``None`` if it does not say."""
    response: CompressibleObject = Field(repr=False, sa_type=CompressedJson)
    """The answer, exactly as it was given; normally with ``issues`` and ``total``."""

    @classmethod
    def _prepared(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {**super()._prepared(data), **counted(data.get("response"))}

    @classmethod
    def _fields_of(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        return {**document, **counted(document.get("response"))}

    @property
    def issues(self) -> list[Any]:
        """The issues in the answer; empty if there is no list of them."""
        issues = self.response.get("issues")
        return issues if isinstance(issues, list) else []


add_index(JiraCache, "ix_jira_cache_expires_at", "expires_at")
add_index(
    JiraCache,
    "ix_jira_cache_list",
    "profile_id",
    "query_id",
    "-created_at",
    "cache_key",
    "expires_at",
    "issue_count",
    "is_complete",
)

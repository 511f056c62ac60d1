"""A cached response of Jira."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import Flag, OrderedText, UtcTimestamp
from burndown.models.completeness import response_counts
from burndown.models.digests import CONTENT_DIGEST, DIGEST
from burndown.models.documents import Document
from burndown.models.entity import add_index
from burndown.models.field_types import JsonObject, Key
from burndown.models.json_codec import encode
from burndown.models.json_columns import CompressedJson
from burndown.models.query import of_query
from burndown.models.query_data import QueryData
from burndown.models.time_types import UtcDatetime
from burndown.models.timestamps import utc_now

__all__ = [
    "FoundResponse",
    "JiraCache",
    "JiraCacheDocument",
    "JiraCacheEntry",
    "QueryStatus",
    "jira_cache_key",
]


def jira_cache_key(jql: str, fields: str | Iterable[str] = (), base_url: str = "") -> str:
    """Return the cache key of the response to a JQL and the requested fields.

    Args:
        jql: the search as it is sent.
        fields: names of fields, as a list or joined by commas; order and duplicates do not matter.
        base_url: the address of Jira, as in ``jira_config``, so that after a change of address no
            response of the old one is found. Upper case of its scheme and host, and slashes at its
            end do not matter.

    Returns:
        64 hexadecimal digits: the SHA-256 of ``{"fields":[sorted names],"jql":"..."}``, which
        begins with ``"base_url":"...",`` if there is one.
    """
    names = fields.split(",") if isinstance(fields, str) else fields
    wanted = sorted({name.strip() for name in names} - {""})
    address = {"base_url": _normalized(base_url)} if base_url else {}
    return hashlib.sha256(encode({**address, "fields": wanted, "jql": jql})).hexdigest()


def _normalized(url: str) -> str:
    scheme, separator, rest = url.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path}"


class JiraCache(QueryData, table=True):
    """A cached response of Jira to a query, with its expiry."""

    __tablename__: ClassVar[str] = "jira_cache"
    __table_args__ = of_query()
    LABEL: ClassVar[str] = "cached responses"
    EXPORT_FILE: ClassVar[str | None] = "cache/{query}.json"
    LEGACY_FILE: ClassVar[str | None] = "jira_cache.json"
    IRREPLACEABLE: ClassVar[bool] = False
    CONTENT_FIELD: ClassVar[str] = "response"

    cache_key: Key = Field(primary_key=True, sa_type=OrderedText)
    """The cache key, such as :func:`jira_cache_key` makes it."""
    expires_at: UtcDatetime = Field(sa_type=UtcTimestamp)
    """The expiry, UTC."""
    created_at: UtcDatetime = Field(default_factory=utc_now, sa_type=UtcTimestamp)
    """When the response was saved, UTC."""
    issue_count: int | None = Field(default=None, ge=0)
    """The number of distinct issues in the response; counted, whatever is given."""
    is_complete: bool | None = Field(default=None, sa_type=Flag)
    """Whether it holds all issues, as the response states; ``None`` if it does not state it, or
    contradicts itself."""
    response: JsonObject = Field(repr=False, sa_type=CompressedJson)
    """The response, exactly as it was given; normally with ``issues`` and ``total``."""

    @classmethod
    def derived(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the count of issues and the completeness of the response."""
        return response_counts(document.get("response"))

    @property
    def issues(self) -> list[Any]:
        """Return the issues in the response; empty if there is no list of them."""
        issues = self.response.get("issues")
        return issues if isinstance(issues, list) else []


class JiraCacheDocument(TypedDict):
    """All fields of a cached response."""

    profile_id: str
    query_id: str
    cache_key: str
    expires_at: str
    created_at: str
    issue_count: int | None
    is_complete: bool | None
    response: Document


class FoundResponse(TypedDict):
    """A cached response that was looked up, with its age."""

    response: Document
    created_at: str
    expires_at: str
    age: float
    state: Literal["fresh", "stale"]
    issue_count: int
    is_complete: bool | None


class QueryStatus(TypedDict):
    """The newest cached response of a query, without its content."""

    query_id: str
    name: str
    has_data: bool
    created_at: str | None
    expires_at: str | None
    state: Literal["fresh", "stale"] | None
    issue_count: int | None
    is_complete: bool | None


class JiraCacheEntry(TypedDict):
    """A cached response in a list, without its content."""

    cache_key: str
    created_at: str
    expires_at: str
    expired: bool
    issue_count: int
    is_complete: bool | None


# For the cleanup of expired responses.
add_index(JiraCache, "ix_jira_cache_expires_at", "expires_at")
# It covers what a list returns, so that lists do not read the responses, which can be megabytes.
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
    CONTENT_DIGEST,
    DIGEST,
)

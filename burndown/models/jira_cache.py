"""An answer of Jira, kept for a while."""

import hashlib
from collections.abc import Iterable
from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import Field

from burndown.models.columns import CompressedJson, OrderedText, UtcTimestamp
from burndown.models.json_codec import encode
from burndown.models.query_data import QueryData, of_query
from burndown.models.values import JsonObject, Key, UtcDatetime, utc_now

__all__ = ["JiraCache", "jira_cache_key"]


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


class JiraCache(QueryData, table=True):
    """One answer of Jira to a query, whole, with the moment at which it expires."""

    __tablename__: ClassVar[str] = "jira_cache"
    __table_args__ = of_query(Index("ix_jira_cache_expires_at", "expires_at"))

    cache_key: Key = Field(primary_key=True, sa_type=OrderedText)
    """What was asked, such as :func:`jira_cache_key` gives it."""
    expires_at: UtcDatetime = Field(sa_type=UtcTimestamp)
    """The moment from which on it is no longer given out, UTC."""
    created_at: UtcDatetime = Field(default_factory=utc_now, sa_type=UtcTimestamp)
    """When Jira gave the answer, UTC."""
    response: JsonObject = Field(repr=False, sa_type=CompressedJson)
    """The answer, exactly as it was given; normally with ``issues`` and ``total``."""

    @property
    def issues(self) -> list[Any]:
        """The issues in the answer; empty if there is no list of them."""
        issues = self.response.get("issues")
        return issues if isinstance(issues, list) else []

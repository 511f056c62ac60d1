"""What everything that hangs on a query has in common."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field

from burndown.models.base import Entity
from burndown.models.columns import OrderedText
from burndown.models.values import Identifier

__all__ = ["QueryData", "of_query"]


def of_query(*others: Any) -> tuple[Any, ...]:
    """The table arguments of data that goes with its query when that is deleted."""
    query = ForeignKeyConstraint(
        ["profile_id", "query_id"], ["queries.profile_id", "queries.id"], ondelete="CASCADE"
    )
    return (query, *others)


class QueryData(Entity):
    """Something that belongs to a query."""

    profile_id: Identifier = Field(primary_key=True, sa_type=OrderedText)
    """The profile of the query."""
    query_id: Identifier = Field(primary_key=True, sa_type=OrderedText)
    """The query it belongs to."""

    @classmethod
    def _prepared(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {**super()._prepared(data), **cls.derived(data)}

    @classmethod
    def _fields_of(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        return {**document, **cls.derived(document)}

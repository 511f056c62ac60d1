"""The base of entities that belong to a query."""

from typing import Annotated, ClassVar

from sqlmodel import Field

from burndown.models.columns import OrderedText
from burndown.models.docstring_schema import NOT_FOR_PEOPLE
from burndown.models.entity import Entity
from burndown.models.field_types import Identifier

__all__ = ["QueryData"]


class QueryData(Entity):
    """Data that belongs to a query."""

    PROFILE_COLUMN: ClassVar[str | None] = "profile_id"
    QUERY_COLUMN: ClassVar[str | None] = "query_id"
    IRREPLACEABLE: ClassVar[bool] = True
    """Whether the data exist only here; others can be fetched from Jira again."""
    EXPORT_FIELD: ClassVar[str | None] = None
    """The only field that an export contains, if a query has one record at most; the manifest
    contains the ``updated_at`` of the record."""

    CONTENT_FIELD: ClassVar[str] = ""
    """The field with what Jira returned; empty for data that do not expire."""

    profile_id: Annotated[Identifier, NOT_FOR_PEOPLE] = Field(primary_key=True, sa_type=OrderedText)
    """The profile of the query."""
    query_id: Annotated[Identifier, NOT_FOR_PEOPLE] = Field(primary_key=True, sa_type=OrderedText)
    """The query it belongs to."""

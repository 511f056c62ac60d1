"""A query: a named JQL within a profile."""

from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import OrderedText, UtcTimestamp
from burndown.models.docstring_schema import NOT_FOR_PEOPLE
from burndown.models.documents import QUERY_IDS
from burndown.models.entity import add_index
from burndown.models.field_types import Identifier, Line
from burndown.models.named_entity import NamedEntity
from burndown.models.profile import Profile
from burndown.models.time_types import UtcDatetime

__all__ = ["Query", "QueryDocument", "of_query"]


class Query(NamedEntity, table=True):
    """A named JQL; its id and its name are unique within its profile."""

    __tablename__: ClassVar[str] = "queries"
    __table_args__ = (
        PrimaryKeyConstraint("profile_id", "id"),
        ForeignKeyConstraint(["profile_id"], [Profile.__table__.c.id], ondelete="CASCADE"),
        UniqueConstraint("profile_id", "name"),
    )
    LABEL: ClassVar[str] = "queries"
    PROFILE_COLUMN: ClassVar[str | None] = "profile_id"
    QUERY_COLUMN: ClassVar[str | None] = "id"
    EXPORT_FILE: ClassVar[str | None] = "queries/{query}.json"
    LEGACY_FILE: ClassVar[str | None] = "query.json"
    PRESERVED_ON_UPDATE: ClassVar[frozenset[str]] = frozenset(
        {"created_at", "last_used", "updated_at"}
    )
    FALLBACK_ID: ClassVar[str] = "query"

    profile_id: Annotated[Identifier, NOT_FOR_PEOPLE] = Field(primary_key=True, sa_type=OrderedText)
    """The profile it belongs to."""
    jql: Line = Field(default="", sa_column_kwargs={"server_default": ""})
    """The search, in Jira's query language; empty if there is none."""
    updated_at: Annotated[UtcDatetime | None, NOT_FOR_PEOPLE] = Field(
        default=None, sa_type=UtcTimestamp
    )
    """When it was last edited, UTC; ``None`` for never."""


def of_query(*others: Any) -> tuple[Any, ...]:
    """Return the table arguments of data that is deleted with its query."""
    key = list(Query.__table__.primary_key)
    return (ForeignKeyConstraint(QUERY_IDS, key, ondelete="CASCADE"), *others)


class QueryDocument(TypedDict):
    """A query as a backend returns it; it also holds whatever other keys were saved."""

    profile_id: str
    id: str
    name: str
    description: str
    jql: str
    created_at: str
    last_used: str
    revision: int
    updated_at: str | None


# The order of lists: without it, SQLite sorts all queries of the profile.
add_index(Query, "ix_queries_last_used", "profile_id", "-last_used", "id")

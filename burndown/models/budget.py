"""The budget of a query, and its revisions."""

from typing import Annotated, ClassVar

from sqlalchemy import Float
from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import CalendarDate, UtcTimestamp
from burndown.models.docstring_schema import NOT_FOR_PEOPLE
from burndown.models.documents import Document
from burndown.models.field_types import (
    Amount,
    JsonObject,
    Number,
    SectionObject,
    Symbol,
    Text,
    Word,
)
from burndown.models.json_columns import SubmodelListJson
from burndown.models.query import of_query
from burndown.models.query_data import QueryData
from burndown.models.submodel import Submodel
from burndown.models.time_types import Day, IsoWeek, UtcDatetime
from burndown.models.timestamps import utc_now
from burndown.models.unknown_keys import OpenEntity, unknown_keys_field

__all__ = ["Budget", "BudgetDocument", "BudgetRevision", "BudgetRevisionDocument"]


class BudgetRevision(Submodel):
    """The record of a change of a budget: by how much its amounts were changed, when and why.

    The amounts of the budget include the change already.
    """

    revision_date: UtcDatetime | None = None
    """The time from which on it holds, UTC; ``None`` if it is not known."""
    week_label: IsoWeek | None = None
    """The week of that time, ``2025-W12``."""
    time_allocated_weeks_delta: Number = 0
    """Weeks that were added to the allocated ones; negative for fewer."""
    team_cost_delta: Number = 0
    """What was added to the weekly cost of the team, in the currency of the budget."""
    budget_total_delta: Number = 0
    """What was added to the total, in the currency of the budget."""
    reason: Text = ""
    """Why the budget was changed."""
    created_at: UtcDatetime | None = None
    """When it was entered, UTC; ``None`` if it is not known."""
    metadata: SectionObject | None = None
    """Whatever else the application notes of it."""


class Budget(OpenEntity, QueryData, table=True):
    """The time and money that the work of a query may take.

    The amounts are the current ones; the revisions record how they came about.
    """

    __tablename__: ClassVar[str] = "budgets"
    __table_args__ = of_query()
    LABEL: ClassVar[str] = "budgets"
    EXPORT_FILE: ClassVar[str | None] = "budgets/{query}.json"
    LEGACY_FILE: ClassVar[str | None] = "budget.json"
    PRESERVED_ON_UPDATE: ClassVar[frozenset[str]] = frozenset({"created_at", "revisions"})

    time_allocated_weeks: Amount | None = Field(default=None, sa_type=Float)
    """Weeks that the work may take; ``None`` if that is open, as for all amounts."""
    team_cost_per_week: Amount | None = Field(default=None, sa_type=Float)
    """The cost of the team in a week, in the currency."""
    budget_total: Amount | None = Field(default=None, sa_type=Float)
    """All that the work may cost, in the currency."""
    cost_rate_type: Word = "weekly"
    """The unit of time in which people enter the cost, such as ``weekly``."""
    currency_symbol: Symbol = "€"
    """The currency, as a symbol or a code."""
    baseline_velocity_items: Amount | None = Field(default=None, sa_type=Float)
    """Issues that the team completes in a week, as assumed when the budget was made."""
    baseline_velocity_points: Amount | None = Field(default=None, sa_type=Float)
    """Story points that it completes in a week, as assumed then."""
    effective_from: Day | None = Field(default=None, sa_type=CalendarDate)
    """The day from which on the budget holds."""
    created_at: Annotated[UtcDatetime, NOT_FOR_PEOPLE] = Field(
        default_factory=utc_now, sa_type=UtcTimestamp
    )
    """When it was first saved, UTC."""
    updated_at: Annotated[UtcDatetime, NOT_FOR_PEOPLE] = Field(
        default_factory=utc_now, sa_type=UtcTimestamp
    )
    """When it was last saved, or a revision was added, UTC."""
    revisions: Annotated[list[BudgetRevision], NOT_FOR_PEOPLE] = Field(
        default_factory=list, sa_type=SubmodelListJson(BudgetRevision)
    )
    """Its changes, in the order in which they were entered."""
    extra: Annotated[JsonObject, NOT_FOR_PEOPLE] = unknown_keys_field()
    """Keys of the document that are not fields."""


class BudgetRevisionDocument(TypedDict, total=False):
    """:class:`BudgetRevision` in a document."""

    revision_date: str | None
    week_label: str | None
    time_allocated_weeks_delta: float
    team_cost_delta: float
    budget_total_delta: float
    reason: str
    created_at: str | None
    metadata: Document | None


class BudgetDocument(TypedDict):
    """A budget as a backend returns it; it also holds whatever other keys were saved."""

    profile_id: str
    query_id: str
    time_allocated_weeks: float | None
    team_cost_per_week: float | None
    budget_total: float | None
    cost_rate_type: str
    currency_symbol: str
    baseline_velocity_items: float | None
    baseline_velocity_points: float | None
    effective_from: str | None
    created_at: str
    updated_at: str
    revisions: list[BudgetRevisionDocument]

"""The project data of a query: scope and weekly statistics."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import UtcTimestamp
from burndown.models.documents import Document
from burndown.models.field_types import JsonObject, LenientNumber, LenientText, lenient
from burndown.models.json_columns import JsonText
from burndown.models.json_values import copy_containers, is_unknown
from burndown.models.query import of_query
from burndown.models.query_data import QueryData
from burndown.models.submodel import View
from burndown.models.time_types import UtcDatetime
from burndown.models.timestamps import utc_now

__all__ = ["ProjectData", "ProjectDataDocument", "ProjectScope", "WeeklyStatistics"]


class ProjectScope(View):
    """The work in total, completed and remaining, in items and story points."""

    total_items: LenientNumber = None
    """Issues in all."""
    completed_items: LenientNumber = None
    """Issues that are done."""
    remaining_items: LenientNumber = None
    """Issues that are not done."""
    estimated_items: LenientNumber = None
    """Issues that have story points."""
    total_points: LenientNumber = None
    """Story points in all."""
    completed_points: LenientNumber = None
    """Story points of issues that are done."""
    remaining_points: LenientNumber = None
    """Story points of estimated issues that are not done."""
    estimated_points: LenientNumber = None
    """Story points of issues that have some."""
    remaining_total_points: LenientNumber = None
    """Remaining story points, with the average for each unestimated issue."""
    points_field_available: Annotated[bool | None, lenient(bool)] = None
    """Whether the issues have a field for story points."""
    status_breakdown: Annotated[dict[str, Any] | None, lenient(dict)] = None
    """For each status: items, points, category and classification."""
    calculation_metadata: Annotated[dict[str, Any] | None, lenient(dict)] = None
    """The method and time of the calculation."""


class WeeklyStatistics(View):
    """The work created and completed in the week that begins at a date."""

    date: LenientText = None
    """Monday of the week, ``YYYY-MM-DD``, at times with a time; ``NaT`` if it was unreadable."""
    completed_items: LenientNumber = None
    """Issues completed."""
    completed_points: LenientNumber = None
    """Story points completed."""
    created_items: LenientNumber = None
    """Issues created."""
    created_points: LenientNumber = None
    """Story points created."""
    velocity_items: LenientNumber = None
    """Issues completed each week, if the table was edited."""
    velocity_points: LenientNumber = None
    """Story points completed each week, if the table was edited."""


class ProjectData(QueryData, table=True):
    """The project data of a query, stored unchanged."""

    __tablename__: ClassVar[str] = "project_data"
    __table_args__ = of_query()
    LABEL: ClassVar[str] = "project data"
    EXPORT_FILE: ClassVar[str | None] = "project_data/{query}.json"
    EXPORT_FIELD: ClassVar[str | None] = "data"
    LEGACY_FILE: ClassVar[str | None] = "project_data.json"

    updated_at: UtcDatetime = Field(default_factory=utc_now, sa_type=UtcTimestamp)
    """When it was saved, UTC."""
    data: JsonObject = Field(repr=False, sa_type=JsonText)
    """Normally ``project_scope``, ``statistics`` and ``metadata``."""

    @classmethod
    def converted(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same as for any entity; a number of the statistics that is not known is null.

        The dashboard holds them in a table of pandas, where such a number is NaN.
        """
        data = document.get("data")
        if isinstance(data, dict) and isinstance(data.get("statistics"), list):
            known = copy_containers(data["statistics"], _null_if_unknown)
            document = {**document, "data": {**data, "statistics": known}}
        return super().converted(document)

    @property
    def scope(self) -> ProjectScope:
        """Return the scope; in the oldest form its numbers are at the root."""
        scope = self.data.get("project_scope", self.data)
        return ProjectScope.model_validate(scope if isinstance(scope, dict) else {})

    @property
    def statistics(self) -> list[WeeklyStatistics]:
        """Return the weeks in stored order, without rows that are not objects."""
        rows = self.data.get("statistics")
        if not isinstance(rows, list):
            return []
        return [WeeklyStatistics.model_validate(row) for row in rows if isinstance(row, dict)]


def _null_if_unknown(value: Any) -> Any:
    return None if is_unknown(value) else value


class ProjectDataDocument(TypedDict):
    """All fields of project data."""

    profile_id: str
    query_id: str
    updated_at: str
    data: Document

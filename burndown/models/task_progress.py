"""The progress of running tasks."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator
from sqlalchemy import Float
from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import OrderedText, UtcTimestamp
from burndown.models.entity import Entity
from burndown.models.field_types import Identifier, Line, Number, UtcDatetime, Word, invalid
from burndown.models.timestamps import utc_now

__all__ = ["TaskProgress", "TaskProgressDocument"]


def _check_percent(percent: float) -> float:
    if not 0 <= percent <= 100:
        raise invalid("input should be a percentage from 0 to 100")
    return abs(percent)  # SQLite does not know -0.0


class TaskProgress(Entity, table=True):
    """The latest progress that a task has reported."""

    __tablename__: ClassVar[str] = "task_progress"
    LABEL: ClassVar[str] = "tasks"

    task_name: Identifier = Field(primary_key=True, sa_type=OrderedText)
    """The name of the task."""
    progress_percent: Annotated[Number, AfterValidator(_check_percent)] = Field(sa_type=Float)
    """The progress in percent, 0 to 100."""
    status: Word
    """A lower-case word, such as ``running``, ``completed`` or ``failed``."""
    message: Line = ""
    """A message for people."""
    updated_at: UtcDatetime = Field(default_factory=utc_now, sa_type=UtcTimestamp)
    """When it was reported, UTC."""


class TaskProgressDocument(TypedDict):
    """The progress of a task as a backend returns it."""

    task_name: str
    progress_percent: float
    status: str
    message: str
    updated_at: str

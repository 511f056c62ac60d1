"""The progress of running tasks."""

from typing import ClassVar

from sqlalchemy import Float
from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import OrderedText, UtcTimestamp
from burndown.models.entity import Entity
from burndown.models.field_types import Identifier, Line, Percent, UtcDatetime, Word
from burndown.models.timestamps import utc_now

__all__ = ["TaskProgress", "TaskProgressDocument"]


class TaskProgress(Entity, table=True):
    """The latest progress that a task has reported."""

    __tablename__: ClassVar[str] = "task_progress"
    LABEL: ClassVar[str] = "tasks"

    task_name: Identifier = Field(primary_key=True, sa_type=OrderedText)
    """The name of the task."""
    progress_percent: Percent = Field(sa_type=Float)
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

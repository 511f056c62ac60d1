"""The progress of running tasks."""

from typing import ClassVar

from pydantic import StrictBool
from sqlalchemy import Float, Text, false
from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import Flag, OrderedText, UtcTimestamp
from burndown.models.entity import Entity
from burndown.models.field_types import Identifier, Line, Percent, Word
from burndown.models.time_types import UtcDatetime
from burndown.models.timestamps import utc_now

__all__ = ["TaskProgress", "TaskProgressDocument"]


class TaskProgress(Entity, table=True):
    """The latest progress that a task has reported."""

    __tablename__: ClassVar[str] = "task_progress"
    LABEL: ClassVar[str] = "tasks"
    LEASE_FIELDS: ClassVar[tuple[str, ...]] = (
        *("owner", "started_at", "heartbeat_at", "lease_until", "cancel_requested"),
    )
    """The fields of the lease, which a task that only reports its progress does not have."""

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
    owner: Line | None = Field(default=None, sa_type=Text)
    """The process that runs the task, or ran it until its end; ``None`` without a lease."""
    started_at: UtcDatetime | None = Field(default=None, sa_type=UtcTimestamp)
    """When the owner took the lease, UTC."""
    heartbeat_at: UtcDatetime | None = Field(default=None, sa_type=UtcTimestamp)
    """When the owner last renewed the lease, UTC."""
    lease_until: UtcDatetime | None = Field(default=None, sa_type=UtcTimestamp)
    """When the lease ends unless it is renewed, UTC; ``None`` once the task has ended."""
    cancel_requested: StrictBool = Field(
        default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()}
    )
    """Whether somebody has asked the owner to end the task."""


class TaskProgressDocument(TypedDict):
    """The progress of a task as a backend returns it."""

    task_name: str
    progress_percent: float
    status: str
    message: str
    updated_at: str
    owner: str | None
    started_at: str | None
    heartbeat_at: str | None
    lease_until: str | None
    cancel_requested: bool

"""What the application remembers between two starts."""

from typing import ClassVar

from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.base import Entity
from burndown.models.columns import OrderedText
from burndown.models.values import Key, Line

__all__ = ["AppState", "AppStateDocument"]


class AppState(Entity, table=True):
    """One remembered value, such as ``active_profile_id``."""

    __tablename__: ClassVar[str] = "app_state"
    LABEL: ClassVar[str] = "app state"

    key: Key = Field(primary_key=True, sa_type=OrderedText)
    """What is remembered."""
    value: Line
    """The value, as text."""


class AppStateDocument(TypedDict):
    """A remembered value with its key."""

    key: str
    value: str

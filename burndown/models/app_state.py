"""The app state: values that the application keeps between two starts."""

from typing import ClassVar

from sqlmodel import Field
from typing_extensions import TypedDict

from burndown.models.columns import OrderedText
from burndown.models.entity import Entity
from burndown.models.field_types import Key, Line

__all__ = ["AppState", "AppStateDocument"]


class AppState(Entity, table=True):
    """A value that the application keeps, such as ``active_profile_id``."""

    __tablename__: ClassVar[str] = "app_state"
    LABEL: ClassVar[str] = "app state"

    key: Key = Field(primary_key=True, sa_type=OrderedText)
    """The name of the value."""
    value: Line
    """The value, as a string."""


class AppStateDocument(TypedDict):
    """A remembered value with its key."""

    key: str
    value: str

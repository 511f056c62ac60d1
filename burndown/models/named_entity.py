"""The base of profiles and queries: an id, a name, times of use, and unknown keys."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined
from sqlalchemy import BigInteger, text
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Field

from burndown.errors import ValidationError
from burndown.models.columns import OrderedText, UtcTimestamp, random_text
from burndown.models.docstring_schema import NOT_FOR_PEOPLE
from burndown.models.documents import REVISION
from burndown.models.field_types import Identifier, JsonObject, Line, Name, Revision, slug
from burndown.models.time_types import UtcDatetime
from burndown.models.timestamps import utc_now
from burndown.models.unknown_keys import OpenEntity, unknown_keys_field

__all__ = ["NamedEntity", "name_taken", "set_revision"]

_NAMING = ("id", "name")
"""The fields of which one is made of the other."""

_NOW = {"server_default": text("CURRENT_TIMESTAMP")}


class NamedEntity(OpenEntity):
    """An entity with a name, which can be the active one.

    Without an ``id`` it gets one derived from the name (``"Team A"`` gives ``team-a``); without a
    name, the id is the name. Keys that are not fields are kept in ``extra``.
    """

    PRESERVED_ON_UPDATE: ClassVar[frozenset[str]] = frozenset({"created_at", "last_used"})
    FALLBACK_ID: ClassVar[str]
    """The id for a name without a letter or digit."""

    # For a type checker, which reads only that there is a default, neither of them is required.
    id: Annotated[Identifier, NOT_FOR_PEOPLE] = Field(
        default=PydanticUndefined, primary_key=True, sa_type=OrderedText
    )
    """The id, which never changes."""
    name: Name = Field(
        default=PydanticUndefined, sa_column_kwargs={"server_default": random_text()}
    )
    """The name for people."""
    description: Line = Field(default="", sa_column_kwargs={"server_default": ""})
    """Its purpose."""
    created_at: Annotated[UtcDatetime, NOT_FOR_PEOPLE] = Field(
        default_factory=utc_now, sa_type=UtcTimestamp, sa_column_kwargs=_NOW
    )
    """When it was created, UTC."""
    last_used: Annotated[UtcDatetime, NOT_FOR_PEOPLE] = Field(
        default_factory=utc_now, sa_type=UtcTimestamp, sa_column_kwargs=_NOW
    )
    """When it was last switched to, UTC; initially when it was created."""
    revision: Annotated[Revision | None, NOT_FOR_PEOPLE] = Field(
        default=None,
        sa_type=BigInteger,
        sa_column_kwargs={"default": 1, "server_default": "1", "nullable": False},
    )
    """The number of its versions so far: 1 at first, raised by each change of its content, but not
    of its times; ``None`` while it is not stored."""
    extra: Annotated[JsonObject, NOT_FOR_PEOPLE] = unknown_keys_field()
    """Keys of the document that are not fields."""

    @classmethod
    def defaults(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the id derived from the name, the name derived from the id, and the first use."""
        made: dict[str, Any] = {}
        if "id" not in document and isinstance(document.get("name"), str):
            made["id"] = slug(document["name"], cls.FALLBACK_ID)
        elif "name" not in document and isinstance(document.get("id"), str):
            made["name"] = document["id"]
        if "created_at" in document and "last_used" not in document:
            made["last_used"] = document["created_at"]
        return made

    @classmethod
    def content_fields(cls) -> list[str]:
        """Return the fields whose changes the revision counts."""
        others = {*cls.__table__.primary_key.columns.keys(), *cls.PRESERVED_ON_UPDATE, REVISION}
        return [name for name in cls.model_fields if name not in others]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = super().__get_pydantic_json_schema__(schema, handler)
        if handler.mode == "validation":
            fields = handler.resolve_ref_schema(made)
            # One of both is enough.
            fields["required"] = [name for name in fields["required"] if name not in _NAMING]
            fields["anyOf"] = [{"required": [name]} for name in _NAMING]
        return made


def set_revision(saved: object, document: Mapping[str, Any]) -> None:
    """Set the revision of an entity that was saved to that of its document; ignore all else."""
    if isinstance(saved, NamedEntity):
        set_committed_value(saved, REVISION, document[REVISION])


def name_taken(
    entity: type[NamedEntity], document: Mapping[str, Any], holder: str, advice: str = ""
) -> ValidationError:
    """Return the error of a name that another entity of the same scope has.

    Args:
        entity: the entity.
        document: its name, and its id if it has one already.
        holder: the id of the one that has the name.
        advice: the end of the message, with what to do next.
    """
    kind, document_id = entity.__name__, document.get("id")
    expected = f"input should be a name other than that of {kind.lower()} {holder!r}{advice}"
    subject = kind if document_id is None else f"{kind} {document_id!r}"
    return ValidationError.of(subject, "name", expected, document["name"])

"""What profiles and queries have in common: an id, a name, times of use, and unknown keys."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import model_validator
from sqlalchemy import text
from sqlmodel import Field

from burndown.errors import ValidationError
from burndown.models.base import Entity, invalid_key
from burndown.models.columns import JsonText, OrderedText, UtcTimestamp, random_text
from burndown.models.values import Identifier, JsonObject, Line, Name, UtcDatetime, slug, utc_now

__all__ = ["NamedEntity", "name_taken"]

_NOW = {"server_default": text("CURRENT_TIMESTAMP")}


class NamedEntity(Entity):
    """Something that people name and switch to.

    Without an ``id`` it is made of the name (``"Team A"`` gives ``team-a``); without a name, the
    id is the name. Keys that are not fields are kept in ``extra``.
    """

    UNKNOWN_KEYS: ClassVar[str] = "extra"
    PRESERVED_ON_UPDATE: ClassVar[frozenset[str]] = frozenset({"created_at", "last_used"})
    FALLBACK_ID: ClassVar[str]
    """The id of a name that has no letter or digit to make one of."""

    id: Identifier = Field(primary_key=True, sa_type=OrderedText)
    """What programs call it; never changes."""
    name: Name = Field(sa_column_kwargs={"server_default": random_text()})
    """What people call it."""
    description: Line = Field(default="", sa_column_kwargs={"server_default": ""})
    """What it is for."""
    created_at: UtcDatetime = Field(
        default_factory=utc_now, sa_type=UtcTimestamp, sa_column_kwargs=_NOW
    )
    """When it was made, UTC."""
    last_used: UtcDatetime = Field(
        default_factory=utc_now, sa_type=UtcTimestamp, sa_column_kwargs=_NOW
    )
    """When somebody last switched to it, UTC; at first when it was made."""
    extra: JsonObject = Field(
        default_factory=dict,
        repr=False,
        sa_type=JsonText,
        sa_column_kwargs={"server_default": "{}", "nullable": False},
    )
    """Keys that this version does not know."""

    @classmethod
    def _prepared(cls, data: dict[str, Any]) -> dict[str, Any]:
        fields = cls.model_fields
        known = {key: value for key, value in data.items() if key in fields}
        if len(known) < len(data):
            unknown = {key: value for key, value in data.items() if key not in known}
            extra = known.get("extra", {})
            known["extra"] = {**extra, **unknown} if isinstance(extra, dict) else extra
        return cls._with_defaults(known)

    @classmethod
    def _with_defaults(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields, with those that are made of others where they are not given."""
        if "id" not in fields and isinstance(fields.get("name"), str):
            fields["id"] = slug(fields["name"], cls.FALLBACK_ID)
        elif "name" not in fields and isinstance(fields.get("id"), str):
            fields["name"] = fields["id"]
        if "created_at" in fields:
            fields.setdefault("last_used", fields["created_at"])
        return fields

    @model_validator(mode="after")
    def _check_extra(self) -> Self:
        clash = self.extra.keys() & (type(self).model_fields.keys() - {"extra"})
        if clash:
            raise ValueError(f"extra: {min(clash)!r} is a field of its own")
        return self

    @classmethod
    def _fields_of(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        known = _known(cls)
        fields = {key: value for key, value in document.items() if key in known}
        if len(fields) < len(document):
            fields["extra"] = {key: document[key] for key in document if key not in known}
        return cls._with_defaults(fields)

    def to_document(self) -> dict[str, Any]:
        """Return the entity as a plain dict of JSON values, unknown keys beside the known ones.

        Raises:
            ValidationError: an unknown key was edited in place into the key of a field.
        """
        if taken := self.extra.keys() & _known(type(self)):
            raise invalid_key(f"{type(self).__name__} {self.id!r}", min(taken), "extra.")
        return self.with_unknown_keys(super().to_document())


def name_taken(
    entity: type[NamedEntity], document: Mapping[str, Any], holder: str
) -> ValidationError:
    """Return the error of a name that another entity of the same scope has."""
    return ValidationError.of(
        f"{entity.__name__} {document['id']!r}",
        "name",
        f"input should be a name other than that of {entity.__name__.lower()} {holder!r}",
        document["name"],
    )


@cache
def _known(entity: type[NamedEntity]) -> frozenset[str]:
    """The keys of documents that are not kept in ``extra``."""
    return frozenset(entity.model_fields.keys() - {"extra"})

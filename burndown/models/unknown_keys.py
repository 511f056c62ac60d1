"""Entities that keep the keys of their documents that are not fields."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import (
    GetJsonSchemaHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from sqlmodel import Field

from burndown.models.entity import Entity
from burndown.models.json_columns import JsonText
from burndown.models.redaction import without_secrets
from burndown.models.submodel import without_serializer

__all__ = ["OpenEntity", "unknown_keys_field"]


def unknown_keys_field() -> Any:
    """Return the field of an :class:`OpenEntity` for its unknown keys."""
    return Field(
        default_factory=dict,
        repr=False,
        sa_type=JsonText,
        sa_column_kwargs={"server_default": "{}", "nullable": False},
    )


class OpenEntity(Entity):
    """An entity that keeps keys that are not fields, in ``extra``.

    In documents and dumps they are next to the fields, ``extra`` itself like any other. Only as a
    keyword argument it is the field.
    """

    UNKNOWN_KEYS: ClassVar[str] = "extra"

    if TYPE_CHECKING:  # each entity has it among its own fields, whose order is that of the columns
        extra: dict[str, Any]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = super().__get_pydantic_json_schema__(without_serializer(schema), handler)
        fields = handler.resolve_ref_schema(made)
        del fields["properties"][cls.UNKNOWN_KEYS]
        fields["additionalProperties"] = True
        return made

    @model_serializer(mode="wrap")
    def _next_to_the_fields(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        unknown = fields.pop(self.UNKNOWN_KEYS, {})
        others = without_secrets(unknown) if info.mode_is_json() else unknown
        return {**fields, **others, **fields}  # edited in place, it can have keys of fields

    @model_validator(mode="after")
    def _check_extra(self) -> Self:
        clash = self.extra.keys() & (type(self).model_fields.keys() - {"extra"})
        if clash:
            raise ValueError(
                f"extra: input should be without the key {min(clash)!r}, which is a field"
            )
        return self

"""Entities that keep the keys of their documents that are not fields."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import GetJsonSchemaHandler, field_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from sqlmodel import Field

from burndown.models.entity import Entity
from burndown.models.json_columns import JsonText
from burndown.models.redaction import without_secrets

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
    """An entity that keeps keys that are not fields, in ``extra``."""

    UNKNOWN_KEYS: ClassVar[str] = "extra"

    if TYPE_CHECKING:  # each entity has it among its own fields, whose order is that of the columns
        extra: dict[str, Any]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = super().__get_pydantic_json_schema__(schema, handler)
        if handler.mode == "validation":
            fields = handler.resolve_ref_schema(made)
            known = [name for name in cls.model_fields if name != cls.UNKNOWN_KEYS]
            fields["properties"][cls.UNKNOWN_KEYS]["propertyNames"] = {"not": {"enum": known}}
            fields["additionalProperties"] = True
        return made

    @field_serializer("extra", when_used="json", check_fields=False)
    def _without_secrets(self, extra: dict[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = without_secrets(extra)
        return plain

    @model_validator(mode="after")
    def _check_extra(self) -> Self:
        clash = self.extra.keys() & (type(self).model_fields.keys() - {"extra"})
        if clash:
            raise ValueError(
                f"extra: input should be without the key {min(clash)!r}, which is a field"
            )
        return self

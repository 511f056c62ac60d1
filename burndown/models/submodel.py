"""The base classes of nested sections, and of views of JSON that others wrote."""

from datetime import date
from functools import cache
from typing import Any, Self

from pydantic import (
    ConfigDict,
    GetJsonSchemaHandler,
    SecretStr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from burndown.errors import ValidationError
from burndown.models.docstring_schema import Described
from burndown.models.field_types import SECTION_DEPTH
from burndown.models.json_codec import check_storable
from burndown.models.json_values import copy_containers
from burndown.models.redaction import Redacted, without_secrets
from burndown.models.secret_text import SecretText, with_secret_texts

__all__ = ["Submodel", "View", "fields_by_key", "invalid_key", "to_documents", "without_serializer"]


class Submodel(Described, Redacted):
    """A nested section of configuration: known keys are validated, unknown ones are kept."""

    model_config = ConfigDict(
        extra="allow",
        validate_assignment=True,
        # "Technical Debt" is a key of documents, but not a name of Python.
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,  # most processes use few sections; all schemas take 50 ms to build
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if handler.mode == "validation":
            return super().__get_pydantic_json_schema__(schema, handler)
        # pydantic knows only the return type of a serializer: some dict.
        made = super().__get_pydantic_json_schema__(without_serializer(schema), handler)
        return {**made, "properties": without_secrets(made["properties"])}

    @model_validator(mode="after")
    def _check_unknown_keys(self) -> Self:
        if unknown := self.__pydantic_extra__:
            plain = {
                key: value for key, value in unknown.items() if not isinstance(value, Submodel)
            }
            check_storable(plain, SECTION_DEPTH)
        return self

    @model_serializer(mode="wrap")
    def _without_secrets_in_json(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        document: dict[str, Any] = handler(self)
        return without_secrets(document) if info.mode_is_json() else document

    def __setattr__(self, name: str, value: Any) -> None:
        name = fields_by_key(type(self)).get(name, name)
        if name not in type(self).model_fields and not name.startswith("_"):
            type(self).model_validate({name: value})  # pydantic would set it first
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Reset a field to its default, or delete an unknown key."""
        name = fields_by_key(type(self)).get(name, name)
        field = type(self).model_fields.get(name)
        if field is None:
            super().__delattr__(name)
        else:
            self.__dict__[name] = field.get_default(call_default_factory=True)
        self.__pydantic_fields_set__.discard(name)

    def to_document(self) -> dict[str, Any]:
        """Return the section as JSON values, secrets in plain text.

        It holds what was set explicitly, and what differs from its default because it was edited
        in place, at every depth.

        Raises:
            ValidationError: an unknown key was edited in place into the key of a field.
        """
        defaults = _default_document(type(self))
        document = {}
        for key, name in fields_by_key(type(self)).items():
            value = _plain(self.__dict__[name])
            # pydantic's own `exclude_unset` does not see an edit within a list or a section.
            if name in self.__pydantic_fields_set__ or value != defaults[key]:
                document[key] = value
        unknown = self.__pydantic_extra__ or {}
        # Stored next to the fields, it would be read as the field.
        if taken := unknown.keys() & {*defaults, *type(self).model_fields}:
            raise invalid_key(type(self).__name__, min(taken))
        document.update(to_documents(unknown))
        return document

    def __repr_args__(self) -> Any:
        known = type(self).model_fields
        return [(key, value) for key, value in super().__repr_args__() if key in known]


class View(Described):
    """A typed view of JSON that others wrote: it reads known keys and tolerates all others."""

    model_config = ConfigDict(extra="allow", defer_build=True)


@cache
def fields_by_key(model: type[Submodel]) -> dict[str, str]:
    """Return the name of each field by its key in documents, which is its alias if it has one."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


@cache
def _default_document(model: type[Submodel]) -> dict[str, Any]:
    """Return the default of each field as a JSON value, by its key in documents."""
    fields = model.model_fields
    return {
        key: _plain(fields[name].get_default(call_default_factory=True))
        for key, name in fields_by_key(model).items()
    }


def without_serializer(schema: Any) -> CoreSchema:
    """Return the schema of the fields of a model."""
    while schema["type"] != "model":
        schema = schema["schema"]
    fields: Any = {key: value for key, value in schema.items() if key != "serialization"}
    plain: CoreSchema = fields
    return plain


def invalid_key(subject: str, key: str, path: str = "") -> ValidationError:
    """Return the error of an unknown key that is the key of a field."""
    return ValidationError.of(subject, path + key, "input should be a key that is not a field")


def _plain(value: Any) -> Any:
    """Return the value of a field of a section as a JSON value that shares no container with it."""
    return value.isoformat() if isinstance(value, date) else to_documents(value)


def to_documents(value: Any) -> Any:
    """Return the document of a section; or a copy of containers, with sections as documents.

    The strings of secrets have a mask as their ``repr``. Values that cannot be stored are refused
    when they are saved.
    """
    return copy_containers(value, _as_document, _as_secret_document)


def _as_document(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return SecretText(value.get_secret_value())
    return value.to_document() if isinstance(value, Submodel) else value


def _as_secret_document(value: Any) -> Any:
    return with_secret_texts(_as_document(value), is_secret_itself=True)

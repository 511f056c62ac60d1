"""Documents that are stored just as they are, validated at the speed of Rust.

The *quick* schema of a model is sure when it accepts a document: the model accepts it too, and
changes nothing but what the schema itself changes. It may refuse what the model would take, such
as values that need to be converted; the model decides then, and explains.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from burndown.models.json_codec import check_storable

__all__ = ["SECTION_DEPTH", "Expecting", "Quick", "QuickRows"]

SECTION_DEPTH = 4
"""How many containers can stand around an unknown key of a section within its column."""


@dataclass(frozen=True, eq=False)
class Quick:
    """The quick schema of a type, as its last annotation."""

    schema: CoreSchema


@dataclass(frozen=True, eq=False)
class Expecting:
    """One message for whatever is wrong, in place of one for each branch of a union."""

    expected: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.custom_error_schema(
            handler(source),
            custom_error_type="unexpected",
            custom_error_message="{expected}",
            custom_error_context={"expected": self.expected},
        )


_STRICT = core_schema.CoreConfig(strict=True)


class QuickRows:
    """Makes the rows of an entity's documents; sections stay the plain dicts that were given."""

    def __init__(self, entity: type[BaseModel]) -> None:
        fields = entity.model_fields
        columns = {name: _column(field) for name, field in fields.items()}
        schema = core_schema.typed_dict_schema(columns, extra_behavior="forbid", config=_STRICT)
        self._validate = SchemaValidator(schema)
        self._sections = [name for name, field in fields.items() if _is_section(field.annotation)]

    def row(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The values by field.

        Raises:
            pydantic.ValidationError: this is not sure to be valid.
        """
        row: dict[str, Any] = self._validate.validate_python(fields)
        for name in self._sections:
            if name in fields:
                row[name] = fields[name]
        return row


def _column(field: FieldInfo) -> core_schema.TypedDictField:
    schema = _schema(field.annotation, field.metadata)
    if field.is_required():
        return core_schema.typed_dict_field(schema)
    factory: Any = dict if _is_section(field.annotation) else field.default_factory
    if factory is None:
        schema = core_schema.with_default_schema(schema, default=field.default)
    else:
        schema = core_schema.with_default_schema(schema, default_factory=factory)
    return core_schema.typed_dict_field(schema, required=False)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _schema(annotation: Any, annotations: Iterable[Any] = ()) -> CoreSchema:
    """The quick schema of a type, or pydantic's own where nothing quicker is known."""
    rules = [rule for rule in annotations if _is_rule(rule)]
    if rules and isinstance(rules[-1], Quick):
        return rules[-1].schema
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _schema(arguments[0], [*arguments[1:], *rules])
    if rules:
        return TypeAdapter(Annotated[annotation, *rules]).core_schema
    if get_origin(annotation) in (Union, UnionType):
        choices: list[Any] = [_schema(choice) for choice in arguments if choice is not NoneType]
        one = choices[0] if len(choices) == 1 else core_schema.union_schema(choices)
        return core_schema.nullable_schema(one) if NoneType in arguments else one
    if get_origin(annotation) is list:
        return core_schema.list_schema(_schema(arguments[0]))
    if _is_section(annotation):
        return _section(annotation)
    return TypeAdapter(annotation).core_schema


def _is_rule(annotation: Any) -> bool:
    """Whether values are refused or changed by it; SQLModel notes there what the column is."""
    is_of_column = type(annotation).__module__.partition(".")[0] == "sqlmodel"
    return not is_of_column and not isinstance(annotation, Expecting)


def _section(model: type[BaseModel]) -> CoreSchema:
    fields: dict[str, core_schema.TypedDictField] = {}
    for name, field in model.model_fields.items():
        if field.alias is not None:
            fields[name] = core_schema.typed_dict_field(_REFUSED, required=False)
        key = field.alias or name
        schema = _schema(field.annotation, field.metadata)
        fields[key] = core_schema.typed_dict_field(schema, required=field.is_required())
    unknown = get_annotations(model).get("__pydantic_extra__")
    return core_schema.typed_dict_schema(
        fields,
        config=_STRICT,
        extra_behavior="allow",
        extras_schema=_schema(get_args(unknown)[1]) if unknown else _UNKNOWN,
    )


def _refuse(value: Any) -> Any:
    raise ValueError("the model stores it under another key")


_REFUSED = core_schema.no_info_plain_validator_function(_refuse)
_UNKNOWN = core_schema.no_info_plain_validator_function(
    lambda value: check_storable(value, SECTION_DEPTH + 1)
)

"""The values that an invalid value can mean in a field of a model."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from burndown.models import Submodel

__all__ = ["FieldType", "field_type", "possible_values"]

_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?").fullmatch
"""Up to 300 digits, of which a float can hold the size."""
_SEPARATOR = re.compile(r"[,;\n]")
"""A string with one of these may be a list; which of them separates its items is a guess."""


@dataclass(frozen=True)
class FieldType:
    """The types of value that a field takes."""

    types: frozenset[Any] = frozenset()
    """Plain types such as ``str`` and ``date``; none for an unknown key, which takes any JSON."""
    choices: tuple[Any, ...] = ()
    """The only values it takes, if it is a choice."""
    section: type[Submodel] | None = None
    """The section that an object describes, if it takes one."""
    item: "FieldType | None" = None
    """The type of the items, if it takes a list."""

    @property
    def takes_string(self) -> bool:
        """Return whether an empty string may mean something."""
        return not self.types or bool(self.types & {str, SecretStr})

    @property
    def has_one_spelling(self) -> bool:
        """Return whether all its values are stored in one spelling, as timestamps and floats."""
        return datetime in self.types or (float in self.types and int not in self.types)


def field_type(model: type[BaseModel], key: str) -> FieldType:
    """Return the type of a model's field, by its key in documents."""
    known, unknown = _field_types(model)
    return known.get(key, unknown)


@cache
def _field_types(model: type[BaseModel]) -> tuple[dict[str, FieldType], FieldType]:
    """Return the types of the known fields of a model, and that of all others."""
    types = {}
    for name, field in model.model_fields.items():
        types[name] = types[field.alias or name] = _type_of(field.annotation)
    unknown = get_annotations(model).get("__pydantic_extra__")
    return types, _type_of(get_args(unknown)[1]) if unknown else FieldType()


def _type_of(annotation: Any) -> FieldType:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_of(arguments[0])
    if origin in (Union, UnionType):
        members = [_type_of(each) for each in arguments if get_origin(each) is not Literal]
        return FieldType(
            types=frozenset().union(*(member.types for member in members)),
            section=next((member.section for member in members if member.section), None),
            item=next((member.item for member in members if member.item), None),
        )
    if origin is Literal:
        return FieldType(frozenset({Literal}), choices=arguments)
    if origin is list:
        return FieldType(frozenset({list}), item=_type_of(arguments[0]))
    if isinstance(annotation, type) and issubclass(annotation, Submodel):
        return FieldType(frozenset({dict}), section=annotation)
    return FieldType(frozenset({origin or annotation}))


def possible_values(value: Any, field: FieldType) -> Iterator[Any]:
    """Yield what the value can mean, most likely first; the caller tests whether it is valid.

    Nothing is guessed: a word such as ``yes``, a number with a comma, or a date in the order of one
    country means nothing.
    """
    types = field.types
    if isinstance(value, str):
        yield value.strip()
    if bool in types:
        yield from _booleans(value)
    if types & {int, float}:
        yield from _numbers(value) if int in types else map(float, _numbers(value))
    if date in types:
        yield from _dates(value)
    # An integer is spelled in one way only, unlike a float.
    if types and types <= {str, SecretStr, NoneType} and type(value) is int:
        yield str(value)
    if field.choices:
        yield from (each for each in field.choices if _is_choice(value, each))
    if field.section is not None and value == []:
        yield {}
    if list not in types:
        if isinstance(value, list) and len(value) == 1 and types:
            yield value[0]
            yield from possible_values(value[0], field)
    elif isinstance(value, str) and bool not in types and not _SEPARATOR.search(value):
        yield [value.strip()]


def _booleans(value: Any) -> Iterator[bool]:
    """Yield the meaning of 1 and 0, of JSON's and Python's words, and of a Dash checklist."""
    if isinstance(value, str):
        value = value.strip().lower()
    for boolean, spellings in ((True, (1, "true", ["show"])), (False, (0, "false", []))):
        if value in spellings:
            yield boolean


def _numbers(value: Any) -> Iterator[int | float]:
    if isinstance(value, str) and _NUMBER(value.strip()):
        value = float(value) if "." in value else int(value)
        yield value
    if isinstance(value, float) and value.is_integer():
        yield int(value)


def _dates(value: Any) -> Iterator[str]:
    """Yield the date of a timestamp.

    With an offset only at midnight: at any other time it may be another date where it was written.
    """
    try:
        timestamp = datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        return
    if timestamp.tzinfo is None or timestamp.time() == time():
        yield timestamp.date().isoformat()


def _is_choice(value: Any, choice: str) -> bool:
    """Return whether the value is the choice, such as ``v2``, in other case or by its number."""
    if isinstance(value, str):
        value = value.strip().lower()
    return choice in (value, f"v{value}")

"""What an odd value can only mean where a field of a given kind expects another."""

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

__all__ = ["FieldKind", "kind_of_field", "readings"]

_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?").fullmatch
_SEPARATOR = re.compile(r"[,;\n]")


@dataclass(frozen=True)
class FieldKind:
    """Which kinds of value a field takes."""

    types: frozenset[Any] = frozenset()
    """Plain types such as ``str`` and ``date``; none of an unknown key, which takes any JSON."""
    choices: tuple[Any, ...] = ()
    """The only values it takes, if it is a choice."""
    section: type[Submodel] | None = None
    """The section that an object describes, if it takes one."""
    item: "FieldKind | None" = None
    """What the items of a list are, if it takes a list."""

    @property
    def takes_text(self) -> bool:
        """Whether an empty string may mean something."""
        return not self.types or bool(self.types & {str, SecretStr})

    @property
    def is_timestamp(self) -> bool:
        """Whether it takes timestamps, which are stored in one spelling."""
        return datetime in self.types


def kind_of_field(model: type[BaseModel], key: str) -> FieldKind:
    """Return the kind of a model's field, by its key in documents."""
    known, unknown = _kinds(model)
    return known.get(key, unknown)


@cache
def _kinds(model: type[BaseModel]) -> tuple[dict[str, FieldKind], FieldKind]:
    """The kinds of the known fields of a model, and that of all others."""
    kinds = {}
    for name, field in model.model_fields.items():
        kinds[name] = kinds[field.alias or name] = _kind(field.annotation)
    unknown = get_annotations(model).get("__pydantic_extra__")
    return kinds, _kind(get_args(unknown)[1]) if unknown else FieldKind()


def _kind(annotation: Any) -> FieldKind:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0])
    if origin in (Union, UnionType):
        kinds = [_kind(each) for each in arguments if get_origin(each) is not Literal]
        return FieldKind(
            types=frozenset().union(*(kind.types for kind in kinds)),
            section=next((kind.section for kind in kinds if kind.section), None),
            item=next((kind.item for kind in kinds if kind.item), None),
        )
    if origin is Literal:
        return FieldKind(frozenset({Literal}), choices=arguments)
    if origin is list:
        return FieldKind(frozenset({list}), item=_kind(arguments[0]))
    if isinstance(annotation, type) and issubclass(annotation, Submodel):
        return FieldKind(frozenset({dict}), section=annotation)
    return FieldKind(frozenset({origin or annotation}))


def readings(value: Any, kind: FieldKind) -> Iterator[Any]:
    """Give what the value can mean, most likely first; whether the field takes it is not tested.

    Nothing is guessed: a word such as ``yes``, a number with a comma or a day in the order of one
    country has no reading.
    """
    types = kind.types
    if isinstance(value, str):
        yield value.strip()
    if bool in types:
        yield from _flags(value)
    if types & {int, float}:
        yield from _numbers(value)
    if date in types:
        yield from _days(value)
    if types and types <= {str, SecretStr, NoneType} and type(value) is int:
        yield str(value)
    if kind.choices:
        yield from (each for each in kind.choices if _names(value, each))
    if kind.section is not None and value == []:
        yield {}
    if list not in types:
        if isinstance(value, list) and len(value) == 1 and types:
            yield value[0]
            yield from readings(value[0], kind)
    elif isinstance(value, str) and bool not in types and not _SEPARATOR.search(value):
        yield [value.strip()]


def _flags(value: Any) -> Iterator[bool]:
    """1 and 0, the spellings of JSON and Python, and what a checkbox of the dashboard writes."""
    if isinstance(value, str):
        value = value.strip().lower()
    for flag, spellings in ((True, (1, "true", ["show"])), (False, (0, "false", []))):
        if value in spellings:
            yield flag


def _numbers(value: Any) -> Iterator[int | float]:
    if isinstance(value, str) and _NUMBER(value.strip()):
        value = float(value) if "." in value else int(value)
        yield value
    if isinstance(value, float) and value.is_integer():
        yield int(value)


def _days(value: Any) -> Iterator[str]:
    """The day of a date with a time.

    With an offset only at midnight: at any other time it may be another day where it was written.
    """
    try:
        moment = datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        return
    if moment.tzinfo is None or moment.time() == time():
        yield moment.date().isoformat()


def _names(value: Any, choice: str) -> bool:
    """Whether the value is the choice, such as ``v2``, in another spelling or by its number."""
    if isinstance(value, str):
        value = value.strip().lower()
    return choice in (value, f"v{value}")

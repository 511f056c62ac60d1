"""Odd values of a profile or query, converted or kept aside one by one.

The models say which values are odd. One that can mean only one thing is converted: ``"100"`` where
a number belongs, a date with a time where a day does. Any other leaves the default of its field and
is kept, by its path, under ``legacy_values``; under ``legacy_secret`` if it may hold a secret. The
values beside it stay as they are.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pydantic
from pydantic_core import PydanticCustomError

from burndown.errors import Problem, ValidationError, format_value, is_secret
from burndown.legacy.files import kind_of
from burndown.legacy.findings import Say
from burndown.legacy.readings import FieldKind, kind_of_field, readings
from burndown.models import Entity, Submodel
from burndown.models.codec import codec_of
from burndown.models.json_codec import check_storable, encode
from burndown.models.values import is_line

__all__ = ["LEGACY_HIDDEN", "LEGACY_VALUES", "convert", "keep_storable"]

LEGACY_VALUES = "legacy_values"
"""The unknown key under which values are kept, by their path, that have no place of their own."""

LEGACY_HIDDEN = "legacy_secret"
"""The same for values that may hold a secret; its name keeps it out of exports."""

_Model = type[Entity] | type[Submodel]
_Expected = Callable[[Any], str | None]

_ODD = object()
"""Stands for a value that has been kept aside."""
_IDS = {"id": "id", "profile_id": "id"}
"""What an entity needs, whatever its other values are."""
_NAME = "name"
"""Names are made to fit later, when all of them are known; here they only have to be lines."""
_USER_IN_URL = re.compile(r"://[^/\s]*@")


def convert(model: type[Entity], document: dict[str, Any], say: Say) -> dict[str, Any]:
    """Return the document with values that the model accepts, and keeps as they are.

    Args:
        model: what the document describes.
        document: JSON values; timestamps may be ``datetime``.
        say: takes a sentence on each value that is converted or kept aside.
    """
    if _wanted(model, document) is None:
        return document
    conversion = _Conversion(say)
    return conversion.with_kept(conversion.section(model, document, ""))


def keep_storable(written: dict[str, Any], say: Say) -> dict[str, Any]:
    """Return the object with what JSON in a database cannot say as text in ``legacy_values``.

    Args:
        written: an object that is stored as it is, such as project data.
        say: takes a sentence on each value that is kept aside.
    """
    kept, conversion = {}, _Conversion(say)
    for key, value in written.items():
        try:
            kept[key] = check_storable(value, 1)
        except PydanticCustomError as error:
            conversion.keep(key, value, (error.context or {})["expected"])
    return conversion.with_kept(kept)


class _Conversion:
    """The conversion of one document."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._kept: dict[str, dict[str, Any]] = {}

    def section(self, model: _Model, written: dict[str, Any], path: str) -> dict[str, Any]:
        """Return the section without what is kept aside."""
        converted = {}
        for key, value in written.items():
            place = f"{path}.{key}" if path else key
            name = _spelled(model, key)
            if name != key and name not in written:
                self._say(f"{place}: read as {format_value(name)}")
                key = name
            kind = kind_of_field(model, key)
            item = self._read(value, place, kind, partial(_expected, model, key))
            if item is not _ODD:
                converted[key] = item
        return converted

    def keep(self, place: str, value: Any, expected: str) -> None:
        """Keep a value aside that cannot be understood."""
        text = json.dumps(value, ensure_ascii=False)
        may_be_secret = _may_be_secret(place, text)
        key = LEGACY_HIDDEN if may_be_secret else LEGACY_VALUES
        kept = self._kept.setdefault(key, {})
        while place in kept:
            place += " (double)"
        try:
            kept[place] = check_storable(value, 2)
        except PydanticCustomError:
            kept[place] = text
        got = None if may_be_secret else _described(value)
        self._say(f"{Problem(place, expected, got)}; kept under {key}")

    def with_kept(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document with what has been kept aside."""
        for key, kept in self._kept.items():
            earlier = document.get(key, {})
            document[key] = {**(earlier if isinstance(earlier, dict) else {key: earlier}), **kept}
        return document

    def _read(self, value: Any, place: str, kind: FieldKind, expected: _Expected) -> Any:
        """Return what is stored in place of a value; ``_ODD`` if nothing is.

        Args:
            value: what was written.
            place: the path to it.
            kind: what its field, or the list that it is in, takes.
            expected: tells what is expected in place of a value.
        """
        wanted = expected(value)
        if wanted is None:
            return value
        if value is None or (isinstance(value, str) and not value.strip() and not kind.takes_text):
            self._say(f"{place}: {'null' if value is None else 'an empty string'} read as not set")
            return _ODD
        if kind.section is not None and kind.item is None:
            if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
                self._say(f"{place}: a list of one read as its object")
                value = value[0]
            wanted = "input should be an object"
        if kind.section is not None and isinstance(value, dict):
            return self.section(kind.section, value, place)
        for reading in readings(value, kind):
            if expected(reading) is None:
                self._say_read(place, value, reading)
                return reading
        if kind.item is not None and isinstance(value, list):
            return self._items(value, place, kind.item, lambda item: expected([item]))
        self.keep(place, value, wanted)
        return _ODD

    def _items(
        self, written: list[Any], place: str, kind: FieldKind, expected: _Expected
    ) -> list[Any]:
        found = (
            self._read(item, f"{place}[{number}]", kind, expected)
            for number, item in enumerate(written)
        )
        return [item for item in found if item is not _ODD]

    def _say_read(self, place: str, value: Any, reading: Any) -> None:
        if value and _may_be_secret(place, str(value)):
            self._say(f"{place}: {kind_of(value)} read as {kind_of(reading)}")
        else:
            self._say(f"{place}: {_described(value)} read as {_described(reading)}")


def _spelled(model: _Model, key: str) -> str:
    """The key as documents have it, given that or the name of the field."""
    field = model.model_fields.get(key)
    return key if field is None else field.alias or key


def _expected(model: _Model, key: str, value: Any) -> str | None:
    """What the model expects in place of the value; ``None`` if it is stored as it is."""
    if key == _NAME and isinstance(value, str) and is_line(value):
        return None
    return _wanted(model, {key: value})


def _wanted(model: _Model, document: Mapping[str, Any]) -> str | None:
    """What is expected in place of the first odd value; ``None`` if all are stored as they are."""
    try:
        if issubclass(model, Entity):
            [stored] = codec_of(model).complete([{**_IDS, **document}])
        else:
            stored = model.model_validate(document).to_document()
    except pydantic.ValidationError as error:
        return ValidationError.from_pydantic("", error).problems[0].expected
    except ValidationError as error:
        return error.problems[0].expected
    for key, value in document.items():
        if not kind_of_field(model, key).is_timestamp and not _same(value, stored.get(key)):
            return "a value that is stored as it is was expected"
    return None


def _same(written: Any, stored: Any) -> bool:
    return written is stored or encode(written) == encode(stored)


def _may_be_secret(place: str, text: str) -> bool:
    """Whether a value may hold a secret, by its path or its JSON text."""
    return (
        place == "jira_config"
        or is_secret(place)
        or is_secret(text)
        or _USER_IN_URL.search(text) is not None
    )


def _described(value: Any) -> str:
    if isinstance(value, dict | list):
        return kind_of(value) if value else f"an empty {kind_of(value).split()[1]}"
    return format_value(value)

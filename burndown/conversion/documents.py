"""Invalid values of a profile, query or budget, converted or kept aside one by one.

The models decide which values are invalid. A value that can mean only one thing is converted:
``"100"`` for a number, a timestamp for a date. Any other leaves its field unset and is kept, by its
path, under ``legacy_values``, or under ``legacy_secret`` if it may hold a secret. The values next
to it are not touched.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeGuard

import pydantic
from pydantic_core import PydanticCustomError

from burndown.conversion.field_values import FieldType, field_type, possible_values
from burndown.conversion.findings import Report
from burndown.conversion.json_text import json_type
from burndown.errors import Problem, ValidationError, format_value, is_secret
from burndown.models import Document, Entity, Submodel
from burndown.models.codec import codec_of
from burndown.models.field_types import is_line
from burndown.models.json_codec import check_storable, encode
from burndown.models.timestamps import to_utc

__all__ = [
    "LEGACY_HIDDEN",
    "LEGACY_VALUES",
    "convert",
    "describe",
    "is_timestamp",
    "keep_storable",
]

LEGACY_VALUES = "legacy_values"
"""The unknown key under which invalid values are kept, by their path."""

LEGACY_HIDDEN = "legacy_secret"
"""The same for values that may hold a secret; exports omit it because of its name."""

_Model = type[Entity] | type[Submodel]
_Expected = Callable[[Any], str | None]

_UNSET = object()
"""The result for a value that was kept aside, or means that nothing is set."""
_ID = "id"
"""The value of the keys of an entity, which it requires, to validate each other field alone."""
_NAME = "name"
"""Names are made unique later, when all are known; here they only have to be one line."""
_USER_IN_URL = re.compile(r"://[^/\s]*@")


def convert(model: type[Entity], document: Document, report: Report) -> Document:
    """Return the document with values that the model stores unchanged.

    Args:
        model: the entity that the document describes.
        document: JSON values; timestamps may be ``datetime``.
        report: takes a sentence on each value that is converted or kept aside.
    """
    # Most documents are valid, and one validation is cheaper than one for each field.
    if _problem(model, document) is None:
        return document
    conversion = _Conversion(report)
    return conversion.with_kept(conversion.section(model, document, ""))


def keep_storable(written: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the object, with what the database cannot store as a string in ``legacy_values``.

    Args:
        written: an object that is stored unchanged, such as project data.
        report: takes a sentence on each value that is kept aside.
    """
    kept, conversion = {}, _Conversion(report)
    for key, value in written.items():
        try:
            kept[key] = check_storable(value, 1)
        except PydanticCustomError as error:
            conversion.keep(key, value, (error.context or {})["expected"])
    return conversion.with_kept(kept)


def is_timestamp(value: Any) -> TypeGuard[str]:
    """Return whether the value is a timestamp in ISO 8601."""
    if not isinstance(value, str):
        return False
    try:
        to_utc(value)
    except ValueError:
        return False
    return True


def describe(value: Any) -> str:
    """Return a value for a report: shortened, and nothing of what may hold a secret."""
    return "what may be a secret" if _may_be_secret("", str(value)) else _described(value)


class _Conversion:
    """The conversion of one document."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._kept: dict[str, dict[str, Any]] = {}

    def section(self, model: _Model, written: dict[str, Any], path: str) -> dict[str, Any]:
        """Return the section without the values that are kept aside."""
        converted = {}
        for key, value in written.items():
            place = f"{path}.{key}" if path else key
            name = _document_key(model, key)
            if name != key and name not in written:
                self._report(f"{place}: read as {format_value(name)}")
                key = name
            item = self._read(value, place, field_type(model, key), partial(_expected, model, key))
            if item is not _UNSET:
                converted[key] = item
        return converted

    def keep(self, place: str, value: Any, expected: str) -> None:
        """Keep aside a value that cannot be understood."""
        text = json.dumps(value, ensure_ascii=False)
        may_be_secret = _may_be_secret(place, text)
        key = LEGACY_HIDDEN if may_be_secret else LEGACY_VALUES
        kept = self._kept.setdefault(key, {})
        while place in kept:
            place += " (double)"
        try:
            # Two containers are around it: the document, and the object of kept values.
            kept[place] = check_storable(value, 2)
        except PydanticCustomError:
            kept[place] = text
        got = None if may_be_secret else _described(value)  # reports are printed and logged
        self._report(f"{Problem(place, expected, got)}; kept under {key}")

    def with_kept(self, document: Document) -> Document:
        """Return the document with the values that were kept aside."""
        for key, kept in self._kept.items():
            earlier = document.get(key, {})
            document[key] = {**(earlier if isinstance(earlier, dict) else {key: earlier}), **kept}
        return document

    def _read(self, value: Any, place: str, field: FieldType, expected: _Expected) -> Any:
        """Return the value to store; ``_UNSET`` for none.

        Args:
            value: the value in the file.
            place: the path to it.
            field: the type of its field, or of the items of the list that it is in.
            expected: returns what is expected in place of an invalid value.
        """
        wanted = expected(value)
        if wanted is None:
            return value
        if value is None or (
            isinstance(value, str) and not value.strip() and not field.takes_string
        ):
            what = "null" if value is None else "an empty string"
            self._report(f"{place}: {what} read as not set")
            return _UNSET
        if field.section is not None and field.item is None:
            if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
                self._report(f"{place}: a list of one read as its object")
                value = value[0]
            wanted = "input should be an object"
        if field.section is not None and isinstance(value, dict):
            return self.section(field.section, value, place)
        # The model has the last word, on ranges and patterns as well.
        for possible in possible_values(value, field):
            if expected(possible) is None:
                self._report_converted(place, value, possible)
                return possible
        if field.item is not None and isinstance(value, list):
            return self._items(value, place, field.item, lambda item: expected([item]))
        self.keep(place, value, wanted)
        return _UNSET

    def _items(
        self, written: list[Any], place: str, field: FieldType, expected: _Expected
    ) -> list[Any]:
        found = (
            self._read(item, f"{place}[{number}]", field, expected)
            for number, item in enumerate(written)
        )
        return [item for item in found if item is not _UNSET]

    def _report_converted(self, place: str, value: Any, converted: Any) -> None:
        if value and _may_be_secret(place, str(value)):
            self._report(f"{place}: {json_type(value)} read as {json_type(converted)}")
        else:
            self._report(f"{place}: {_described(value)} read as {_described(converted)}")


def _document_key(model: _Model, key: str) -> str:
    """Return the key in documents, given that or the name of the field."""
    field = model.model_fields.get(key)
    return key if field is None else field.alias or key


def _expected(model: _Model, key: str, value: Any) -> str | None:
    """Return what is expected in place of the value; ``None`` if it is stored unchanged."""
    if key == _NAME and isinstance(value, str) and is_line(value):
        return None
    return _problem(model, {key: value})


def _problem(model: _Model, document: Mapping[str, Any]) -> str | None:
    """Return what is expected in place of the first invalid value, or ``None``."""
    try:
        if issubclass(model, Entity):
            ids = dict.fromkeys(model.__table__.primary_key.columns.keys(), _ID)
            [stored] = codec_of(model).complete([{**ids, **document}])
        else:
            stored = model.model_validate(document).to_document()
    except pydantic.ValidationError as error:
        return ValidationError.from_pydantic("", error).problems[0].expected
    except ValidationError as error:
        return error.problems[0].expected
    # Models also convert: what they accept but would store otherwise is invalid in a file.
    for key, value in document.items():
        if not field_type(model, key).has_one_spelling and not _same(value, stored.get(key)):
            return "input should be a value that is stored unchanged"
    return None


def _same(written: Any, stored: Any) -> bool:
    # As JSON, since 1, 1.0 and True are equal in Python.
    return written is stored or encode(written) == encode(stored)


def _may_be_secret(place: str, text: str) -> bool:
    """Return whether a value may hold a secret, by its path or its JSON text."""
    return (
        place == "jira_config"
        or is_secret(place)
        or is_secret(text)
        or _USER_IN_URL.search(text) is not None
    )


def _described(value: Any) -> str:
    if isinstance(value, dict | list):
        return json_type(value) if value else f"an empty {json_type(value).split()[1]}"
    return format_value(value)

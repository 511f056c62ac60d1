"""Conversion between documents, entities and rows, for every entity in the same way.

- A *document* is a plain dict of JSON values, as a backend takes and returns it.
- An *entity* is an instance of its class, such as :class:`~burndown.models.Profile`.
- A *row* has the values of the columns: timestamps as ``datetime``, JSON encoded, that of responses
  and changelogs compressed.

A document becomes a row without an entity in between, which takes a tenth of the time. The schema
for that is made of the field types of the entity. It takes what can be stored as it was given; what
it does not take, the entity validates: it converts what is not JSON but can be stored exactly, such
as a number of numpy or a ``Decimal``, or raises the error.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from inspect import get_annotations
from types import UnionType
from typing import Annotated, Any, Generic, NotRequired, TypeVar, Union, get_args, get_origin

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, Strict, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, PydanticSerializationError
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from typing_extensions import TypedDict

from burndown.errors import ValidationError
from burndown.forks import ForkSafeLock
from burndown.models.documents import Document
from burndown.models.entity import Entity
from burndown.models.field_types import SECTION_DEPTH, Expecting
from burndown.models.json_codec import check_storable
from burndown.models.json_columns import CompressedJson, JsonColumn
from burndown.models.sealer import sealer_of
from burndown.models.submodel import Submodel, fields_by_key, to_documents

__all__ = ["Codec", "Row", "codec_of"]

E = TypeVar("E", bound=Entity)

Row = dict[str, Any]
"""The values of a row by column, as they are bound to a statement."""

_Converters = Sequence[tuple[str, Callable[[Any], Any]]]

_NOT_AS_GIVEN = (pydantic.ValidationError, PydanticCustomError, PydanticSerializationError)
"""Raised for a value that is not valid, or that has to be converted."""


def _unchanged(row: Row) -> Row:
    return row


class Codec(Generic[E]):
    """The conversion between documents, entities and rows of one entity.

    Args:
        entity: the class of the entity.
    """

    def __init__(self, entity: type[E]) -> None:
        self._entity = entity
        self._key = [column.name for column in entity.__table__.primary_key]
        self._sections = [
            name for name, field in entity.model_fields.items() if _is_section(field.annotation)
        ]
        self._section_lists = [
            name for name, field in entity.model_fields.items() if _is_list(field.annotation)
        ]
        json_columns = [
            (column.name, column.type)
            for column in entity.__table__.c
            if isinstance(column.type, JsonColumn)
        ]
        # A field that is ``None`` until the entity is stored, as an id that the database makes.
        self._initial = [
            (column.name, column.default.arg)
            for column in entity.__table__.c
            if isinstance(column.default, ScalarElementColumnDefault)
            and entity.model_fields[column.name].default is None
        ]
        self._sealer = sealer_of(entity)
        self._encoders = [(name, stored.encode) for name, stored in json_columns]
        self._copiers = [(name, stored.checked_copy) for name, stored in json_columns]

    def key(self, document: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the values of the primary key."""
        return tuple(document[name] for name in self._key)

    def rows(self, documents: Iterable[Mapping[str, Any]]) -> list[Row]:
        """Return the rows that store documents, with their secrets sealed.

        Raises:
            ValidationError: for the first document that is not valid.
            StorageError: the keys for its secrets cannot be read.
        """
        seals = self._sealer.seals()
        prepare = self._sealer.sealed_row if seals else _unchanged
        rows = [self._converted(document, self._encoders, prepare) for document in documents]
        if not seals:
            for row in rows:
                self._sealer.refuse_envelopes(row)
        return rows

    def complete(self, documents: Iterable[Mapping[str, Any]]) -> list[Document]:
        """Return documents as a backend returns them once they are stored.

        Raises:
            ValidationError: for the first document that is not valid.
        """
        return [self._document(self._converted(each, self._copiers)) for each in documents]

    def entity(self, document: Mapping[str, Any]) -> E:
        """Return the entity that a document describes.

        Raises:
            ValidationError: with the path, the value and what it should be, for each invalid value.
        """
        entity = self._entity
        try:
            valid: E = entity.__pydantic_validator__.validate_python(document)
        except pydantic.ValidationError as error:
            subject = self._subject(document)
            raise ValidationError.from_pydantic(subject, error, entity.UNKNOWN_KEYS) from None
        return valid

    def _subject(self, document: Mapping[str, Any]) -> str:
        key, name = document.get("id"), self._entity.__name__
        return f"{name} {key!r}" if isinstance(key, str) else name

    def _document(self, row: Row) -> Document:
        """Return the document of a row whose JSON is not encoded."""
        document: Document = {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in row.items()
        }
        if self._entity.UNKNOWN_KEYS:
            document.update(document.pop(self._entity.UNKNOWN_KEYS))
        return document

    def _converted(
        self,
        document: Mapping[str, Any],
        converters: _Converters,
        prepare: Callable[[Row], Row] = _unchanged,
    ) -> Row:
        """Return the validated values of a document, those of JSON columns converted.

        Args:
            document: the document.
            converters: convert the values of JSON columns.
            prepare: changes the validated values before.
        """
        try:
            row: Row | None = _convert(prepare(self._validated(document)), converters)
        except _NOT_AS_GIVEN:
            row = None  # an error raised here would have this one, with its inputs, as context
        if row is None:
            row = _convert(prepare(self._validated_by_entity(document)), converters)
        for name, initial in self._initial:
            if row[name] is None:
                row[name] = initial
        return row

    def _validated(self, document: Mapping[str, Any]) -> Row:
        """Return the validated values, sections and compressed values as they were given.

        Raises:
            pydantic.ValidationError: a value is not valid, or has to be converted.
        """
        fields = self._entity.fields_of_document(document)
        row: Row = _validator(self._entity).validate_python(fields)
        # The output of the validator has the keys of a section in the order of its fields.
        for name in self._sections:
            if name in fields:
                row[name] = fields[name]
        return row

    def _validated_by_entity(self, document: Mapping[str, Any]) -> Row:
        """Return the values of the entity, sections with their keys in the document's order.

        Raises:
            ValidationError: a value is not valid.
        """
        document = self._entity.converted(document)
        row: Row = dict(self.entity(document).__dict__)
        del row["_sa_instance_state"]
        for name in self._sections:
            row[name] = _as_given(document.get(name), row[name].to_document())
        for name in self._section_lists:
            given, found = document.get(name), to_documents(row[name])
            row[name] = list(map(_as_given, given, found)) if isinstance(given, list) else found
        return row


# `cached_property` has a lock on Python 3.11, which a forked process would wait for if a thread of
# its parent holds it. So this is none, and a fork waits for a thread in which pydantic uses some.
_building = ForkSafeLock(delays_forks=True)


@cache
def _validator(entity: type[Entity]) -> Any:
    """Return the validator of the values of a row; the method of its adapter takes 1 us more."""
    columns = entity.__table__.c
    fields = {
        name: InstanceOf[dict[str, Any]]  # its content is checked when it is compressed
        if isinstance(columns[name].type, CompressedJson)
        else _column_type(field)
        for name, field in entity.model_fields.items()
    }
    row: Any = TypedDict(entity.__name__, fields, closed=True)  # type: ignore[misc]
    with _building:
        return TypeAdapter(row).validator


_codecs: dict[type[Entity], Codec[Any]] = {}


def codec_of(entity: type[E]) -> Codec[E]:
    """Return the codec of an entity."""
    codec: Codec[E] | None = _codecs.get(entity)
    if codec is None:
        codec = _codecs[entity] = Codec(entity)
    return codec


def _convert(row: Row, converters: _Converters) -> Row:
    for name, convert in converters:
        if row[name] is not None:
            row[name] = convert(row[name])
    return row


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Submodel)


def _is_list(annotation: Any) -> bool:
    """Return whether the annotation is that of a list of sections."""
    return get_origin(annotation) is list and _is_section(get_args(annotation)[0])


def _column_type(field: FieldInfo) -> Any:
    """Return the type of a field in a row: sections as dicts, with the default of the field."""
    plain = _plain_type(field)
    if field.is_required():
        return plain
    if _is_section(field.annotation):
        return Annotated[plain, Field(default_factory=dict)]
    if field.default_factory is not None:
        return Annotated[plain, Field(default_factory=field.default_factory)]
    return Annotated[plain, Field(default=field.default)]


def _plain_type(field: FieldInfo) -> Any:
    """Return the type of a field, with a TypedDict in place of each section."""
    return _annotated(_without_models(field.annotation), field.metadata)


def _annotated(plain: Any, metadata: Iterable[Any]) -> Any:
    """Return the type with its rules, without what SQLModel notes of the column.

    Messages are omitted as well: the entity raises the error.
    """
    rules = [
        rule
        for rule in metadata
        if not isinstance(rule, Expecting) and not type(rule).__module__.startswith("sqlmodel.")
    ]
    return Annotated[plain, *rules] if rules else plain


def _without_models(annotation: Any) -> Any:
    if _is_section(annotation):
        return _section_type(annotation)
    if _is_list(annotation):
        return _NoSections
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(_without_models(arguments[0]), arguments[1:])
    if origin is list:
        return Annotated[annotation, Strict()]  # a tuple has to be converted
    if origin in (Union, UnionType):
        return Union[tuple(map(_without_models, arguments))]  # noqa: UP007 - the tuple is computed
    return annotation


def _section_type(section: type[Submodel]) -> Any:
    """Return the TypedDict of a section, by the keys of its documents.

    The name of a field with an alias is refused: the entity stores it under the alias.
    """
    fields: dict[str, Any] = {}
    for key, name in fields_by_key(section).items():
        if key != name:
            fields[name] = NotRequired[Annotated[Any, BeforeValidator(_refuse)]]
        fields[key] = NotRequired[_plain_type(section.model_fields[name])]
    extra = get_annotations(section).get("__pydantic_extra__")
    unknown = _without_models(get_args(extra)[1]) if extra else _UnknownValue
    return TypedDict(section.__name__, fields, extra_items=unknown)  # type: ignore[operator]


_NoSections = Annotated[list[Any], Strict(), Field(max_length=0)]
"""The type of a list of sections in a row. Others than an empty one are validated by the entity,
which also converts what sections hold, such as timestamps."""


def _refuse(value: Any) -> Any:
    raise ValueError("stored under the alias of the field")


_UnknownValue = Annotated[
    Any, AfterValidator(lambda value: check_storable(value, SECTION_DEPTH + 1))
]


def _as_given(given: Any, section: Document) -> Any:
    """Return the document of a section, with its keys in the order of an equal one that is given.

    An entity does not know that order.
    """
    return _in_order_of(given, section) if given == section else section


def _in_order_of(given: Any, section: Any) -> Any:
    """Return a section with its keys in the order of what it equals, which may hold other types."""
    if isinstance(section, dict):
        return {key: _in_order_of(given[key], section[key]) for key in given}
    return section

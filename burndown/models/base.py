"""What every stored entity and every nested section has in common.

A *document* is an entity as a plain dict of JSON values, as the backend takes and gives it. Its
sections hold only what was set or edited in place; defaults belong to the models. Secrets are in
plain text: a document is what is stored.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pydantic
from pydantic import ConfigDict, SecretStr, model_validator
from sqlalchemy import Index, Table
from sqlalchemy.orm import registry
from sqlalchemy.orm.attributes import manager_of_class, set_attribute
from sqlmodel import SQLModel

from burndown.errors import ValidationError
from burndown.models.docstring_schema import Described
from burndown.models.json_codec import MAX_DEPTH, check_storable, decode
from burndown.models.quick import SECTION_DEPTH, QuickRows

__all__ = ["Entity", "Submodel", "View", "add_index", "invalid_key"]


class Submodel(Described):
    """A nested section of configuration: known keys are validated, unknown ones are kept."""

    model_config = ConfigDict(
        extra="allow",
        validate_assignment=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

    @model_validator(mode="after")
    def _check_unknown_keys(self) -> Self:
        if unknown := self.__pydantic_extra__:
            plain = {
                key: value for key, value in unknown.items() if not isinstance(value, Submodel)
            }
            check_storable(plain, SECTION_DEPTH)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        name = _fields_by_key(type(self)).get(name, name)
        if name not in type(self).model_fields and not name.startswith("_"):
            type(self).model_validate({name: value})  # pydantic would set it first
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Reset a field to its default, or delete an unknown key."""
        name = _fields_by_key(type(self)).get(name, name)
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
        for key, name in _fields_by_key(type(self)).items():
            value = _plain(self.__dict__[name])
            if name in self.__pydantic_fields_set__ or value != defaults[key]:
                document[key] = value
        unknown = self.__pydantic_extra__ or {}
        if taken := unknown.keys() & {*defaults, *type(self).model_fields}:
            raise invalid_key(type(self).__name__, min(taken))
        document.update({key: _copied(value, {}) for key, value in unknown.items()})
        return document

    def __repr_args__(self) -> Any:
        known = type(self).model_fields
        return [(key, value) for key, value in super().__repr_args__() if key in known]


class View(Described):
    """A typed look at JSON that others wrote: reads what it knows, tolerates all else."""

    model_config = ConfigDict(extra="allow", defer_build=True)


class Entity(SQLModel, Described, registry=registry()):  # not that of the application's tables
    """Something stored in a table of its own; validates when made, assigned to or read."""

    model_config = ConfigDict(  # type: ignore[assignment] # SQLModel narrows it to its own
        extra="forbid",
        validate_assignment=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

    if TYPE_CHECKING:
        __table__: ClassVar[Table]

    LABEL: ClassVar[str]
    """The plural for people, such as ``cached responses``."""
    PROFILE_COLUMN: ClassVar[str | None] = None
    """The column with the id of the profile, if the entity belongs to one."""
    PRESERVED_ON_UPDATE: ClassVar[frozenset[str]] = frozenset()
    """Columns that keep their value if a document that replaces another has none."""
    EXPORT_FILE: ClassVar[str | None] = None
    """The file of an export with its records, if there is one; ``{query}`` stands for a query."""
    LEGACY_FILE: ClassVar[str | None] = None
    """The file of the old dashboard with its records, in the folder of the profile or query."""
    UNKNOWN_KEYS: ClassVar[str] = ""
    """The field that holds a document's unknown keys, if they are kept."""

    def __new__(cls, /, **_: Any) -> Self:  # noqa: D102 - as of any class
        # SQLModel's own takes no key called "cls".
        new: Self = super().__new__(cls)
        return new

    def __init__(__pydantic_self__, **data: Any) -> None:  # noqa: N805 - leaves "self" to the data
        # SQLModel leaves a table class unvalidated, and pydantic replaces the whole __dict__,
        # in which SQLAlchemy keeps its state.
        self = __pydantic_self__
        state = self.__dict__["_sa_instance_state"]
        self.__pydantic_validator__.validate_python(self._prepared(data), self_instance=self)
        self.__dict__["_sa_instance_state"] = state

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).model_fields:
            super().__setattr__(name, value)
            return
        # SQLModel would set it first and validate afterwards.
        before = {field: getattr(self, field) for field in type(self).model_fields}
        before["_sa_instance_state"] = self.__dict__["_sa_instance_state"]
        try:
            self.__pydantic_validator__.validate_assignment(self, name, value)
            validated = self.__dict__[name]
        finally:
            object.__setattr__(self, "__dict__", before)
        set_attribute(self, name, validated)

    def __copy__(self) -> Self:
        """Return a copy that is in no session, which SQLAlchemy knows by a state of its own."""
        for name in type(self).model_fields:
            getattr(self, name)  # loads what has expired
        copied = super().__copy__()
        manager_of_class(type(self)).setup_instance(copied)
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a copy that is in no session and shares no value."""
        copied = self.__copy__()
        for name in type(self).model_fields:
            copied.__dict__[name] = deepcopy(copied.__dict__[name], memo)
        return copied

    @classmethod
    def _prepared(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What is validated in place of the given data; a hook for what depends on other keys."""
        return {key if isinstance(key, str) else repr(key): item for key, item in data.items()}

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """An entity of a mapping, or a copy of another one of its kind.

        Raises:
            pydantic.ValidationError: with the path to each value that is not possible.
        """
        if isinstance(obj, cls):
            obj = {name: getattr(obj, name) for name in cls.model_fields}
        data = cls._prepared(dict(obj)) if isinstance(obj, Mapping) else obj
        entity: Self = cls.__pydantic_validator__.validate_python(data)
        return entity

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """An entity of JSON text, as :meth:`model_dump_json` writes it.

        Raises:
            pydantic.ValidationError: with the path to each value that is not possible.
            ValueError: it is not JSON.
        """
        return cls.model_validate(decode(json_data))

    @classmethod
    def derived(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that are taken from others of a document whenever it is stored.

        They follow the rules of this release, whatever another one has stored.
        """
        return {}

    @classmethod
    def key_of(cls, document: Mapping[str, Any]) -> tuple[Any, ...]:
        """What tells the document from others of its kind."""
        columns = cls.__table__.primary_key
        return tuple(document[column.name] for column in columns)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The entity that a document describes.

        Raises:
            ValidationError: naming each path, value and expectation.
        """
        try:
            return cls.model_validate(cls._fields_of(document))
        except pydantic.ValidationError as error:
            raise ValidationError.from_pydantic(
                cls._subject(document), error, cls.UNKNOWN_KEYS
            ) from None

    @classmethod
    def rows_of(cls, documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The values by field that documents describe; sections as plain dicts.

        Raises:
            ValidationError: for the first document that is not valid.
        """
        quick_row = _quick_rows(cls).row
        rows = []
        for document in documents:
            try:
                row = quick_row(cls._fields_of(document))
            except pydantic.ValidationError:
                row = cls.from_document(document)._row(document)
            rows.append(row)
        return rows

    @classmethod
    def completed(cls, documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The documents as they are given out once they are stored.

        Raises:
            ValidationError: for the first document that is not valid.
        """
        return [cls.document_of(row) for row in cls.rows_of(documents)]

    @classmethod
    def document_of(cls, row: Mapping[Any, Any]) -> dict[str, Any]:
        """The document of a row, as :meth:`rows_of` made it: what was stored, moments as text."""
        return cls.with_unknown_keys(_with_iso_timestamps(row))

    @classmethod
    def with_unknown_keys(cls, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the keys that are not fields beside those that are."""
        if cls.UNKNOWN_KEYS:
            document.update(document.pop(cls.UNKNOWN_KEYS))
        return document

    @classmethod
    def _fields_of(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document's values by field."""
        return dict(document)

    def _row(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The values by field, each section with its keys in the document's order.

        A model knows no order of keys, so its own dump would change it.
        """
        row = {name: self.__dict__[name] for name in type(self).model_fields}
        for name, value in row.items():
            if isinstance(value, Submodel):
                section = value.to_document()
                given = document.get(name)
                row[name] = _in_order_of(given, section) if given == section else section
        return row

    def to_document(self) -> dict[str, Any]:
        """Return the entity as a plain dict of JSON values, secrets in plain text.

        Raises:
            ValidationError: an unknown key was edited in place into the key of a field.
        """
        row = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: value.to_document() if isinstance(value, Submodel) else value
            for name, value in _with_iso_timestamps(row).items()
        }

    @classmethod
    def _subject(cls, document: Mapping[str, Any]) -> str:
        key = document.get("id")
        return f"{cls.__name__} {key!r}" if isinstance(key, str) else cls.__name__


def add_index(entity: type[Entity], name: str, *columns: str) -> None:
    """Give the table an index over these columns; ``-name`` sorts one from high to low."""
    table = entity.__table__
    Index(
        name,
        *(
            table.c[column[1:]].desc() if column.startswith("-") else table.c[column]
            for column in columns
        ),
    )


@cache
def _quick_rows(entity: type[Entity]) -> QuickRows:
    return QuickRows(entity)


def _in_order_of(given: Any, section: Any) -> Any:
    """The section with its keys in the order of what it equals, which may hold other types."""
    if isinstance(section, dict):
        return {key: _in_order_of(given[key], section[key]) for key in given}
    return section


def _with_iso_timestamps(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


@cache
def _fields_by_key(model: type[Submodel]) -> dict[str, str]:
    """The name of each field by its key in documents, which is its alias if it has one."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


@cache
def _default_document(model: type[Submodel]) -> dict[str, Any]:
    """The default of each field as a JSON value, by its key in documents."""
    fields = model.model_fields
    return {
        key: _plain(fields[name].get_default(call_default_factory=True))
        for key, name in _fields_by_key(model).items()
    }


def invalid_key(subject: str, key: str, path: str = "") -> ValidationError:
    """Return the error of an unknown key that is the key of a field."""
    return ValidationError.of(subject, path + key, "input should be a key that is not a field")


def _plain(value: Any) -> Any:
    """The value of a field of a section as a JSON value, which shares no container with it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, date):
        return value.isoformat()
    return _copied(value, {})


def _copied(value: Any, copies: dict[int, Any], depth: int = 0) -> Any:
    """A copy of the containers, with sections as documents; whatever else is there stays.

    What cannot be stored is refused where it is saved: other types, containers that hold
    themselves, and those that nest too deep.
    """
    if isinstance(value, Submodel):
        return value.to_document()
    if depth > MAX_DEPTH or not isinstance(value, dict | list):
        return value
    if id(value) in copies:
        return copies[id(value)]
    if isinstance(value, list):
        items: list[Any] = []
        copies[id(value)] = items
        items += [_copied(item, copies, depth + 1) for item in value]
        return items
    by_key: dict[Any, Any] = {}
    copies[id(value)] = by_key
    by_key.update({key: _copied(item, copies, depth + 1) for key, item in value.items()})
    return by_key

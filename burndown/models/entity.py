"""The base class of stored entities.

A *document* is an entity as a plain dict of JSON values, as a backend takes and returns it. Its
sections hold only what was set or edited in place; defaults belong to the models. Secrets are in
plain text: a document is what is stored.
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import (
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from sqlalchemy import Index, Table, event
from sqlalchemy.orm import Mapper, registry
from sqlalchemy.orm.attributes import manager_of_class, set_attribute
from sqlmodel import SQLModel

from burndown.models.digests import add_digests
from burndown.models.docstring_schema import Described
from burndown.models.json_values import copy_containers, to_json_value
from burndown.models.redaction import Redacted
from burndown.models.submodel import Submodel, invalid_key, to_documents

__all__ = ["Entity", "add_index"]


class _Fields(dict[str, Any]):
    """The values of an entity by field; any other mapping is a document."""


class Entity(
    SQLModel, Described, Redacted, registry=registry()
):  # not that of the application's tables
    """An object stored in a table of its own, validated when it is made, assigned to or read."""

    model_config = ConfigDict(  # type: ignore[assignment] # SQLModel narrows it to its own
        extra="forbid",
        validate_assignment=True,
        defer_build=True,
    )

    if TYPE_CHECKING:  # SQLModel adds it, and declares it nowhere
        __table__: ClassVar[Table]

    LABEL: ClassVar[str]
    """The plural for people, such as ``cached responses``."""
    PROFILE_COLUMN: ClassVar[str | None] = None
    """The column with the id of the profile, if the entity is one or belongs to one."""
    QUERY_COLUMN: ClassVar[str | None] = None
    """The column with the id of the query, if the entity is one or belongs to one."""
    PRESERVED_ON_UPDATE: ClassVar[frozenset[str]] = frozenset()
    """Columns that keep their value if a document that replaces another has none. Those of profiles
    and queries are times, and no content: the revision does not count their changes."""
    EXPORT_FILE: ClassVar[str | None] = None
    """The file of an export with its records, if any; ``{query}`` is replaced by the query."""
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
        fields = _Fields(self._fields_of_arguments(data))
        self.__pydantic_validator__.validate_python(fields, self_instance=self)
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
        """Return a copy that is in no session, with its own state of SQLAlchemy."""
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
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = super().__get_pydantic_json_schema__(schema, handler)
        if handler.mode == "validation":
            properties = handler.resolve_ref_schema(made)["properties"]
            for name in cls.derived({}):  # whatever is given
                properties[name]["readOnly"] = True
                for key in ("anyOf", "default"):
                    del properties[name][key]
        return made

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Return the entity of a document or dump, or a copy of another one of the same class.

        Raises:
            pydantic.ValidationError: with the path to each value that is not valid.
        """
        data = obj
        if isinstance(obj, cls):
            data = _Fields({name: getattr(obj, name) for name in cls.model_fields})
        entity: Self = cls.__pydantic_validator__.validate_python(data)
        return entity

    @model_validator(mode="wrap")
    @classmethod
    def _read_document(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, Mapping) and not isinstance(data, _Fields):
            data = _with_string_keys(cls.fields_of_document(data))
        return handler(data)

    @classmethod
    def fields_of_document(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a document by field, before they are validated.

        Its unknown keys are in the field for them, if there is one, and fields that follow from
        others are filled in.
        """
        if not cls.UNKNOWN_KEYS:
            return {**document, **cls.derived(document)}
        fields = dict(document)
        known = _document_keys(cls)
        if not document.keys() <= known:
            unknown = [key for key in document if key not in known]
            fields[cls.UNKNOWN_KEYS] = {key: fields.pop(key) for key in unknown}
        fields.update(cls.defaults(fields))
        return fields

    @classmethod
    def _fields_of_arguments(cls, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the same for keyword arguments, which can name the field of unknown keys."""
        if cls.UNKNOWN_KEYS not in arguments:
            return cls.fields_of_document(arguments)
        given = arguments[cls.UNKNOWN_KEYS]
        others = {key: arguments[key] for key in arguments if key != cls.UNKNOWN_KEYS}
        fields = cls.fields_of_document(others)
        unknown = fields.get(cls.UNKNOWN_KEYS, {})
        fields[cls.UNKNOWN_KEYS] = {**given, **unknown} if isinstance(given, dict) else given
        return fields

    @classmethod
    def derived(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that are taken from others of a document whenever it is stored.

        They follow the rules of this release, whatever another one has stored.
        """
        return {}

    @classmethod
    def defaults(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that are made of others of a document where it has none."""
        return {}

    @classmethod
    def converted(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a document with values of other libraries, such as numpy, as JSON values.

        It is called for documents that could not be stored as they are.
        """
        return {key: copy_containers(document[key], to_json_value) for key in document}

    def to_document(self) -> dict[str, Any]:
        """Return the entity as a plain dict of JSON values, secrets in plain text.

        Strings of secrets have a mask as their ``repr``, as in the documents of a backend.

        Raises:
            ValidationError: an unknown key was edited in place into the key of a field.
        """
        document: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Submodel | list):
                value = to_documents(value)
            elif isinstance(value, date):
                value = value.isoformat()
            document[name] = value
        unknown = document.pop(self.UNKNOWN_KEYS, {})
        if taken := unknown.keys() & _document_keys(type(self)):
            key = document.get("id")
            raise invalid_key(f"{type(self).__name__} {key!r}", min(taken), f"{self.UNKNOWN_KEYS}.")
        return {**document, **to_documents(unknown)}


@event.listens_for(Entity, "after_mapper_constructed", propagate=True)
def _add_digests(_: Mapper[Any], entity: type[Entity]) -> None:
    # Only now: the entity is mapped, without these columns.
    add_digests(entity.__table__, entity.LABEL)


def _with_string_keys(fields: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Return the fields, with the ``repr`` of each key that is not a string.

    pydantic passes the keys to the constructor as names of arguments, which fails for others.
    """
    if all(isinstance(key, str) for key in fields):
        return fields
    return {key if isinstance(key, str) else repr(key): fields[key] for key in fields}


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
def _document_keys(entity: type[Entity]) -> frozenset[str]:
    """Return the keys of documents that are fields."""
    return frozenset(entity.model_fields.keys() - {entity.UNKNOWN_KEYS})

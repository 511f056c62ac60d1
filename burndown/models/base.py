"""What every stored entity and every nested section has in common.

A *document* is an entity as a plain dict of JSON values, as the backend takes and gives it. Only
what was set is in it; defaults belong to the models. Secrets are in it in clear: it is what is
stored.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import pydantic
from pydantic import BaseModel, ConfigDict, SecretStr, model_validator
from sqlalchemy.orm.attributes import set_attribute
from sqlmodel import SQLModel

from burndown.errors import ValidationError
from burndown.models.json_codec import check_storable, decode

__all__ = ["Entity", "Submodel", "View"]

_SECTION_DEPTH = 4
"""Containers that can stand around an unknown key of a section within its column."""


class Submodel(BaseModel):
    """A nested section of configuration: known keys are validated, unknown ones are kept."""

    model_config = ConfigDict(
        extra="allow",
        validate_assignment=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="after")
    def _check_unknown_keys(self) -> Self:
        unknown = self.model_extra or {}
        check_storable(
            {key: value for key, value in unknown.items() if not isinstance(value, Submodel)},
            _SECTION_DEPTH,
        )
        return self

    def to_document(self) -> dict[str, Any]:
        """The section as JSON values, secrets in clear, with only what was set."""
        document: dict[str, Any] = _revealed(self.model_dump(exclude_unset=True))
        return document

    def __repr_args__(self) -> Any:
        known = type(self).model_fields
        return [(key, value) for key, value in super().__repr_args__() if key in known]


class View(BaseModel):
    """A typed look at JSON that others wrote: reads what it knows, tolerates all else."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)


class Entity(SQLModel):
    """Something stored in a table of its own; validates when made, assigned to or read."""

    model_config = ConfigDict(  # type: ignore[assignment] # SQLModel narrows it to its own
        extra="forbid",
        validate_assignment=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    def __init__(self, **data: Any) -> None:
        # SQLModel leaves a table class unvalidated, and pydantic replaces the whole __dict__,
        # in which SQLAlchemy keeps its state.
        orm_state = dict(self.__dict__)
        self.__pydantic_validator__.validate_python(self._prepared(data), self_instance=self)
        values = self.__dict__
        object.__setattr__(self, "__dict__", orm_state)
        for name, value in values.items():
            set_attribute(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).model_fields:
            super().__setattr__(name, value)
            return
        # SQLModel would set first and validate afterwards.
        before = dict(self.__dict__)
        self.__pydantic_validator__.validate_assignment(self, name, value)
        validated = self.__dict__[name]
        object.__setattr__(self, "__dict__", before)
        set_attribute(self, name, validated)

    @classmethod
    def _prepared(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What is validated in place of the given data; a hook for what depends on other keys."""
        return data

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """An entity of a mapping, or of another one of its kind.

        Raises:
            pydantic.ValidationError: with the path to each value that is not possible.
        """
        return cls(**(obj if isinstance(obj, Mapping) else obj.model_dump()))

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """An entity of JSON text, as :meth:`model_dump_json` writes it.

        Raises:
            pydantic.ValidationError: with the path to each value that is not possible.
            ValueError: it is not a JSON object.
        """
        data = decode(bytes(json_data) if isinstance(json_data, bytearray) else json_data)
        if not isinstance(data, dict):
            raise ValueError("a JSON object was expected")
        return cls(**data)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The entity that a document describes.

        Raises:
            ValidationError: naming each path, value and expectation.
        """
        return cls(**cls.values_of(document))

    @classmethod
    def values_of(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """The validated values of all fields, without the cost of an entity.

        Raises:
            ValidationError: naming each path, value and expectation.
        """
        try:
            entity = cls.__pydantic_validator__.validate_python(
                cls._prepared(cls._fields_of(document))
            )
        except pydantic.ValidationError as error:
            raise ValidationError.from_pydantic(cls._subject(document), error) from None
        values: dict[str, Any] = entity.__dict__
        return values

    @classmethod
    def _fields_of(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document's values by field."""
        return dict(document)

    def to_document(self) -> dict[str, Any]:
        """The entity as a plain dict of JSON values, secrets in clear."""
        return {name: _plain(getattr(self, name)) for name in type(self).model_fields}

    @classmethod
    def _subject(cls, document: Mapping[str, Any]) -> str:
        key = document.get("id")
        return f"{cls.__name__} {key!r}" if isinstance(key, str) else cls.__name__


def _plain(value: Any) -> Any:
    if isinstance(value, Submodel):
        return value.to_document()
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _revealed(value: Any) -> Any:
    """A dump as JSON values, with dates as text and secrets in clear."""
    if isinstance(value, dict):
        return {key: _revealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_revealed(item) for item in value]
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value.isoformat() if hasattr(value, "isoformat") else value

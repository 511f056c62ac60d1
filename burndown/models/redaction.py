"""Models that keep secrets: in errors, in what is printed, and in JSON dumps.

A secret is whatever has a key that :func:`~burndown.errors.is_secret` names, the token among them.
It is omitted from ``repr`` and from JSON dumps. It stays in documents, in what ``model_dump()``
returns to Python, in copies and in pickles, which have to hold all of the model. Pickles have it
sealed if there is a key.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self, get_args

import pydantic
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, SecretStr
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from burndown.models.json_codec import decode
from burndown.models.secret_text import with_secret_texts
from burndown.quoting import is_secret, quotable

__all__ = ["NO_SECRETS", "Redacted", "without_secrets"]

NO_SECRETS = ("", None, True, False)
"""Values that may be shown even under the key of a secret, such as of ``has_token``."""


class Redacted(BaseModel):
    """A model whose errors and ``repr`` hold no secret."""

    # The first hides inputs in the message, the schema below in all else.
    model_config = ConfigDict(hide_input_in_errors=True, defer_build=True)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        # Around all validators, whereas those of a model's own are around those of its bases. The
        # reference is that of the whole, or a second field of this class would have only the model.
        model: Any = dict(handler(source))
        return core_schema.no_info_wrap_validator_function(
            partial(_validated, cls.quotable), model, ref=model.pop("ref", None)
        )

    @classmethod
    def quotable(cls, details: ErrorDetails) -> object:
        """Return the value of an error, or a description of it if it may hold a secret."""
        return quotable(details)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """Return the model of a JSON string, as ``model_dump_json`` writes it.

        Raises:
            pydantic.ValidationError: with the path to each value that is not valid.
            ValueError: it is not JSON.
        """
        return cls.model_validate(decode(json_data))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, which are validated like any that are assigned.

        Raises:
            pydantic.ValidationError: a value is not valid.
            AttributeError: a name begins with an underscore, such as ``__dict__``.
        """
        copied = super().model_copy(deep=deep)
        for name, value in (update or {}).items():
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__} has no field {name!r}")
            setattr(copied, name, value)
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        """Return the state for a pickle, which has its secrets sealed if there is a key."""
        state = super().__getstate__()
        return {
            name: with_secret_texts(values) if isinstance(values, dict) else values
            for name, values in state.items()
        }

    def __setstate__(self, state: dict[Any, Any]) -> None:
        values = state["__dict__"]
        for name, field in type(self).model_fields.items():
            if field.annotation is SecretStr and isinstance(values.get(name), str):
                values[name] = SecretStr(str(values[name]))
        super().__setstate__(state)

    def __repr_args__(self) -> Any:
        return [
            (key, without_secrets(value))
            for key, value in super().__repr_args__()
            if isinstance(value, SecretStr) or not is_secret(str(key))
        ]


_Quotable = Callable[[ErrorDetails], object]


def _validated(
    quotable: _Quotable, value: Any, handler: core_schema.ValidatorFunctionWrapHandler
) -> Any:
    try:
        return handler(value)
    except pydantic.ValidationError as error:
        redacted = _redacted(error, quotable)
    raise redacted  # not while the other one is handled, which would be its context


def without_secrets(value: Any) -> Any:
    """Return a copy of a JSON value without whatever has the key of a secret, at any depth."""
    if isinstance(value, dict):
        return {
            key: without_secrets(item) for key, item in value.items() if not is_secret(str(key))
        }
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


_KNOWN_TYPES = frozenset(get_args(core_schema.ErrorType))


def _redacted(error: pydantic.ValidationError, quotable: _Quotable) -> pydantic.ValidationError:
    """Return the error with descriptions in place of values that may hold a secret."""
    return pydantic.ValidationError.from_exception_data(
        error.title,
        [_redacted_details(details, quotable) for details in error.errors()],
        hide_input=True,
    )


def _redacted_details(details: ErrorDetails, quotable: _Quotable) -> InitErrorDetails:
    kind, context, value = details["type"], details.get("ctx", {}), quotable(details)
    if "value" in context:
        context = {**context, "value": value}
    redacted: InitErrorDetails = {"type": kind, "loc": details["loc"], "input": value}
    if kind not in _KNOWN_TYPES:
        redacted["type"] = PydanticCustomError(kind, details["msg"], context)
    elif context:
        redacted["ctx"] = context
    return redacted

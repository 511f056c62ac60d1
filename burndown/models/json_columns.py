"""The column types of JSON: strings that every SQL shell can read, and compressed values."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import SecretStr
from sqlalchemy import Dialect, LargeBinary, Text
from sqlalchemy.types import TypeEngine

from burndown.models.columns import StoredType, decode_flag
from burndown.models.compression import compress, decompress, decompress_object
from burndown.models.json_codec import (
    check_object,
    decode,
    decode_array,
    decode_object,
    encode_strict,
)
from burndown.models.secret_text import SecretText
from burndown.models.submodel import Submodel, to_documents
from burndown.secrets import is_envelope

__all__ = [
    "CompressedJson",
    "FlagJson",
    "JsonColumn",
    "JsonText",
    "SubmodelJson",
    "SubmodelListJson",
]

T = TypeVar("T")


class JsonColumn(StoredType[T]):
    """A type whose values are JSON, encoded by the codec of the entity or when the ORM binds them.

    By default they are stored as a string.
    """

    def encode(self, value: Any) -> str | bytes:
        """Return JSON values as they are stored.

        Raises:
            PydanticCustomError: they cannot be stored exactly.
        """
        return encode_strict(value).decode()

    def checked_copy(self, value: Any) -> Any:
        """Return a value as it is read once it has been stored.

        Raises:
            PydanticCustomError: it cannot be stored exactly.
        """
        return decode(self.encode(value))

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | bytes | None:
        """Encode a value that the ORM binds."""
        return value if value is None or isinstance(value, str | bytes) else self.encode(value)


class JsonText(JsonColumn[Any]):
    """A JSON object as a string; SQL ``NULL`` for ``None``.

    Args:
        raw: it stays encoded when it is read.
        secrets: the keys of strings whose ``repr`` is a mask when they are read.
    """

    impl = Text
    cache_ok = True

    def __init__(self, *, raw: bool = False, secrets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.raw = raw
        self.secrets = secrets

    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Decode."""
        if self.secrets:
            return lambda text: _with_hidden(decode_object(text), self.secrets)
        return _encoded if self.raw else decode_object


class FlagJson(JsonColumn[bool | list[str]]):
    """A flag, or a list of strings, as JSON; the old dashboard writes 0 and 1 for a flag."""

    impl = Text
    cache_ok = True

    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Decode."""
        return _flag_or_list


class _OfSubmodels(JsonColumn[Any]):
    """A submodel or several as JSON, only with what was set; the codec encodes their documents."""

    impl = Text
    cache_ok = True

    def __init__(self, model: type[Submodel]) -> None:
        super().__init__()
        self.model = model

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | bytes | None:
        """Encode what the ORM binds."""
        return super().process_bind_param(to_documents(value), dialect)


class SubmodelJson(_OfSubmodels):
    """A submodel as a JSON object."""

    cache_ok = True

    def __init__(self, model: type[Submodel]) -> None:
        super().__init__(model)
        self._secrets = tuple(
            name for name, field in model.model_fields.items() if field.annotation is SecretStr
        )

    @property
    def of_documents(self) -> TypeEngine[Any]:
        """Return the type that reads the document of the submodel."""
        return JsonText(secrets=self._secrets)

    def encode(self, value: Any) -> str | bytes:
        """Encode its document."""
        for key in self._secrets:
            if type(value.get(key)) is SecretText:  # its encoding takes longer
                value = {**value, key: str(value[key])}
        return super().encode(value)

    def checked_copy(self, value: Any) -> Any:
        """Return a document as it is read once it has been stored."""
        return _with_hidden(super().checked_copy(value), self._secrets)

    def decoder(self, dialect: Dialect) -> Callable[[Any], Submodel]:
        """Decode and validate."""
        return lambda text: self.model.model_validate(decode_object(text))


class SubmodelListJson(_OfSubmodels):
    """A list of submodels as a JSON array."""

    cache_ok = True

    @property
    def of_documents(self) -> TypeEngine[Any]:
        """Return the type that reads the documents of the submodels."""
        return _ArrayJson()

    def decoder(self, dialect: Dialect) -> Callable[[Any], list[Submodel]]:
        """Decode and validate."""
        return lambda text: [self.model.model_validate(each) for each in decode_array(text)]


class _ArrayJson(JsonColumn[list[Any]]):
    """A JSON array as a string."""

    impl = Text
    cache_ok = True

    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Decode."""
        return decode_array


class CompressedJson(JsonColumn[Any]):
    """A JSON object, compressed. Read ``raw``, it stays encoded."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, *, raw: bool = False) -> None:
        super().__init__()
        self.raw = raw

    def encode(self, value: Any) -> bytes:
        """Check, encode and compress."""
        return compress(value)

    def checked_copy(self, value: Any) -> Any:
        """Return the value itself; a copy of a large response takes too long."""
        return check_object(value)

    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Decompress and decode."""
        return decompress if self.raw else decompress_object


def _with_hidden(value: Any, keys: tuple[str, ...]) -> Any:
    """Return an object with its secrets as strings whose ``repr`` is a mask."""
    for key in keys:
        if value.get(key) and not is_envelope(value[key]):  # an envelope is no secret
            value[key] = SecretText(value[key])
    return value


def _encoded(text: str) -> bytes:
    return text.encode()


def _flag_or_list(text: str) -> Any:
    value = decode(text)
    return decode_flag(value) if type(value) is int else value

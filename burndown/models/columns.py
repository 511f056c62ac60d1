"""How values lie in a column.

JSON is text in the given key order, which every SQL shell can read; what is large and comes from
Jira is compressed. Time is text that compares with SQLite's own ``datetime('now')``.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, LargeBinary, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeDecorator, TypeEngine

from burndown.models.base import Submodel
from burndown.models.compression import compress, decompress
from burndown.models.json_codec import decode, encode

__all__ = [
    "CompressedJson",
    "IsoText",
    "JsonText",
    "OrderedText",
    "SubmodelJson",
    "UtcTimestamp",
    "random_text",
]


class JsonText(TypeDecorator[Any]):
    """A JSON value as text; SQL ``NULL`` for ``None``. Read ``raw``, it stays encoded."""

    impl = Text
    cache_ok = True

    def __init__(self, *, raw: bool = False) -> None:
        super().__init__()
        self.raw = raw

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Encode."""
        return None if value is None else encode(value).decode()

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Decode."""
        return _encoded if self.raw else _decoded


def _decoded(text: str | None) -> Any:
    return None if text is None else decode(text)


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


class SubmodelJson(TypeDecorator[Submodel]):
    """A submodel as JSON text, only with what was set; a plain document is taken as it is."""

    impl = Text
    cache_ok = True

    def __init__(self, model: type[Submodel]) -> None:
        super().__init__()
        self.model = model

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Encode."""
        document = value.to_document() if isinstance(value, Submodel) else value
        return encode(document).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Submodel:
        """Decode and validate."""
        return self.model.model_validate(decode(value))


class CompressedJson(TypeDecorator[Any]):
    """A JSON value as compressed text. Read ``raw``, it stays encoded."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, *, raw: bool = False) -> None:
        super().__init__()
        self.raw = raw

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes:
        """Encode and compress."""
        return compress(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Decompress and decode."""
        text = decompress(value)
        return text if self.raw else decode(text)


class OrderedText(TypeDecorator[str]):
    """A text that is sorted by its code points on every database, as in Python."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL sorts by the language of the database, unless told otherwise."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(Text(collation=collation))


class UtcTimestamp(TypeDecorator[datetime]):
    """A moment: ``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC on SQLite, ``timestamptz`` elsewhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, which has no type for time."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else self.impl_instance)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """To UTC; a naive value is local time."""
        return _to_text if dialect.name == "sqlite" else _to_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """As an aware value in UTC."""
        return _from_text if dialect.name == "sqlite" else _to_utc


class IsoText(UtcTimestamp):
    """A moment that is read as ISO 8601 text, as documents have it."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """As text in UTC."""
        return _iso_from_text if dialect.name == "sqlite" else _iso_from_moment


def _to_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:_TEXT_LENGTH]


def _from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _iso_from_text(text: str | None) -> str | None:
    if (
        text is not None
        and len(text) == _TEXT_LENGTH
        and text[4:20:3] == "-- ::."  # what stands between the numbers
        and text[20:].isdigit()
    ):
        return text.replace(" ", "T", 1).removesuffix(".000000") + "+00:00"
    return _iso_from_moment(_from_text(text))  # another form of ISO 8601: others wrote it


def _iso_from_moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat()


_TEXT_LENGTH = len("2025-12-23 10:00:00.000000")


class random_text(GenericFunction[str]):  # noqa: N801 - it is called as SQL functions are
    """A text that no other row has: the default of a unique column that an INSERT leaves out."""

    type = Text()
    inherit_cache = True


@compiles(random_text, "sqlite")
def _random_text_on_sqlite(*_: Any, **__: Any) -> str:
    return "(lower(hex(randomblob(8))))"


@compiles(random_text, "postgresql")
def _random_text_on_postgresql(*_: Any, **__: Any) -> str:
    return "gen_random_uuid()::text"

"""The column types: encoding and decoding of stored values.

JSON is a string in the given key order, which every SQL shell can read; large values from Jira are
compressed. On SQLite a timestamp is a string that compares correctly with ``datetime('now')``.
"""

from abc import abstractmethod
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Boolean, Column, Date, DateTime, Dialect, Text, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeDecorator, TypeEngine
from zstandard import ZstdError

from burndown.errors import DatabaseCorruptionError

__all__ = [
    "DECODING_ERRORS",
    "CalendarDate",
    "Flag",
    "IsoText",
    "OrderedText",
    "StoredType",
    "UtcTimestamp",
    "damaged",
    "decode_flag",
    "random_text",
]

T = TypeVar("T")

DECODING_ERRORS = (ValueError, TypeError, AttributeError, OverflowError, ZstdError)
"""The errors of decoders for a value that is not what was stored."""


def damaged(location: str, reason: object) -> DatabaseCorruptionError:
    """Return the error of a stored value that cannot be decoded.

    Args:
        location: the table and column, such as ``profiles.jira_config``.
        reason: the reason, without the value itself, which may be secret.
    """
    return DatabaseCorruptionError(
        f"{location} is damaged: {reason}; restore a backup, or delete the row"
    )


class StoredType(TypeDecorator[T]):
    """A type whose values are decoded when they are read.

    The statements of this package call the decoder themselves; the ORM calls the result processor,
    which raises :class:`~burndown.errors.DatabaseCorruptionError` for what cannot be decoded.
    """

    cache_ok = True
    column: Column[Any] | None = None
    """The column that has the type, for messages."""

    @property
    def of_documents(self) -> TypeEngine[Any]:
        """Return the type that reads the same column as documents have it."""
        return self

    @abstractmethod
    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return the function that decodes a value of the driver that is not ``None``.

        It raises one of :data:`DECODING_ERRORS` for a value that is not what was stored.
        """

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return the function that decodes a value of the driver for the ORM."""
        decode_one = self.decoder(dialect)

        def process(value: Any) -> Any:
            try:
                return None if value is None else decode_one(value)
            except DECODING_ERRORS as error:
                location = "A value" if self.column is None else str(self.column)
                raise damaged(location, error) from None

        return process


@event.listens_for(StoredType, "after_parent_attach", propagate=True)
def _note_column(stored: StoredType[Any], column: Column[Any]) -> None:
    stored.column = column


class Flag(StoredType[bool]):
    """A boolean, which is 0 or 1 on SQLite."""

    impl = Boolean
    cache_ok = True

    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Decode."""
        return decode_flag


class _Flags(dict[Any, bool]):
    def __missing__(self, value: Any) -> bool:
        raise ValueError("input should be 0 or 1")


decode_flag = _Flags({0: False, 1: True}).__getitem__


class OrderedText(TypeDecorator[str]):
    """A string that is sorted by its code points on every database, as in Python."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type; PostgreSQL sorts by the language of the database without ``C``."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(Text(collation=collation))


class UtcTimestamp(StoredType[datetime]):
    """A timestamp: ``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC on SQLite, ``timestamptz`` elsewhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type: text on SQLite, which has no type for time."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else self.impl_instance)

    @property
    def of_documents(self) -> TypeEngine[Any]:
        """Return the type that reads ISO 8601 strings."""
        return IsoText()

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return the conversion to UTC; a naive value is local time."""
        return _to_text if dialect.name == "sqlite" else _to_utc

    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return the conversion to an aware value in UTC."""
        return _from_text if dialect.name == "sqlite" else _in_utc


class IsoText(UtcTimestamp):
    """A timestamp that is read as an ISO 8601 string, as documents have it."""

    cache_ok = True

    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return the conversion to a string in UTC."""
        return _iso_from_text if dialect.name == "sqlite" else _iso_from_timestamp


class CalendarDate(StoredType[date]):
    """A date: ``YYYY-MM-DD`` on SQLite, ``date`` elsewhere.

    Args:
        as_text: read it as a string, as documents have it.
    """

    impl = Date
    cache_ok = True

    def __init__(self, *, as_text: bool = False) -> None:
        super().__init__()
        self.as_text = as_text

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type: text on SQLite, which has no type for time."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else self.impl_instance)

    @property
    def of_documents(self) -> TypeEngine[Any]:
        """Return the type that reads strings."""
        return CalendarDate(as_text=True)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return the conversion of a date to text, where that is stored."""
        return _date_to_text if dialect.name == "sqlite" else None

    def decoder(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return the conversion to a date, or to a string."""
        from_stored = _date_from_text if dialect.name == "sqlite" else _unchanged
        if not self.as_text:
            return from_stored
        return lambda value: from_stored(value).isoformat()


def _date_to_text(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _date_from_text(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:  # its message quotes the string, which may be secret
        raise ValueError("the date is not ISO 8601") from None


def _unchanged(value: date) -> date:
    return value


def _to_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    # Always with microseconds and without the offset: strings of one length compare as timestamps
    # do, also with those of SQLite's `datetime('now')`.
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:_TEXT_LENGTH]


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _from_text(text: str) -> datetime:
    """Return the timestamp; without an offset it is in UTC."""
    timestamp = _parsed(text)
    if timestamp.tzinfo is None:
        return timestamp.replace(tzinfo=UTC)
    return timestamp.astimezone(UTC)


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # its message quotes the string, which may be secret
        raise ValueError("the timestamp is not ISO 8601") from None


@lru_cache(maxsize=4096)  # the rows of a store share few timestamps, and are read again
def _iso_from_text(text: str) -> str:
    # Text in the form that this package writes needs no conversion, which takes 1 us.
    if (
        len(text) == _TEXT_LENGTH
        and text[4:20:3] == "-- ::."  # the separators
        and _parsed(text).tzinfo is None
    ):
        return text.replace(" ", "T", 1).removesuffix(".000000") + "+00:00"
    return _from_text(text).isoformat()  # another form of ISO 8601: others wrote it


def _iso_from_timestamp(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


_TEXT_LENGTH = len("2025-12-23 10:00:00.000000")


class random_text(GenericFunction[str]):  # noqa: N801 - it is called as SQL functions are
    """A string that no other row has: the default of a unique column that an INSERT leaves out."""

    type = Text()
    inherit_cache = True


@compiles(random_text, "sqlite")
def _random_text_on_sqlite(*_: Any, **__: Any) -> str:
    return "(lower(hex(randomblob(8))))"


@compiles(random_text, "postgresql")
def _random_text_on_postgresql(*_: Any, **__: Any) -> str:
    return "gen_random_uuid()::text"
